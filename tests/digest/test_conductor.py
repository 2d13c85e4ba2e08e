"""One run of sending from the inside out: threads, rounds, stops, and answers that are about us."""

import smtplib
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
import requests
from anymail.exceptions import AnymailRequestsAPIError
from django.core.mail.backends import locmem
from django.core.mail.backends.base import BaseEmailBackend
from django.db import OperationalError, connection
from django.db.models import JSONField, Value
from django.test.utils import CaptureQueriesContext
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from digest import delivery, ledger
from digest.delivery import throttle
from digest.delivery.absent import Absent
from digest.models import Digest, EditionPaper
from digest.rendering.press import Press
from subscriptions import links
from subscriptions.models import MailEvent
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
READERS = 6
PATIENCE = 60  # s, for what must come: then the test fails


class Scripted(BaseEmailBackend):
    """A transport that does to each address what the test says, and notes which thread and connection did it."""

    script: dict = {}
    everyone = None
    sent: list[tuple[str, int, str]] = []
    opened = closed = 0

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.cord = threading.Event()

    def open(self):
        Scripted.opened += 1

    def close(self):
        Scripted.closed += 1

    def abort(self):
        self.cord.set()

    def send_messages(self, messages):
        for message in messages:
            act = Scripted.script.get(message.to[0]) or Scripted.everyone
            Scripted.sent.append((message.to[0], id(self), threading.current_thread().name))
            if callable(act):
                act(self)
            elif act:
                raise act
        return len(messages)


@pytest.fixture
def scripted(settings):
    settings.EMAIL_BACKEND = "tests.digest.test_conductor.Scripted"
    settings.SEND_THREADS = 3
    Scripted.script, Scripted.everyone, Scripted.sent, Scripted.opened, Scripted.closed = {}, None, [], 0, 0
    return Scripted


@pytest.fixture
def planned(db):
    paper = make_paper(1)
    make_edition([paper])
    return [make_digest(make_reader(f"r{n}"), [paper]) for n in range(READERS)]


def send(now=NOW, **options):
    return dict(delivery.send_digests(lambda: now, "test", **options))


def state_of(digest):
    digest.refresh_from_db()
    return digest.state, digest.reason, digest.attempt


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def test_each_thread_has_one_connection_and_uses_it_again(planned, scripted):
    assert send() == {"accepted": READERS}
    for thread in threading.enumerate():
        if thread.name == "sending":
            thread.join(PATIENCE)
    assert Scripted.opened == Scripted.closed <= 3
    assert {name for *_, name in scripted.sent} == {"sending"}


def test_with_one_thread_a_mail_costs_two_statements_and_one_commit(planned, scripted, settings):
    settings.SEND_THREADS = 1
    send(limit=1)  # makes the rows of throttle and instance
    with CaptureQueriesContext(connection) as seen:
        send(limit=1)
    one = len(seen)
    with CaptureQueriesContext(connection) as seen:
        send(limit=4)
    per_mail = (len(seen) - one) / 3
    # Within a test's own transaction a commit is a savepoint and its release.
    assert per_mail == 2 + 2, [q["sql"][:60] for q in seen.captured_queries]


def test_at_most_one_mail_per_thread_is_on_the_wire(planned, scripted):
    seen = []
    advance = ledger.advance

    def watched(*args, **options):
        marked = advance(*args, **options)
        seen.append(Digest.objects.filter(state="sending").count())
        return marked

    three = threading.Barrier(3)
    Scripted.everyone = lambda _: three.wait(PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "advance", watched)
        assert send() == {"accepted": READERS}
    assert max(seen) == 3


def before_the_first_mark(monkeypatch, act):
    """Do it once digests are read and not marked yet."""
    advance, acts = ledger.advance, [act]

    def acts_first(ended, coming, *args, **options):
        if coming and acts:
            acts.pop()()
        return advance(ended, coming, *args, **options)

    monkeypatch.setattr(ledger, "advance", acts_first)


