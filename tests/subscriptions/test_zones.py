"""Every zone that a reader can have, and one that left the tz database: the pages themselves, the mail, the admin."""

import re
from datetime import time
from zoneinfo import available_timezones

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.urls import reverse

from digest.delivery import send_digests
from digest.models import Digest
from digest.planning import plan_due
from digest.rendering import Press, Shelf, digest_message
from subscriptions import clock, letters, lifecycle, links
from subscriptions.models import SignupRequest, Subscriber
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader, origin
from tests.sizes import size
from tests.subscriptions.doors import take_clock

pytestmark = [pytest.mark.django_db, pytest.mark.long]
GONE = "Mars/Olympus_Mons"
# Names that zoneinfo refuses in other ways: a directory, no name, none that is normal, one that is too long for a file.
NO_ZONES = (GONE, "America", "", "../etc/passwd", "/etc/localtime", "Europe/Berlin\x00"[:-1] + " ", "x" * 64)
# Each in its turn at night; in CI one of twelve, and none that is of another kind is left out.
EVERY_ZONE = (*sorted(available_timezones())[:: size(12, 1)], "UTC", "GMT", "EST5EDT", "Etc/GMT+8", *NO_ZONES)
WEEK = [str(day) for day in range(7)]
PAGES = ("preferences", "pause", "reader", "weekly", "fewer", "saved", "learned", "fresh-link")


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch):
    take_clock(monkeypatch, NOW)


def selected(page, name="zone"):
    select = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)[0]
    return re.findall(r'<option value="([^"]*)"[^>]*selected', select)


def test_every_page_and_the_mail_are_there_for_every_zone_and_for_one_that_is_gone(client):
    reader = make_reader()
    papers = [make_paper(1)]
    make_edition(papers)
    digest = make_digest(reader, papers)
    shelf, press, token = Shelf.for_digests([digest]), Press(), links.manage_token(reader, NOW)
    press.lay_out([digest])
    settings, pause, own = (reverse(name, args=[token]) for name in ("preferences", "pause", "reader"))
    for zone in EVERY_ZONE:
        Subscriber.objects.update(zone=zone)
        reader.zone = zone
        page = client.get(settings)
        assert page.status_code == 200, zone
        assert selected(page.content.decode()) == [zone]
        assert client.get(pause).status_code == client.get(own).status_code == 200, zone
        slow = digest_message(digest, reader, shelf, now=NOW)
        assert slow.body == press.message(digest, reader, now=NOW).body
        assert f"({reader.known_zone})" in slow.body


@pytest.mark.parametrize("zone", ["Etc/UTC", "GMT", "EST5EDT", "US/Eastern", "Etc/GMT+8", *NO_ZONES])
@pytest.mark.parametrize("fields", [{}, {"state": "unsubscribed"}, {"paused_until": NOW.replace(month=5)}])
def test_no_page_of_a_reader_fails_over_a_zone_that_is_not_in_the_list(client, zone, fields):
    reader = make_reader(zone=zone, **fields)
    for name in PAGES:
        path = reverse(name, args=[links.manage_token(reader, NOW)])
        assert client.get(path).status_code == 200, (name, zone)
    for name, values in (
        ("pause", {"length": "1"}),
        ("pause", {"resume": "1"}),
        ("weekly", {}),
        ("fewer", {}),
        ("send-now", {}),
    ):
        path = reverse(name, args=[links.manage_token(reader, NOW)])
        assert client.post(path, values, follow=True).status_code == 200, (name, zone)
    assert Subscriber.objects.get().zone == zone


@pytest.mark.parametrize("zone", ["Etc/UTC", "US/Eastern", GONE])
def test_saving_another_setting_keeps_the_zone_and_a_new_one_can_be_chosen(client, zone):
    reader = make_reader(zone=zone)
    path = reverse("preferences", args=[links.manage_token(reader, NOW)])
    days = {"cadence": "daily", "days": WEEK[:5], "weekly_day": "0"}
    values = {"hour": "08:15", "zone": zone, "paper_limit": "10", **days}
    saved = client.post(path, values)
    assert (saved.status_code, saved["Location"].partition("?")[2]) == (303, "saved=hour.days")
    assert Subscriber.objects.get().zone == zone
    assert client.post(path, {**values, "zone": "Asia/Tokyo"}).status_code == 303
    assert Subscriber.objects.get().zone == "Asia/Tokyo"


