"""What providers report, as facts on digests: in any order, any number of times."""

import itertools
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from random import Random

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from digest import ledger, outcomes
from digest.models import Digest, Paper
from digest.outcomes import events as reading
from subscriptions import privacy, suppression
from subscriptions.models import ConsentEvent, MailEvent, Subscriber, Suppression
from tests.conftest import NOW, TODAY, make_digest, make_paper, make_reader

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HARD = {"kind": "bounced", "reject_reason": "bounced", "detail": "550 5.1.1"}
SOFT = {"kind": "bounced", "reject_reason": "timed_out", "detail": "450 4.2.2"}
numbers = itertools.count()


def report(mail, kind="delivered", at=NOW, **fields):
    """One stored event; ``mail`` is a digest or a name."""
    name = f"digest-{mail.pk}" if isinstance(mail, Digest) else mail
    reader = mail.subscriber if isinstance(mail, Digest) else None
    values = {
        "esp": "Mailgun",
        "dedupe_key": f"key-{next(numbers)}",
        "kind": kind,
        "mail": name,
        "at": at,
        "received_at": max(at, NOW),
        "reader": reader and reader.pk,
        "email_hash": reader.email_hash if reader else "",
    }
    return MailEvent.objects.create(**{**values, **fields})


def in_state(state, name="reader", **fields):
    """A digest that was handed over at NOW, in this state."""
    paper = Paper.objects.first() or make_paper(1)
    return make_digest(make_reader(name), [paper], state=state, **{"handed_at": NOW, "attempt": 1, **fields})


def again(digest):
    digest.refresh_from_db()
    return digest


def facts(digest):
    again(digest)
    return digest.delivered_at, digest.bounced_at, digest.complained_at


def test_a_report_that_comes_through_the_webhooks_signal_becomes_a_fact():
    digest = in_state("accepted", accepted_at=NOW)
    event = AnymailTrackingEvent(
        event_type="delivered",
        recipient=digest.subscriber.email,
        timestamp=NOW - timedelta(days=900),
        metadata={"mail": f"digest-{digest.pk}"},
    )
    tracking.send(sender=object, event=event, esp_name="Mailgun")
    assert outcomes.read_events(NOW) == {"delivered": 1}
    assert facts(digest) == (NOW - timedelta(days=900), None, None)
    assert MailEvent.objects.get().told_at == NOW


@pytest.mark.parametrize(
    ("event", "fact"),
    [
        ({"kind": "delivered"}, "delivered_at"),
        (HARD, "bounced_at"),
        ({"kind": "rejected", "reject_reason": "invalid"}, "bounced_at"),
        ({"kind": "complained"}, "complained_at"),
        (SOFT, ""),
        ({"kind": "complained", "esp": "Amazon SES", "detail": "complaintFeedbackType=not-spam"}, ""),
        ({"kind": "rejected", "reject_reason": "spam"}, ""),
        ({"kind": "opened"}, ""),
        ({"kind": "a new word"}, ""),
    ],
)
def test_each_fact_is_kept_and_the_state_stays(event, fact):
    digest = in_state("accepted", accepted_at=NOW)
    report(digest, **event)
    outcomes.read_events(NOW)
    names = ("delivered_at", "bounced_at", "complained_at")
    assert facts(digest) == tuple(NOW if name == fact else None for name in names)
    assert (digest.state, digest.reason, digest.accepted_at) == ("accepted", "", NOW)


def test_the_earliest_of_each_kind_stays_whichever_came_first():
    digest = in_state("accepted", accepted_at=NOW)
    for minutes in (5, 3, 9):
        report(digest, at=NOW + minutes * MINUTE)
        report(digest, at=NOW + minutes * MINUTE, **HARD)
        outcomes.read_events(NOW + timedelta(hours=1))
    assert facts(digest) == (NOW + 3 * MINUTE, NOW + 3 * MINUTE, None)


TAKEN = ["queued", "sent", "delivered", "deferred", "bounced", "opened", "clicked", "complained", "autoresponded"]


@pytest.mark.parametrize("kind", TAKEN)
def test_an_uncertain_mail_that_the_provider_has_is_accepted(kind):
    digest = in_state("uncertain", reason="connection lost")
    report(digest, kind, NOW + MINUTE)
    assert outcomes.read_events(NOW + 2 * MINUTE)["accepted"] == 1
    assert (again(digest).state, digest.reason, digest.accepted_at) == ("accepted", "", NOW + MINUTE)


@pytest.mark.parametrize("kind", ["rejected", "failed"])
def test_an_uncertain_mail_that_the_provider_refused_is_rejected_with_the_reason(kind):
    digest = in_state("uncertain")
    report(digest, kind, reject_reason="blocked")
    assert outcomes.read_events(NOW) == {"rejected": 1}
    assert (again(digest).state, digest.reason) == ("rejected", f"{kind} by mailgun (blocked)")


