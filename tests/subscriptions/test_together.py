"""What two processes do at the same moment. On SQLite, whose writers wait for each other, one after the other."""

import threading

import pytest
from django.db import connection, connections
from django.test import Client

from subscriptions import clock, letters, lifecycle, links, privacy
from subscriptions.models import SignupRequest, Subscriber
from tests.conftest import NOW, make_reader, origin

Kind = SignupRequest.Kind
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stopped_clock(transactional_db, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def together(*functions):
    """What each gives or raises, run in threads with connections of their own."""
    results = {}

    def run(at, function):
        try:
            results[at] = function()
        except Exception as error:
            results[at] = error
        finally:
            if connection.vendor == "postgresql":
                connections.close_all()

    if connection.vendor != "postgresql":
        for pair in enumerate(functions):
            run(*pair)
        return [results[at] for at in range(len(functions))]
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [results[at] for at in range(len(functions))]


def paused_after(monkeypatch, module, name):
    """Lets ``module.name`` wait a second when it is done; the event says that it is."""
    done, original = threading.Event(), getattr(module, name)

    def slow(*args, **kwargs):
        result = original(*args, **kwargs)
        done.set()
        if connection.vendor == "postgresql":
            threading.Event().wait(1)
        return result

    monkeypatch.setattr(module, name, slow)
    return done


def test_erasing_and_a_letter_of_one_reader_do_not_wait_in_a_circle(monkeypatch):
    reader = make_reader("ana")
    asked = letters.ask(Kind.LINK, reader.email, NOW)
    claimed = paused_after(monkeypatch, letters, "_take")

    def erase():
        assert claimed.wait(10)
        return lifecycle.ask_erase(reader, NOW, origin())

    letter, erased = together(lambda: letters.letter_for(asked.pk, NOW), erase)
    assert not isinstance(letter, Exception)
    assert erased is True
    assert not Subscriber.objects.exists()


def test_expiry_and_a_new_letter_of_a_pending_reader_do_not_break_each_other(monkeypatch):
    pending = make_reader("ana", state="pending")
    asked = letters.ask(Kind.SIGN_UP, pending.email, NOW)
    claimed = paused_after(monkeypatch, letters, "_take")

    def expire():
        assert claimed.wait(10)
        return lifecycle.expire(NOW)

    letter, expired = together(lambda: letters.letter_for(asked.pk, NOW), expire)
    assert not isinstance(expired, Exception)
    assert isinstance(letter, Exception) or letter[1] is not None


def test_two_readers_who_move_to_each_others_address_do_not_wait_in_a_circle(monkeypatch):
    ana, bo = make_reader("ana", state="unsubscribed"), make_reader("bo", state="unsubscribed")
    to_bo = letters.ask(Kind.MOVE, bo.email, NOW, subscriber=ana)
    to_ana = letters.ask(Kind.MOVE, ana.email, NOW, subscriber=bo)
    results = together(lambda: lifecycle.move(to_bo, NOW, origin()), lambda: lifecycle.move(to_ana, NOW, origin()))
    assert "deadlock" not in str(results)
    assert Subscriber.objects.count() == 1, "one took over the other's address, whose row is gone"


def test_a_pending_reader_who_confirms_while_the_address_is_taken_over_is_told_so(monkeypatch):
    ana, pending = make_reader("ana"), make_reader("bo", state="pending")
    confirming = letters.ask(Kind.SIGN_UP, pending.email, NOW, subscriber=pending)
    moving = letters.ask(Kind.MOVE, pending.email, NOW, subscriber=ana)
    forgotten = paused_after(monkeypatch, privacy, "forget")

    def confirm():
        assert forgotten.wait(10)
        return Client().post(links.confirm_path(confirming, NOW)).status_code

    moved, answer = together(lambda: lifecycle.move(moving, NOW, origin()), confirm)
    assert moved is True
    assert answer == 410
    assert list(Subscriber.objects.values_list("pk", "email")) == [(ana.pk, "bo@example.org")]


def test_a_move_to_an_address_that_signs_up_at_this_moment_is_refused_and_not_an_error(monkeypatch):
    ana = make_reader("ana")
    moving = letters.ask(Kind.MOVE, "new@example.org", NOW, subscriber=ana)
    signing_up = letters.ask(Kind.SIGN_UP, "new@example.org", NOW)
    save = Subscriber.save

    def after_the_other(self, *args, **kwargs):
        if "moved_at" in kwargs.get("update_fields", ()):
            together(lambda: letters.letter_for(signing_up.pk, NOW))
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Subscriber, "save", after_the_other)
    assert Client().post(links.move_path(moving, NOW)).status_code == 409
    ana.refresh_from_db()
    assert ana.email == "ana@example.org"
