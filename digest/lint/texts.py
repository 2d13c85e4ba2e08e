"""L7xx: what papers and templates leave in the texts that a reader sees."""

import re
from collections.abc import Iterator
from unicodedata import bidirectional, category

from digest.lint.boxes import inherited
from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief, urls_in

ERROR, WARNING = Severity.ERROR, Severity.WARNING
RESIDUE = re.compile(
    r"\{\{|\}\}|\{%|%\}|\{['\"]\w+['\"]:|\[['\"]\w+['\"][,\]]|<\w[\w. ]* object at 0x|<bound method"
    r"|%\(\w+\)[sd]|\b(lorem ipsum|TODO|FIXME|INVALID_VARIABLE)\b"
)
NOTHING = re.compile(r"(^|[:(,])\s*(None|nan|NaN|null|undefined)\s*($|[),.])")
TWICE_ESCAPED = re.compile(r"&(amp|lt|gt|quot|nbsp|apos|#39|#x27|#\d+);")
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ISOLATED = re.compile("\u2068[^\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*\u2069")
NOT_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
MODEL = re.compile(
    r"</?think(ing)?>|<\|[\w ]{2,20}\|>|\[/?INST\]|\bas an AI (language )?model\b|^(sure|certainly)[,!] here"
    r"|^here('s| is) (a|the) (short |brief |concise )?summary|^```|\*\*[^*\n]+\*\*",
    re.IGNORECASE | re.MULTILINE,
)
TEX = re.compile(
    r"\$[^$\n]{0,80}[\\^_{][^$\n]{0,80}\$|\\[a-zA-Z]{2,}\s?[{\[]|\\(alpha|beta|gamma|textit|mathbb|emph)\b"
)
TAG = re.compile(
    r"</?(b|i|u|em|strong|sub|sup|p|br|a|span|div|tt|code|pre|font|ul|ol|li|h[1-6]|img|jats:\w+|mml:\w+)(\s[^<>]*)?/?>",
    re.IGNORECASE,
)
MOJIBAKE = re.compile(
    "\u00c3[\u0080-\u00bf]|\u00e2\u20ac[\u0080-\u00bf\u0152\u0153\u2018-\u2122]|\u00c2[\u00a0-\u00bf]"
)
LONG_WORD, LONG_TITLE, LONG_TEXT = 60, 250, 600  # characters
BREAKS = ("anywhere", "break-word", "break-all")


def _shown(mail: Mail) -> Iterator[tuple[str, str]]:
    """Each piece of text that somebody sees -> where it is."""
    yield mail.value("Subject"), "Subject"
    if mail.html is not None:
        yield mail.page.preview, "preheader"
        for block in mail.page.blocks:
            yield block.text, block.spot
    for number, line in enumerate(mail.lines, start=1):
        yield line, f"text, line {number}"


def _all(mail: Mail, pattern: re.Pattern[str]) -> Iterator[Fault]:
    for text, where in _shown(mail):
        if found := pattern.search(text):
            yield Fault(f"it says {brief(found[0], 40)!r}", where)


def _unseen(mail: Mail, pattern: re.Pattern[str]) -> Iterator[Fault]:
    """Of characters that cannot be shown: by number."""
    for text, where in _shown(mail):
        if found := pattern.search(text):
            yield Fault(f"there is U+{ord(found[0]):04X}", where)


@rule(
    "L701",
    ERROR,
    "nothing is left of a template or of Python: {{, {%, {'key':, an object at 0x",
    "Correct the template or the variable; see what it was given.",
)
def residue(mail: Mail) -> Iterator[Fault]:
    """What should have been filled in."""
    yield from _all(mail, RESIDUE)


@rule("L702", ERROR, "no value is shown as None, nan, null or undefined", "Leave the line out where it has no value.")
def no_nothing(mail: Mail) -> Iterator[Fault]:
    """Alone on a line, or after a colon; "None of them" is English."""
    yield from _all(mail, NOTHING)


@rule(
    "L703",
    ERROR,
    "nothing is escaped twice: no &amp; or &#39; is shown",
    "Escape once, in the template; decode what a source escaped.",
)
def escaped_once(mail: Mail) -> Iterator[Fault]:
    """In the text part once is once too often."""
    yield from _all(mail, TWICE_ESCAPED)


@rule(
    "L704",
    ERROR,
    "there is no control character and no U+FFFD",
    "Clean the text where it comes in (digest.text.readable).",
    "https://www.unicode.org/reports/tr36/",
)
def no_controls(mail: Mail) -> Iterator[Fault]:
    """U+FFFD is what a wrong charset left."""
    yield from _unseen(mail, NOT_CHARACTERS)


@rule(
    "L705",
    ERROR,
    "there is no control of direction",
    'Take it out, and set dir="auto" on the element, or put the text between isolates.',
    "https://www.unicode.org/reports/tr9/",
)
def no_direction_controls(mail: Mail) -> Iterator[Fault]:
    """One of them turns the rest of the line round. A pair of isolates (U+2068, U+2069) within a line does not."""
    for text, where in _shown(mail):
        if found := BIDI.search(_outside(text)):
            yield Fault(f"there is U+{ord(found[0]):04X}", where)


