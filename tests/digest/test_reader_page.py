from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Digest
from digest.views.reader import rhythm, saved_words
from subscriptions import clock, lifecycle, links
from subscriptions.forms import SAVED
from subscriptions.interests import Interests
from subscriptions.models import Interest, Subscriber
from tests.conftest import NOW, make_edition, make_paper, make_reader, origin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def path_of(reader, name="reader"):
    return reverse(name, args=[links.manage_token(reader, NOW)])


def page(client, reader, **query):
    return " ".join(unescape(client.get(path_of(reader), query).content.decode()).split())


def status(text):
    return text.partition('role="status"')[2].partition("</div>")[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("hour.zone", "Saved: time, time zone."),
        ("phrases", "Saved: keywords."),
        ("hour.hour.<script>.nonsense", "Saved: time."),
        ("nothing", "Nothing was changed."),
        ("resumed", "Your digests go on."),
    ],
)
def test_it_says_what_was_changed(client, confirmed, names, words):
    assert f"<strong>{words}</strong>" in status(page(client, confirmed, saved=names))


@pytest.mark.parametrize("names", ["", "<script>alert(1)</script>", "paused", "email", "state.."])
def test_words_that_are_none_of_ours_say_nothing(client, confirmed, names):
    text = page(client, confirmed, saved=names)
    assert 'role="status"' not in text
    assert "alert(1)" not in text


@given(st.text(max_size=200) | st.lists(st.sampled_from([*SAVED, "paused", "x", ""])).map(".".join))
def test_no_address_makes_the_page_say_what_it_should_not(confirmed, names):
    said = saved_words(names, confirmed, NOW)
    assert said in ("", "Nothing was changed.", "Your digests go on.") or said.startswith("Saved: ")
    if said.startswith("Saved: "):
        assert set(names.split(".")) & set(SAVED)


def test_a_pause_is_said_with_the_local_date_on_which_it_ends(client):
    reader = make_reader("tokyo", zone="Asia/Tokyo", paused_until=datetime(2026, 4, 2, 15, tzinfo=UTC))
    text = page(client, reader, saved="paused")
    assert "Your digests are paused. They go on by themselves on Friday 3 April 2026." in status(text)
    assert "Resume, or pause longer" in text
    assert "go on" not in status(page(client, reader, saved="resumed")), "it is paused: the address is an old one"


def test_pausing_and_going_on_lead_to_a_page_that_says_so(client, confirmed):
    answer = client.post(path_of(confirmed, "pause"), {"length": "2"}, follow=True)
    assert "They go on by themselves on Friday 3 April 2026." in status(answer.content.decode())
    answer = client.post(path_of(confirmed, "pause"), {"resume": "1"}, follow=True)
    assert "Your digests go on." in status(answer.content.decode())


def test_all_kinds_of_interests_and_the_days_are_shown(client, confirmed, robotics, speech):
    own = Interests((robotics.pk,), ("<b>folding",), ("Ana Unal",), (speech.pk,), ("crypto",))
    Interest.objects.bulk_create(own.rows(confirmed))
    text = client.get(path_of(confirmed)).content.decode()
    for words in (
        "Topics",
        "Robotics",
        "Keywords",
        "&lt;b&gt;folding",
        "Authors you follow",
        "Ana Unal",
        "Muted topics",
        "Speech",
        "Muted words",
        "crypto",
        "Every day.",
    ):
        assert words in text
    assert "trends over all topics" not in text


def test_mutes_alone_are_told_apart_from_wishes(client, confirmed, speech):
    lifecycle.mute(confirmed, speech, NOW, origin())
    assert "you get what trends over all topics, without what is muted." in page(client, confirmed)


@pytest.mark.parametrize(
    ("mask", "words"), [(127, "Every day."), (16, "Once a week, on Friday."), (3, "On Monday, Tuesday."), (0, "")]
)
def test_the_rhythm_is_said_in_words(mask, words):
    assert rhythm(Subscriber(weekdays=mask)) == words


def test_everything_a_reader_can_do_is_one_link_away(client, confirmed):
    text = page(client, confirmed)
    for name in ("preferences", "pause", "fresh-link", "send-now"):
        assert path_of(confirmed, name) in text
    assert "/u/" in text


def test_it_is_a_page_behind_a_key(client, confirmed):
    for answer in (client.get(path_of(confirmed)), client.get(path_of(confirmed, "send-now"))):
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert "script-src" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_address_of_send_now_changes_nothing_and_leads_to_the_button(client, confirmed, method):
    make_edition([make_paper(1)])
    answer = getattr(client, method)(path_of(confirmed, "send-now"))
    assert (answer.status_code, answer["Location"]) == (303, path_of(confirmed))
    assert not Digest.objects.exists()


def test_queries_do_not_grow_with_interests_and_history(client, confirmed, django_assert_max_num_queries):
    for n in range(40):
        Interest.objects.create(subscriber=confirmed, kind=Interest.Kind.PHRASE, text=f"phrase {n}")
    with django_assert_max_num_queries(6):
        page(client, confirmed)


def test_an_old_link_says_so_and_a_forged_one_is_nothing(client, confirmed, monkeypatch):
    path = path_of(confirmed)
    assert client.get(path[:-3] + "xx/").status_code == 404
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=31))
    assert client.get(path).status_code == 410


def test_after_a_change_of_zone_the_mail_of_the_same_date_there_does_not_pass_for_todays(client):
    reader = make_reader(zone="Asia/Tokyo")
    date, due = NOW.date(), NOW - timedelta(hours=9.5)  # half past six on the 20th in Tokyo
    span = {"content_from": date - timedelta(days=1), "content_to": date}
    Digest.objects.create(
        subscriber=reader, day=date, zone=reader.zone, due_at=due, planned_at=due, state="accepted", picks=[], **span
    )
    assert "Send me today's now" not in page(client, reader)
    Subscriber.objects.filter(pk=reader.pk).update(zone="America/Los_Angeles")  # where the 20th begins just now
    assert "Send me today's now" in page(client, reader)