def test_a_reader_who_moves_to_another_address_after_the_claim_gets_the_mail_there(planned, scripted, monkeypatch):
    def move():
        reader = planned[0].subscriber
        reader.email = "new@example.org"
        reader.save()

    before_the_first_mark(monkeypatch, move)
    ended = send()
    assert "r0@example.org" not in [address for address, *_ in scripted.sent]
    assert state_of(planned[0])[0] == "planned"
    assert ended["accepted"] + send()["accepted"] == READERS
    assert Counter(address for address, *_ in scripted.sent)["new@example.org"] == 1


def test_a_paper_that_is_hidden_while_another_one_is_too_is_in_no_mail(scripted, monkeypatch, mailoutbox):
    papers = [make_paper(n) for n in (1, 2, 3)]
    make_edition(papers)
    digest = make_digest(make_reader("a"), papers)
    looked = Absent.look_up

    def hide(paper):
        EditionPaper.objects.filter(paper=paper).update(hidden=True)

    def hides_another_one_after(self, digests, *, again=False):
        looked(self, digests, again=again)
        if again:
            hide(papers[1])

    before_the_first_mark(monkeypatch, lambda: hide(papers[0]))
    monkeypatch.setattr(Absent, "look_up", hides_another_one_after)
    assert send() == {}
    assert state_of(digest)[0] == "planned"


@pytest.mark.parametrize("picks", [[{"place": 1}], None, {"paper": 1}, "words", 7], ids=str)
def test_a_row_of_picks_that_are_none_stops_nobody(planned, scripted, picks):
    Digest.objects.filter(pk=planned[2].pk).update(picks=Value(picks, JSONField()))
    assert send()["accepted"] == READERS - 1
    assert state_of(planned[2])[0] == "failed"
    assert state_of(planned[2])[1].startswith("reading: ")


def test_a_reader_who_is_erased_after_the_claim_stops_nobody(planned, scripted):
    odd_range = {"content_from": TODAY - timedelta(days=9), "content_to": TODAY}
    Digest.objects.filter(pk=planned[2].pk).update(picks=[], **odd_range)
    assert send()["accepted"] == READERS - 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_at_the_moment_of_a_stop_costs_no_record(planned, scripted, settings, monkeypatch):
    settings.SEND_THREADS = 1
    away, give_back = [OperationalError("terminating connection")], ledger.give_back

    def comes_back(digests):
        if digests and away:
            raise away.pop()
        return give_back(digests)

    monkeypatch.setattr(ledger, "give_back", comes_back)
    asked = threading.Event()

    def stop():
        if scripted.sent:
            asked.set()
        return asked.is_set()

    scripted.everyone = lambda _: asked.wait(PATIENCE)
    assert send(stop=stop) == {"accepted": 1}
    assert not away
    assert sorted(Digest.objects.values_list("state", flat=True)) == ["accepted", *["planned"] * (READERS - 1)]


@pytest.mark.parametrize(
    "answer",
    [
        smtplib.SMTPSenderRefused(530, b"5.7.0 Authentication required", "papers@example.org"),
        smtplib.SMTPSenderRefused(421, b"4.7.0 Too many connections", "papers@example.org"),
        smtplib.SMTPDataError(454, b"Throttling failure: Maximum sending rate exceeded"),
    ],
)
def test_an_answer_about_us_costs_no_mail_and_closes_the_transport_for_everybody(planned, scripted, answer):
    Scripted.everyone = answer
    send()
    assert len(scripted.sent) <= 3, "the others must not be tried too"
    assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}
    assert send(after(10)) == {}
    assert throttle.opens_in(after(10)) == timedelta(seconds=5)
    Scripted.everyone = None
    assert send(after(301)) == {"accepted": READERS}


def refused_by_api(status, retry_after=None):
    response = requests.Response()
    response.status_code, response._content = status, b"{}"
    if retry_after:
        response.headers["Retry-After"] = retry_after
    return AnymailRequestsAPIError("no", response=response)


def test_a_provider_that_asks_for_patience_gets_as_much_as_it_asked_for(planned, scripted):
    Scripted.everyone = refused_by_api(429, "120")
    send()
    assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}
    assert throttle.opens_in(NOW) == timedelta(seconds=120)