def _outside(text: str) -> str:
    """What stands outside of isolates; those that are not ended, or end nothing, stay."""
    inner = None
    while inner != text:
        inner, text = text, ISOLATED.sub(" ", text)
    return text


@rule(
    "L706",
    WARNING,
    "nothing is left of a language model: <think>, 'here is a summary', ** around words",
    "Look at the text: take the summary out, or write a blurb.",
)
def no_model_talk(mail: Mail) -> Iterator[Fault]:
    """A title may say <think>, so somebody looks."""
    yield from _all(mail, MODEL)


@rule("L707", WARNING, "nothing is left of TeX", "Write a blurb, or teach digest.text the command.")
def no_tex(mail: Mail) -> Iterator[Fault]:
    r"""$x^2$ and \emph{...}; "$5 and $6" is money."""
    yield from _all(mail, TEX)


@rule("L708", WARNING, "no HTML tag is shown as text", "Write a blurb, or clean the text where it comes in.")
def no_tags(mail: Mail) -> Iterator[Fault]:
    """Escaped markup of a source."""
    yield from _all(mail, TAG)


@rule("L709", WARNING, "nothing was read in a wrong charset", "Read the source in the charset that it names.")
def no_mojibake(mail: Mail) -> Iterator[Fault]:
    """UTF-8 read as Latin-1."""
    yield from _all(mail, MOJIBAKE)


@rule(
    "L710",
    WARNING,
    f"no word of a heading is over {LONG_WORD} characters without a place to break",
    "Write overflow-wrap:anywhere on the heading, or shorten it.",
    "WCAG 2.2 criterion 1.4.10",
    needs=Needs.HTML,
)
def breakable(mail: Mail) -> Iterator[Fault]:
    """At 320 px it makes the page scroll sideways."""
    for heading in mail.page.named("h1", "h2", "h3"):
        ways = (inherited(heading, name) for name in ("overflow-wrap", "word-wrap", "word-break"))
        longest = max(map(len, re.split(r"[\s\u200b-]", heading.text)))
        if longest > LONG_WORD and not any(way in BREAKS for way in ways):
            yield Fault(f"a word of {longest} characters", heading.spot)


@rule("L711", WARNING, f"no title is over {LONG_TITLE} characters", "Shorten it.", needs=Needs.HTML)
def short_titles(mail: Mail) -> Iterator[Fault]:
    """A screen of title hides the next paper."""
    for heading in mail.page.named("h1", "h2", "h3"):
        if (length := len(heading.text)) > LONG_TITLE:
            yield Fault(f"{length} characters", heading.spot)


@rule("L712", WARNING, f"no paragraph is over {LONG_TEXT} characters", "Cut the abstract.", needs=Needs.HTML)
def short_texts(mail: Mail) -> Iterator[Fault]:
    """A list of 3,303 authors is one, too."""
    for block in mail.page.blocks:
        if (length := len(block.text)) > LONG_TEXT:
            yield Fault(f"{length} characters", block.spot)


@rule(
    "L713",
    WARNING,
    "a title that is written from right to left says so",
    'Write dir="auto" on the element around the title.',
    "https://www.w3.org/International/questions/qa-html-dir",
    needs=Needs.HTML,
)
def direction(mail: Mail) -> Iterator[Fault]:
    """By its first letter; full stops land on the wrong side otherwise."""
    for link in mail.page.links:
        strong = next((bidirectional(sign) for sign in link.text if category(sign)[0] == "L"), "L")
        around = (link.element, *link.element.inside(), *link.element.ancestors)
        said = next((e.attrs["dir"].lower() for e in around if "dir" in e.attrs), "ltr")
        if strong in ("R", "AL") and said == "ltr":
            yield Fault("it does not", link.spot)


@rule(
    "L715",
    WARNING,
    "words from right to left stand between isolates in the subject and the text part of a mail from left to right",
    "Put U+2068 before and U+2069 behind them.",
    "https://www.unicode.org/reports/tr9/",
)
def isolates(mail: Mail) -> Iterator[Fault]:
    """Only a dir attribute does that in HTML: numbers and signs beside such words change their places without."""
    if mail.html is not None and any(html.attrs.get("dir") == "rtl" for html in mail.page.named("html")):
        return
    lines = ((line, f"text, line {number}") for number, line in enumerate(mail.lines, start=1))
    for text, where in [(mail.value("Subject"), "Subject"), *lines]:
        kinds = {bidirectional(sign) for sign in _outside(text)} if not text.isascii() else set()
        if kinds & {"R", "AL"} and kinds & {"L", "EN"}:
            yield Fault("they do not", where)


@rule("L714", WARNING, "no address of the web is shown twice in a line of text", "Write it once.")
def shown_once(mail: Mail) -> Iterator[Fault]:
    """A link as its own label."""
    for number, line in enumerate(mail.lines, start=1):
        urls = urls_in(line)
        if len(urls) != len(set(urls)):
            yield Fault("it is", f"text, line {number}")
