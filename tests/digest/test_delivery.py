import smtplib
from collections import Counter
from datetime import datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from digest import approval, delivery, ledger
from digest.demo.processes import free_port
from digest.models import Digest, Edition, Paper
from digest.rendering import Shelf, digest_message
from subscriptions import lifecycle
from subscriptions.models import Subscriber, Suppression
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader, origin

pytestmark = pytest.mark.django_db


def send(now=NOW, **options):
    return dict(delivery.send_digests(lambda: now, "test", **options))


class Scripted(BaseEmailBackend):
    """A transport that does what the test says for each address."""

    script: dict[str, Exception] = {}
    seen: list[str] = []

    def send_messages(self, messages):
        for message in messages:
            Scripted.seen.append(message.to[0])
            if error := Scripted.script.get(message.to[0]):
                raise error
        return len(messages)


@pytest.fixture
def scripted(settings):
    settings.EMAIL_BACKEND = "tests.digest.test_delivery.Scripted"
    Scripted.script, Scripted.seen = {}, []
    return Scripted


@pytest.fixture
def planned(db):
    paper = make_paper(1)
    make_edition([paper])
    return [make_digest(make_reader(f"r{n}"), [paper]) for n in range(3)]


def test_each_planned_digest_is_one_mail_to_one_reader(planned):
    assert send() == {"accepted": 3}
    assert sorted(m.to[0] for m in mail.outbox) == ["r0@example.org", "r1@example.org", "r2@example.org"]
    assert all(len(m.to) == 1 and not m.cc and not m.bcc for m in mail.outbox)
    assert send() == {}
    assert Digest.objects.filter(state="accepted", accepted_at=NOW).count() == 3


def test_it_sends_nothing_to_a_reader_who_left_after_planning(planned):
    lifecycle.unsubscribe(planned[1].subscriber, NOW, origin("one-click"))
    assert send() == {"accepted": 2, "cancelled": 1}
    assert "r1@example.org" not in [m.to[0] for m in mail.outbox]
    planned[1].refresh_from_db()
    assert (planned[1].state, planned[1].reason) == ("cancelled", "unsubscribed")


def test_a_reader_who_was_suppressed_or_paused_meanwhile_gets_none(planned):
    Suppression.objects.create(email_hash=planned[0].subscriber.email_hash, reason="complaint", created_at=NOW)
    Subscriber.objects.filter(pk=planned[1].subscriber_id).update(paused_until=NOW + timedelta(days=1))
    assert send() == {"accepted": 1, "suppressed": 1, "skipped": 1}


def test_a_paper_hidden_after_planning_is_in_no_mail_and_numbers_close_up(confirmed):
    papers = [make_paper(n, f"Paper number {n}") for n in (1, 2, 3)]
    edition = make_edition(papers)
    make_digest(confirmed, papers)
    edition.entries.filter(paper=papers[0]).update(hidden=True)
    send()
    body = mail.outbox[0].body
    assert "Paper number 1" not in body
    assert "Paper number 2" in mail.outbox[0].subject
    assert "1. Paper number 2" in body
    assert "2. Paper number 3" in body


def test_when_all_papers_are_gone_nothing_is_sent(planned):
    Paper.objects.update(withdrawn_at=NOW)
    assert send() == {"skipped": 3}
    assert not mail.outbox
    assert set(Digest.objects.values_list("reason", flat=True)) == {"papers withdrawn"}


def test_a_held_edition_sends_nothing_until_it_is_released(planned):
    today = Edition.objects.get(day=planned[0].day)
    approval.hold(today, "a fault", by="editor")
    assert send() == {}
    approval.release(today)
    assert send() == {"accepted": 3}


def test_one_poisoned_reader_never_stops_the_others(planned):
    Digest.objects.filter(pk=planned[1].pk).update(picks=[{"paper": planned[0].picks[0]["paper"], "why": [{"bad": 1}]}])
    assert send() == {"accepted": 2, "failed": 1}
    planned[1].refresh_from_db()
    assert planned[1].reason == "rendering: KeyError"


