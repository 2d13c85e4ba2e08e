"""A relay's limit, an account's trouble, a connection's allowance, a size: what each costs, by a real SMTP server."""

from collections import Counter
from datetime import timedelta
from itertools import count

import pytest
import requests
from anymail.exceptions import AnymailRequestsAPIError
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from digest import delivery, ledger, outcomes, tasks
from digest.delivery import throttle
from digest.health import waiting
from digest.models import Digest, Edition, Throttle
from subscriptions import suppression
from subscriptions.answers import EQUAL_ABOUT_READERS, EQUAL_UNEXPLAINED
from subscriptions.models import MailEvent, Suppression
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.fakes.hostile import Hostile, from_mail, to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.long]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
READERS, LIMIT = 80, 40


@pytest.fixture
def smtp(settings):
    def use(port, **options):
        settings.EMAIL_BACKEND = "subscriptions.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_TIMEOUT, settings.SEND_THREADS = 2, 4
        for name, value in options.items():
            setattr(settings, name, value)

    return use


@pytest.fixture
def plan(db):
    """So many readers, each with a digest."""

    def make(number):
        paper = make_paper(1)
        make_edition([paper])
        return [make_digest(make_reader(f"r{n}"), [paper]) for n in range(number)]

    return make


def send(now=NOW):
    return dict(delivery.send_digests(lambda: now, "test"))


def after(limit, answer):
    """Do it once so many mails have come so far."""
    number = count()  # counted where it is asked: several threads send at once

    def do(session):
        if next(number) < limit:
            return None
        return answer(session) if callable(answer) else answer

    return do


def states():
    return Counter(Digest.objects.values_list("state", flat=True))


def stopped():
    suppression.apply(NOW)
    outcomes.read_events(NOW)
    return Suppression.objects.filter(lifted_at=None).count()


def received(server):
    return Counter(recipient for _, recipient in server.accepted)


EXPLAINED = {
    "RCPT": [
        b"550 5.1.90 Your message can't be sent because you've reached your daily limit for recipients",
        b"550 Domain example.org has exceeded the max emails per hour (41/40 (102%)) allowed.",
        b"554 5.7.1 <reader@example.org>: Relay access denied",
        b"550 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org",
        b"535 5.7.8 authentication failed",
    ],
    "MAIL": [b"550 5.4.5 Daily sending quota exceeded", b"535 5.7.8 authentication failed"],
    "DATA": [b"550 5.4.5 Daily user sending limit exceeded", b"552 5.7.0 Sending quota exceeded"],
    ".": [b"554 5.7.0 Your message quota is exhausted", b"550 5.7.1 Your account is suspended"],
}


@pytest.mark.parametrize(("step", "answer"), [(step, one) for step, several in EXPLAINED.items() for one in several])
def test_a_limit_after_forty_mails_holds_the_rest_and_stops_nobody(step, answer, plan, smtp):
    plan(READERS)
    with Hostile({step: after(LIMIT, answer)}) as server:
        smtp(server.port)
        send()
        assert states() == {"accepted": LIMIT, "planned": READERS - LIMIT}
        assert (stopped(), MailEvent.objects.count()) == (0, 0)
        assert set(Digest.objects.filter(state="planned").values_list("attempt", flat=True)) == {0}
        assert waiting.transport(NOW).state == "fault"
        assert answer[:3].decode() in waiting.transport(NOW).said
        tried = sum(server.tries.values())
        assert send(NOW + timedelta(seconds=5)) == {}  # the transport is closed
        assert sum(server.tries.values()) == tried
        server.script = {}
        assert send(NOW + HOUR) == {"accepted": READERS - LIMIT}
    assert received(server) == Counter({f"r{n}@example.org": 1 for n in range(READERS)})
    assert waiting.transport(NOW + HOUR).state == "ok"


UNEXPLAINED = {
    "RCPT": lambda s: b"550 Sorry <%s>, not today (id %d)" % (s.recipient.encode(), len(s.server.heard)),
    ".": lambda s: b"554 5.7.1 no, %s (%d-%dx)" % (s.recipient.encode(), len(s.mail), len(s.server.heard)),
}


