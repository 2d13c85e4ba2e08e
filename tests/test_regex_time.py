"""Nothing that reads text from outside takes more than linear time: every pattern there is, and the readers themselves.

``pytest -k regex_time -s`` shows how many were tried, and the worst. A new pattern is found by itself; one that is put
together while the code runs must be named in MADE. Time is CPU time, by growth: a busy machine does not matter.
"""
# ruff: noqa: T201 - the figures are shown by pytest -s

import re

import pytest

from config import logs
from digest import dois
from digest.addresses import linkable
from digest.latex import latex
from digest.lint.mail import Mail
from digest.rendering.batches import PLAIN_ADDRESS
from digest.sources import answers, arxiv, arxiv_rss, payload
from digest.sources.base import SourceError
from digest.text import readable, shorten
from digest.views.appearance import Look, as_seen
from subscriptions import redaction
from subscriptions.answers import Answer, Stage, classify
from subscriptions.answers.meanings import OF_LIMITS
from subscriptions.inbound.leaving import own_lines
from subscriptions.inbound.reading import read_mail
from subscriptions.transfer import cells
from tests.linear import growth
from tests.patterns import asked, filled, found, shapes, worst

pytestmark = [pytest.mark.one_database, pytest.mark.long]

SOMEBODY = redaction.Recipient("a.b.c.maria.lopez@mail.example.org", "reader 1")
# Put together while the code runs -> one of them, as bad as the parts can be.
MADE = {
    "digest.health.received.list_headers": re.compile(r"<https://example\.org[/:][^<>]*>", re.IGNORECASE),
    "subscriptions.redaction.spellings": SOMEBODY.spellings,
    "subscriptions.redaction.name_alone": SOMEBODY.name_alone,
    "subscriptions.redaction._is_our_message_id": re.compile(r"[a-z]{2,20}-[0-9]{1,18}@(?:example\.org|b\.example)"),
    "subscriptions.answers.words._any": OF_LIMITS,
    "subscriptions.stencils.stencil": re.compile("(mark1|mark22|mark333)"),
}
READ, UNREAD = found()
TRIED: dict[str, float] = {}


@pytest.fixture(scope="module", autouse=True)
def told():
    yield
    if TRIED:
        slowest = max(TRIED, key=TRIED.get)
        print(
            f"\nregex_time: {len(TRIED)} patterns and readers tried, the worst took {TRIED[slowest]:.4f} s: {slowest}"
        )


def judged(where, work, make):
    spent, wrong = worst(work, make)
    TRIED[where] = max(TRIED.get(where, 0.0), spent)
    return wrong


def faults(where, pattern, ways):
    for shape in shapes(pattern):
        for way in ways:
            if wrong := judged(where, asked(pattern, way), filled(pattern, shape)):
                return f"{where} {way} {shape}: {wrong}"
    return ""


def test_every_pattern_is_found_or_named():
    assert len(READ) > 150
    assert {one.where for one in UNREAD} == set(MADE)
    assert any(one.pattern is PLAIN_ADDRESS for one in READ)


PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_every_pattern_takes_linear_time(part):
    wrong = [faults(one.where, one.pattern, one.ways) for one in READ[part::PARTS]]
    assert not list(filter(None, wrong))


@pytest.mark.parametrize("where", MADE)
def test_every_pattern_that_is_made_takes_linear_time(where):
    assert not faults(where, MADE[where], ["search"])


@pytest.mark.parametrize(
    ("pattern", "way"),
    [
        (r"(a+)+$", "match"),
        (r"(?:<!--.*?-->\s*)*<html", "match"),
        (r"\s+$", "search"),
        (r".*?x", "search"),
        (r"<[^>]*>", "search"),
        (r"(\w+\s?)*:", "match"),
        (r"a*b?a*c", "match"),
        (r"(?<!x)\w+@", "search"),
    ],
)
def test_bad_patterns_are_told(pattern, way):
    assert faults(pattern, re.compile(pattern, re.DOTALL), [way])
    TRIED.pop(pattern)


# --- whole readers -----------------------------------------------------------------------------------------------------


def refusing(work):
    """Refusals are answers too."""

    def ask(text):
        try:
            return work(text)
        except (ValueError, SourceError):
            return None

    return ask


def lint_words(text):
    mail = Mail(b"Subject: x\r\nFrom: a@example.org\r\n" + text.encode("utf-8", "replace"))
    return mail.headers, mail.sender_domain, mail.is_digest


