"""L40x: styles that survive Gmail and Outlook."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief

ERROR = Severity.ERROR
GMAIL = "https://developers.google.com/workspace/gmail/design/css"
MEDIA = re.compile(r"(min|max)-(width|device-width|resolution)|orientation|prefers-color-scheme")
FLOATING = re.compile(r"^(absolute|fixed|sticky|relative)$")
MODERN = re.compile(r"\b(inline-)?(flex|grid)\b")


@rule(
    "L401",
    ERROR,
    "<style> holds @media blocks and nothing else",
    "Write the rule into style attributes: <style> may get lost.",
    GMAIL,
    needs=Needs.HTML,
)
def layout_is_inline(mail: Mail) -> Iterator[Fault]:
    """Losing <style> must lose polish only."""
    for selector in mail.page.sheet.loose:
        yield Fault("a rule outside of @media", brief(selector))
    for name in mail.page.sheet.at_rules:
        yield Fault(f"there is an {brief(name)}", "<style>")


@rule(
    "L402",
    ERROR,
    "media queries ask for width, orientation, resolution or the colour scheme",
    "Ask for one of these.",
    GMAIL,
    needs=Needs.HTML,
)
def known_queries(mail: Mail) -> Iterator[Fault]:
    """Others are dropped, with the block."""
    for block in mail.page.sheet.blocks:
        if not MEDIA.search(block.condition):
            yield Fault(f"@media {brief(block.condition)}", "<style>")


@rule(
    "L403",
    ERROR,
    "selectors are of elements, classes and ids",
    "Give the element a class.",
    GMAIL,
    needs=Needs.HTML,
)
def simple_selectors(mail: Mail) -> Iterator[Fault]:
    """One inside another is fine; attributes, states and siblings are dropped."""
    for block in mail.page.sheet.blocks:
        for ruleset in block.rulesets:
            if not ruleset.is_simple:
                yield Fault(f"the selector {brief(ruleset.selector)!r}", "<style>")


@rule(
    "L404",
    ERROR,
    "styles can be parsed",
    "Correct the declaration there.",
    "https://www.w3.org/TR/css-syntax-3/",
    needs=Needs.HTML,
)
def valid(mail: Mail) -> Iterator[Fault]:
    """Gmail drops a whole <style> for one fault in it."""
    for message in mail.page.sheet.errors:
        yield Fault(brief(message), "<style>")
    for element in mail.page.elements:
        for message in element.style.errors:
            yield Fault(brief(message), element.spot)


@rule(
    "L405",
    ERROR,
    "nothing hangs on position, float, flex, grid or a negative margin",
    "Let blocks and tables follow one another.",
    "https://www.caniemail.com/features/css-position/",
    needs=Needs.HTML,
)
def plain_flow(mail: Mail) -> Iterator[Fault]:
    """Gmail and Outlook drop position and flex."""
    places = [(element.spot, element.style.values) for element in mail.page.elements if element.style.values]
    places += [(r.selector, r.declared.values) for block in mail.page.sheet.blocks for r in block.rulesets]
    for where, values in places:
        for name, value in values.items():
            floats = (name == "float" and value != "none") or (name == "position" and FLOATING.match(value))
            modern = name == "display" and MODERN.search(value)
            if floats or modern or (name.startswith("margin") and "-" in value):
                yield Fault(f"{name}: {brief(value)}", where)


@rule(
    "L406",
    ERROR,
    "styles load nothing",
    "Take url() out; use <img>.",
    "https://www.caniemail.com/features/css-background-image/",
    needs=Needs.HTML,
)
def nothing_loaded(mail: Mail) -> Iterator[Fault]:
    """Images of styles are fetched from anywhere and carry no alt."""
    for element in mail.page.elements:
        if any("url(" in value for value in element.style.values.values()) or "background" in element.attrs:
            yield Fault("it loads an image", element.spot)
    for block in mail.page.sheet.blocks:
        for ruleset in block.rulesets:
            if any("url(" in value for value in ruleset.declared.values.values()):
                yield Fault("it loads an image", ruleset.selector)


@rule(
    "L407",
    ERROR,
    "the mail says that it is made for light and dark",
    'Write the metas color-scheme and supported-color-schemes, both "light dark".',
    "https://www.w3.org/TR/css-color-adjust-1/",
    needs=Needs.HTML,
)
def schemes(mail: Mail) -> Iterator[Fault]:
    """Apple Mail reads these two."""
    for name in ("color-scheme", "supported-color-schemes"):
        if set(mail.page.meta(name).lower().split()) != {"light", "dark"}:
            yield Fault(f"it is {brief(mail.page.meta(name))!r}", f"<meta name={name}>")


@rule(
    "L408",
    ERROR,
    "there are colours for dark",
    "Write a block @media (prefers-color-scheme: dark) into <style>.",
    "https://www.caniemail.com/features/css-at-media-prefers-color-scheme/",
    needs=Needs.HTML,
)
def dark_block(mail: Mail) -> Iterator[Fault]:
    """Saying "dark" without it leaves dark text on a dark page."""
    if not mail.page.sheet.dark:
        yield Fault("there is no such block", "<style>")
