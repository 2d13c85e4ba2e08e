"""The audit of a local day: whether its sum adds up, and no row of it is where it should not be."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from digest.models import DayTotal, Digest
from digest.outcomes.sums import Entry, Sum, by_cadence, counted, line_of, stored
from digest.outcomes.uncertain import UNKNOWN_AFTER, in_doubt
from subscriptions import schedule
from subscriptions.models import Subscriber

State = Digest.State
# Leases are recovered and uncertain digests settled at every tick: a quarter of an hour is a fault.
GRACE = timedelta(minutes=15)
APART = timedelta(hours=12)  # two digests of one reader
ANYWHERE = timedelta(hours=26)  # a date is this much longer on earth than in one zone
NAMED = 5  # readers that a fault names
CHUNK = 2_000


class Outcome(NamedTuple):
    """What became of one digest. The reader is a number, or "erased"."""

    reader: int | str
    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class Audit:
    """One local day: its sum by cadence, and what is wrong with it, in sentences."""

    day: date
    closed: bool
    sums: dict[str, Sum]
    total: Sum
    faults: tuple[str, ...]

    @property
    def adds_up(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def outcomes(self, lines: Collection[str] = ()) -> Iterator[Outcome]:
        """What became of each digest, read in chunks; only those on the given lines of the sum, if any are."""
        rows = Digest.objects.filter(day=self.day).order_by("pk").values_list("subscriber_id", "state", "reason")
        for reader, state, reason in rows.iterator(CHUNK):
            line = line_of(state, reason)
            if not lines or line in lines:
                yield Outcome(reader or "erased", line, reason)


def audit(day: date, now: datetime) -> Audit:
    """Look at a local day as it is at ``now`` (UTC). Changes nothing. A million rows need no more memory than ten."""
    totals, rows = stored(day), counted(day)
    closed = DayTotal.objects.filter(day=day).exists()
    entries = totals or rows
    total = Sum.of(entries)
    faults = [
        *_states(entries),
        *_instants(day, now),
        *(_differences(totals, rows) if closed and rows else ()),
        *(_readers(day) if rows or not closed else ()),
    ]
    return Audit(day, closed, by_cadence(entries), total, tuple(faults))


def _states(entries: list[Entry]) -> Iterator[str]:
    unknown: Counter[str] = Counter()
    for entry in entries:
        if entry.state not in State.values:
            unknown[entry.state] += entry.number
    for state, number in sorted(unknown.items()):
        yield f"The sum does not add up: {number:,} digests are {state!r}, which is no state."


def _instants(day: date, now: datetime) -> Iterator[str]:
    """Rows that contradict themselves or the time."""
    rows = Digest.objects.filter(day=day)
    in_hand = rows.filter(state__in=[State.CLAIMED, State.SENDING])
    yield from _named(rows.filter(state=State.ACCEPTED, accepted_at=None), "are accepted without an instant")
    again = rows.filter(state__in=Digest.OPEN).exclude(accepted_at=None)
    yield from _named(again, "were accepted and are on their way again: each would be a second mail")
    lapsed = in_hand.filter(Q(free_at=None) | Q(free_at__lte=now - GRACE))
    yield from _named(lapsed, "are in the hands of a worker whose lease lapsed long ago; does any worker send?")
    old = in_doubt(rows, not_later_than=now - UNKNOWN_AFTER - GRACE)
    yield from _named(old, "are uncertain for more than a day; does any worker send?")


def _differences(totals: list[Entry], rows: list[Entry]) -> Iterator[str]:
    """What was stored at the closing, against the rows while they are there."""
    kept, here = ({entry[:3]: entry.number for entry in entries} for entries in (totals, rows))
    for key in sorted(kept.keys() | here.keys()):
        if kept.get(key, 0) != here.get(key, 0):
            what = " ".join(filter(None, key))
            yield f"The day was closed with {kept.get(key, 0):,} {what}, and {here.get(key, 0):,} rows say so now."


def _readers(day: date) -> Iterator[str]:
    """Readers who were passed over, or have two digests at nearly the same time."""
    own = Digest.objects.filter(subscriber=OuterRef("pk"))
    # After a change of zone it is on another date; one that was asked for came before its hour.
    last_due = OuterRef("last_due_at")
    asked_for = Q(cadence=Digest.Cadence.NOW, due_at__gt=last_due - timedelta(days=1), due_at__lt=last_due)
    # It may have waited for its edition, past the end of its date.
    waited = Q(due_at__lte=last_due, due_at__gt=last_due - timedelta(hours=settings.LATE_AFTER_HOURS))
    has_it = own.filter(Q(day=day) | waited | asked_for)
    start = datetime.combine(day, time(0), UTC)
    readers = Subscriber.objects.filter(
        ~Exists(has_it), last_due_at__gt=start - ANYWHERE, last_due_at__lt=start + timedelta(days=1) + ANYWHERE
    )
    passed_over = 0
    named: list[int] = []
    for pk, last, zone in readers.order_by("pk").values_list("pk", "last_due_at", "zone").iterator(CHUNK):
        if last and schedule.local_day(last, zone) == day:
            passed_over += 1
            named += [pk] if len(named) < NAMED else []
    if passed_over:
        yield f"{passed_over:,} readers were due and have no digest: {_listed(named, passed_over)}."
    rows = Digest.objects.filter(day=day, subscriber__isnull=False)
    other = Digest.objects.filter(
        subscriber=OuterRef("subscriber"),
        day=day,
        pk__gt=OuterRef("pk"),
        due_at__gt=OuterRef("due_at") - APART,
        due_at__lt=OuterRef("due_at") + APART,
    )
    yield from _named(rows.filter(Exists(other)), "are followed by another of the same reader within 12 hours")


def _named(rows: QuerySet[Digest], what: str) -> Iterator[str]:
    if number := rows.count():
        some = [pk or "erased" for pk in rows.order_by("pk").values_list("subscriber_id", flat=True)[:NAMED]]
        yield f"{number:,} digests {what}: {_listed(some, number)}."


def _listed(readers: list[int] | list[int | str], number: int) -> str:
    words = [f"reader {reader}" if isinstance(reader, int) else reader for reader in readers]
    return ", ".join([*words, "..."] if number > len(readers) else words)
