"""No page promises a mail that may not be sent, and whom we may not write to can see and erase their data all the same."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.urls import reverse

from subscriptions import letters, lifecycle, links
from subscriptions.models import SignupRequest, Subscriber, Suppression
from subscriptions.tasks import handle_signups
from tests.conftest import NOW, filled, make_reader
from tests.subscriptions.doors import take_clock, work_off

pytestmark = pytest.mark.django_db
STOPPED = [("complaint", {}), ("it was not me", {"ends_at": NOW + timedelta(days=365)}), ("by hand", {})]
ON_ITS_WAY = re.compile(r"(?i)(is on its way|we sent|we tell the old)")
CONDITION = re.compile(r"we may write to")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


def stopped_reader(reason, fields, name="stopped", **more):
    reader = make_reader(name, **more)
    Subscriber.objects.filter(pk=reader.pk).update(created_at=NOW - timedelta(days=3000))  # before any of its links
    Suppression.objects.create(email_hash=reader.email_hash, reason=reason, created_at=NOW, **fields)
    return reader


def data_of(reader, at=NOW):
    return reverse("fresh-link", args=[links.manage_token(reader, at)])


def said(page):
    text = re.sub(r"<[^>]+>", " ", page.content.decode().partition("<main")[2].partition("</main>")[0])
    return " ".join(unescape(text).split())


@pytest.mark.parametrize(("reason", "fields"), STOPPED)
@pytest.mark.parametrize("state", ["active", "unsubscribed"])
@pytest.mark.parametrize("age", [0, 29, 31, 2000])
def test_whom_we_may_not_write_to_gets_the_link_on_the_page(client, nudges, reason, fields, state, age):
    reader = stopped_reader(reason, fields, state=state)
    page = client.get(data_of(reader, NOW - timedelta(days=age)))
    assert page.status_code == 200
    assert "mail to it is stopped" in said(page)
    opened = client.post(data_of(reader, NOW - timedelta(days=age)), {"button": "1"})
    assert opened["Location"].startswith("/f/")
    fresh = client.get(opened["Location"])
    assert "Your data" in said(fresh)
    assert client.post(f"{opened['Location']}export/").json()["reader"]["email"] == reader.email
    assert not nudges
    handle_signups()
    assert mail.outbox == []
    request = SignupRequest.objects.get()
    assert (request.outcome, request.reason) == ("suppressed", "shown on the page")
    client.post(f"{opened['Location']}erase/", {"button": "1"})
    assert not Subscriber.objects.exists()


def test_a_role_address_gets_it_on_the_page_too(client, nudges):
    reader = make_reader("postmaster")
    assert client.post(data_of(reader), {"button": "1"})["Location"].startswith("/f/")


@pytest.mark.parametrize("reason", [None, "bounce"])
def test_everybody_else_gets_it_by_mail_only(client, nudges, reason):
    reader = make_reader()
    if reason:
        Suppression.objects.create(email_hash=reader.email_hash, reason=reason, created_at=NOW)
    asked = client.post(data_of(reader), {"button": "1"}, follow=True)
    assert "/f/" not in asked.content.decode()
    assert f"A mail to {reader.masked_email} is on its way." in said(asked)
    work_off(nudges)
    assert [message.to for message in mail.outbox] == [[reader.email]], "as the page says"
    late = client.get(data_of(reader, NOW - timedelta(days=31)))
    assert late.status_code == 410
    assert client.post(data_of(reader, NOW - timedelta(days=31)), {"button": "1"}).status_code == 410


def test_a_late_link_of_a_stopped_reader_opens_the_data_and_nothing_else(client):
    reader = stopped_reader("complaint", {})
    token = links.manage_token(reader, NOW - timedelta(days=31))
    for name in ("preferences", "reader", "pause", "saved", "fewer"):
        page = client.get(reverse(name, args=[token]))
        assert page.status_code == 410, name
        assert reverse("fresh-link", args=[token]) in page.content.decode()
    Subscriber.objects.filter(pk=reader.pk).update(moved_at=NOW)
    assert client.get(reverse("fresh-link", args=[token])).status_code == 410, "mailed to another address"


def test_the_page_is_limited_as_the_mail_was(client, nudges, settings):
    settings.SIGNUPS_PER_NETWORK = ((timedelta(hours=1), 1),)
    reader = stopped_reader("complaint", {})
    assert [client.post(data_of(reader), {"button": "1"}).status_code for _ in range(2)] == [303, 429]


def test_what_is_said_after_entering_an_address_holds_for_every_address_and_names_the_condition(client, nudges):
    for number, (reason, fields) in enumerate(STOPPED):
        stopped_reader(reason, fields, f"stopped{number}")
    asker = make_reader("asker")
    asked = letters.ask(SignupRequest.Kind.LINK, asker.email, NOW, subscriber=asker)
    change = f"{links.fresh_path(asked, NOW)}address/"
    for path in (reverse("subscribe"), reverse("lost-link"), change):
        pages = set()
        for number, name in enumerate(["nobody", "stopped0", "stopped1", "stopped2"]):
            values = filled(f"{name}@example.org")
            pages.add(said(client.post(path, values, follow=True, REMOTE_ADDR=f"198.51.{number}.7")))
        assert len(pages) == 1, path
        page = pages.pop()
        assert ON_ITS_WAY.search(page), path
        assert CONDITION.search(page), path
        assert "Then no mail comes." in page


def test_the_notice_to_an_old_address_is_promised_only_where_it_may_be_sent(client, nudges):
    reader = stopped_reader("complaint", {})
    asked = letters.ask(SignupRequest.Kind.MOVE, "new@example.org", NOW, subscriber=reader)
    page = said(client.get(links.move_path(asked, NOW)))
    assert "We tell the old address so, in one mail, if we may write to it." in page
    moved = client.post(links.move_path(asked, NOW), {"button": "1"}, follow=True)
    assert "We tell the old address so, if we may write to it." in said(moved)
    handle_signups()
    assert [message.to for message in mail.outbox if "stopped@" in message.to[0]] == []
    assert not lifecycle.is_disowned(reader.email_hash, NOW)
