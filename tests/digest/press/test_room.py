"""However many papers in whatever script: a mail keeps under what mail programs show, and counts what it leaves out."""

import re
from email import message_from_bytes, policy

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from digest.lint import lint
from digest.models import Digest, Paper
from digest.rendering import Press, Shelf, digest_message
from digest.rendering.message import ROOM, ROOM_ON_THE_WIRE
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.digest.press.printed import assert_equal
from tests.profiles import fewer

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.long]
MOST = 200
CLIPPED = 102_400  # octets of HTML, at which Gmail cuts (docs/decisions/0018)
SCRIPTS = {
    "latin": "A study of robots that fold other people's shirts, ",
    "markup": "<b>&amp;</b> \"x\" 'y' <think> & < > ",
    "chinese": "折叠他人衬衫的机器人之研究与应用，",
    "arabic": "دراسة عن الروبوتات التي تطوي القمصان ",
    "emoji": "🤖👕🧪 ",
    "greek": "Μελέτη ρομπότ που διπλώνουν πουκάμισα, ",
}
MORE = re.compile(r'href="(https://[^"]*/r/\w+/days/[\d-]+/)"[^>]*>([\d,]+) more papers? for you on the web<')


@pytest.fixture
def filled(topics):
    """Digests of any number of papers in one script, each with everything as long as it can be."""
    rows = [make_paper(1000 + n, f"Paper {n}") for n in range(MOST)]
    make_edition(rows[:3])

    def made(script, count, **fields):
        text, name = SCRIPTS[script] * 9, (SCRIPTS[script] * 3)[:80]
        Paper.objects.update(
            title=text[:250],
            abstract=text,
            authors=[name] * 9,
            code_url="https://example.org/" + "c" * 100,
            upvotes=12345,
            comments=2345,
            stars=34567,
        )
        Digest.objects.all().delete()
        reader = make_reader(f"r{Digest.objects.count()}{script}{count}", paper_limit=100, **fields)
        digest = make_digest(reader, rows[:count])
        why = [{"phrase": name}, {"author": name}, {"topic": topics[0].pk, "terms": [name[:40]] * 2}]
        digest.picks = [{**pick, "why": why} for pick in digest.picks]
        digest.save()
        return digest

    return made


def printed(digest):
    press = Press()
    press.lay_out([digest])
    return press.message(digest, digest.subscriber, now=NOW)


def parts_of(message):
    read = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    html = read.get_body(("html",))
    return read.get_body(("plain",)).get_content(), html and html.get_content()


def held_by(shown, count):
    """How many papers a text or HTML part shows, and how many it says are on the web."""
    found = re.search(r"([\d,]+) more papers? for you on the web", shown)
    more = int(found[1].replace(",", "")) if found else 0
    return len(re.findall(r"(?m)(?:^|>)\d+\.(?=\s|$)", shown)), more


@fewer(5)
@given(st.integers(1, MOST), st.sampled_from(sorted(SCRIPTS)), st.booleans())
@example(100, "latin", False)
@example(80, "latin", False)
@example(200, "arabic", False)
@example(200, "chinese", True)
@example(1, "emoji", False)
def test_every_mail_has_room_and_every_paper_is_in_it_or_counted(filled, count, script, text_only):
    text, html = parts_of(printed(filled(script, count, text_only=text_only)))
    shown = text if text_only else html
    assert len(shown.encode()) < ROOM < CLIPPED
    assert len(text.encode()) < CLIPPED
    papers, more = held_by(text, count)
    assert papers + more == count
    assert "/u/" in shown[-4000:], "the way out is at the end, and the end is there"
    if html:
        assert held_by(html, count) == (papers, more)
        assert html.rstrip().endswith("</html>")
    assert not more or papers > 15, "no more is left out than has to be"


@pytest.mark.parametrize(("count", "script"), [(100, "latin"), (80, "chinese"), (120, "arabic"), (30, "latin")])
@pytest.mark.parametrize("text_only", [False, True])
def test_the_press_leaves_out_as_many_as_the_ordinary_mail(filled, count, script, text_only):
    assert_equal(Press(), filled(script, count, text_only=text_only))


def test_on_the_wire_it_is_short_enough_too(filled):
    for script in SCRIPTS:
        message = printed(filled(script, 100))
        for part in message.message().walk():
            if not part.is_multipart():
                assert len(part.as_bytes()) < CLIPPED, script
        assert len(message.alternatives[0][0].encode()) < ROOM
        assert ROOM_ON_THE_WIRE < CLIPPED


def test_the_link_leads_to_all_papers_of_the_digest_with_the_numbers_of_the_mail(filled, monkeypatch):
    monkeypatch.setattr("subscriptions.clock.now", lambda: NOW)
    digest = filled("latin", 100)
    html = parts_of(printed(digest))[1]
    url, more = MORE.search(html).groups()
    Paper.objects.filter(pk=digest.picks[7]["paper"]).update(hidden_at=NOW)
    page = Client().get(url.removeprefix("https://papers.example.org")).content.decode()
    assert int(more) > 10
    assert page.count('class="tried-title"') == 99, "without the one that an editor hid since"
    assert f"/papers/{digest.picks[99]['paper']}/" in page
    assert f"/papers/{digest.picks[7]['paper']}/" not in page


def test_the_page_is_its_readers_alone_and_says_so_where_there_is_no_digest(filled, monkeypatch):
    monkeypatch.setattr("subscriptions.clock.now", lambda: NOW)
    digest = filled("latin", 30)
    url = MORE.search(parts_of(printed(filled("latin", 100)))[1])[1].removeprefix("https://papers.example.org")
    other = url.replace(str(TODAY), "2020-01-01")
    missing = Client().get(other)
    assert missing.status_code == 404
    assert "We have no digest of yours of Wednesday 1 January 2020." in missing.content.decode()
    assert Client().post(url).status_code in {403, 405}
    assert digest.pk


def test_the_linter_has_nothing_against_a_mail_that_was_split(filled):
    digest = filled("latin", 100)
    message = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW)
    found = {finding.rule for finding in lint(message.message().as_bytes())}
    whole = filled("latin", 10)
    usual = digest_message(whole, whole.subscriber, Shelf.for_digests([whole]), now=NOW)
    assert found <= {finding.rule for finding in lint(usual.message().as_bytes())}


def test_a_mail_with_room_for_all_says_nothing_of_the_web(filled):
    assert not MORE.search(parts_of(printed(filled("latin", 20)))[1])
