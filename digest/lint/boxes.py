"""L409 to L41x: boxes, columns and buttons."""

from collections.abc import Iterator

from digest.lint.colour import BLACK, WHITE, colour, colour_in
from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.page import Element
from digest.lint.rules import Fault, Needs, rule
from digest.lint.styles import pixels, sides
from digest.lint.wording import brief

ERROR, WARNING = Severity.ERROR, Severity.WARNING
WIDEST, NARROW, BUTTON = 640, 320, 44  # px
GENERIC = ("serif", "sans-serif", "monospace", "inherit")
CARRIERS = ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6")


@rule(
    "L409",
    WARNING,
    "no box is pure white or black",
    "Use a white or a black that is a little off.",
    "https://www.caniemail.com/features/css-at-media-prefers-color-scheme/",
    needs=Needs.HTML,
)
def no_pure_boxes(mail: Mail) -> Iterator[Fault]:
    """What inverts by force turns them into their glaring opposite."""
    for element in mail.page.elements:
        values = element.style.values
        said = values.get("background-color") or element.attrs.get("bgcolor", "")
        box = colour(said, WHITE) if said else colour_in(values.get("background", ""), WHITE)
        if box in (WHITE, BLACK) and said != "transparent":
            yield Fault(f"its background is {box}", element.spot)


@rule(
    "L410",
    ERROR,
    f"the column has a max-width of at most {WIDEST} px",
    "Write max-width:600px on the outermost table.",
    "https://www.caniemail.com/features/css-max-width/",
    needs=Needs.HTML,
)
def column(mail: Mail) -> Iterator[Fault]:
    """Lines of 80 characters."""
    widths = [pixels(e.style.values.get("max-width", "")) for e in mail.page.named("table", "div", "td", "center")]
    stated = [width for width in widths if width]
    if not stated or max(stated) > WIDEST:
        yield Fault(f"it is {max(stated):g} px" if stated else "there is none")


@rule(
    "L411",
    ERROR,
    f"nothing is wider than {NARROW} px by itself",
    "Write width:100% and a max-width.",
    "WCAG 2.2 criterion 1.4.10",
    needs=Needs.HTML,
)
def no_sideways_scroll(mail: Mail) -> Iterator[Fault]:
    """A narrow phone would scroll sideways."""
    for element in mail.page.elements:
        values = element.style.values
        attribute = pixels(element.attrs.get("width", "") + "px") or 0.0
        own = [pixels(values[name]) or 0.0 for name in ("width", "min-width") if "%" not in values.get(name, "%")]
        if max([0.0 if "width" in values else attribute, *own]) > NARROW and "%" not in values.get("max-width", ""):
            yield Fault("it is wider", element.spot)


@rule(
    "L412",
    WARNING,
    "texts are aligned at their start",
    "Take text-align:center or justify out.",
    "WCAG 2.2 criterion 1.4.8",
    needs=Needs.HTML,
)
def aligned(mail: Mail) -> Iterator[Fault]:
    """A button may be centred, a text not."""
    for element in mail.page.elements:
        said = element.style.values.get("text-align", element.attrs.get("align", "")).lower()
        if said == "justify" or (said == "center" and element.name in CARRIERS):
            yield Fault(f"it is {said}", element.spot)


@rule(
    "L413",
    WARNING,
    "each font list ends in serif, sans-serif or monospace",
    "Write font-family:Helvetica,Arial,sans-serif.",
    "https://www.w3.org/TR/css-fonts-4/#generic-font-families",
    needs=Needs.HTML,
)
def generic_font(mail: Mail) -> Iterator[Fault]:
    """Else Outlook takes Times."""
    for element in mail.page.elements:
        fonts = element.style.values.get("font-family")
        if fonts and fonts.rpartition(",")[2].strip(" '\"") not in GENERIC:
            yield Fault(f"it is {brief(fonts)}", element.spot)


@rule(
    "L414",
    ERROR,
    f"buttons are at least {BUTTON} px high",
    "Write padding:10px 24px;line-height:24px;display:inline-block on the link.",
    "WCAG 2.2 criterion 2.5.5",
    needs=Needs.HTML,
)
def high_buttons(mail: Mail) -> Iterator[Fault]:
    """Padding and line height of the link itself: all of it can be pressed."""
    for link in mail.page.named("a"):
        if is_button(link):
            above, below = sides(link.style.values, "padding")
            line = pixels(inherited(link, "line-height"), pixels(inherited(link, "font-size")) or 16.0) or 0.0
            if above + line + below < BUTTON or link.style.values.get("display") not in ("inline-block", "block"):
                yield Fault(f"it is {above + line + below:g} px, or no inline-block", link.spot)


@rule(
    "L415",
    ERROR,
    "links are underlined, unless they are buttons",
    "Take text-decoration:none out.",
    "WCAG 2.2 criterion 1.4.1",
    needs=Needs.HTML,
)
def underlined(mail: Mail) -> Iterator[Fault]:
    """Colour alone does not say "link" to everybody."""
    for link in mail.page.named("a"):
        values = link.style.values
        said = values.get("text-decoration", "") + values.get("text-decoration-line", "")
        if "none" in said and not is_button(link) and link.text:
            yield Fault("it is not", link.spot)


def is_button(link: Element) -> bool:
    """A link with padding that has, or whose cell has, a background of its own."""
    boxes = [link.style.values, link.parent.style.values if link.parent else {}]
    filled = any("background" in box or "background-color" in box for box in boxes)
    return filled and any(name.startswith("padding") for name in link.style.values)


def inherited(element: Element, name: str) -> str:
    """The value of an inherited property: its own, or of the nearest around it that says it."""
    for around in (element, *element.ancestors):
        if name in around.style.values:
            return around.style.values[name]
    return ""
