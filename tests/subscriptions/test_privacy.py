"""Take along and erase: complete, and then gone."""

import json
from datetime import date, datetime, time, timedelta

import pytest
from django.urls import reverse

from subscriptions import letters, lifecycle, links, privacy
from subscriptions.interests import Interests
from subscriptions.models import (
    ConsentEvent,
    Interest,
    MailEvent,
    SignupRequest,
    Subscriber,
    Suppression,
)
from subscriptions.tasks import handle_signup, handle_signups, tidy
from tests.conftest import NOW, make_reader, origin
from tests.subscriptions.doors import everything, fresh_link_of, take_clock

pytestmark = pytest.mark.django_db
INTERNAL = {"id", "email_hash", "erase_asked_at"}  # the number is there under another name


@pytest.fixture
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def full(robotics, speech, clock, nudges):
    """A reader of whom everything is kept that can be kept."""
    reader = make_reader("ana")
    choices = {"zone": "Europe/Berlin", "hour": time(8, 15), "weekdays": 0b1010101, "paper_limit": 7, "text_only": True}
    wanted = Interests((robotics.pk,), ("protein folding",), ("Ana Exemplar",), (speech.pk,), ("blockchain",))
    lifecycle.choose(reader, choices, wanted, NOW, origin("preferences"))
    lifecycle.pause(reader, NOW + timedelta(days=9), NOW, origin("pause page"))
    Subscriber.objects.filter(pk=reader.pk).update(last_due_at=NOW, asked_at=NOW, moved_at=NOW, left_at=NOW)
    asked = letters.ask(SignupRequest.Kind.LINK, reader.email, NOW)
    handle_signup(asked.pk)
    handle_signup(letters.ask(SignupRequest.Kind.SIGN_UP, reader.email, NOW).pk)  # over budget
    handle_signup(letters.ask(SignupRequest.Kind.MOVE, "ana.new@example.net", NOW, subscriber=reader).pk)
    MailEvent.objects.create(
        esp="test", dedupe_key="x", kind="delivered", mail="digest-1", reader=reader.pk, at=NOW, received_at=NOW
    )
    Suppression.objects.create(email_hash=reader.email_hash, reason="bounce", created_at=NOW)
    return Subscriber.objects.get(pk=reader.pk)


def as_shown(value):
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    return value.isoformat() if isinstance(value, date) else value


def test_the_export_holds_every_field_of_the_reader(full):
    exported = json.loads(json.dumps(privacy.export(full, NOW)))
    shown = exported["reader"]
    assert shown["number"] == full.pk
    for field in Subscriber._meta.concrete_fields:
        if field.name in INTERNAL:
            continue
        value = getattr(full, field.name)
        assert value not in (None, ""), f"the test must fill {field.name}"
        expected = [0, 2, 4, 6] if field.name == "weekdays" else as_shown(value)
        assert shown[field.name] == expected, field.name


def test_the_export_holds_every_row_that_names_the_reader(full):
    exported = privacy.export(full, NOW)
    assert exported["interests"] == {
        "topics": ["Robotics"],
        "phrases": ["protein folding"],
        "authors": ["Ana Exemplar"],
        "muted_topics": ["Speech"],
        "muted_words": ["blockchain"],
    }
    assert [event["what"] for event in exported["consent"]] == ["changed", "paused"]
    assert [(asked["kind"], asked["to"], asked["outcome"]) for asked in exported["letters_asked_for"]] == [
        ("link", "ana@example.org", "link sent"),
        ("sign-up", "ana@example.org", ""),
        ("move", "ana.new@example.net", ""),
    ]
    assert [stop["reason"] for stop in exported["stopped"]] == ["bounce"]
    assert [event["mail"] for event in exported["reports_of_mail_servers"]] == ["digest-1"]
    assert set(privacy._parts) <= set(exported), "each room's part"


def test_the_export_of_a_reader_without_anything_is_json_too():
    assert json.loads(json.dumps(privacy.export(make_reader("ana", state="pending"), NOW)))["consent"] == []


def test_the_export_comes_by_a_post_of_a_fresh_link_only_and_holds_nobody_else(client, full, clock):
    make_reader("stranger")
    token = fresh_link_of(full, clock.instant)
    path = reverse("export", args=[token])
    assert client.get(path).status_code == 405
    answer = client.post(path)
    assert answer.json()["reader"]["email"] == full.email
    assert "attachment" in answer["Content-Disposition"]
    assert b"stranger" not in answer.content
    clock.push(minutes=15)
    assert client.post(path).status_code == 410


