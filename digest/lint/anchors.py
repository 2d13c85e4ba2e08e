"""L62x: what links say, and the way out."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief, urls_in

ERROR, WARNING = Severity.ERROR, Severity.WARNING
EMPTY_WORDS = re.compile(
    r"(click |press |tap )?(here|this|link|this link|more|read more|learn more|see more|click|continue)[\W]*",
    re.IGNORECASE,
)
LEAVING = re.compile(r"unsubscribe|leave", re.IGNORECASE)  # in English; what other languages say is not judged
TOP = 10  # lines of the text
POSTAL = re.compile(r"\d")
GOOGLE = "https://support.google.com/a/answer/81126"


@rule(
    "L620",
    ERROR,
    "each link has words, or an image with an alt",
    "Write where it leads between <a> and </a>.",
    "WCAG 2.2 criterion 2.4.4",
    needs=Needs.HTML,
)
def words(mail: Mail) -> Iterator[Fault]:
    """A listener hears the address otherwise."""
    for link in mail.page.links:
        if not link.text:
            yield Fault(f"the link to {brief(link.href)} has none", link.spot)


@rule(
    "L621",
    ERROR,
    "no link says 'here' or 'read more'",
    "Say where it leads: PDF of no. 3.",
    "WCAG 2.2 criterion 2.4.9",
    needs=Needs.HTML,
)
def telling(mail: Mail) -> Iterator[Fault]:
    """Screen readers list links without what is around them."""
    for link in mail.page.links:
        if EMPTY_WORDS.fullmatch(link.text):
            yield Fault(f"it says {link.text!r}", link.spot)


@rule(
    "L622",
    ERROR,
    "links of the same words lead to the same place",
    "Put the paper's number into the words.",
    "WCAG 2.2 criterion 2.4.9",
    needs=Needs.HTML,
)
def one_target(mail: Mail) -> Iterator[Fault]:
    """Digits count: PDF of no. 3 is not PDF of no. 4."""
    targets: dict[str, set[str]] = {}
    for link in mail.page.links:
        targets.setdefault(link.text.lower(), set()).add(link.href)
    for said, hrefs in targets.items():
        if said and len(hrefs) > 1:
            yield Fault(f"{len(hrefs)} addresses", brief(said))


@rule(
    "L623",
    ERROR,
    "a digest shows the address of List-Unsubscribe as a link that says so",
    "Write <a href=...>Unsubscribe</a>, and the same address in the text.",
    GOOGLE,
    needs=Needs.DIGEST,
)
def way_out(mail: Mail) -> Iterator[Fault]:
    """In each part."""
    out = mail.unsubscribe_url
    if not out:
        return
    shown = [link for link in mail.page.links if link.href == out and not link.element.hidden]
    english = all(element.attrs.get("lang", "en").startswith("en") for element in mail.page.named("html"))
    if mail.html is not None and not any(LEAVING.search(link.text) or not english for link in shown):
        yield Fault("the HTML has no such link", "HTML")
    if out not in urls_in(mail.text):
        yield Fault("the text does not have it", "text")


@rule(
    "L624",
    ERROR,
    f"the text of a digest has the way out in its first {TOP} lines and in its last {TOP}",
    "Write Unsubscribe: and the address there.",
    needs=Needs.DIGEST,
)
def way_out_twice(mail: Mail) -> Iterator[Fault]:
    """Readers who do not find it press Spam."""
    out = mail.unsubscribe_url
    for name, lines in (("first", mail.lines[:TOP]), ("last", mail.lines[-TOP:])):
        if out and not any(out in urls_in(line) for line in lines):
            yield Fault(f"not in the {name} {TOP} lines", "text")


@rule(
    "L625",
    WARNING,
    "a digest ends with a postal address, in each part",
    "Set POSTAL_ADDRESS, and show it below the last unsubscribe link.",
    "15 U.S.C. 7704(a)(5)",
    needs=Needs.DIGEST,
)
def postal_address(mail: Mail) -> Iterator[Fault]:
    """A guess: below the last way out there is a line with a digit, as every house, box or postcode has one."""
    out = mail.unsubscribe_url
    if not out:
        return
    places = [number for number, line in enumerate(mail.lines) if out in urls_in(line)]
    if not any(POSTAL.search(line) for line in mail.lines[places[-1] + 1 if places else 0 :]):
        yield Fault("no line with a number below the last way out", "text")
    last = next((link.element for link in reversed(mail.page.links) if link.href == out), None)
    if mail.html is not None and not (last and POSTAL.search(mail.page.text_after(last))):
        yield Fault("no number below the last way out", "HTML")
