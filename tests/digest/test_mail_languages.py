"""Every word of a mail goes through gettext: in a language made at test time nothing is left in English."""

from contextlib import nullcontext
from datetime import date, timedelta

import pytest

from digest.models import Digest
from digest.rendering import Shelf, digest_message
from subscriptions.emails import message_to
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.pseudo import pseudo, strays

pytestmark = pytest.mark.django_db
# Labels stand before their links with a colon, and links in a row have a dot between them, in every language.
PUNCTUATION = [":", "·", "."]
SITE = ["Daily Papers", "Daily Papers, 1 Example Street, 12345 Example City", "Europe/Berlin", "UTC"]
LETTERS = {
    "confirm": {"confirm_url": "https://papers.example.org/c/x/", "not_me_url": "https://papers.example.org/c/x/no/"},
    "already": {"preferences_url": "https://papers.example.org/r/x/"},
    "link": {"preferences_url": "https://papers.example.org/r/x/", "fresh_url": "https://papers.example.org/d/x/"},
    "move": {"move_url": "https://papers.example.org/m/x/", "old_address": "a***@example.org"},
    "leave": {},
    "moved": {"new_address": "b***@example.org"},
}
STATES = ("fresh", "waiting", "quiet", "stalled", "failed", "not read")
SOURCES = [
    *({"source": source, "state": "fresh", "reason": "", "papers": "24"} for source in ("huggingface", "arxiv_rss")),
    *({"source": "sample", "state": state, "reason": "weekend", "papers": "0"} for state in STATES),
    *({"source": "arxiv_oai", "state": "quiet", "reason": reason, "papers": "0"} for reason in ("arXiv holiday", "")),
]


def parts(message):
    return message.subject, message.body, message.alternatives[0][0]


def english_left_in(message, data):
    return [stray for part in parts(message) for stray in strays(part, [*SITE, *PUNCTUATION, *data])]


@pytest.mark.parametrize("name", LETTERS)
def test_no_word_of_a_letter_is_left_in_english(name, confirmed):
    with pseudo("ar") as confirmed.language:
        message = message_to(confirmed, name, LETTERS[name], now=NOW, key=f"{name}-1")
    assert english_left_in(message, ["a***@example.org", "b***@example.org"]) == []


@pytest.fixture
def full(robotics):
    """Every sentence that a digest can have, but for the kinds of days."""
    reader = make_reader("a", robotics, zone="Europe/Berlin", paused_until=NOW - timedelta(hours=20))
    texts = {"abstract": "We study.", "stars": 3, "comments": 1, "code_url": "https://github.com/x/y"}
    papers = [make_paper(n, f"Study number {n}", authors=["Ana Exemplar"] * 5, **texts) for n in range(1, 6)]
    papers[1].blurb, papers[2].blurb, papers[2].blurb_origin = "One.", "Two.", "ai"
    for paper in papers:
        paper.save()
    make_edition(papers, standing_on=SOURCES).entries.filter(paper=papers[3]).update(blurb="Read this.")
    news = [{"paper": papers[4].pk, "what": what} for what in Digest.FollowUp.values]
    digest = make_digest(reader, papers[:4], follow_ups=news)
    whys: tuple[list[dict], ...] = (
        [{"topic": robotics.pk, "terms": ["robot"]}, {"author": "Ana Unal"}],
        [{"phrase": "folding"}],
        [],
        [],
    )
    whys[1].append({"topic": robotics.pk, "category": "cs.RO"})
    for chosen, why in zip(digest.picks, whys, strict=True):
        chosen["why"] = why
    digest.save()
    return digest


DATA = [
    *(f"Study number {n}" for n in range(1, 6)),
    *("Ana Exemplar", "We study.", "One.", "Two.", "Read this.", "Robotics"),
]


def shown(digest, code="ar"):
    digest.subscriber.language = code
    with pseudo(code) if code != "en" else nullcontext():
        return digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW)


def test_no_word_of_a_digest_is_left_in_english(full):
    message = shown(full)
    assert english_left_in(message, DATA) == []
    assert message.body.count("⟦") > 60, "a mail without any words would pass too"


@pytest.mark.parametrize("weekly", [False, True])
def test_nor_of_one_that_covers_several_days_or_one_paper(full, weekly):
    for back in (1, 2):
        make_edition([], TODAY - timedelta(days=back), state="closed")
    full.content_from, full.picks, full.follow_ups = date(2026, 3, 17), full.picks[2:3], []
    if weekly:
        full.cadence, full.subscriber.weekdays = Digest.Cadence.WEEKLY, 1 << TODAY.weekday()
    assert english_left_in(shown(full), DATA) == []


def test_what_papers_say_keeps_its_own_language_and_direction(full):
    full.picks = full.picks[:1]
    html = shown(full).alternatives[0][0]
    assert '<span lang="en" dir="ltr">Study number 1</span>' in html
    assert '<span lang="en" dir="ltr">We study.</span>' in html
    assert '<span lang="en" dir="ltr">Study number 1</span>' in shown(full, "fr").alternatives[0][0]
    full.subscriber.language = "en"
    shelf = Shelf.for_digests([full])
    assert "<span" not in digest_message(full, full.subscriber, shelf, now=NOW).alternatives[0][0]
    next(iter(shelf.papers.values())).title = "מבוא 3D לרובוטיקה"
    english = digest_message(full, full.subscriber, shelf, now=NOW).alternatives[0][0]
    assert '<span dir="rtl">מבוא 3D לרובוטיקה</span>' in english


@pytest.mark.parametrize(
    ("words", "code"), [("Words. ", "ar"), ("Ένα μακρύ κείμενο. ", "en"), ("機器人與語言。", "en")]
)
def test_fifty_papers_of_any_script_fit_before_the_mail_is_cut(robotics, words, code):
    papers = [make_paper(n, words * 20, abstract=words * 99, code_url="https://x.example/") for n in range(1, 51)]
    make_edition(papers)
    message = shown(make_digest(make_reader("b", robotics), papers), code)
    assert len(message.subject) <= 60
    html = message.message().get_payload()[1]
    assert len(html.get_payload(decode=True)) < 80_000
    assert len(html.get_payload()) < 95_000
    assert message.alternatives[0][0].count("<h2") == 50