def test_erasing_leaves_hash_kind_and_time_and_a_suppression(full):
    hashed, asked = full.email_hash, ["changed", "paused", "withdrawn", "erased"]
    assert lifecycle.ask_erase(full, NOW, origin("erase page"))
    for model in (Subscriber, Interest, SignupRequest, MailEvent):
        assert not model.objects.exists(), model
    assert list(ConsentEvent.objects.values_list("kind", flat=True)) == asked
    for event in ConsentEvent.objects.all():
        kept = {field.name for field in ConsentEvent._meta.concrete_fields if getattr(event, field.attname)}
        assert kept == {"id", "email_hash", "kind", "at"}
        assert event.email_hash == hashed
    stops = Suppression.objects.order_by("reason").values_list("email_hash", "reason", "detail", "lifted_at")
    assert list(stops) == [(hashed, "bounce", "", None), (hashed, "erased", "", None)]


def test_erasing_one_reader_touches_no_other(full):
    other = make_reader("bo")
    lifecycle.pause(other, NOW + timedelta(days=1), NOW, origin("pause page"))
    event = ConsentEvent.objects.filter(subscriber=other).values().get()
    lifecycle.ask_erase(full, NOW, origin())
    assert Subscriber.objects.get().pk == other.pk
    assert ConsentEvent.objects.filter(subscriber=other).values().get() == event


def test_erasing_twice_is_harmless(full):
    pk = full.pk
    assert privacy.erase(pk, NOW)
    after = everything()
    assert not privacy.erase(pk, NOW)
    assert everything() == after


def test_a_new_sign_up_that_is_confirmed_lifts_the_erasing_and_an_import_alone_does_not(client, full, clock):
    email = full.email
    lifecycle.ask_erase(full, NOW, origin())
    Suppression.objects.filter(reason="bounce").delete()
    clock.push(days=2)
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, email, clock.instant)
    handle_signup(asked.pk)
    assert Suppression.objects.live(clock.instant).filter(reason="erased").exists()
    assert client.post(links.confirm_path(asked, clock.instant)).status_code == 303
    assert not Suppression.objects.live(clock.instant).exists()
    assert Subscriber.objects.active(clock.instant).filter(email=email).exists()


def test_who_cannot_be_erased_this_second_has_left_and_the_sweep_finishes_it(client, full, clock, monkeypatch):
    on_the_wire = [True]

    def erase(reader, now):
        if on_the_wire:
            raise privacy.NotYet

    monkeypatch.setitem(privacy._parts, "test", privacy.Part(lambda reader: {}, erase))
    token = fresh_link_of(full, NOW)
    answer = client.post(reverse("erase", args=[token]))
    assert answer.status_code == 200
    reader = Subscriber.objects.get()
    assert (reader.state, reader.erase_asked_at, reader.next_due_at) == ("unsubscribed", NOW, None)
    assert not Subscriber.objects.active(NOW).exists()
    assert not Suppression.objects.filter(reason="erased").exists(), "nothing of the erasing was half done"
    assert client.get(reverse("own-data", args=[token])).status_code == 410
    tidy()
    assert Subscriber.objects.exists()
    on_the_wire.clear()
    tidy()
    assert not Subscriber.objects.exists()
    assert Suppression.objects.live(NOW).filter(reason="erased").exists()


def test_every_foreign_key_to_a_reader_is_thought_of():
    """A new table that names readers must be erased with them: this list is the reminder."""
    relations = {
        (field.related_model._meta.label, field.field.name, field.field.remote_field.on_delete.__name__)
        for field in Subscriber._meta.related_objects
    }
    assert relations == {
        ("subscriptions.Interest", "subscriber", "CASCADE"),
        ("subscriptions.SignupRequest", "subscriber", "CASCADE"),
        ("subscriptions.ConsentEvent", "subscriber", "SET_NULL"),
        ("digest.Digest", "subscriber", "SET_NULL"),
        ("digest.Feedback", "subscriber", "CASCADE"),
    }


def test_requests_and_who_never_confirmed_are_forgotten_after_a_week(clock, nudges):
    letters.ask(SignupRequest.Kind.SIGN_UP, "ana@example.org", NOW)
    handle_signups()
    clock.push(days=7, minutes=-1)
    tidy()
    assert Subscriber.objects.exists()
    clock.push(minutes=1)
    tidy()
    for model in (Subscriber, SignupRequest, ConsentEvent):
        assert not model.objects.exists(), model
