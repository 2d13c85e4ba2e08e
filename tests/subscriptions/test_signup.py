import re
from datetime import time, timedelta
from zoneinfo import available_timezones

import pytest
from django.core import mail, signing
from django.test import Client
from django.urls import reverse

from subscriptions import clock, letters, lifecycle, links, schedule
from subscriptions.forms import PreferencesForm, SignupForm, stamp
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber, Suppression
from subscriptions.tasks import handle_signup, handle_signups
from tests.conftest import filled, make_reader, origin

pytestmark = pytest.mark.django_db


def sign_up(client, email="new@example.org"):
    return client.post(reverse("subscribe"), filled(email))


def link_in(message, kind="c"):
    return re.search(rf"https://papers\.example\.org(/{kind}/\w+/)", message.body)[1]


def test_a_reader_signs_up_confirms_and_chooses(client, nudges, robotics):
    assert sign_up(client).status_code == 303
    assert [name for name, *_ in nudges] == ["subscriptions.tasks.handle_signup"]
    assert not mail.outbox, "everything that depends on the address happens in the task"
    handle_signup(nudges[0][1])
    assert mail.outbox[0].to == ["new@example.org"]
    path = link_in(mail.outbox[0])

    page = client.get(path)
    assert "Confirm" in page.content.decode()
    assert Subscriber.objects.get().state == "pending"

    chosen = client.post(path)
    assert chosen.status_code == 303
    reader = Subscriber.objects.get()
    assert reader.state == "active"
    assert reader.next_due_at > clock.now()

    data = {"topics": [robotics.pk], "hour": "08:15", "zone": "Europe/Berlin", "paper_limit": "5"}
    data |= {"cadence": "daily", "days": range(7)}
    saved = client.post(chosen["Location"], data, follow=True)
    reader.refresh_from_db()
    assert (reader.zone, reader.hour.isoformat(), reader.paper_limit) == ("Europe/Berlin", "08:15:00", 5)
    assert [i.topic for i in reader.interests.all()] == [robotics]
    assert "08:15" in saved.content.decode()
    assert "Europe/Berlin" in saved.content.decode()
    assert [e.kind for e in ConsentEvent.objects.all()] == ["requested", "confirmed", "changed"]


def test_confirming_twice_says_subscribed_twice(client, nudges):
    sign_up(client)
    handle_signup(nudges[0][1])
    path = link_in(mail.outbox[0])
    assert client.post(path).status_code == client.post(path).status_code == 303
    assert ConsentEvent.objects.filter(kind="confirmed").count() == 1


def test_a_late_confirmation_offers_a_new_link(client, nudges, monkeypatch):
    sign_up(client)
    handle_signup(nudges[0][1])
    path, later = link_in(mail.outbox[0]), clock.now() + timedelta(hours=73)
    monkeypatch.setattr(clock, "now", lambda: later)
    late = client.post(path)
    assert late.status_code == 410
    assert reverse("subscribe") in late.content.decode()
    assert Subscriber.objects.get().state == "pending"


@pytest.mark.parametrize("state", ["unknown", "pending", "active", "unsubscribed", "suppressed", "paused"])
def test_the_answer_is_the_same_for_every_state_of_an_address(client, nudges, state, now):
    if state != "unknown":
        reader = make_reader("new", state="active" if state in {"suppressed", "paused"} else state)
        if state == "suppressed":
            Suppression.objects.create(email_hash=reader.email_hash, reason="complaint", created_at=now)
        if state == "paused":
            Subscriber.objects.update(paused_until=now + timedelta(days=3650))
    response = sign_up(client)
    assert (response.status_code, response["Location"], response.content) == (
        303,
        reverse("check-email"),
        b"",
    )
    assert SignupRequest.objects.count() == 1
    assert not response.cookies


