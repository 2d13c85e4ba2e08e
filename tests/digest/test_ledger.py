"""The ledger by itself: whatever two workers do, in whatever order, no digest is handed over twice without a reason."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from digest import ledger
from digest.models import Digest, Edition
from subscriptions.models import Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
State = Digest.State
ENDED = {State.ACCEPTED, State.REJECTED, State.FAILED, State.SUPPRESSED, State.SKIPPED, State.CANCELLED}
LEASE = timedelta(minutes=5)
ANSWERS = [State.ACCEPTED, State.REJECTED, State.PLANNED, State.UNCERTAIN, State.SKIPPED, State.FAILED]


class Worker:
    """What one worker believes: rows as it read them, claimed or on the wire."""

    def __init__(self, name):
        self.name, self.claimed, self.wire = name, [], []


class TwoWorkers(RuleBasedStateMachine):
    """Two workers, a reader who leaves, an editor who holds, kills, and a clock. Rows are the truth."""

    def __init__(self):
        super().__init__()
        Digest.objects.all().delete()
        Subscriber.objects.all().delete()
        self.now = NOW
        self.workers = {name: Worker(name) for name in "ab"}
        papers = [make_paper(1)] if not Edition.objects.exists() else []
        if papers:
            make_edition(papers)
        Edition.objects.update(held=False)
        self.digests = {d.pk: d for d in (make_digest(make_reader(f"r{n}"), []) for n in range(4))}
        self.states = dict.fromkeys(self.digests, State.PLANNED)
        self.accepted = set()  # answered 250 and recorded so
        self.left = set()

    worker = st.sampled_from("ab")

    @rule(worker=worker, limit=st.integers(1, 4))
    def claim(self, worker, limit):
        ids = ledger.claim(limit, worker, self.now)
        self.workers[worker].claimed += Digest.objects.filter(pk__in=ids).select_related("subscriber")

    @rule(worker=worker, answers=st.lists(st.sampled_from(ANSWERS), max_size=4), marks=st.integers(0, 3))
    def advance(self, worker, answers, marks):
        own = self.workers[worker]
        done, own.wire = own.wire[: len(answers)], own.wire[len(answers) :]
        before = dict(Digest.objects.values_list("pk", "state"))
        coming, own.claimed = own.claimed[:marks], own.claimed[marks:]
        ended = [ledger.Ended(d, state) for d, state in zip(done, answers, strict=False)]
        marked = ledger.advance(ended, coming, self.now)
        assert not marked & self.accepted, "an accepted digest was marked again"
        for digest in coming:
            if digest.pk in marked:
                assert before[digest.pk] == State.CLAIMED
                assert digest.subscriber_id not in self.left
                own.wire.append(digest)
            else:
                own.claimed.append(digest)

    @rule(worker=worker)
    def refuse_the_rest(self, worker):
        own = self.workers[worker]
        ledger.refuse(own.claimed, self.now)
        own.claimed = []

    @rule(worker=worker)
    def give_back(self, worker):
        ledger.give_back(self.workers[worker].claimed)
        self.workers[worker].claimed = []

    @rule(worker=worker)
    def kill(self, worker):
        self.workers[worker] = Worker(worker)

    @rule(minutes=st.sampled_from([1, 3, 6]))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def recover(self):
        ledger.recover(self.now)

    @rule(held=st.booleans())
    def an_editor_holds_or_releases(self, held):
        Edition.objects.update(held=held)

    @precondition(lambda self: len(self.left) < 2)
    @rule()
    def a_reader_leaves(self):
        reader = Subscriber.objects.filter(state="active").first()
        Subscriber.objects.filter(pk=reader.pk).update(state="unsubscribed")
        self.left.add(reader.pk)

    @rule(end=st.sampled_from([State.ACCEPTED, State.PLANNED]))
    def uncertain_ones_are_resolved(self, end):
        ledger.move(Digest.objects.all(), State.UNCERTAIN, end, free_at=None)

    @invariant()
    def every_step_is_in_the_table_and_nothing_ended_moves(self):
        now = dict(Digest.objects.values_list("pk", "state"))
        for pk, state in now.items():
            was = self.states[pk]
            assert state == was or was not in ENDED, f"{was} -> {state}"
            if state == State.ACCEPTED:
                self.accepted.add(pk)
        self.states = now

    @invariant()
    def no_digest_is_on_two_live_wires(self):
        live = [d.pk for w in self.workers.values() for d in w.wire]
        rows = Digest.objects.filter(pk__in=live, state=State.SENDING, free_at__gt=self.now)
        owners = {d.pk: d.claimed_by for d in rows}
        for pk, owner in owners.items():
            holders = [d for w in self.workers.values() for d in w.wire if d.pk == pk and d.claimed_by == owner]
            assert len(holders) <= 1

    @invariant()
    def attempts_are_bounded(self):
        assert not Digest.objects.filter(attempt__gt=ledger.MAX_ATTEMPTS).exists()


def test_two_workers_in_any_order_hand_nothing_over_twice_and_end_nothing_twice(settings):
    settings.SEND_LEASE_SECONDS = LEASE.total_seconds()
    run_state_machine_as_test(TwoWorkers, settings=hypothesis_settings(stateful_step_count=25))


@pytest.fixture
def claimed(db):
    make_edition([make_paper(1)])
    digests = [make_digest(make_reader(f"r{n}"), []) for n in range(3)]
    ids = ledger.claim(3, "w", NOW)
    assert ids == [d.pk for d in digests]
    return list(Digest.objects.filter(pk__in=ids).select_related("subscriber").order_by("pk"))


def test_a_round_is_two_statements_and_one_commit(claimed):
    first, second, third = claimed
    ledger.advance([], [first], NOW)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert ledger.advance([ledger.Ended(first, State.ACCEPTED)], [second, third], NOW) == {second.pk, third.pk}
    statements = [q["sql"] for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) == 2, statements
    assert all(sql.startswith("UPDATE") for sql in statements)


@pytest.mark.parametrize("late", [False, True])
def test_each_row_of_a_round_gets_its_own_id_of_the_provider_by_the_same_statement(claimed, late):
    ledger.advance([], claimed, NOW)
    if late:  # recovery took the worker for dead
        ledger.recover(NOW + 2 * LEASE)
    names = {digest.pk: f'<{digest.pk}."quoted" ö@provider.example>' for digest in claimed}
    ended = [ledger.Ended(digest, State.ACCEPTED, provider_id=names[digest.pk]) for digest in claimed]
    with CaptureQueriesContext(
        connection,
    ) as seen:
        ledger.advance(ended, [], NOW)
    assert dict(Digest.objects.values_list("pk", "provider_id")) == names
    assert set(Digest.objects.values_list("state", flat=True)) == {State.ACCEPTED}
    assert late or sum(q["sql"].startswith("UPDATE") for q in seen.captured_queries) == 1


def test_a_round_whose_answer_was_lost_can_be_done_again(claimed):
    first, second, _ = claimed
    ledger.advance([], [first], NOW)
    rounds = [ledger.advance([ledger.Ended(first, State.ACCEPTED)], [second], NOW) for _ in range(2)]
    assert rounds == [{second.pk}, {second.pk}]
    assert Digest.objects.get(pk=first.pk).state == State.ACCEPTED


def test_an_answer_that_comes_after_the_lease_still_counts(claimed):
    ledger.advance([], claimed[:1], NOW)
    ledger.recover(NOW + timedelta(minutes=6))
    ledger.advance([ledger.Ended(claimed[0], State.ACCEPTED)], [], NOW + timedelta(minutes=7))
    assert Digest.objects.get(pk=claimed[0].pk).state == State.ACCEPTED


@pytest.mark.parametrize("answer", [State.ACCEPTED, State.FAILED])
def test_an_answer_to_who_lost_a_digest_ends_nothing_of_who_has_it_now(claimed, answer):
    lost = claimed[0]
    ledger.advance([], [lost], NOW)
    later = NOW + 2 * LEASE
    ledger.recover(later)
    ledger.move(Digest.objects.all(), State.UNCERTAIN, State.PLANNED, free_at=None, claimed_by="")
    ledger.claim(3, "another", later)
    anew = Digest.objects.select_related("subscriber").get(pk=lost.pk)
    assert ledger.advance([], [anew], later) == {lost.pk}
    ledger.advance([ledger.Ended(lost, answer)], [], later)
    assert Digest.objects.get(pk=lost.pk).state == State.SENDING, "on the wire of another worker"
    ledger.advance([ledger.Ended(anew, answer)], [], later)
    assert Digest.objects.get(pk=lost.pk).state == answer


def test_an_answer_about_us_costs_no_attempt_and_one_about_the_mail_costs_one(claimed):
    ledger.advance([], claimed, NOW)
    ends = [
        ledger.Ended(claimed[0], State.PLANNED, "too fast", counts=False),
        ledger.Ended(claimed[1], State.PLANNED, "mailbox full", free_at=NOW + timedelta(minutes=5)),
    ]
    ledger.advance(ends, [], NOW)
    found = {d.pk: (d.state, d.attempt, d.reason) for d in Digest.objects.all()}
    assert found[claimed[0].pk] == (State.PLANNED, 0, "too fast")
    assert found[claimed[1].pk] == (State.PLANNED, 1, "mailbox full")
    assert ledger.claim(3, "w", NOW) == [claimed[0].pk]
    assert ledger.claim(3, "w", NOW + timedelta(minutes=5)) == [claimed[1].pk]


def test_what_is_too_late_at_the_last_moment_is_skipped(claimed, settings):
    late = claimed[0]
    Digest.objects.filter(pk=late.pk).update(due_at=NOW - timedelta(hours=settings.LATE_AFTER_HOURS, seconds=1))
    assert ledger.advance([], claimed, NOW) == {d.pk for d in claimed[1:]}
    assert ledger.refuse([late], NOW) == {"skipped": 1}
    assert Digest.objects.get(pk=late.pk).reason == "too late"


def test_a_digest_of_an_edition_that_is_held_is_not_claimed_nor_marked(claimed):
    Edition.objects.filter(day=TODAY).update(held=True)
    assert ledger.advance([], claimed, NOW) == set()
    assert ledger.refuse(claimed, NOW) == {"planned": 3}
    assert ledger.claim(3, "w", NOW) == []
    assert set(Digest.objects.values_list("attempt", flat=True)) == {0}


def test_each_refused_digest_says_why(claimed):
    one, two, three = claimed
    Subscriber.objects.filter(pk=one.subscriber_id).update(state="unsubscribed")
    Subscriber.objects.filter(pk=two.subscriber_id).update(paused_until=NOW + timedelta(days=1))
    Subscriber.objects.filter(pk=three.subscriber_id).delete()
    assert ledger.advance([], claimed, NOW) == set()
    ledger.refuse(claimed, NOW)
    found = Digest.objects.order_by("pk").values_list("state", "reason")
    assert list(found) == [("cancelled", "unsubscribed"), ("skipped", "paused"), ("cancelled", "erased")]