@pytest.mark.parametrize("step", UNEXPLAINED)
def test_equal_answers_in_a_row_that_nobody_can_explain_are_about_us(step, plan, smtp):
    plan(READERS)
    with Hostile({step: after(LIMIT, UNEXPLAINED[step])}) as server:
        smtp(server.port)
        send()
        assert states() == {"accepted": LIMIT, "planned": READERS - LIMIT}
        assert set(Digest.objects.filter(state="planned").values_list("attempt", flat=True)) == {0}
        assert (stopped(), MailEvent.objects.count()) == (0, 0)
        assert waiting.transport(NOW).state == "fault"
        send(NOW + 10 * MINUTE)  # it goes on: known at the first answer, and nobody's fault again
        assert states() == {"accepted": LIMIT, "planned": READERS - LIMIT}
        assert (stopped(), MailEvent.objects.count()) == (0, 0)
        server.script = {}
        assert send(NOW + HOUR) == {"accepted": READERS - LIMIT}
    assert received(server) == Counter({f"r{n}@example.org": 1 for n in range(READERS)})


def test_they_are_counted_over_runs_of_one_mail_each(plan, smtp):
    plan(EQUAL_UNEXPLAINED)
    with Hostile({"RCPT": b"550 Sorry, not today"}) as server:
        smtp(server.port, SEND_THREADS=1)
        for minute in range(EQUAL_UNEXPLAINED - 1):
            delivery.send_digests(lambda at=NOW + minute * MINUTE: at, "test", limit=1)
        assert states() == {"rejected": EQUAL_UNEXPLAINED - 1, "planned": 1}
        delivery.send_digests(lambda: NOW + 10 * MINUTE, "test", limit=1)
    assert states() == {"planned": EQUAL_UNEXPLAINED}
    assert not MailEvent.objects.exists()


def test_an_accepted_mail_between_them_ends_the_row(plan, smtp):
    plan(4 * EQUAL_UNEXPLAINED)
    odd = {f"r{n}@example.org" for n in range(0, 4 * EQUAL_UNEXPLAINED, 2)}
    with Hostile({"RCPT": lambda s: b"550 Sorry, not today" if s.recipient in odd else None}) as server:
        smtp(server.port, SEND_THREADS=1)
        assert send() == {"accepted": 2 * EQUAL_UNEXPLAINED, "rejected": 2 * EQUAL_UNEXPLAINED}
    assert stopped() == 0  # and once is not for ever


def test_mailboxes_that_are_gone_are_the_readers_up_to_twenty_in_a_row(plan, smtp):
    plan(EQUAL_ABOUT_READERS + 5)
    gone = {f"r{n}@example.org" for n in range(EQUAL_ABOUT_READERS - 1)}
    with Hostile({"RCPT": lambda s: b"550 5.1.1 user unknown" if s.recipient in gone else None}) as server:
        smtp(server.port, SEND_THREADS=1)
        assert send() == {"accepted": 6, "rejected": EQUAL_ABOUT_READERS - 1}
    assert stopped() == EQUAL_ABOUT_READERS - 1


def test_a_relay_that_has_lost_its_table_stops_nobody_and_stops_made_meanwhile_are_lifted(plan, smtp):
    plan(EQUAL_ABOUT_READERS + 10)
    with Hostile({"RCPT": b"550 5.1.1 User unknown in relay recipient table"}) as server:
        smtp(server.port, SEND_THREADS=1)
        delivery.send_digests(lambda: NOW, "test", limit=EQUAL_ABOUT_READERS - 1)
        assert stopped() == EQUAL_ABOUT_READERS - 1
        send(NOW + MINUTE)
        assert states() == {"planned": EQUAL_ABOUT_READERS + 10}
        assert stopped() == 0
        assert not Digest.objects.filter(bounced_at__isnull=False).exists()
        server.script = {}
        assert send(NOW + HOUR) == {"accepted": EQUAL_ABOUT_READERS + 10}


def test_operators_are_told_once_and_again_only_after_hours(plan, smtp, settings, monkeypatch):
    settings.ADMINS = settings.MANAGERS = [("Ops", "ops@example.org")]
    told = []
    monkeypatch.setattr(tasks, "alert", lambda subject, text: told.append((subject, text)))
    plan(6)
    with Hostile({"DATA": b"550 5.4.5 Daily user sending limit exceeded"}) as server:
        smtp(server.port)
        for minutes in (0, 10, 40):
            send(NOW + minutes * MINUTE)
            throttle.tell(NOW + minutes * MINUTE, tasks.alert)
        assert len(told) == 1
        assert "550 5.4.5" in told[0][1]
        assert "@" not in told[0][1]
        throttle.tell(NOW + 7 * HOUR, tasks.alert)
        assert len(told) == 2
        server.script = {}
        send(NOW + 8 * HOUR)
        throttle.tell(NOW + 20 * HOUR, tasks.alert)
    assert len(told) == 2
    assert states() == {"accepted": 6}