def test_a_refusal_beside_a_report_that_it_was_taken_is_no_rejection():
    digest = in_state("uncertain")
    report(digest, "rejected")
    report(digest, "queued")
    outcomes.read_events(NOW)
    assert again(digest).state == "accepted"


@pytest.mark.parametrize("kind", ["unsubscribed", "unknown", "inbound", "subscribed", ""])
def test_other_words_settle_nothing_but_leaving_by_the_providers_link(kind):
    digest = in_state("uncertain")
    report(digest, kind)
    outcomes.read_events(NOW)
    assert again(digest).state == ("accepted" if kind == "unsubscribed" else "uncertain")
    assert MailEvent.objects.get().told_at == NOW


@pytest.mark.parametrize("state", ["planned", "claimed"])
def test_a_mail_that_was_to_be_sent_again_is_not_once_it_is_reported(state):
    digest = in_state(state, free_at=NOW + MINUTE, claimed_by="w/1", attempt=2, perhaps_taken=True)
    report(digest, "sent")
    outcomes.read_events(NOW)
    assert again(digest).state == "accepted"
    assert ledger.claim(10, "w", NOW + timedelta(hours=1)) == []
    assert not ledger.advance([], [digest], NOW), "nor by a worker that had claimed it before"
    assert again(digest).state == "accepted"


@pytest.mark.parametrize("state", ["planned", "claimed"])
def test_a_mail_that_nobody_can_have_is_not_settled_by_a_report(state):
    digest = in_state(state, free_at=NOW + MINUTE)
    report(digest, "sent")
    outcomes.read_events(NOW)
    assert again(digest).state == state


def test_a_report_waits_while_a_worker_has_the_mail_in_its_hands():
    digest = in_state("sending", free_at=NOW + MINUTE, claimed_by="w/1")
    report(digest, "delivered")
    assert outcomes.read_events(NOW) == {"waiting": 1}
    assert (again(digest).state, facts(digest), MailEvent.objects.get().told_at) == ("sending", (None,) * 3, None)
    ledger.move(Digest.objects.all(), "sending", "accepted", accepted_at=NOW)
    assert outcomes.read_events(NOW) == {"delivered": 1}
    assert facts(digest) == (NOW, None, None)


def test_a_report_settles_what_a_killed_worker_left():
    digest = in_state("sending", free_at=NOW, claimed_by="killed/1")
    report(digest, "sent")
    outcomes.read_events(NOW + MINUTE)
    assert again(digest).state == "accepted"


@pytest.mark.parametrize("state", ["accepted", "rejected", "failed", "skipped", "suppressed", "cancelled"])
def test_what_has_ended_keeps_its_state(state):
    digest = in_state(state, reason="so", accepted_at=NOW if state == "accepted" else None)
    report(digest, "rejected", reject_reason="invalid")
    outcomes.read_events(NOW)
    assert (again(digest).state, digest.reason, digest.bounced_at) == (state, "so", NOW)


def test_a_closed_day_learns_facts_and_keeps_its_states():
    digest = in_state("uncertain", folded=True)
    report(digest, "delivered")
    outcomes.read_events(NOW)
    assert (again(digest).state, digest.delivered_at) == ("uncertain", NOW)


@pytest.mark.parametrize(
    "name", ["", "confirm-1", "digest-", "digest-0", "digest-x", "digest-999", "digest-1 ", "digest-" + "9" * 40]
)
def test_reports_of_other_mails_are_read_once_and_change_nothing(name):
    report(name, "bounced")
    assert not outcomes.read_events(NOW)
    assert MailEvent.objects.get().told_at == NOW


def test_the_digest_of_an_erased_reader_learns_nothing():
    digest = in_state("accepted", accepted_at=NOW)
    privacy.erase(digest.subscriber_id, NOW)
    report(f"digest-{digest.pk}", "complained")
    outcomes.read_events(NOW)
    assert facts(digest) == (None,) * 3
    assert MailEvent.objects.get().told_at == NOW


def test_one_poisoned_report_does_not_stop_the_others(monkeypatch, caplog):
    digests = [in_state("uncertain", f"r{n}") for n in range(3)]
    for digest in digests:
        report(digest, "delivered")
    poisoned = MailEvent.objects.get(mail=f"digest-{digests[1].pk}")
    judge = suppression.verdict

    def fails(event):
        if event.pk == poisoned.pk:
            raise RuntimeError(digests[1].subscriber.email)
        return judge(event)

    monkeypatch.setattr(suppression, "verdict", fails)
    with caplog.at_level(logging.ERROR):
        assert outcomes.read_events(NOW) == {"delivered": 2, "accepted": 2, "failed": 1}
    assert [again(digest).state for digest in digests] == ["accepted", "uncertain", "accepted"]
    assert not MailEvent.objects.filter(told_at=None).exists()
    assert "@" not in caplog.text


