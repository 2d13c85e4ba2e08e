"""What planning decides about time: whether a reader is due, when within the minute a mail leaves, who is let by."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, DateTimeField, ExpressionWrapper, F, Func, Q, Value

from digest import ledger
from digest.models import Digest
from digest.models.digests import DigestQuerySet
from subscriptions import schedule
from subscriptions.models import Subscriber
from subscriptions.models.readers import SubscriberQuerySet, is_active

State = Digest.State
Place = tuple[datetime, int]  # in the order of due readers: next_due_at, pk


class Due(NamedTuple):
    """What planning reads of a reader whose search key says that a digest is due. Instants are UTC."""

    pk: int
    next_due_at: datetime
    last_due_at: datetime | None
    asked_at: datetime | None
    paused_until: datetime | None
    hour: time
    zone: str
    weekdays: int
    paper_limit: int
    only_my_topics: bool
    active: bool  # confirmed, not paused, not suppressed

    @property
    def last_at(self) -> datetime | None:
        """When the last digest came, of itself or because it was asked for."""
        if self.asked_at is None or self.last_due_at is None:
            return self.last_due_at or self.asked_at
        return max(self.last_due_at, self.asked_at)

    @property
    def is_weekly(self) -> bool:
        """Whether the digest comes on one day of the week only."""
        return self.weekdays != schedule.EVERY_DAY and (self.weekdays & schedule.EVERY_DAY).bit_count() == 1

    @property
    def rhythm(self) -> tuple[time, str, int]:
        """Hour, zone and weekdays."""
        return self.hour, self.zone, self.weekdays


def due_at(reader: Due) -> datetime | None:
    """When this reader's next digest is due (UTC), by the reader's row and the zone data of today.

    ``next_due_at`` is a search key: a country may have changed its clocks since it was computed. The hour that moved
    is then found as after a change of zone: it can be a little ahead, or have passed.
    """
    return _due_at(reader.next_due_at, reader.last_at, reader.paused_until, *reader.rhythm)


def following(reader: Due, due: datetime, now: datetime) -> datetime | None:
    """When the digest after that of ``due`` is due (UTC), if that one is planned at ``now``.

    From hour to hour, however late it was. Where it came at no hour of the clock, REST counts from when it came.
    """
    return _following(due, now, *reader.rhythm)


def after_stop(reader: Due, now: datetime) -> datetime | None:
    """When the next digest of a reader is due who is paused or suppressed at ``now``."""
    hour, zone, weekdays = reader.rhythm
    return schedule.next_due_after_change(
        now, reader.last_due_at, reader.asked_at, at=hour, zone=zone, mask=weekdays, earliest=reader.paused_until
    )


# Clocks are slow to read, and the readers of a minute share few hours and zones.
local_day = lru_cache(maxsize=4096)(schedule.local_day)


@lru_cache(maxsize=16384)
def _due_at(
    stored: datetime, last: datetime | None, paused_until: datetime | None, hour: time, zone: str, weekdays: int
) -> datetime | None:
    rhythm: schedule.Rhythm = {"at": hour, "zone": zone, "mask": weekdays}
    if schedule.is_due_time(stored, **rhythm) or (last and stored == last + schedule.LONGEST):
        return stored
    # As of the stored instant, not of this moment: two planners, and a clock that jumps, must find the same.
    if last:
        return schedule.following(last, **rhythm, now=stored, earliest=paused_until)
    return schedule.next_due(stored - schedule.PASSED, **rhythm)


@lru_cache(maxsize=16384)
def _following(due: datetime, now: datetime, hour: time, zone: str, weekdays: int) -> datetime | None:
    rhythm: schedule.Rhythm = {"at": hour, "zone": zone, "mask": weekdays}
    last = due if schedule.is_due_time(due, **rhythm) else now
    return schedule.following(last, **rhythm)


def free_at(reader: int, day: date, due: datetime) -> datetime:
    """When the mail of this reader and local day may leave: within SPREAD_SECONDS after ``due``, always the same.

    So the mails of one minute do not reach the same mail servers all at once.
    """
    drawn = int.from_bytes(blake2b(f"{reader} {day}".encode(), digest_size=8).digest()) / 2**64
    return due + timedelta(seconds=settings.SPREAD_SECONDS * drawn)


def todays(reader: Subscriber, now: datetime) -> DigestQuerySet:
    """The digests of the reader's present date: by day and zone or, after a change of zone, by instant; latest last."""
    day = schedule.local_day(now, reader.zone)
    begin, end = (schedule.local_instant(day + timedelta(days=n), time(0), reader.zone) for n in (0, 1))
    of_today = Q(day=day, zone=reader.zone) | Q(due_at__gte=begin, due_at__lt=end)
    return Digest.objects.filter(of_today, subscriber=reader).order_by("due_at")


def call_off_late(readers: Iterable[int], now: datetime) -> None:
    """End what these readers should have got and nobody could send in time: the next digest holds it.

    Delivery ends it too, but not while the mail server is away; by then the next would be planned without it.
    """
    unsent = (State.PLANNED, State.CLAIMED)
    rows = Digest.objects.filter(subscriber__in=readers, due_at__lt=late_before(now), perhaps_taken=False)
    late = Digest.objects.filter(pk__in=list(rows.filter(state__in=unsent).values_list("pk", flat=True)))
    for state in unsent:
        ledger.move(late, state, State.SKIPPED, ledger.TOO_LATE, free_at=None, claimed_by="")


def late_before(now: datetime) -> datetime:
    """What was due earlier than this is not sent any more."""
    return now - timedelta(hours=settings.LATE_AFTER_HOURS)


def place_of(reader: Due) -> Place:
    """Where a due reader stands among them."""
    return reader.next_due_at, reader.pk


def next_chunk(now: datetime, last: Place | None) -> list[Due]:
    """The next PLAN_CHUNK readers behind ``last`` whose due time has come, locked, but for those of another planner."""
    reached = due_query(now, last)
    if connection.vendor == "postgresql":
        reached = reached.select_for_update(skip_locked=True, of=("self",))
    active = ExpressionWrapper(is_active(now), output_field=BooleanField())
    rows = reached.annotate(active=active).values_list(*Due._fields)
    return [Due(*row) for row in rows[: settings.PLAN_CHUNK]]


def due_query(now: datetime, last: Place | None) -> SubscriberQuerySet:
    """Readers whose due time has come behind ``last``, by keyset: those who wait for an edition are not read again."""
    reached = Subscriber.objects.reached(now)
    return reached.filter(Behind(*last)) if last else reached


class Behind(Func):
    """Whether a reader stands behind a place. One comparison of rows: the index is entered there.

    Of two conditions PostgreSQL would use one and filter by the other, and at 07:30 in Berlin a quarter of the readers
    share one instant.
    """

    arity = 4
    output_field = BooleanField()

    def __init__(self, due: datetime, pk: int) -> None:
        super().__init__(F("next_due_at"), F("pk"), Value(due, DateTimeField()), Value(pk))

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        """(next_due_at, id) > (due, pk)."""
        parts, parameters = zip(*map(compiler.compile, self.source_expressions), strict=True)
        return "({}, {}) > ({}, {})".format(*parts), [value for own in parameters for value in own]