READERS = {
    "digest.text.readable": readable,
    "digest.text.shorten": lambda text: shorten(text, len(text) - 5),
    "digest.sources.arxiv_rss.split_authors": arxiv_rss.split_authors,
    "digest.sources.arxiv.says_withdrawn": arxiv.says_withdrawn,
    "digest.sources.answers.is_web_page": lambda text: answers.is_web_page(text.encode()),
    "digest.sources.payload.read_json": refusing(lambda text: payload.read_json(text.encode(), source="x")),
    "digest.sources.payload.read_feed": refusing(lambda text: payload.read_feed(text.encode(), source="x")),
    "digest.sources.payload.url_of": payload.url_of,
    "digest.dois.dois_in": dois.dois_in,
    "digest.sources.arxiv.bare_id": refusing(arxiv.bare_id),
    "digest.addresses.linkable": linkable,
    "digest.latex.latex": latex,
    "subscriptions.answers.classify": lambda text: classify(Answer(Stage.RCPT, 550, text)),
    "subscriptions.inbound.reading.read_mail": lambda text: read_mail(text.encode("utf-8", "replace")).leaves(),
    "subscriptions.inbound.leaving.own_lines": lambda text: own_lines(
        read_mail(b"\n\n" + text.encode("utf-8", "replace"))
    ),
    "digest.lint.mail.Mail": lint_words,
    "digest.views.appearance.as_seen": lambda text: as_seen(text, Look("dark", images=False, styles=False)),
    "config.logs.scrub": logs.scrub,
    "config.logs.escaped": logs.escaped,
    "subscriptions.redaction.redacted": lambda text: redaction.redacted(text, SOMEBODY),
    "subscriptions.transfer.cells.texts": refusing(cells.texts),
    "subscriptions.transfer.cells.guarded": cells.guarded,
    "subscriptions.transfer.cells.weekdays": refusing(cells.weekdays),
}
PIECES = [
    "a", " ", "{", "}", "{}", "$", "$$", "$a", "\\(", "\\[", "\\", "\\frac{", "\\frac", "\\sqrt[", "\\cite[", "\\^{", "\\'", "\\\"", '\\"a', "^{", "_", "^", "x^2",
    "{$", "$}", "{\\a", "\\textbf{", "\\a{b}", "\\emph", "<", "<b>", "</b>", "<title>", "<title> ", "<sup>", "<a b=\"", "<img ", "<img '\"", "<style>", "</style ", "<meta ", "@media", "@media (",
    "&", "&amp;", "&#", "`", "``", "``a", "`a", "'", "''", "\"", "-", "--", "~", "a~", "http://", "http://a", "(", ")", "(a, ", "[", "]", ",", ", Jr", ".", ". ", "A.",
    "\u0301", "\u200d", "é\u200c", "\u202e", "\n", "\t", "\r\n ", ":", ";", "=?utf-8?q?a?=", "a@", "@", "a@b.", "%40", "=40", "%25", "|", "\\|", "\\\\", "'=", ";'", "10.1/", "<!--", "<!---->", "[[", "[1,",
]  # fmt: skip


@pytest.mark.parametrize("where", READERS)
def test_every_reader_of_foreign_text_takes_linear_time(where):
    wrong = {}
    for piece in PIECES:
        if fault := judged(where, READERS[where], lambda size, p=piece: p * (size // len(p)) + "!"):
            wrong[piece] = fault
    assert not wrong


@pytest.mark.parametrize(
    "opening", ["{", "${", "{$", "\\frac{", "^{", "\\(", "\\textbf{", "<b>", "(", "[", "\\a{", "{\\b "]
)
def test_nested_openers_that_are_closed_again_take_linear_time(opening):
    closing = {"{": "}", "$": "$", "(": ")", "[": "]", "<b>": "</b>"}
    ends = closing.get(opening) or "".join(closing.get(sign, "") for sign in reversed(opening))
    assert not judged("digest.text.readable", readable, lambda size: opening * (size // 8) + "x" + ends * (size // 8))


def test_the_known_input_takes_linear_time():
    assert not judged(
        "digest.sources.answers.is_web_page",
        READERS["digest.sources.answers.is_web_page"],
        lambda n: "<!---->" * (n // 7) + "[]",
    )
    whole = growth(answers.is_web_page, b"<!---->" * 100_000 + b"[]", b"<!---->" * 600_000 + b"[]", most=18)
    assert whole <= 18, "linear is 6, quadratic 36"