def test_an_active_reader_is_told_so_and_a_complainer_gets_nothing(client, nudges, confirmed, suppressed):
    sign_up(client, confirmed.email)
    sign_up(client, suppressed.email)
    handle_signups()
    assert [m.subject for m in mail.outbox] == ["You are already subscribed to Daily Papers"]
    assert mail.outbox[0].to == [confirmed.email]
    assert [r.outcome for r in SignupRequest.objects.order_by("pk")] == [
        "already-subscribed sent",
        "suppressed",
    ]


def test_one_address_gets_one_mail_in_ten_minutes_however_often_it_is_typed(client, nudges):
    for _ in range(5):
        sign_up(client)
    handle_signups()
    assert len(mail.outbox) == 1
    assert SignupRequest.objects.filter(outcome="over budget").count() == 3
    assert SignupRequest.objects.filter(handled_at=None).count() == 1, "one waits, for who left and comes back at once"


def test_who_left_and_comes_back_at_once_gets_the_letter_when_the_ten_minutes_are_over(client, nudges, monkeypatch):
    sign_up(client)
    handle_signups()
    client.post(link_in(mail.outbox[0]))
    reader = Subscriber.objects.get()
    client.post(links.unsubscribe_path(reader, clock.now()), {"button": "1"})
    sign_up(client)
    handle_signups()
    assert len(mail.outbox) == 1
    later = clock.now() + timedelta(minutes=12)
    monkeypatch.setattr(clock, "now", lambda: later)
    handle_signups()
    client.post(link_in(mail.outbox[1]))
    reader.refresh_from_db()
    assert reader.state == "active"


@pytest.mark.parametrize(
    "poison", ["=?utf-8?q?v=40e.com=3e=00?=foo@evil.example", "=?us-ascii?q?vic=74im?=@example.org"]
)
def test_an_encoded_word_is_no_address(client, nudges, poison):
    assert sign_up(client, poison).status_code == 422


def test_one_poisoned_request_stops_no_other(nudges):
    for address in ("=?utf-8?q?v=40e.com=3e=00?=foo@evil.example", "fine@example.org"):
        letters.ask(SignupRequest.Kind.SIGN_UP, address, clock.now())
    handle_signups()
    assert [letter.to for letter in mail.outbox][-1:] == [["fine@example.org"]]
    assert not letters.waiting(clock.now() + timedelta(days=1))


def test_an_active_reader_whose_mail_bounced_comes_back_by_confirming(client, nudges, confirmed, now):
    Suppression.objects.create(email_hash=confirmed.email_hash, reason="bounce", created_at=now)
    sign_up(client, confirmed.email)
    handle_signups()
    client.post(link_in(mail.outbox[0]))
    assert Subscriber.objects.active(clock.now()).get() == confirmed
    confirmed.refresh_from_db()
    assert confirmed.next_due_at > clock.now(), "not the days that are over"


def test_an_unsubscribe_link_opens_no_settings_and_takes_no_old_leaving_back(client, confirmed):
    Subscriber.objects.filter(pk=confirmed.pk).update(created_at=clock.now() - timedelta(days=901))
    old = links.unsubscribe_path(confirmed, clock.now() - timedelta(days=900))
    lifecycle.unsubscribe(confirmed, clock.now(), origin("admin"))
    after = client.post(old, {"button": "1"}, follow=True)
    assert after.redirect_chain[-1][0] == old
    assert "/left/" not in after.content.decode()
    lifecycle.confirm(
        letters.ask(SignupRequest.Kind.SIGN_UP, confirmed.email, clock.now(), subscriber=confirmed),
        clock.now(),
        origin(),
    )
    left = client.post(old, {"button": "1"}, follow=True)
    undone = client.post(left.redirect_chain[-1][0], {"undo": "1"}, follow=True)
    assert "subscribed again" in undone.content.decode()
    assert "/r/" not in undone.redirect_chain[-1][0] + undone.content.decode()