def test_a_database_that_is_away_leaves_all_for_the_next_try():
    report(in_state("uncertain"), "delivered")

    def away(execute, sql, *rest):
        if sql.startswith('UPDATE "subscriptions_mailevent"'):
            raise OperationalError("away")
        return execute(sql, *rest)

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        outcomes.read_events(NOW)
    assert outcomes.read_events(NOW) == {"delivered": 1, "accepted": 1}


def test_a_chunk_takes_the_same_number_of_queries_whatever_is_in_it(monkeypatch):
    def queries(number):
        MailEvent.objects.all().delete()
        Digest.objects.update(delivered_at=None)
        for digest in Digest.objects.order_by("pk")[:number]:
            report(digest, "delivered")
        with CaptureQueriesContext(connection) as seen:
            outcomes.read_events(NOW)
        return len(seen)

    paper = make_paper(1)
    for n in range(40):
        make_digest(make_reader(f"r{n}"), [paper], state="accepted", accepted_at=NOW)
    assert queries(3) == queries(40)
    monkeypatch.setattr(reading, "CHUNK", 7)
    queries(40)
    assert Digest.objects.exclude(delivered_at=None).count() == 40, "in several chunks"


def test_one_that_waits_does_not_keep_those_behind_it(monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 1)
    report(in_state("sending", "a", free_at=NOW + MINUTE), "delivered")
    last = in_state("uncertain", "b")
    report(last, "delivered")
    outcomes.read_events(NOW)
    assert again(last).state == "accepted"


# --- Any order, any repetition ---------------------------------------------------------------------------------------

EVENTS = st.sampled_from(
    [
        {"kind": "queued"},
        {"kind": "sent"},
        {"kind": "delivered"},
        {"kind": "opened"},
        {"kind": "complained"},
        {"kind": "rejected", "reject_reason": "invalid"},
        {"kind": "rejected", "reject_reason": "blocked"},
        {"kind": "failed"},
        HARD,
        SOFT,
    ]
)
REFUSED = {"rejected", "failed"}


def settle(how):
    """What the ledger says of the hand-over, between two reports."""
    rows = Digest.objects.filter(state="sending")
    if how == "accepted":
        ledger.move(rows, "sending", "accepted", accepted_at=NOW, free_at=None)
    elif how == "uncertain":
        ledger.move(rows, "sending", "uncertain", "connection lost", free_at=None)
    elif how == "lapsed":
        rows.update(free_at=NOW)


@given(data=st.data(), how=st.sampled_from(["accepted", "uncertain", "lapsed"]))
def test_in_any_order_and_any_number_of_times_the_facts_are_the_same(db, data, how):
    happened = data.draw(st.lists(st.tuples(EVENTS, st.integers(0, 90)), min_size=1, max_size=5))
    steps = [*happened, *data.draw(st.lists(st.sampled_from(happened), max_size=3))]
    ends = []
    for _ in range(2):
        for model in (Digest, MailEvent, Subscriber):
            model.objects.all().delete()
        digest = make_digest(make_reader(), [], state="sending", free_at=NOW + 999 * MINUTE, handed_at=NOW, attempt=1)
        order = data.draw(st.permutations(steps))
        recorded = data.draw(st.integers(0, len(order)))
        for place, (event, minute) in enumerate(order):
            if place == recorded:
                settle(how)
            report(digest, at=NOW + minute * MINUTE, **event)
            if data.draw(st.booleans()):
                outcomes.read_events(NOW + timedelta(hours=2))
        settle(how)
        outcomes.read_events(NOW + timedelta(hours=2))
        outcomes.read_events(NOW + timedelta(hours=2))
        again(digest)
        said = {event["kind"] in REFUSED for event, _ in happened}
        # What one provider calls both taken and refused is one or the other; what is known is the same.
        state = digest.state if len(said) == 1 or how == "accepted" else digest.state in {"accepted", "rejected"}
        ends.append((facts(digest), state))
        assert not MailEvent.objects.filter(told_at=None).exists()
    assert ends[0] == ends[1]


