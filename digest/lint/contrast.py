"""L42x: whether texts can be read, in light, in dark and inverted by force."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from digest.lint.boxes import inherited, is_button
from digest.lint.colour import LEAST, WHITE, Colour, colour, colour_in, contrast
from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.page import SILENT, Element, Page
from digest.lint.rules import Fault, Needs, rule
from digest.lint.styles import pixels
from digest.lint.wording import squeezed

ERROR, WARNING = Severity.ERROR, Severity.WARNING
SMALLEST = 13  # px
EDGE = 3.0
SMALLER = {"small": 0.83, "sub": 0.83, "sup": 0.83, "h5": 0.83, "h6": 0.67}
MINIMUM = "WCAG 2.2 criterion 1.4.3"
DARKENING = "https://www.caniemail.com/features/css-at-media-prefers-color-scheme/"


class Shade(NamedTuple):
    """The colour of a text and of what is below it."""

    ink: Colour
    paper: Colour

    def __str__(self) -> str:
        return f"{self.ink} on {self.paper}"


# What browsers take where nothing is said: text, link, page.
LIGHT = (Colour(0.0, 0.0, 0.0), Colour(0.0, 0.0, 238 / 255), WHITE)
DARK = (WHITE, Colour(158 / 255, 158 / 255, 1.0), Colour(18 / 255, 18 / 255, 18 / 255))


@rule(
    "L420",
    ERROR,
    f"text has a contrast of {LEAST} or more in light",
    "Make the text darker or its background lighter.",
    MINIMUM,
    needs=Needs.HTML,
)
def light(mail: Mail) -> Iterator[Fault]:
    """By the inline colours alone."""
    yield from _faint(mail.page, lambda shade: [shade])


@rule(
    "L421",
    ERROR,
    f"text has a contrast of {LEAST} or more in dark",
    "Give the element a class with a lighter colour in the dark block, with !important.",
    MINIMUM,
    needs=Needs.HTML,
)
def dark(mail: Mail) -> Iterator[Fault]:
    """By the inline colours and the rules for dark."""
    if mail.page.sheet.dark:
        yield from _faint(mail.page, lambda shade: [shade], dark=True)


@rule(
    "L422",
    WARNING,
    f"text has a contrast of {LEAST} or more where a program darkens by force",
    "Choose colours whose lightness is further apart.",
    DARKENING,
    needs=Needs.HTML,
)
def inverted(mail: Mail) -> Iterator[Fault]:
    """A model of Gmail and Outlook: all lightness turned round, or only that of light boxes and dark texts."""
    yield from _faint(mail.page, lambda shade: [_turned(shade), _turned_in_part(shade)])


@rule(
    "L423",
    WARNING,
    f"a button stands out from what is around it by {EDGE} or more, in light and dark",
    "Give it a stronger background.",
    "WCAG 2.2 criterion 1.4.11",
    needs=Needs.HTML,
)
def edges(mail: Mail) -> Iterator[Fault]:
    """Its background against the one around it."""
    for name, found in (("light", shades(mail.page)), ("dark", shades(mail.page, dark=True))):
        for link in mail.page.named("a"):
            cell = link.parent
            if is_button(link) and cell and cell.parent:
                around = found[cell.parent if found[cell].paper == found[link].paper else cell].paper
                ratio = contrast(found[link].paper, around)
                if ratio < EDGE:
                    yield Fault(f"{ratio:.1f} in {name}: {found[link].paper} on {around}", link.spot)


@rule(
    "L424",
    ERROR,
    f"no text is smaller than {SMALLEST} px, and its size is stated",
    "Write font-size:14px or more.",
    "https://www.caniemail.com/features/css-font-size/",
    needs=Needs.HTML,
)
def sizes(mail: Mail) -> Iterator[Fault]:
    """Programs differ in what they take for medium."""
    for element in _carriers(mail.page):
        size = _size(element)
        if size is None or size < SMALLEST:
            yield Fault(f"{size:.3g} px" if size is not None else "no size in px", element.spot)


@rule(
    "L425",
    ERROR,
    "each text has a line height, and it is no less than the font size",
    "Write line-height:24px.",
    "WCAG 2.2 criterion 1.4.12",
    needs=Needs.HTML,
)
def line_heights(mail: Mail) -> Iterator[Fault]:
    """Outlook takes its own otherwise."""
    for element in _carriers(mail.page):
        size = _size(element) or 16.0
        said = inherited(element, "line-height")
        times = float(said) if said.replace(".", "", 1).isdigit() else 0.0
        height = times * size or pixels(said, size)
        if height is None or height < size:
            yield Fault(f"it is {said!r} with {size:.3g} px", element.spot)


def shades(page: Page, *, dark: bool = False) -> dict[Element, Shade]:
    """The colours of each element, inherited through the tree; in dark with the rules for it."""
    text, linked, canvas = DARK if dark else LIGHT
    rulesets = page.sheet.dark if dark else []
    found: dict[Element, Shade] = {}
    for element in page.elements:
        around = found[element.parent] if element.parent else Shade(text, canvas)
        values = dict(element.style.values)
        for ruleset in rulesets:
            if ruleset.fits(element):
                strong, own = ruleset.declared.important, ruleset.declared.values
                values |= {n: v for n, v in own.items() if n in strong or n not in element.style.values}
        paper = _paper(values, element, around.paper)
        default = linked if element.name == "a" and "href" in element.attrs else around.ink
        said = values.get("color", element.attrs.get("color", "") if element.name == "font" else "")
        found[element] = Shade(colour(said, paper) or default, paper)
    return found


def _paper(values: dict[str, str], element: Element, below: Colour) -> Colour:
    said = values.get("background-color") or element.attrs.get("bgcolor", "")
    return colour(said, below) or colour_in(values.get("background", ""), below) or below


def _faint(page: Page, seen: Callable[[Shade], list[Shade]], *, dark: bool = False) -> Iterator[Fault]:
    """One fault for each pair of colours, at the first place that has it."""
    found = shades(page, dark=dark)
    places: dict[Shade, list[Element]] = {}
    for element in _carriers(page):
        places.setdefault(found[element], []).append(element)
    for shade, elements in places.items():
        worst = min(seen(shade), key=lambda s: contrast(*s))
        if contrast(*worst) < LEAST:
            times = f", {len(elements)} times" if len(elements) > 1 else ""
            yield Fault(f"{contrast(*worst):.1f}: {worst}{times}", elements[0].spot)


def _turned(shade: Shade) -> Shade:
    return Shade(shade.ink.inverted, shade.paper.inverted)


def _turned_in_part(shade: Shade) -> Shade:
    ink = shade.ink if shade.ink.is_light else shade.ink.inverted
    return Shade(ink, shade.paper.inverted if shade.paper.is_light else shade.paper)


def _carriers(page: Page) -> list[Element]:
    """The elements in the body that hold shown text themselves, the body among them."""
    inside = [page.body, *page.body.inside()] if page.body else []
    return [e for e in inside if not (e.hidden or e.name in SILENT) and any(_is_words(piece) for piece in e.content)]


def _is_words(piece: Element | str) -> bool:
    return isinstance(piece, str) and bool(squeezed(piece))


def _size(element: Element) -> float | None:
    said, times = "", 1.0
    for around in (element, *element.ancestors):
        if said := around.style.values.get("font-size", ""):
            break
        times *= SMALLER.get(around.name, 1.0)
    size = pixels(said)
    return None if size is None else size * times
