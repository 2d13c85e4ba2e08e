"""L33x: images, which half of the programs do not load."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.page import Element
from digest.lint.rules import Fault, Needs, rule
from digest.lint.styles import pixels

ERROR, WARNING = Severity.ERROR, Severity.WARNING
TALLEST = 184  # px: images that are not loaded leave a hole of their size
NOT_SHOWN = re.compile(r"^data:|\.svgz?([?#]|$)", re.IGNORECASE)


@rule(
    "L330",
    ERROR,
    "each image has an alt",
    'Write alt="" where it only decorates, else what it shows.',
    "WCAG 2.2 criterion 1.1.1",
    needs=Needs.HTML,
)
def alt(mail: Mail) -> Iterator[Fault]:
    """Empty is an answer, absent is none."""
    for image in mail.page.named("img"):
        if "alt" not in image.attrs:
            yield Fault("it has no alt", image.spot)


@rule("L331", ERROR, "no image is a pixel to track readers", "Take it out: opens are not tracked.", needs=Needs.HTML)
def no_pixel(mail: Mail) -> Iterator[Fault]:
    """Tiny or hidden."""
    for image in mail.page.named("img"):
        tiny = any(size is not None and size <= 3 for size in (_size(image, "width"), _size(image, "height")))
        if tiny or image.hidden:
            yield Fault("it is hidden" if image.hidden else "it is tiny", image.spot)


@rule(
    "L332",
    ERROR,
    "each image has a width and a height",
    "Write both as attributes, so that the text does not jump.",
    "https://www.caniemail.com/features/html-width-attribute/",
    needs=Needs.HTML,
)
def sized(mail: Mail) -> Iterator[Fault]:
    """Attributes: Outlook does not look at the style."""
    for image in mail.page.named("img"):
        for name in ("width", "height"):
            if not image.attrs.get(name, "").isdigit():
                yield Fault(f"its {name} is {image.attrs.get(name, '')!r}", image.spot)


@rule(
    "L333",
    ERROR,
    "no image is SVG or a data: address",
    "Use PNG or JPEG at an address of this site.",
    "https://www.caniemail.com/features/image-svg/",
    needs=Needs.HTML,
)
def shown_everywhere(mail: Mail) -> Iterator[Fault]:
    """Gmail and Outlook show neither."""
    for image in mail.page.named("img"):
        if NOT_SHOWN.search(image.attrs.get("src", "")):
            yield Fault("it is SVG or data:", image.spot)


@rule(
    "L334",
    WARNING,
    f"no image is taller than {TALLEST} px",
    "Use a thumbnail.",
    needs=Needs.HTML,
)
def small(mail: Mail) -> Iterator[Fault]:
    """The mail must read whole without its images."""
    for image in mail.page.named("img"):
        if (height := _size(image, "height")) and height > TALLEST:
            yield Fault(f"{height:g} px", image.spot)


def _size(image: Element, name: str) -> float | None:
    return pixels(image.attrs.get(name, "") + "px") or pixels(image.style.values.get(name, ""))