def test_a_link_to_settings_dies_with_the_address_it_was_mailed_to(client, confirmed):
    old = links.manage_token(confirmed, clock.now() - timedelta(minutes=5))
    asked = letters.ask(SignupRequest.Kind.MOVE, "new@example.org", clock.now(), subscriber=confirmed)
    assert lifecycle.move(asked, clock.now(), origin())
    assert client.get(reverse("preferences", args=[old])).status_code == 410
    new = links.manage_token(confirmed, clock.now())
    assert client.get(reverse("preferences", args=[new])).status_code == 200


def test_the_browsers_zone_comes_with_the_confirmation_of_a_new_reader_only(client, nudges):
    sign_up(client)
    handle_signups()
    path = link_in(mail.outbox[0])
    client.post(path, {"zone": "Asia/Kolkata"})
    client.post(path, {"zone": "Mars/Base"})
    client.post(path, {"zone": "Europe/Berlin"})
    assert Subscriber.objects.get().zone == "Asia/Kolkata"


def test_saving_what_moves_no_hour_keeps_the_digest_that_waits_for_its_edition(client, confirmed):
    due = clock.now() - timedelta(minutes=10)
    Subscriber.objects.update(next_due_at=due, hour=due.time(), weekdays=1 << due.weekday())
    lifecycle.choose(confirmed, {"text_only": True}, Interests(), clock.now(), origin())
    lifecycle.choose(confirmed, {"weekdays": schedule.EVERY_DAY}, Interests(), clock.now(), origin())
    lifecycle.fewer(confirmed, clock.now(), origin())
    confirmed.refresh_from_db()
    assert confirmed.next_due_at == due


@pytest.mark.parametrize("zone", [*sorted(available_timezones())[::7], "US/Eastern", "Etc/GMT+5", "CET"])
def test_the_settings_keep_every_zone_that_a_reader_can_have(confirmed, zone):
    confirmed.zone = zone
    form = PreferencesForm(instance=confirmed)
    assert f'value="{zone}" selected' in str(form["zone"])


def test_a_pause_until_a_date_ends_with_the_first_minute_of_that_date(confirmed, now):
    confirmed.hour, confirmed.zone = time(0, 0), "Europe/Berlin"
    confirmed.paused_until = schedule.local_instant(now.date() + timedelta(days=7), time(0), "Europe/Berlin")
    confirmed.reschedule(now)
    assert confirmed.next_due_at == confirmed.paused_until


def test_a_request_is_handled_once_by_two_workers(client, nudges):
    sign_up(client)
    request = SignupRequest.objects.get()
    now = clock.now()
    assert letters.letter_for(request.pk, now) is not None
    assert letters.letter_for(request.pk, now) is None
    assert letters.waiting(now) == []
    assert letters.waiting(now + timedelta(minutes=3)) == [request.pk]


def test_a_mail_server_that_is_away_loses_no_request(client, nudges, settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    sign_up(client)
    start = clock.now()
    for minutes in range(0, 60, 3):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: start + timedelta(minutes=minutes))
        handle_signups()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=1))
    handle_signups()
    assert len(mail.outbox) == 1
    assert ConsentEvent.objects.filter(kind="requested").count() == 1


def test_a_broker_that_is_away_costs_a_minute_not_the_request(client, settings):
    assert sign_up(client).status_code == 303
    assert SignupRequest.objects.filter(handled_at=None).count() == 1


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b", "two@example.org, more@example.org", "a@example.org\nBcc: b@example.org", "ü@example.org",
     "a" * 65 + "@example.org", "<script>@example.org", "a\x00b@example.org"],
)  # fmt: skip
def test_an_address_that_cannot_be_mailed_is_refused_with_what_to_do(client, address):
    response = sign_up(client, address)
    assert response.status_code == 422
    assert "email address" in response.content.decode()
    assert not SignupRequest.objects.exists()


def test_a_slip_of_the_keyboard_is_asked_about_once_and_kept_when_the_reader_insists(client, nudges):
    asked = sign_up(client, "ana@gmial.com")
    assert asked.status_code == 422
    assert "did you mean ana@gmail.com?" in asked.content.decode()
    hidden = re.search(r'name="as_typed" value="([^"]+)"', asked.content.decode())[1]
    assert client.post(reverse("subscribe"), filled("ana@gmial.com", as_typed=hidden)).status_code == 303
    assert SignupRequest.objects.get().email == "ana@gmial.com"


