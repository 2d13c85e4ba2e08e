"""L8xx: the text part, which is written and not converted."""

import re
from collections import Counter
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import URL, brief, urls_in

ERROR, WARNING = Severity.ERROR, Severity.WARNING
SHARE = 0.8
WIDTH = 78
# Thai, Lao, Burmese, Khmer, Chinese and Japanese have no blanks: lines are cut anywhere, so each sign is a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


@rule(
    "L801",
    ERROR,
    f"the text has {SHARE:.0%} or more of the HTML's words",
    "Write into body.txt what body.html says.",
    "https://github.com/apache/spamassassin/blob/trunk/rules/20_body_tests.cf",
    needs=Needs.HTML,
)
def same_words(mail: Mail) -> Iterator[Fault]:
    """SpamAssassin counts a stub against a mail (MPART_ALT_DIFF). Without preheader and addresses."""
    shown, written = _words(mail.page.text), _words(mail.text)
    kept = (shown & written).total() / shown.total() if shown else 1.0
    if kept < SHARE:
        missing = [word for word, _ in (shown - written).most_common(5)]
        yield Fault(f"it has {kept:.0%}; missing: {brief(', '.join(missing))}", "text")


def _words(text: str) -> Counter[str]:
    return Counter(WORD.findall(URL.sub(" ", text).casefold()))


@rule(
    "L802",
    ERROR,
    f"lines of the text are at most {WIDTH} characters long, but for a line that is one address",
    "Wrap the text; put a long address on a line of its own.",
    "RFC 5322 section 2.1.1",
)
def narrow(mail: Mail) -> Iterator[Fault]:
    """80 columns, less what a quoting program puts in front."""
    for number, line in enumerate(mail.lines, start=1):
        if len(line) > WIDTH and not URL.fullmatch(line.strip(" ()<>[]“”.,;:")):
            yield Fault(f"{len(line)} characters", f"text, line {number}")


@rule(
    "L803",
    ERROR,
    "both parts have the same addresses",
    "Put each link into both templates.",
    "https://github.com/rspamd/rspamd/blob/master/rules/regexp/misc.lua",
    needs=Needs.HTML,
)
def same_links(mail: Mail) -> Iterator[Fault]:
    """An address that is shown as text, in an abstract, counts as one too."""
    linked = {link.href for link in mail.page.links}
    shown = set(urls_in(mail.page.text))
    written = set(urls_in(mail.text))
    for url in sorted(linked - written):
        yield Fault("it is in the HTML alone", brief(url))
    for url in sorted(written - linked - shown):
        yield Fault("it is in the text alone", brief(url))


@rule("L804", ERROR, "no two empty lines follow one another", "Take one out: look at what a tag leaves behind.")
def no_gaps(mail: Mail) -> Iterator[Fault]:
    """Traces of a template's ifs."""
    for number, (line, next_) in enumerate(zip(mail.lines, mail.lines[1:], strict=False), start=1):
        if not line.strip() and not next_.strip():
            yield Fault("two empty lines", f"text, line {number}")


@rule("L805", ERROR, "one link a line, with a label before it", "Write 'PDF of no. 3:' before it.")
def labelled(mail: Mail) -> Iterator[Fault]:
    """On the same line, or on the one before. Addresses within an abstract are no links of the mail."""
    linked = {link.href for link in mail.page.links}
    before = ""
    for number, line in enumerate(mail.lines, start=1):
        urls = [url for url in urls_in(line) if url in linked or mail.html is None]
        if len(urls) > 1:
            yield Fault(f"{len(urls)} links", f"text, line {number}")
        if urls and not line.partition(urls[0])[0].strip(" <(") and (not before.strip() or urls_in(before)):
            yield Fault("a link without a label", f"text, line {number}")
        before = line


@rule("L806", ERROR, "the text begins and ends with words, and its last line ends", "Strip it, and add one line end.")
def trimmed(mail: Mail) -> Iterator[Fault]:
    """Blank lines at either end."""
    if mail.lines and mail.text.strip() and not (mail.lines[0].strip() and mail.lines[-1].strip()):
        yield Fault("an empty line at an end", "text")
    if mail.text and not mail.text.endswith("\n"):
        yield Fault("the last line does not end", "text")


@rule(
    "L807",
    WARNING,
    "no line of the text ends in blanks",
    "Take them out: look at what a tag leaves behind.",
    "RFC 3676 section 4.2",
)
def no_trailing_blanks(mail: Mail) -> Iterator[Fault]:
    """To a program that flows text a blank at the end says: the line goes on."""
    for number, line in enumerate(mail.lines, start=1):
        if line != line.rstrip(" \t") and line != "-- ":
            yield Fault("it does", f"text, line {number}")