def test_the_settings_say_that_a_zone_is_gone_and_what_is_meant_until_another_is_chosen(client):
    gone, there = make_reader("gone", zone=GONE), make_reader("there", zone="Etc/GMT+8")
    pages = [client.get(reverse("preferences", args=[links.manage_token(one, NOW)])) for one in (gone, there)]
    said = [page.content.decode() for page in pages]
    assert f"The time zone {GONE} is not known any more." in said[0]
    assert "(UTC)" in said[0]
    assert "is not known any more" not in said[1]


def test_confirming_with_any_zone_of_a_browser_leads_to_the_settings(client):
    for number, zone in enumerate(("Etc/UTC", "GMT", "EST5EDT", "US/Eastern", "Etc/GMT+8", "Asia/Calcutta")):
        reader = make_reader(f"new{number}", state="pending")
        asked = letters.ask(SignupRequest.Kind.SIGN_UP, reader.email, NOW, subscriber=reader)
        shown = client.post(links.confirm_path(asked, NOW), {"zone": zone}, follow=True)
        assert shown.status_code == 200, zone
        assert selected(shown.content.decode()) == [zone]


def test_a_reader_whose_zone_is_gone_gets_the_digest_at_the_hour_in_utc():
    reader = make_reader(zone=GONE, hour=time(6, 30))
    make_edition([make_paper(1)])
    assert plan_due(NOW) == {"planned": 1}
    assert send_digests(clock.now) == {Digest.State.ACCEPTED: 1}
    assert "Your next digest: Saturday 21 March 2026, 06:30 (UTC)." in mail.outbox[0].body
    lifecycle.unsubscribe(reader, NOW, origin(lifecycle.BY_BUTTON))
    assert lifecycle.undo(reader, NOW, origin())


@pytest.mark.parametrize("zone", ["Etc/UTC", "US/Eastern", GONE])
def test_the_admins_form_keeps_what_the_row_has(admin_client, settings, zone):
    settings.LANGUAGES = [("en", "English"), ("fr", "French")]
    reader = make_reader(zone=zone, language="xx", paper_limit=80, hour=time(6, 30, 15))
    path = reverse("admin:subscriptions_subscriber_change", args=[reader.pk])
    page = admin_client.get(path).content.decode()
    assert selected(page) == [zone]
    assert selected(page, "language") == ["xx"]
    values = {"zone": zone, "hour": "06:30:15", "days": ["0", "1"], "paper_limit": "80", "language": "xx"}
    assert admin_client.post(path, values).status_code == 302
    reader.refresh_from_db()
    assert (reader.zone, reader.language, reader.weekdays, reader.paper_limit) == (zone, "xx", 3, 80)
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("language", ["xx", "", "en-GB-oxendict"[:10]])
def test_what_the_choices_do_not_hold_any_more_is_shown_and_kept(client, settings, robotics, language):
    settings.LANGUAGES = [("en", "English"), ("fr", "French")]
    robotics.offered = False
    robotics.save()
    odd = {"language": language, "paper_limit": 33, "hour": time(6, 30, 15), "weekdays": 0b10000010}
    reader = make_reader("odd", robotics, zone="Etc/GMT+8", **odd)
    for name in PAGES:
        assert client.get(reverse(name, args=[links.manage_token(reader, NOW)])).status_code == 200, name
    path = reverse("preferences", args=[links.manage_token(reader, NOW)])
    page = client.get(path).content.decode()
    assert (selected(page, "paper_limit"), selected(page)) == (["33"], ["Etc/GMT+8"])
    assert 'value="06:30:15"' in page
    values = {
        "topics": [str(robotics.pk)],
        "hour": "06:30:15",
        "zone": "Etc/GMT+8",
        "paper_limit": "33",
        "cadence": "weekly",
        "weekly_day": "1",
        "days": WEEK,
        "language": language,
        "muted_words": "crypto",
    }
    assert client.post(path, values)["Location"].partition("?")[2] == "saved=muted_words"
    reader.refresh_from_db()
    assert (reader.language, reader.paper_limit, reader.hour) == (language, 33, time(6, 30, 15))


@pytest.mark.parametrize("mask", [0, 128, 0b10000000 | 4, 255, 32767])
def test_a_mask_with_days_that_no_week_has_is_read_by_those_it_has(client, mask):
    reader = make_reader(weekdays=mask)
    for name in ("preferences", "reader", "pause", "weekly"):
        assert client.get(reverse(name, args=[links.manage_token(reader, NOW)])).status_code == 200, name
    assert reader.is_weekly == (mask & 127 == 4)