def test_what_did_not_open_in_time_is_skipped_and_its_papers_come_again(plan, smtp):
    [digest] = plan(1)
    with Hostile({".": b"552 Message quota exceeded"}) as server:
        smtp(server.port)
        send()
        send(digest.due_at + 13 * HOUR)
    digest.refresh_from_db()
    assert (digest.state, digest.reason, digest.perhaps_taken) == ("skipped", ledger.TOO_LATE, False)
    assert not Digest.objects.counting_as_sent().exists()


@pytest.mark.parametrize("answer", [b"535 5.7.8 Username and Password not accepted", b"451 Maximum credits exceeded"])
def test_a_login_that_is_refused_closes_the_transport_and_is_told(answer, plan, smtp):
    plan(3)
    with Hostile({"AUTH": answer}, extensions=("PIPELINING", "AUTH PLAIN")) as server:
        smtp(server.port, EMAIL_HOST_USER="papers", EMAIL_HOST_PASSWORD="secret")
        with pytest.raises(delivery.TransportDown) as down:
            send()
        assert "@" not in str(down.value)
        connections = server.connections
        assert send(NOW + timedelta(seconds=5)) == {}
        assert server.connections == connections
        assert waiting.transport(NOW).state == "fault"
        server.script = {}
        assert send(NOW + HOUR) == {"accepted": 3}


# --- A limit of the connection ---------------------------------------------------------------------------------------

SESSION = b"451 4.7.1 Mails per session limit exceeded"


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("answer", [SESSION, b"421 4.7.0 too many messages in this connection"])
def test_a_new_connection_takes_what_the_old_one_would_not(step, answer, plan, smtp):
    plan(30)
    with Hostile({step: from_mail(4, answer)}) as server:
        smtp(server.port, SEND_THREADS=2)
        ended = send()
    assert ended["accepted"] == 30
    assert set(Digest.objects.values_list("state", "attempt")) == {("accepted", 1)}
    assert set(received(server).values()) == {1}
    assert 10 <= server.connections <= 13
    assert not Throttle.objects.filter(closed_until__isnull=False).exists()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
def test_a_connection_that_takes_nothing_from_its_first_mail_on_is_about_us(step, plan, smtp):
    plan(6)
    with Hostile({step: SESSION}) as server:
        smtp(server.port, SEND_THREADS=2)
        send()
        assert server.connections <= 4
        assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}
        assert waiting.transport(NOW).state == "warning"
        server.script = {}
        assert send(NOW + HOUR) == {"accepted": 6}
    assert stopped() == 0


# --- One reader, one mail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["RCPT", "DATA", "."])
def test_a_mailbox_that_is_gone_is_so_wherever_the_server_says_it(step, plan, smtp):
    plan(3)
    odd = "r1@example.org"
    with Hostile({step: to(odd, b"550 5.1.1 user unknown")}) as server:
        smtp(server.port)
        assert send() == {"accepted": 2, "rejected": 1}
    digest = Digest.objects.get(state="rejected")
    assert "550 5.1.1" in digest.reason
    assert stopped() == 1
    assert Suppression.objects.get().detail == "hard bounce 550 5.1.1 by smtp"


@pytest.mark.parametrize("answer", [b"550 Mailbox full", b"552 5.2.2 mailbox full", b"550 5.1.1 mailbox is full"])
def test_a_full_mailbox_is_a_soft_bounce(answer, plan, smtp):
    plan(2)
    with Hostile({"RCPT": to("r1@example.org", answer)}) as server:
        smtp(server.port)
        assert send() == {"accepted": 1, "rejected": 1}
    assert suppression.verdict(MailEvent.objects.get()).value == "soft bounce"
    assert stopped() == 0


