"""The press prints what digest_message makes: every header, every part, the encoding."""

import re
import threading
from datetime import date, timedelta

import pytest
from django.test import override_settings

from digest.models import Digest, Paper
from digest.rendering import Press, Shelf, digest_message
from digest.rendering.stock import Kept
from subscriptions import links
from subscriptions.models import Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_reader
from tests.digest.press.printed import assert_equal, digest_of, why
from tests.mail.cast import SOURCES
from tests.pseudo import pseudo

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 25])
@pytest.mark.parametrize("text_only", [False, True])
def test_a_digest_of_any_size_is_printed_as_it_is_made(papers, topics, count, text_only):
    make_edition(papers, standing_on=SOURCES)
    reader = make_reader("a", zone="Asia/Tokyo", text_only=text_only)
    assert_equal(Press(), digest_of(reader, papers[:count], topics))


def test_one_press_prints_for_all_kinds_of_readers(papers, topics):
    for back in range(4):
        make_edition(papers[back::4], TODAY - timedelta(days=back), standing_on=SOURCES)
    week = {"cadence": Digest.Cadence.WEEKLY, "content_from": TODAY - timedelta(days=7)}
    fields = [
        ({"zone": "America/New_York"}, {}),
        ({"text_only": True}, {}),
        ({"paper_limit": 5}, {"content_from": date(2026, 3, 16)}),
        ({"weekdays": 16}, week),
        ({"language": "tlh"}, {"day": TODAY - timedelta(days=1)}),
        ({"confirmed_at": None}, {"content_from": None, "content_to": None}),
        ({"paused_until": NOW - timedelta(hours=9)}, {}),
    ]
    press = Press()
    bodies = set()
    for n, (own, digests) in enumerate([*fields, *fields]):
        reader = make_reader(f"reader{n}", **{k: v for k, v in own.items() if k != "confirmed_at"})
        if "confirmed_at" in own:
            reader.confirmed_at = reader.next_due_at = None
            reader.save()
        chosen = [papers[(7 * n + 3 * at) % 50] for at in range(10)]
        digest = digest_of(reader, chosen, topics, shift=n, **digests)
        bodies.add(assert_equal(press, digest).body)
    assert len(bodies) == 2 * len(fields)
    assert sum("Your pause ended" in body for body in bodies) == 2
    assert sum("Your week" in body for body in bodies) == 2


ONE_THING: dict[str, dict] = {
    "day": {"day": TODAY - timedelta(days=1)},
    "cadence": {"cadence": Digest.Cadence.NOW},
    "week": {"cadence": Digest.Cadence.WEEKLY},
    "from": {"content_from": TODAY - timedelta(days=3)},
    "to": {"content_to": TODAY - timedelta(days=1)},
    "nothing known": {"content_from": None, "content_to": None},
    "language": {"language": "tlh"},
    "no next": {"next_due_at": None},
    "offers": {"paper_limit": 5},
    "one paper": {"count": 1},
    "news": {"follow_ups": 1},
    "more news": {"follow_ups": 3},
}


@pytest.mark.parametrize("thing", ONE_THING)
def test_mails_that_differ_in_one_thing_are_printed_apart(papers, topics, thing):
    for back in range(4):
        make_edition(papers[back::4], TODAY - timedelta(days=back), standing_on=SOURCES[: 1 + back % 2])
    press = Press()
    usual: dict = {"count": 10, "follow_ups": 0, "content_from": TODAY - timedelta(days=2)}
    for n, values in enumerate([dict(usual), usual | ONE_THING[thing], dict(usual)]):
        chosen, news = papers[: values.pop("count")], papers[40 : 40 + values.pop("follow_ups")]
        reader = make_reader(f"a{n}", **{k: values.pop(k) for k in ("language", "paper_limit") if k in values})
        reader.next_due_at = values.pop("next_due_at", reader.next_due_at)
        follow_ups = [{"paper": paper.pk, "what": "code"} for paper in news]
        assert_equal(press, digest_of(reader, chosen, topics, follow_ups=follow_ups, **values))