REFUSED = {"r1@example.org": (550, b"no such user r1@example.org")}


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (smtplib.SMTPRecipientsRefused(REFUSED), "rejected", "the recipient was refused (550)"),
        (
            smtplib.SMTPRecipientsRefused({"r1@example.org": (452, b"full")}),
            "planned",
            "the recipient was refused for now (452)",
        ),
        (smtplib.SMTPDataError(554, b"spam"), "rejected", "SMTPDataError (554)"),
        (smtplib.SMTPServerDisconnected("gone"), "uncertain", "connection lost: SMTPServerDisconnected"),
        (TimeoutError(), "uncertain", "connection lost: TimeoutError"),
    ],
)
def test_what_the_server_says_decides(planned, scripted, error, state, reason):
    scripted.script["r1@example.org"] = error
    for _ in range(2):  # a lost connection ends the chunk; the rest goes over the next one
        send()
    planned[1].refresh_from_db()
    assert (planned[1].state, planned[1].reason) == (state, reason)
    assert "@" not in planned[1].reason
    assert Digest.objects.filter(state="accepted").count() == 2


def test_not_now_is_tried_again_later_and_given_up_after_five(planned, scripted):
    scripted.script["r1@example.org"] = smtplib.SMTPDataError(451, b"busy")
    now: datetime = NOW
    tried: list[timedelta] = []
    while now < NOW + timedelta(hours=11):
        # Each five minutes while something is to come, a try that would be too early among them; then each hour.
        send(now)
        tried += [now - NOW] * (Counter(scripted.seen)["r1@example.org"] - len(tried))
        now += timedelta(minutes=5 if len(tried) < 5 else 60)
    assert tried == [timedelta(minutes=minutes) for minutes in (0, 5, 20, 65, 200)]
    planned[1].refresh_from_db()
    assert planned[1].state == "failed"


def test_no_mail_server_loses_nothing(planned, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(delivery.TransportDown):
        send()
    assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}


def test_a_stop_gives_back_what_was_not_begun(planned, settings):
    settings.SEND_THREADS = 1
    assert send(stop=lambda: len(mail.outbox) == 1) == {"accepted": 1}
    assert set(Digest.objects.exclude(state="accepted").values_list("state", "attempt")) == {("planned", 0)}
    assert send() == {"accepted": 2}


def test_a_worker_killed_before_the_hand_over_costs_nothing_and_during_it_one_uncertain(planned):
    ids = ledger.claim(3, "doomed", NOW)
    first = Digest.objects.get(pk=ids[0])
    assert ledger.advance([], [first], NOW) == {first.pk}
    later = NOW + timedelta(minutes=6)
    assert send(later) == {"accepted": 2}
    first.refresh_from_db()
    assert first.state == "uncertain"


def test_a_lapsed_lease_may_not_be_used(planned):
    ids = ledger.claim(1, "slow", NOW)
    digest = Digest.objects.get(pk=ids[0])
    assert not ledger.advance([], [digest], NOW + timedelta(minutes=6))


def test_a_claim_that_lapses_costs_no_attempt(planned):
    now = NOW
    for _ in range(6):
        ledger.claim(1, "crashing", now)
        now += timedelta(minutes=6)
        ledger.recover(now)
    assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}


def test_two_claimers_never_get_the_same_digest(planned):
    one, two = ledger.claim(2, "a", NOW), ledger.claim(2, "b", NOW)
    assert len(one) == 2
    assert len(two) == 1
    assert not set(one) & set(two)


def test_a_change_that_the_table_does_not_have_is_a_defect():
    for start, end in (
        ("accepted", "planned"),
        ("claimed", "accepted"),
        ("cancelled", "planned"),
        ("skipped", "sending"),
    ):
        with pytest.raises(ledger.IllegalTransition):
            ledger.move(Digest.objects.all(), start, end)


def test_a_retry_carries_the_same_message_id(planned):
    shelf = Shelf.for_digests(planned)
    ids = {
        digest_message(planned[0], planned[0].subscriber, shelf, now=NOW + timedelta(hours=n)).message()["Message-ID"]
        for n in range(2)
    }
    assert len(ids) == 1
    assert ids.pop().startswith(f"<digest-{planned[0].pk}.")


def test_a_server_that_hangs_up_after_two_mails_costs_no_reader_the_mail(settings):
    """A real socket: after 421 every later mail on the same connection would look lost."""
    paper = make_paper(1)
    make_edition([paper])
    for n in range(7):
        make_digest(make_reader(f"r{n}"), [paper])
    taken = []

    class HangsUp:
        async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
            session.mails = getattr(session, "mails", 0) + 1
            if session.mails > 2:
                return "421 4.7.0 Too many mails on this connection"
            envelope.mail_from = address
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            taken.append(envelope.rcpt_tos)
            return "250 OK"

    controller = Controller(HangsUp(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
        now = NOW
        for _ in range(8):
            send(now)
            now += timedelta(minutes=6)
    finally:
        controller.stop()
    assert set(Digest.objects.values_list("state", flat=True)) == {"accepted"}
    assert len(taken) == len({to[0] for to in taken}) == 7