def test_a_mail_over_the_size_that_the_server_names_fails_alone(plan, smtp):
    digests = plan(3)
    many = [make_paper(number) for number in range(2, 42)]
    picks = [{"paper": paper.pk, "place": place, "why": []} for place, paper in enumerate(many, start=1)]
    Digest.objects.filter(pk=digests[1].pk).update(picks=picks)
    with Hostile(extensions=("PIPELINING", "SIZE 40000")) as server:
        smtp(server.port, SEND_THREADS=1)
        assert send() == {"accepted": 2, "failed": 1}
        assert server.connections == 1
    digest = Digest.objects.get(state="failed")
    assert (digest.pk, digest.reason) == (digests[1].pk, "too large for the mail server (SIZE 40000)")
    verdict = waiting.too_large(NOW)
    assert (verdict.state, "1 digest" in verdict.said) == ("warning", True)
    assert waiting.transport(NOW).state == "ok"
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("MAIL", b"552 5.3.4 Message size exceeds fixed limit"),
        ("DATA", b"552 5.3.4 too big"),
        (".", b"523 the message is longer than we take"),
        (".", b"554 message too big"),
    ],
)
def test_a_size_that_the_server_refuses_ends_that_digest_alone(step, answer, plan, smtp):
    plan(8)
    with Hostile({step: from_mail(2, answer)}, extensions=("PIPELINING", "SIZE 0")) as server:
        smtp(server.port, SEND_THREADS=1)
        assert send() == {"accepted": 1, "rejected": 7}
        assert server.connections == 1
    assert set(Digest.objects.exclude(state="accepted").values_list("reason", flat=True)) == {
        f"too large for the mail server ({answer[:9].decode() if answer[4:6] == b'5.' else answer[:3].decode()})"
    }
    assert (waiting.transport(NOW).state, waiting.too_large(NOW).state) == ("ok", "warning")
    assert stopped() == 0


# --- Refusals at the hand-over hold the edition -----------------------------------------------------------------------


def test_refusals_at_the_hand_over_count_towards_the_hold_of_the_edition(plan, smtp):
    plan(100)
    dead = {f"r{n}@example.org" for n in range(0, 100, 4)}
    with Hostile({"RCPT": lambda s: b"550 5.1.1 user unknown" if s.recipient in dead else None}) as server:
        smtp(server.port)
        assert send() == {"accepted": 75, "rejected": 25}
    told = []
    assert outcomes.hold_bursts(NOW, lambda subject, text: told.append(subject))
    assert Edition.objects.get(day=TODAY).held_reason == "25 of 100 mails bounced for ever or were refused"
    assert told == [f"The edition of {TODAY} is held: 25 of 100 mails bounced for ever or were refused"]


# --- A provider's API -------------------------------------------------------------------------------------------------


class Provider(BaseEmailBackend):
    """Takes so many calls, then answers as it is told until it is told otherwise."""

    takes, status, words = 0, 422, ""
    calls: list = []

    def send_messages(self, messages):
        if len(Provider.calls) >= Provider.takes and Provider.status:
            response = requests.Response()
            response.status_code, response._content = Provider.status, Provider.words.encode()
            raise AnymailRequestsAPIError("refused", response=response)
        Provider.calls += messages
        return len(messages)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (420, '{"message":"Domain x is not allowed to send: recipient limit exceeded, try again after 07:00"}'),
        (422, '{"ErrorCode":412,"Message":"While your account is pending approval, recipients must share it."}'),
        (422, '{"ErrorCode":405,"Message":"Not allowed to send: you have run out of credits."}'),
        (400, '{"code":"not_enough_credits","message":"insufficient credits"}'),
        (400, '{"message":"we do not like number 17"}'),
        (422, "[]"),
    ],
)
def test_a_providers_answer_about_the_account_holds_the_rest(status, words, plan, settings):
    plan(20)
    settings.EMAIL_BACKEND, settings.SEND_THREADS = f"{__name__}.Provider", 1
    Provider.takes, Provider.status, Provider.words, Provider.calls = 10, status, words, []
    send()
    assert states() == {"accepted": 10, "planned": 10}
    assert stopped() == 0
    assert waiting.transport(NOW).state in {"fault", "warning"}
    Provider.status = 0
    assert send(NOW + HOUR) == {"accepted": 10}
    assert len(Provider.calls) == 20
    assert not mail.outbox
