"""L32x: layout tables, for Outlook and in Outlook's own comments."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief

ERROR, WARNING = Severity.ERROR, Severity.WARNING
OUTLOOK = re.compile(r"^\[if\b([^\]]*)\]>(.*)", re.DOTALL | re.IGNORECASE)
ENDING = re.compile(r"<!\[endif\]$", re.IGNORECASE)
TAG = re.compile(r"<(/?)([a-z][\w:]*+)([^<>]*+)>", re.IGNORECASE)
ROLE = re.compile(r"""\brole\s*=\s*["']?presentation\b""", re.IGNORECASE)
EMAIL_MARKUP = "https://emailmarkup.org/en/reports/accessibility/2026"
BALANCED = ("table", "tr", "td", "div", "tbody")


@rule(
    "L320",
    ERROR,
    "each table is a layout table and says role=presentation",
    'Write role="presentation" on the table.',
    EMAIL_MARKUP,
    needs=Needs.HTML,
)
def presentation(mail: Mail) -> Iterator[Fault]:
    """Else a screen reader counts rows and columns aloud."""
    for table in mail.page.named("table"):
        if table.attrs.get("role", "").lower() not in ("presentation", "none"):
            yield Fault(f"its role is {table.attrs.get('role', '')!r}", table.spot)


@rule(
    "L321",
    ERROR,
    "tables in Outlook's comments say role=presentation too",
    'Write role="presentation" on the table in the comment.',
    EMAIL_MARKUP,
    needs=Needs.HTML,
)
def presentation_in_outlook(mail: Mail) -> Iterator[Fault]:
    """Outlook reads them, and so does a screen reader above it."""
    for comment in outlook(mail):
        for closing, name, attrs in TAG.findall(comment):
            if name.lower() == "table" and not closing and not ROLE.search(attrs):
                yield Fault("a table without a role", brief(f"<!--{comment}"))


@rule(
    "L322",
    ERROR,
    "Outlook's comments end, and what one opens another one closes",
    "Close it in a later <!--[if mso]>...<![endif]-->.",
    "https://learn.microsoft.com/en-us/previous-versions/windows/internet-explorer/ie-developer/compatibility/ms537512(v=vs.85)",
    needs=Needs.HTML,
)
def outlook_is_balanced(mail: Mail) -> Iterator[Fault]:
    """An open ghost table swallows the rest of the mail."""
    open_: list[str] = []
    for comment in outlook(mail):
        for closing, name, attrs in TAG.findall(comment):
            tag = name.lower()
            if tag not in BALANCED or attrs.endswith("/"):
                continue
            if not closing:
                open_.append(tag)
            elif open_ and open_[-1] == tag:
                open_.pop()
            else:
                yield Fault(f"</{tag}> closes nothing", brief(f"<!--{comment}"))
    if open_:
        yield Fault(f"never closed: {', '.join(open_)}", "Outlook's comments")
    for comment in mail.page.comments:
        match = OUTLOOK.match(comment)
        if match and not ENDING.search(comment) and match[2].strip() not in ("<!", ""):
            yield Fault("it does not end with <![endif]-->", brief(f"<!--{comment}"))
    starts = sum(bool(OUTLOOK.match(comment)) for comment in mail.page.comments)
    ends = sum(bool(ENDING.search(comment)) for comment in mail.page.comments)
    if starts != ends:
        yield Fault(f"{starts} begin, {ends} end", "Outlook's comments")


@rule(
    "L323",
    WARNING,
    "Outlook gets a table of fixed width around the column",
    'Write <!--[if mso]><table role="presentation" width="600"><tr><td><![endif]--> and its end.',
    "https://www.caniemail.com/features/css-max-width/",
    needs=Needs.HTML,
)
def ghost_table(mail: Mail) -> Iterator[Fault]:
    """Outlook for Windows does not know max-width."""
    tags = [tag for comment in outlook(mail) for tag in TAG.findall(comment)]
    if not any(name.lower() == "table" and not closing and "width=" in attrs for closing, name, attrs in tags):
        yield Fault("there is none")


@rule(
    "L324",
    ERROR,
    "there is no data table",
    "Write a list or a sentence: th, thead, caption and scope make a table of data.",
    EMAIL_MARKUP,
    needs=Needs.HTML,
)
def no_data_table(mail: Mail) -> Iterator[Fault]:
    """Narrow windows and screen readers make nothing good of them."""
    for element in mail.page.named("th", "thead", "tfoot", "caption", "td"):
        if element.name != "td" or "scope" in element.attrs or "headers" in element.attrs:
            yield Fault(f"there is a <{element.name}>", element.spot)


def outlook(mail: Mail) -> Iterator[str]:
    """What the comments say that Outlook alone reads."""
    for comment in mail.page.comments:
        match = OUTLOOK.match(comment)
        if match and "!mso" not in match[1].replace(" ", ""):
            yield match[2]