# --- Several readers of the same reports -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_workers_that_read_the_same_reports_at_once_end_like_one(monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 7)
    paper, digests = make_paper(1), []
    for n in range(40):
        state = "uncertain" if n % 2 else "accepted"
        digests.append(make_digest(make_reader(f"r{n}"), [paper], state=state, handed_at=NOW))
    Random(7).shuffle(digests)
    for digest in [*digests, *reversed(digests)]:
        report(digest, at=NOW + digest.pk * MINUTE)
        report(digest, at=NOW, **HARD)
    # Threads of one process share an in-memory SQLite, which knows no waiting: there they come one after another.
    at_once = 4 if connection.vendor == "postgresql" else 1

    def work(_):
        try:
            return outcomes.read_events(NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(at_once) as pool:
        told = sum(pool.map(work, range(4)), Counter()) + outcomes.read_events(NOW)
    del told["waiting"]
    assert told == {"accepted": 20, "delivered": 40, "bounced": 40}
    assert not MailEvent.objects.filter(told_at=None).exists()
    for digest in digests:
        assert facts(digest) == (NOW + digest.pk * MINUTE, NOW, None)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_is_changing_is_not_waited_for():
    busy, free = in_state("uncertain", "a"), in_state("uncertain", "b")
    for digest in (busy, free):
        report(digest, "delivered")

    def work():
        try:
            return outcomes.read_events(NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        if connection.vendor == "postgresql":  # SQLite has one writer at a time: there is no such row
            with transaction.atomic():
                Digest.objects.select_for_update().get(pk=busy.pk)
                assert pool.submit(work).result(timeout=20) == {"delivered": 1, "accepted": 1, "waiting": 1}
            assert again(busy).state == "uncertain"
        pool.submit(work).result()
    assert (again(busy).state, again(free).state) == ("accepted", "accepted")


# --- Replay ----------------------------------------------------------------------------------------------------------


def replay(*args):
    out = StringIO()
    call_command("replay_events", *args, now=NOW + timedelta(hours=1), stdout=out)
    return out.getvalue()


def everything():
    """All rows but the marks of what was read when."""
    return [
        list(Digest.objects.order_by("pk").values()),
        list(Suppression.objects.order_by("pk").values()),
        list(Subscriber.objects.order_by("pk").values()),
        list(ConsentEvent.objects.order_by("pk").values()),
    ]


def test_a_replay_brings_back_facts_and_stops_and_a_second_one_changes_nothing():
    accepted, uncertain = in_state("accepted", "a", accepted_at=NOW), in_state("uncertain", "b")
    report(accepted, **HARD)
    report(uncertain, "complained")
    outcomes.read_events(NOW)
    suppression.apply(NOW)
    before = everything()
    # Rows of an older backup: what had been learnt is gone.
    Digest.objects.update(bounced_at=None, complained_at=None)
    Suppression.objects.all().delete()
    said = replay()
    assert [Suppression.objects.count(), facts(accepted)[1], facts(uncertain)[2]] == [2, NOW, NOW]
    assert all(word in said for word in ("bounced", "complained", "complaint"))
    restored = everything()
    assert restored[0] == before[0]
    replay()
    assert everything() == restored


def test_a_replay_leaves_a_lift_a_confirmation_and_an_undone_leaving_alone():
    lifted, back = in_state("accepted", "lifted", accepted_at=NOW), in_state("accepted", "back", accepted_at=NOW)
    report(lifted, **HARD)
    report(back, "unsubscribed")
    suppression.apply(NOW)
    Suppression.objects.update(lifted_at=NOW + MINUTE)
    Subscriber.objects.filter(pk=back.subscriber_id).update(state="active", confirmed_at=NOW + MINUTE, left_at=None)
    before = everything()[1:]
    replay()
    assert everything()[1:] == before


def test_a_replay_can_be_of_one_day_or_of_what_came_since_an_instant():
    today = in_state("accepted", "a", accepted_at=NOW)
    other = in_state("accepted", "b", accepted_at=NOW, day=TODAY - timedelta(days=1))
    for digest, hours in ((today, 0), (other, 5)):
        report(digest, "delivered", received_at=NOW + timedelta(hours=hours))
    MailEvent.objects.update(told_at=NOW, applied_at=NOW)
    replay("--day", TODAY.isoformat())
    assert (facts(today)[0], facts(other)[0]) == (NOW, None)
    Digest.objects.update(delivered_at=None)
    replay("--since", (NOW + timedelta(hours=1)).isoformat())
    assert (facts(today)[0], facts(other)[0]) == (None, NOW)


def test_a_replay_asks_the_worker_again_where_a_mail_is_in_its_hands():
    digest = in_state("sending", free_at=NOW + timedelta(hours=9))
    report(digest, "delivered")
    MailEvent.objects.update(told_at=NOW)
    assert "waiting" in replay()
    ledger.move(Digest.objects.all(), "sending", "accepted", accepted_at=NOW)
    outcomes.read_events(NOW)
    assert facts(digest)[0] == NOW