def test_papers_without_reasons_say_so_as_in_the_ordinary_mail(papers):
    for back in range(3):
        make_edition(papers[back::3], TODAY - timedelta(days=back))
    press = Press()
    for back, words in ((1, "trending today"), (3, "trending on these days")):
        digest = make_digest(make_reader(f"a{back}"), papers[:5], content_from=TODAY - timedelta(days=back))
        assert assert_equal(press, digest).body.count(words) == 5


def test_no_mail_has_a_token_of_another_reader_or_of_nobody(papers, topics):
    make_edition(papers)
    press = Press()
    seen: set[str] = set()
    nobody = Subscriber(pk=0)
    for n in range(5):
        digest = digest_of(make_reader(f"reader{n}"), papers[n : n + 10], topics)
        printed = assert_equal(press, digest)
        own = {
            links.manage_token(digest.subscriber, NOW),
            links.feedback_token(digest.subscriber, NOW),
            links.unsubscribe_path(digest.subscriber, NOW).split("/")[2],
        }
        raw = printed.octets().replace(b"=\r\n", b"").decode()
        assert set(re.findall(r"\b[0-9A-Za-z]{33}\b", raw)) == own
        assert links.manage_token(nobody, NOW) not in raw
        assert seen.isdisjoint(own)
        seen |= own


@pytest.mark.parametrize(
    "values",
    [
        {"UNSUBSCRIBE_MAILTO": "leave@example.org"},
        {"REPLY_TO": "Die Redaktion für dich <redaktion@straße.de>"},
        {"DEFAULT_FROM_EMAIL": "Papiere für dich <blatt@straße.de>", "SITE_NAME": "Papiere 100 % für dich"},
        {"SITE_URL": "http://127.0.0.1:8000", "POSTAL_ADDRESS": "1 %s Street & Sons, " + "Long Road " * 20},
        {"LINK_KEYS": ["another key of more than thirty-two characters"]},
    ],
    ids=lambda values: next(iter(values)),
)
def test_the_settings_of_the_site_are_in_the_printed_mail(one, values):
    with override_settings(**values):
        assert_equal(Press(), one)


@pytest.mark.parametrize("code", ["ar", "fr"])
def test_other_languages_are_printed_as_they_are_made(one, papers, topics, code):
    with pseudo(code):
        for count, text_only in ((1, False), (12, False), (12, True)):
            one.picks = one.picks[:count] if count == 1 else digest_picks(papers[:count], topics)
            one.subscriber.language, one.subscriber.text_only = code, text_only
            assert "⟦" in assert_equal(Press(), one).body


def test_one_press_prints_in_several_languages(papers, topics):
    make_edition(papers)
    with pseudo("ar"):
        press = Press()
        for n, code in enumerate(["en", "ar", "en", "ar"]):
            digest = digest_of(make_reader(f"a{n}", language=code), papers[:10], topics)
            assert ("⟦" in assert_equal(press, digest).body) == (code == "ar")


def digest_picks(papers, topics):
    return [{"paper": p.pk, "place": n, "why": why(topics, n)} for n, p in enumerate(papers)]


def test_papers_left_out_close_up(one):
    gone = frozenset(p["paper"] for p in one.picks[:3])
    assert "\n9. " in assert_equal(Press(), one, without=gone).body
    assert "\n10. " not in assert_equal(Press(), one, without=gone).body


def test_a_digest_without_a_paper_left_is_no_mail(one):
    press = Press()
    press.lay_out([one])
    with pytest.raises(ValueError, match="no paper is left"):
        press.message(one, one.subscriber, now=NOW, without=[p["paper"] for p in one.picks])


