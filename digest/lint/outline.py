"""L30x and L31x: the HTML of a mail as something that is read aloud: languages, title, headings."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.page import HEADINGS, SILENT
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief, squeezed

ERROR, WARNING = Severity.ERROR, Severity.WARNING
LANG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)
TITLE_NUMBER = re.compile(r"(\d{1,3})\. ")
EMAIL_MARKUP = "https://emailmarkup.org/en/reports/accessibility/2026"


@rule(
    "L304",
    ERROR,
    "<html> has lang and dir",
    'Write <html lang="en" dir="ltr">.',
    "WCAG 2.2 criterion 3.1.1",
    needs=Needs.HTML,
)
def language(mail: Mail) -> Iterator[Fault]:
    """Screen readers choose their voice by it."""
    for element in mail.page.named("html"):
        yield from _without_language(element.attrs, "<html>")


@rule(
    "L305",
    ERROR,
    "each element right inside <body> has lang and dir",
    'Give it lang="en" dir="ltr": web mail strips <html> and <body>.',
    EMAIL_MARKUP,
    needs=Needs.HTML,
)
def language_of_content(mail: Mail) -> Iterator[Fault]:
    """The content's own language."""
    for element in mail.page.body.children if mail.page.body else []:
        if element.name not in SILENT:
            yield from _without_language(element.attrs, element.spot)


def _without_language(attrs: dict[str, str], where: str) -> Iterator[Fault]:
    if not LANG.fullmatch(attrs.get("lang", "")):
        yield Fault(f"lang is {attrs.get('lang', '')!r}", where)
    if attrs.get("dir", "").lower() not in ("ltr", "rtl", "auto"):
        yield Fault(f"dir is {attrs.get('dir', '')!r}", where)


@rule(
    "L306",
    ERROR,
    "there is one <title>, and it is the subject",
    "Write the subject into <title>.",
    "WCAG 2.2 criterion 2.4.2",
    needs=Needs.HTML,
)
def title(mail: Mail) -> Iterator[Fault]:
    """What a mail is called that is opened in a browser."""
    titles = [element.text for element in mail.page.named("title")]
    if len(titles) != 1:
        yield Fault(f"there are {len(titles)}")
    elif titles[0] != squeezed(mail.value("Subject")):
        yield Fault(f"it is {brief(titles[0])!r}")


@rule("L309", ERROR, "there is exactly one h1", "Make the mail's own title the h1.", EMAIL_MARKUP, needs=Needs.HTML)
def one_h1(mail: Mail) -> Iterator[Fault]:
    """Where a screen reader begins."""
    if (number := len(mail.page.named("h1"))) != 1:
        yield Fault(f"there are {number}")


@rule(
    "L310",
    ERROR,
    "headings begin with h1, skip no level and are not empty",
    "Make it the next level down: h1, h2, h3.",
    "WCAG 2.2 criterion 1.3.1",
    needs=Needs.HTML,
)
def headings(mail: Mail) -> Iterator[Fault]:
    """The outline."""
    level = 0
    for heading in mail.page.named(*HEADINGS):
        if (own := int(heading.name[1])) > level + 1:
            yield Fault(f"h{own} after {f'h{level}' if level else 'nothing'}", heading.spot)
        if not heading.text:
            yield Fault(f"an empty h{own}", heading.spot)
        level = own


@rule(
    "L311",
    WARNING,
    "numbered titles count 1, 2, 3",
    "Number the papers in the order in which they stand.",
    needs=Needs.HTML | Needs.DIGEST,
)
def numbers(mail: Mail) -> Iterator[Fault]:
    """So that a listener can say "number 3"."""
    matches = [TITLE_NUMBER.match(heading.text) for heading in mail.page.named("h2")]
    said = [int(match[1]) for match in matches if match]
    if said != list(range(1, len(said) + 1)):
        yield Fault(f"they count {brief(', '.join(map(str, said)))}")


@rule(
    "L314",
    ERROR,
    "nothing is aria-hidden, and only the preheader is hidden",
    "Show it or leave it out.",
    "WCAG 2.2 criterion 4.1.2",
    needs=Needs.HTML,
)
def nothing_hidden(mail: Mail) -> Iterator[Fault]:
    """Some programs show what others hide: style and aria attributes get lost on the way."""
    for element in mail.page.elements:
        around = element.parent
        if element.attrs.get("aria-hidden", "").lower() == "true":
            yield Fault("it is aria-hidden", element.spot)
        if element.hidden and not (around and around.hidden) and element is not mail.page.preheader:
            yield Fault("it is hidden", element.spot)
