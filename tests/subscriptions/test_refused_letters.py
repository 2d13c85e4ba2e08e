"""A letter that a mail server refuses: for the reader's sake for ever, for ours it waits and costs no attempt."""

from datetime import timedelta

import pytest

from subscriptions import clock, letters
from subscriptions.models import MailEvent, SignupRequest, Suppression
from subscriptions.suppression import apply
from subscriptions.tasks import handle_signup
from tests.fakes.hostile import Hostile, from_mail

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def smtp(settings):
    def use(port):
        settings.EMAIL_BACKEND = "subscriptions.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 2

    return use


def ask():
    return letters.ask(SignupRequest.Kind.SIGN_UP, "new@example.org", clock.now())


def handle(request):
    SignupRequest.objects.filter(pk=request.pk, handled_at=None).update(free_at=None)  # its lease is over
    handle_signup(request.pk)
    request.refresh_from_db()


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("RCPT", b"550 5.1.90 you've reached your daily limit for recipients"),
        ("RCPT", b"550 exceeded the max emails per hour"),
        ("RCPT", b"554 5.7.1 Relay access denied"),
        ("MAIL", b"550 5.4.5 Daily sending quota exceeded"),
        ("DATA", b"550 5.4.5 Daily user sending limit exceeded"),
        (".", b"552 Message quota exceeded"),
        ("RCPT", b"451 4.7.1 Mails per session limit exceeded"),
        ("RCPT", b"421 4.7.0 too many connections"),
    ],
)
def test_a_letter_that_our_account_cannot_send_waits_however_often_it_is_tried(step, answer, smtp):
    request = ask()
    with Hostile({step: answer}) as server:
        smtp(server.port)
        for _ in range(letters.MAX_ATTEMPTS + 2):
            handle(request)
            assert (request.handled_at, request.attempts) == (None, 0)
        server.script = {}
        handle(request)
        assert len(server.accepted) == 1
    assert request.handled_at
    apply(clock.now())
    assert not MailEvent.objects.exists()
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("step", "answer", "detail"),
    [
        ("RCPT", b"550 5.1.1 user unknown", "550 5.1.1"),
        (".", b"550 5.1.1 user unknown", "550 5.1.1"),
        ("RCPT", b"550 no such user", "550"),
    ],
)
def test_a_letter_to_nobody_is_given_up_and_counts(step, answer, detail, smtp):
    request = ask()
    with Hostile({step: answer}) as server:
        smtp(server.port)
        handle(request)
    assert (request.outcome, request.reason.endswith(detail)) == ("failed", True)
    apply(clock.now())
    assert Suppression.objects.get().reason == "bounce"


def test_a_letter_that_is_refused_without_a_reason_is_given_up_and_stops_nobody(smtp):
    request = ask()
    with Hostile({"RCPT": b"550 sorry"}) as server:
        smtp(server.port)
        handle(request)
    assert request.outcome == "failed"
    apply(clock.now())
    assert not Suppression.objects.exists()


def test_a_letter_over_the_servers_size_is_given_up_at_once(smtp):
    request = ask()
    with Hostile(extensions=("SIZE 100",)) as server:
        smtp(server.port)
        handle(request)
    assert (request.outcome, request.reason, request.attempts) == ("failed", "TooLarge", 1)


def test_a_letter_that_was_surely_not_taken_needs_no_second_grant(smtp):
    """The server had the envelope only."""
    request = ask()
    with Hostile({"RCPT": from_mail(1, b"451 4.2.0 later")}) as server:
        smtp(server.port)
        handle(request)
    assert (request.handled_at, request.attempts) == (None, 1)
    assert request.granted_at