def test_a_wrong_key_loses_no_mail(planned, scripted):
    Scripted.everyone = refused_by_api(401)
    send()
    assert set(Digest.objects.values_list("state", flat=True)) == {"planned"}


def test_a_provider_that_breaks_leaves_only_those_on_the_wire_uncertain(planned, scripted):
    Scripted.everyone = refused_by_api(503)
    send()
    states = Counter(Digest.objects.values_list("state", flat=True))
    assert states["uncertain"] <= 3
    assert states["planned"] == READERS - states["uncertain"]
    assert throttle.opens_in(NOW)


def test_a_provider_that_cannot_be_reached_leaves_nothing_uncertain(planned, scripted):
    unreachable = AnymailRequestsAPIError("no")
    pool = HTTPConnectionPool("127.0.0.1", 1)
    unreachable.__cause__ = requests.ConnectionError(MaxRetryError(pool, "/", NewConnectionError(pool, "refused")))
    Scripted.everyone = unreachable
    send()
    assert set(Digest.objects.values_list("state", flat=True)) == {"planned"}


def test_one_message_that_a_provider_finds_wrong_is_refused_alone(planned, scripted):
    Scripted.script["r2@example.org"] = refused_by_api(400)
    assert send() == {"accepted": READERS - 1, "rejected": 1}
    assert state_of(planned[2])[:2] == ("rejected", "the provider refused (400)")


def test_a_server_that_wants_a_new_connection_now_and_then_gets_it_and_nothing_waits(planned, scripted, settings):
    settings.SEND_THREADS = 1

    def twice(backend):
        backend.mails = getattr(backend, "mails", 0) + 1
        if backend.mails > 2:
            raise smtplib.SMTPSenderRefused(421, b"4.7.0 Too many messages on this connection", "papers@example.org")

    Scripted.everyone = twice
    sent = send()
    assert sent["accepted"] == READERS
    assert not throttle.opens_in(NOW)


def test_a_hanging_server_costs_its_threads_a_while_and_the_mails_are_uncertain(planned, scripted, settings):
    settings.EMAIL_TIMEOUT = 0.05
    Scripted.script["r0@example.org"] = lambda backend: (
        backend.cord.wait(PATIENCE) and (_ for _ in ()).throw(OSError("cut"))
    )
    assert send() == {"accepted": READERS - 1, "uncertain": 1}, "accepted were the one if nobody pulled the cord"
    assert state_of(planned[0])[0] == "uncertain"


def test_a_transport_that_cannot_be_cut_is_abandoned(planned, scripted, settings):
    settings.EMAIL_TIMEOUT = 0.05
    release = threading.Event()
    Scripted.script["r0@example.org"] = lambda _: release.wait(PATIENCE)
    assert send() == {"accepted": READERS - 1, "uncertain": 1}
    release.set()
    assert state_of(planned[0])[:2] == ("uncertain", "the mail server hangs")


def test_a_stop_waits_a_little_for_the_mails_on_the_wire_and_gives_the_rest_back(planned, scripted, settings):
    settings.SEND_THREADS = 2
    both, asked, heard = threading.Barrier(2), threading.Event(), threading.Event()

    def slowly(_):
        both.wait(PATIENCE)
        asked.set()
        heard.wait(PATIENCE)

    def stop():
        if asked.is_set():
            heard.set()
        return asked.is_set()

    Scripted.everyone = slowly
    assert send(stop=stop) == {"accepted": 2}
    assert Counter(Digest.objects.values_list("state", "attempt")) == {("accepted", 1): 2, ("planned", 0): 4}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_for_a_moment_costs_no_record(planned, scripted, monkeypatch):
    away = [OperationalError("terminating connection"), OperationalError("starting up")]
    advance = ledger.advance

    def comes_back(ended, *args, **options):
        if ended and away:
            raise away.pop()
        return advance(ended, *args, **options)

    monkeypatch.setattr(ledger, "advance", comes_back)
    assert send() == {"accepted": READERS}
    assert not away