def test_news_of_papers_are_printed_as_they_are_made(papers, topics):
    make_edition(papers)
    had = papers[40:44]
    had[0].title = "News of <b>& a paper: " + "long " * 50
    had[3].hidden_at = NOW
    Paper.objects.bulk_update(had, ["title", "hidden_at"])
    press = Press()
    for n, kinds in enumerate([["code"], ["withdrawn", "code", "took off", "withdrawn"], ["some later kind"]]):
        news = [{"paper": paper.pk, "what": what} for paper, what in zip(had, kinds, strict=False)]
        digest = digest_of(make_reader(f"a{n}"), papers[:10], topics, follow_ups=news)
        assert ("News of papers you have" in assert_equal(press, digest).body) == (n < 2)


def test_a_template_that_the_press_does_not_fit_gives_the_ordinary_mail(one, settings, tmp_path, caplog):
    folder = tmp_path / "emails" / "digest"
    folder.mkdir(parents=True)
    page = (settings.BASE_DIR / "templates" / "emails" / "digest" / "body.html").read_text()
    between = page.replace('paper.html" %}{% endfor %}', 'paper.html" %}<hr>{% endfor %}')
    assert between != page
    (folder / "body.html").write_text(between)
    with override_settings(
        TEMPLATES=[{**engine, "DIRS": [tmp_path, *engine["DIRS"]]} for engine in settings.TEMPLATES]
    ):
        press = Press()
        press.lay_out([one])
        printed = press.message(one, one.subscriber, now=NOW)
        made = digest_message(one, one.subscriber, Shelf.for_digests([one]), now=NOW)
    assert printed.alternatives == made.alternatives
    assert printed.alternatives[0][0].count("<hr>") == 12
    assert "the slow way" in caplog.text


def test_a_change_of_a_template_is_in_the_printed_mail(one, settings, tmp_path):
    folder = tmp_path / "emails" / "digest"
    folder.mkdir(parents=True)
    for name, was, now in (
        ("paper.html", "{{ item.why }}", "<i>{{ item.why }}</i> 100 %"),
        ("paper.txt", "{{ item.why }}", "{{ item.why }}\n* * *"),
        ("body.html", "{{ because }}", "{{ because|upper }} {{ heading }}"),
        ("subject.txt", "{{ subject_line }}", "[Daily] {{ subject_line }} 100 %"),
    ):
        page = (settings.BASE_DIR / "templates" / "emails" / "digest" / name).read_text()
        (folder / name).write_text(page.replace(was, now))
    (folder / "body.html").write_text((folder / "body.html").read_text().replace("|upper", ""))
    with override_settings(
        TEMPLATES=[{**engine, "DIRS": [tmp_path, *engine["DIRS"]]} for engine in settings.TEMPLATES]
    ):
        printed = assert_equal(Press(), one)
    assert printed.subject.startswith("[Daily] Learning")
    assert printed.body.count("* * *") == 12


def test_what_is_laid_out_is_read_once(papers, topics, django_assert_num_queries):
    make_edition(papers)
    digests = [digest_of(make_reader(f"a{n}"), papers[n : n + 10], topics) for n in range(6)]
    press = Press()
    with django_assert_num_queries(4):  # papers, blurbs, topics, editions
        press.lay_out(digests[:5])
    with django_assert_num_queries(2):  # one paper more, and its blurb
        press.lay_out(digests[4:])
    with django_assert_num_queries(0):
        press.lay_out(digests)
        for digest in digests:
            press.message(digest, digest.subscriber, now=NOW).octets()
    with django_assert_num_queries(1):
        press.lay_out(Digest.objects.filter(pk=digests[0].pk).select_related("subscriber"))
    digests[0].subscriber.paused_until = NOW
    with django_assert_num_queries(1):
        press.lay_out(digests)


def test_what_is_kept_is_bounded():
    kept: Kept[int] = Kept(3)
    for n in range(10):
        kept.keep(n, n)
    assert list(kept) == [7, 8, 9]


def test_what_is_kept_can_be_filled_by_several_threads_at_once():
    kept, failed = Kept[int](8), []

    def fill(start):
        try:
            for number in range(start, start + 30_000):
                kept.keep(number, number)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=fill, args=(start * 100_000,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(kept) == 8
