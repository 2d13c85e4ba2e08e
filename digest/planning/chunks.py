"""Who is due, in chunks: each chunk is claimed, planned and stored in one transaction."""

import gc
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from digest import bulk, punctuality
from digest.models import Digest
from digest.planning.histories import Histories
from digest.planning.proposals import Ask, Row, row_of, rows_of
from digest.planning.runs import LATE, Run
from digest.punctuality import Due
from subscriptions.models import Subscriber

log = logging.getLogger(__name__)
ASKED_FOR, NOT_YET, UNREADABLE, WAITING = "asked for before", "not yet", "unreadable", "waiting"
NEW = {"claimed_by": "", "attempt": 0, "perhaps_taken": False, "in_batch": False, "provider_id": "", "folded": False}
COLUMNS = (*Row._fields, "free_at", *NEW)


def plan_due(now: datetime, by: str = "", progress: Callable[[int], None] = lambda _: None) -> Counter[str]:
    """Plan every reader whose local hour has come; how many were planned, waiting or skipped (by reason).

    Decided from rows: at any instant, in any order and by any number of planners, a reader has one digest a local day.
    The same number of queries for each chunk, and what a run keeps does not grow with the readers.
    """
    outcome: Counter[str] = Counter()
    if not Subscriber.objects.reached(now).exists():
        return outcome
    run = Run.begin(now, by)
    last: punctuality.Place | None = None
    # What is there lives as long as the run; the collector of circles would look through it again and again.
    gc.freeze()
    try:
        while True:
            with transaction.atomic():
                readers = punctuality.next_chunk(now, last)
                if not readers:
                    return outcome
                last = punctuality.place_of(readers[-1])
                outcome.update(_plan_chunk(run, readers))
            progress(len(readers))
    finally:
        gc.unfreeze()


def plan_one(subscriber: Subscriber, now: datetime, by: str = "") -> Digest | None:
    """The reader's digest of today, planned now because it was asked for, by the same path as every other.

    The existing one, if today has one. A skip is returned with its reason but not stored: it must not take the place
    of the digest that is due later today. None where there is nothing new, or the reader is not active. Raises
    Subscriber.DoesNotExist where the reader was erased meanwhile.
    """
    run = Run.begin(now, by)  # before the lock, which on SQLite is everybody's: it can take a second
    with transaction.atomic():
        # The lock that planning takes: of the two whoever comes second sees the other's digest.
        reader = Subscriber.objects.to_change(subscriber.pk)
        punctuality.call_off_late([reader.pk], now)
        existing = punctuality.todays(reader, now).last()
        if existing or not Subscriber.objects.active(now).filter(pk=reader.pk).exists():
            return existing
        history = Histories.of([reader.pk], run.since).of_reader(reader.pk)
        ask = Ask(reader, history, now, punctuality.local_day(now, reader.zone))
        content = run.content(history.seen_to, weekly=reader.is_weekly, due_at=now)
        if content is None:
            return None
        digest = row_of(run, content, ask).digest(reader)
        if digest.state == Digest.State.SKIPPED:
            return digest
        digest.cadence = Digest.Cadence.NOW
        digest.save()
        reader.asked_at = now
        reader.reschedule(now)
        reader.save(update_fields=["asked_at", "next_due_at"])
        return digest


def _plan_chunk(run: Run, readers: Sequence[Due]) -> Counter[str]:
    """Plan these readers together; where that fails, one by one, so that an unreadable one stops no other."""
    try:
        with transaction.atomic():
            plan = _Plan(run, readers)
            for reader in readers:
                plan.take(reader)
            plan.store()
            return plan.outcome
    except Exception as fault:  # whatever a row can hold; where the database is away, what follows raises too
        if len(readers) == 1:
            log.error("reader %s cannot be planned today: %r", readers[0].pk, fault)
            # Moved on all the same: a due reader keeps the day from being closed. Only a search key, verified then.
            bulk.update(Subscriber, ("next_due_at",), {readers[0].pk: (run.now + timedelta(days=1),)})
            return Counter([UNREADABLE])
        log.error("%s readers cannot be planned together, each is tried alone: %r", len(readers), fault)
    outcome: Counter[str] = Counter()
    for reader in readers:
        outcome.update(_plan_chunk(run, [reader]))
    return outcome


class _Plan:
    """What becomes of one chunk of readers."""

    def __init__(self, run: Run, readers: Sequence[Due]) -> None:
        self.run, self.outcome = run, Counter[str]()
        self.moves: dict[int, tuple[datetime | None, datetime | None]] = {}  # last_due_at, next_due_at
        self.asks: dict[tuple[date, ...] | str, list[Ask]] = {}
        active = [reader.pk for reader in readers if reader.active]
        self.histories = self._read(active)
        if self.histories.unsent:
            punctuality.call_off_late(self.histories.unsent, run.now)
            self.histories = self._read(active)

    def _read(self, readers: Sequence[int]) -> Histories:
        return Histories.of(readers, self.run.since, late_before=self.run.late_before)

    def take(self, reader: Due) -> None:
        """Decide about one reader. Raises what an unreadable row raises."""
        now = self.run.now
        if not reader.active:
            # A stop of years would keep them among the due for years. One that ends goes on with the next due time.
            self.moves[reader.pk] = reader.last_due_at, punctuality.after_stop(reader, now)
            return
        due_at = punctuality.due_at(reader)
        if due_at is None or due_at > now:
            self.moves[reader.pk] = reader.last_due_at, due_at
            self.outcome[NOT_YET] += 1
            return
        day = punctuality.local_day(due_at, reader.zone)
        if (reader.pk, day, reader.zone) in self.histories.days:
            self.moves[reader.pk] = reader.last_due_at, punctuality.following(reader, due_at, now)
            self.outcome[ASKED_FOR] += 1
            return
        history = self.histories.of_reader(reader.pk)
        content = self.run.content(history.seen_to, weekly=reader.is_weekly, due_at=due_at)
        if content is None:
            self.outcome[WAITING] += 1
            return
        self.moves[reader.pk] = due_at if content == LATE else now, punctuality.following(reader, due_at, now)
        self.asks.setdefault(content, []).append(Ask(reader, history, due_at, day))

    def store(self) -> None:
        """Write the digests and move their readers on."""
        rows: list[Row] = []
        for content, asks in self.asks.items():
            rows += rows_of(self.run, content, asks)
        self.outcome.update(row.reason or row.state for row in rows)
        rest = tuple(NEW.values())
        ready = ((*row, punctuality.free_at(row.subscriber_id, row.day, row.due_at), *rest) for row in rows)
        bulk.insert(Digest, COLUMNS, ready, texts=("picks", "follow_ups"))
        bulk.update(Subscriber, ("last_due_at", "next_due_at"), self.moves)