def fields_of(page):
    """The hidden fields of the form that asks for an address, as a browser sends them on."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_an_address_that_was_kept_once_is_not_asked_about_again_whatever_else_is_wrong(client, nudges, settings):
    settings.FORM_MIN_SECONDS = 2
    old = signing.TimestampSigner(salt="subscriptions.forms.made")
    old.timestamp = lambda: signing.b62_encode(1)
    path, typed = reverse("subscribe"), {"email": "ana@gmial.com", "leave_empty": ""}
    pressed = client.post(path, {**typed, "made": stamp()})
    assert "did you mean ana@gmail.com?" in pressed.content.decode()
    for made in (old.sign("form"), "", stamp()):  # open for too long, not whole, too fast
        pressed = client.post(path, {**typed, **fields_of(pressed), "made": made})
        assert pressed.status_code == 422
        assert "did you mean" not in pressed.content.decode()
    assert client.post(path, {**typed, **fields_of(pressed)}).status_code == 303
    assert SignupRequest.objects.get().email == "ana@gmial.com"


@pytest.mark.parametrize("first", ["fast", "stale", "broken", "no address"])
def test_who_is_told_to_press_again_is_believed_at_the_next_press(client, nudges, settings, first):
    settings.FORM_MIN_SECONDS = 2
    old = signing.TimestampSigner(salt="subscriptions.forms.made")
    old.timestamp = lambda: signing.b62_encode(1)
    made = {"fast": stamp(), "stale": old.sign("form"), "broken": "", "no address": stamp()}[first]
    path, email = reverse("subscribe"), "" if first == "no address" else "ana@example.org"
    told = client.post(path, {"email": email, "made": made, "leave_empty": ""})
    assert told.status_code == 422
    again = {**fields_of(told), "email": "ana@example.org", "leave_empty": ""}
    assert client.post(path, again).status_code == 303
    assert SignupRequest.objects.get().email == "ana@example.org"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Name@Example.ORG", "name@example.org"),
        (" a+tag@example.org ", "a+tag@example.org"),
        ("x@straße.de", "x@xn--strae-oqa.de"),
    ],
)
def test_addresses_are_kept_as_they_can_be_mailed(typed, kept):
    form = SignupForm(filled(typed))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["email"] == kept


def test_get_head_and_options_change_nothing(client, confirmed, nudges, now):
    request = letters.ask(SignupRequest.Kind.SIGN_UP, "new@example.org", clock.now())
    letters.letter_for(request.pk, clock.now())
    request.refresh_from_db()
    real = clock.now()
    paths = [
        links.confirm_path(request, real),
        links.unsubscribe_path(confirmed, real),
        reverse("preferences", args=[links.manage_token(confirmed, real)]),
        reverse("reader", args=[links.manage_token(confirmed, real)]),
        reverse("send-now", args=[links.manage_token(confirmed, real)]),
        reverse("subscribe"),
    ]
    before = [list(model.objects.order_by("pk").values()) for model in (Subscriber, SignupRequest, ConsentEvent)]
    for path in paths:
        for method in ("get", "head", "options"):
            getattr(client, method)(path)
    assert before == [
        list(model.objects.order_by("pk").values()) for model in (Subscriber, SignupRequest, ConsentEvent)
    ]


def test_the_pages_of_a_forged_or_foreign_token_say_what_to_do(client, confirmed):
    real = clock.now()
    unsubscribe = links.unsubscribe_path(confirmed, real)
    as_manage = unsubscribe.replace("/u/", "/r/")
    assert client.get(as_manage).status_code == 404
    assert client.post(as_manage + "now/").status_code == 404
    assert client.get(unsubscribe[:-2] + "/").status_code == 404
    assert client.post("/u/" + "A" * 33 + "/").status_code == 404


def test_a_manage_link_ends_after_thirty_days_with_a_way_to_a_new_one(client, confirmed):
    old = links.manage_token(confirmed, clock.now() - timedelta(days=31))
    page = client.get(reverse("reader", args=[old]))
    assert page.status_code == 410
    assert reverse("subscribe") in page.content.decode()
    assert client.post(reverse("preferences", args=[old]), {}).status_code == 410


ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_one_click_needs_no_cookie_and_gets_200_without_redirect(confirmed, content_type):
    bodies = {
        "application/x-www-form-urlencoded": b"List-Unsubscribe=One-Click",
        "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
    }
    provider = Client(enforce_csrf_checks=True)
    path = links.unsubscribe_path(confirmed, clock.now())
    for _ in range(2):
        response = provider.post(path, bodies[content_type], content_type=content_type)
        assert (response.status_code, dict(response.cookies)) == (200, {})
    confirmed.refresh_from_db()
    assert confirmed.state == "unsubscribed"
    assert ConsentEvent.objects.filter(kind="withdrawn", where="one-click").count() == 1


def test_one_click_is_200_also_when_the_reader_is_gone(client, confirmed):
    path = links.unsubscribe_path(confirmed, clock.now())
    confirmed.delete()
    assert client.post(path, ONE_CLICK).status_code == 200
    assert client.get(path).status_code == 200


def test_the_unsubscribe_page_has_one_button_and_shows_the_address_masked(client, confirmed):
    path = links.unsubscribe_path(confirmed, clock.now())
    page = client.get(path).content.decode()
    assert "c***@example.org" in page
    assert confirmed.email not in page
    left = client.post(path, {"button": "1"}, follow=True)
    assert left.redirect_chain[0][1] == 303
    assert "You are unsubscribed" in left.content.decode()


def test_bad_preferences_are_refused_and_nothing_changes(client, confirmed):
    path = reverse("preferences", args=[links.manage_token(confirmed, clock.now())])
    bad = client.post(path, {"hour": "25:99", "zone": "Mars/Base", "paper_limit": "1000000"})
    assert bad.status_code == 422
    confirmed.refresh_from_db()
    assert (confirmed.zone, confirmed.paper_limit) == ("UTC", 10)


def test_an_old_confirm_link_opens_nothing_even_for_an_active_reader(client, nudges, monkeypatch):
    sign_up(client)
    handle_signup(nudges[0][1])
    path = link_in(mail.outbox[0])
    client.post(path)
    later = clock.now() + timedelta(hours=73)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.post(path).status_code == client.get(path).status_code == 410


def test_an_unsubscribe_between_reading_and_saving_preferences_wins(confirmed, robotics):
    stale = Subscriber.objects.get(pk=confirmed.pk)
    lifecycle.unsubscribe(confirmed, clock.now(), origin())
    lifecycle.choose(stale, {}, Interests(topics=(robotics.pk,)), clock.now(), origin())
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.next_due_at) == ("unsubscribed", None)


def test_requests_in_workers_hands_count_towards_the_budget(client, nudges):
    for _ in range(3):
        sign_up(client)
    found = [letters.letter_for(request.pk, clock.now()) for request in SignupRequest.objects.all()]
    assert [one[1] is not None for one in found] == [True, False, False]


def test_saving_the_hour_keeps_a_topic_that_is_not_offered_any_more(client, confirmed, robotics):
    lifecycle.choose(confirmed, {}, Interests(topics=(robotics.pk,)), clock.now(), origin())
    type(robotics).objects.update(offered=False)
    path = reverse("preferences", args=[links.manage_token(confirmed, clock.now())])
    page = client.get(path).content.decode()
    assert "Robotics" in page
    client.post(
        path,
        {
            "topics": [robotics.pk],
            "hour": "09:00",
            "zone": "UTC",
            "paper_limit": "10",
            "cadence": "weekly",
            "weekly_day": 4,
        },
    )
    assert confirmed.interests.count() == 1
    confirmed.refresh_from_db()
    assert confirmed.is_weekly
