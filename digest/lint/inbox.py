"""L5xx: the line that a reader sees in the list of mails: subject and preheader."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief, squeezed

ERROR, WARNING = Severity.ERROR, Severity.WARNING
HARD, SOFT, FIRST = 60, 50, 30  # characters
PREVIEW = (40, 90)
COVERED = 100  # characters of preheader and filler together
DATES = re.compile(
    r"\b(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?\b"
    r"|\b(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t(ember)?)?|oct(ober)?"
    r"|nov(ember)?|dec(ember)?)\b|\b(digest|issue|no|newsletter|daily|weekly|edition)\b|[\d\W_]+",
    re.IGNORECASE,
)
FALSE_START = re.compile(r"^\s*(re|fwd?|aw|wg|sv)\s*:", re.IGNORECASE)
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f]")
CHROME = re.compile(
    r"view (this |it )?(e-?mail |mail )?(in|on) (your |the |a )?(browser|web)|web version|unsubscribe", re.IGNORECASE
)


@rule("L501", ERROR, "the subject says something", "Write the subject.", "RFC 5322 section 3.6.5")
def subject(mail: Mail) -> Iterator[Fault]:
    """Blank is empty."""
    if mail.all("Subject") and not mail.value("Subject"):
        yield Fault("it is empty", "Subject")


@rule("L502", ERROR, f"the subject is at most {HARD} characters long", "Shorten the title in it.")
def short_subject(mail: Mail) -> Iterator[Fault]:
    """Beyond that it is cut nearly everywhere."""
    if (length := len(mail.value("Subject"))) > HARD:
        yield Fault(f"{length} characters", "Subject")


@rule("L503", WARNING, f"the subject is at most {SOFT} characters long", "Shorten the title in it.")
def shorter_subject(mail: Mail) -> Iterator[Fault]:
    """Phones cut at about that; what is above the hard limit has a rule of its own."""
    if SOFT < (length := len(mail.value("Subject"))) <= HARD:
        yield Fault(f"{length} characters", "Subject")


@rule(
    "L504",
    ERROR,
    f"the first {FIRST} characters of the subject say more than the site's name and a date",
    "Begin with the first paper's title: the name stands in From, the date beside it.",
)
def news_first(mail: Mail) -> Iterator[Fault]:
    """Narrow lists show no more than that."""
    start = mail.value("Subject")[:FIRST].lower()
    for name, _ in mail.addresses("From")[:1]:
        start = start.replace(name.lower(), " ") if name.strip() else start
    if mail.value("Subject") and len(DATES.sub("", start)) < 3:
        yield Fault(f"they are {mail.value('Subject')[:FIRST]!r}", "Subject")


@rule(
    "L505",
    ERROR,
    "the subject is no false answer and does not shout",
    "Write it as a plain sentence, without Re:, capitals throughout or !!.",
    "15 U.S.C. 7704(a)(2), https://support.google.com/a/answer/81126",
)
def plain_subject(mail: Mail) -> Iterator[Fault]:
    """A title of capitals is one word or two, like "BERT"."""
    said = mail.value("Subject")
    if FALSE_START.search(said):
        yield Fault(f"it begins with {said.partition(':')[0]}:", "Subject")
    if len(re.findall(r"[^\W\d_]", said)) > 10 and said == said.upper() != said.lower():
        yield Fault("it is in capitals", "Subject")
    if "!!" in said:
        yield Fault("it says !!", "Subject")


@rule("L506", WARNING, "there is no emoji in the subject", "Take it out.", "https://support.google.com/a/answer/81126")
def no_emoji(mail: Mail) -> Iterator[Fault]:
    """A paper may have one in its title, so somebody looks."""
    if found := EMOJI.search(mail.value("Subject")):
        yield Fault(f"there is U+{ord(found[0]):04X}", "Subject")


@rule(
    "L510",
    ERROR,
    "the mail has a preheader",
    "Write one sentence into a hidden <div> first in <body>.",
    needs=Needs.HTML,
)
def preheader(mail: Mail) -> Iterator[Fault]:
    """Else the list shows the first links."""
    if not mail.page.preview:
        yield Fault("there is none", "<body>")


@rule(
    "L511",
    WARNING,
    f"the preheader is {PREVIEW[0]} to {PREVIEW[1]} characters long",
    "Write a sentence of that length.",
    needs=Needs.HTML,
)
def preheader_length(mail: Mail) -> Iterator[Fault]:
    """Without its filler."""
    if mail.page.preview and not PREVIEW[0] <= (length := len(mail.page.preview)) <= PREVIEW[1]:
        yield Fault(f"{length} characters: {brief(mail.page.preview)!r}", "preheader")


@rule(
    "L512",
    ERROR,
    "the preheader adds to the subject and does not repeat it",
    "Say what is in the mail besides the first paper.",
    needs=Needs.HTML,
)
def preheader_adds(mail: Mail) -> Iterator[Fault]:
    """Both stand side by side."""
    said, subject_ = mail.page.preview.lower(), squeezed(mail.value("Subject")).lower()
    if said and subject_ and (said.startswith(subject_) or said.rstrip(".") in subject_):
        yield Fault(f"it says {brief(mail.page.preview)!r}", "preheader")


@rule(
    "L513",
    ERROR,
    "the preheader is no link's text, such as 'view in browser' or 'unsubscribe'",
    "Say what is in the mail.",
    needs=Needs.HTML,
)
def preheader_is_news(mail: Mail) -> Iterator[Fault]:
    """The most expensive words of a mail."""
    if found := CHROME.search(mail.page.preview):
        yield Fault(f"it says {found[0]!r}", "preheader")


@rule(
    "L514",
    WARNING,
    f"preheader and filler together are {COVERED} characters or more",
    "Fill up with &#847;&zwnj;&nbsp; twenty times or more.",
    needs=Needs.HTML,
)
def filler(mail: Mail) -> Iterator[Fault]:
    """Else the list goes on with the first words of the body."""
    hidden = mail.page.preheader
    if hidden and mail.page.preview and (length := sum(len(p) for p in hidden.content if isinstance(p, str))) < COVERED:
        yield Fault(f"{length} characters", "preheader")
