"""L1xx: what every message says of itself before its body."""

import re
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, rule
from digest.lint.wording import brief

ERROR, WARNING = Severity.ERROR, Severity.WARNING
NEEDED = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
AT_MOST_ONCE = (
    *("Reply-To", "Sender", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Type"),
    *("Content-Transfer-Encoding", "Feedback-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("List-Archive", "List-Help", "List-Owner", "List-Post", "List-Subscribe"),
)
LINE, FOLDED = 998, 78  # RFC 5322 section 2.1.1
ENCODED_WORD = re.compile(r"=\?[^?\s]*\?[^?\s]*\?[^?\s]*\?=")
WORD_LENGTH = 75
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@rule("L100", ERROR, "the message can be read", "Send a whole message: header fields, an empty line, a body.")
def readable(mail: Mail) -> Iterator[Fault]:
    """A message of nothing, or of no header."""
    if not mail.headers:
        yield Fault("there is no header field" if mail.raw.strip() else "the message is empty")


@rule(
    "L101",
    ERROR,
    f"exactly one each of {', '.join(NEEDED)}",
    "Set each of them once; take out the second one.",
    "RFC 5322 section 3.6, RFC 2045 section 4",
)
def once(mail: Mail) -> Iterator[Fault]:
    """Count the fields that a message cannot do without."""
    for name in NEEDED:
        if (number := len(mail.all(name))) != 1:
            yield Fault(f"{number} {name} fields", name)


@rule(
    "L102",
    ERROR,
    "no field of a kind that may occur once occurs twice",
    "Take out the second one: receivers differ in which one they believe.",
    "RFC 5322 section 3.6, RFC 2369 section 3",
)
def not_twice(mail: Mail) -> Iterator[Fault]:
    """Count the fields that may also be away."""
    counts = Counter(header.name.lower() for header in mail.headers)
    for name in AT_MOST_ONCE:
        if (number := counts[name.lower()]) > 1:
            yield Fault(f"{number} {name} fields", name)


@rule("L103", ERROR, "MIME-Version is 1.0", "Write MIME-Version: 1.0.", "RFC 2045 section 4")
def mime_version(mail: Mail) -> Iterator[Fault]:
    """The only version there is."""
    if mail.all("MIME-Version") and mail.value("MIME-Version") != "1.0":
        yield Fault(f"it is {brief(mail.value('MIME-Version'))!r}", "MIME-Version")


@rule(
    "L104",
    ERROR,
    "Date is a date with a time and an offset",
    "Write it with email.utils.format_datetime() of an aware datetime.",
    "RFC 5322 section 3.3",
)
def date(mail: Mail) -> Iterator[Fault]:
    """Also without an offset it could be anybody's noon."""
    value = mail.value("Date")
    if not value:
        return
    try:
        aware = parsedate_to_datetime(value).tzinfo is not None
    except (ValueError, TypeError, OverflowError, IndexError):
        aware = False
    if not aware:
        yield Fault(f"{brief(value)!r} is no date with an offset", "Date")


@rule(
    "L105",
    ERROR,
    "Message-ID is <left@domain> and its domain is aligned with From's",
    "Make it of the row's own key and the domain of From, so that a retry carries the same one.",
    "RFC 5322 section 3.6.4",
)
def message_id(mail: Mail) -> Iterator[Fault]:
    """Aligned: the same domain, one above it or one below it."""
    value = mail.value("Message-ID")
    if not value:
        return
    match = re.fullmatch(r"<[^<>@\s]+@([^<>@\s]+)>", value)
    if not match:
        yield Fault(f"{brief(value)!r} is not <left@domain>", "Message-ID")
    elif not aligned(match[1], mail.sender_domain):
        yield Fault(f"{match[1]} is not aligned with {mail.sender_domain}", "Message-ID")


@rule(
    "L106",
    ERROR,
    "Auto-Submitted is auto-generated",
    "Set Auto-Submitted: auto-generated, so that no robot answers.",
    "RFC 3834 section 5",
)
def auto_submitted(mail: Mail) -> Iterator[Fault]:
    """Every mail here is made by a program."""
    if mail.value("Auto-Submitted").lower() != "auto-generated":
        yield Fault(f"it is {brief(mail.value('Auto-Submitted'))!r}", "Auto-Submitted")


@rule(
    "L107",
    ERROR,
    "X-Auto-Response-Suppress is All",
    "Set X-Auto-Response-Suppress: All: Exchange does not look at Auto-Submitted.",
    "https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxcmail/",
)
def response_suppressed(mail: Mail) -> Iterator[Fault]:
    """Out-of-office replies of Exchange."""
    if mail.value("X-Auto-Response-Suppress").lower() != "all":
        yield Fault(f"it is {brief(mail.value('X-Auto-Response-Suppress'))!r}", "X-Auto-Response-Suppress")


@rule(
    "L108",
    WARNING,
    "Precedence, if there at all, is bulk or list",
    "Leave it out, or write Precedence: bulk.",
    "RFC 3834 section 3.1.8",
)
def precedence(mail: Mail) -> Iterator[Fault]:
    """Optional, and old; some vacation programs look at nothing else."""
    if mail.all("Precedence") and mail.value("Precedence").lower() not in ("bulk", "list"):
        yield Fault(f"it is {brief(mail.value('Precedence'))!r}", "Precedence")


@rule(
    "L109",
    ERROR,
    f"no header line is over {LINE} octets",
    "Fold the field at a blank; shorten what has none.",
    "RFC 5322 section 2.1.1",
)
def short_lines(mail: Mail) -> Iterator[Fault]:
    """Servers cut or refuse longer ones."""
    for header in mail.headers:
        if (longest := max(map(len, header.lines))) > LINE:
            yield Fault(f"a line of {longest} octets", header.name)


@rule(
    "L110",
    WARNING,
    f"header lines are folded at {FOLDED} octets where they can be",
    "Let the email package write the field: it folds at blanks.",
    "RFC 5322 section 2.1.1",
)
def folded(mail: Mail) -> Iterator[Fault]:
    """A long word stays whole; a long line with a blank in it does not have to."""
    for header in mail.headers:
        for number, line in enumerate(header.lines):
            start = 0 if number else len(header.name) + 2
            if len(line) > FOLDED and re.search(r"\S[ \t]+\S", line[start:]):
                yield Fault(f"a line of {len(line)} octets with blanks to fold at", header.name)


@rule(
    "L111",
    ERROR,
    "headers are pure ASCII",
    "Let the email package encode the value (encoded-words).",
    "RFC 5322 section 2.2, RFC 2047",
)
def ascii_headers(mail: Mail) -> Iterator[Fault]:
    """Raw 8-bit octets arrive as somebody else's letters."""
    for header in mail.headers:
        if not (header.name + header.raw).isascii():
            yield Fault("raw 8-bit octets", header.name)


@rule(
    "L112",
    ERROR,
    f"encoded-words are at most {WORD_LENGTH} characters long and can be decoded",
    "Let the email package encode the value: it splits long ones.",
    "RFC 2047 section 2",
)
def encoded_words(mail: Mail) -> Iterator[Fault]:
    """What cannot be decoded is shown as it is."""
    for header in mail.headers:
        for word in ENCODED_WORD.findall(header.raw):
            if len(word) > WORD_LENGTH:
                yield Fault(f"an encoded-word of {len(word)} characters", header.name)
        if ENCODED_WORD.search(header.raw) and header.text == header.raw:
            yield Fault("an encoded-word that cannot be decoded", header.name)


@rule(
    "L113",
    ERROR,
    "no header holds a line break or another control character, encoded or not",
    "Put values on one line before they go into a header; never build one with an f-string.",
    "RFC 5322 section 2.2",
)
def no_injection(mail: Mail) -> Iterator[Fault]:
    """A name with a line break in it is the sender of other people's headers."""
    for line in mail.strays:
        yield Fault(f"a line that is no header field: {brief(line)!r}", "headers")
    for header in mail.headers:
        if CONTROL.search(header.raw):
            yield Fault("a control character", header.name)
        elif CONTROL.search(header.text):
            yield Fault("a control character in an encoded-word", header.name)


def aligned(one: str, other: str) -> bool:
    """Whether two domains are the same, or one is part of the other."""
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    return bool(one and other) and (one == other or one.endswith("." + other) or other.endswith("." + one))