def test_a_paper_that_is_hidden_while_others_are_sent_is_in_no_later_mail(scripted, settings):
    settings.SEND_THREADS = 1
    papers = [make_paper(n, f"Paper number {n}") for n in (1, 2)]
    make_edition(papers)
    for n in range(3):
        make_digest(make_reader(f"r{n}"), papers)
    shown = []
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send_messages = locmem.EmailBackend.send_messages

    def and_then_hide(self, messages):
        shown.append(["Paper number 1" in m.body for m in messages])
        return send_messages(self, messages)

    advance, rounds = ledger.advance, []

    def hide_after_the_first(ended, *args, **options):
        rounds.append(len(ended))
        if ended and len(rounds) == 2:
            EditionPaper.objects.filter(paper=papers[0]).update(hidden=True)
        return advance(ended, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locmem.EmailBackend, "send_messages", and_then_hide)
        patch.setattr(ledger, "advance", hide_after_the_first)
        assert send() == {"accepted": 3}
    assert shown == [[True], [False], [False]]


def test_a_refusal_at_the_hand_over_is_kept_as_an_event(planned, scripted):
    refused = {"r1@example.org": (550, b"5.1.1 no such user")}
    Scripted.script["r1@example.org"] = smtplib.SMTPRecipientsRefused(refused)
    send()
    event = MailEvent.objects.get()
    assert (event.mail, event.kind, event.detail) == (f"digest-{planned[1].pk}", "rejected", "550 5.1.1")


def test_a_rate_is_kept_within_one_run_and_the_rest_waits(planned, scripted, settings):
    settings.MAIL_RATE = 2
    assert send() == {"accepted": 2}
    assert send(after(0.2)) == {}
    assert throttle.opens_in(after(0.2)) == timedelta(seconds=0.3)
    assert send(after(1)) == {"accepted": 2}


def test_a_digest_that_asks_to_leave_later_in_its_minute_is_not_claimed_before(planned, scripted):
    Digest.objects.filter(pk=planned[0].pk).update(free_at=after(40))
    assert send() == {"accepted": READERS - 1}
    assert send(after(39)) == {}
    assert send(after(40)) == {"accepted": 1}


def test_a_reader_can_leave_while_mails_are_on_the_wire_and_gets_none(planned, scripted, settings, client):
    settings.SEND_THREADS = 1
    leaving = planned[-1].subscriber
    token = links.unsubscribe_path(leaving, NOW)
    answers: list[int] = []

    def leave(number):
        if number and not answers:
            answers.append(client.post(token, {"List-Unsubscribe": "One-Click"}).status_code)

    assert send(progress=leave) == {"accepted": READERS - 1, "cancelled": 1}
    assert answers == [200]
    assert leaving.email not in [address for address, *_ in scripted.sent]


def test_a_worker_that_was_frozen_past_its_lease_does_not_send_what_it_had_in_hand(planned, scripted, settings):
    made, message, clock, frozen = [], Press.message, time.monotonic, [0.0]

    def freezes_once(self, digest, *args, **options):
        made.append(digest.pk)
        if made.count(planned[0].pk) == 1 and digest.pk == planned[0].pk:
            frozen.append(settings.SEND_LEASE_SECONDS + 1.0)
        return message(self, digest, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Press, "message", freezes_once)
        patch.setattr(time, "monotonic", lambda: clock() + sum(frozen))
        assert send()["accepted"] == READERS
    assert made.count(planned[0].pk) == 2
    assert Counter(address for address, *_ in scripted.sent)["r0@example.org"] == 1
    assert state_of(planned[0])[::2] == ("accepted", 1)


def test_others_are_called_to_help_only_once_mails_go_out(planned, scripted, settings):
    settings.SEND_THREADS = 1
    called: list[int] = []
    options = {"chunk": 2, "full": lambda: called.append(len(scripted.sent))}
    scripted.everyone = smtplib.SMTPSenderRefused(421, b"4.7.0 Too many connections", "papers@example.org")
    assert set(send(**options)) == {"planned"}
    assert not called, "where nothing goes out a nudge would be answered by the next"
    scripted.everyone = None
    assert send(now=after(3600), **options) == {"accepted": READERS}
    assert called
