"""What planning decides about time: whether a reader is due, when within the minute a mail leaves, who is let by."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from hashlib import blake2b

from django.conf import settings
from django.db import connection
from django.db.models import Q

from digest import ledger
from digest.models import Digest
from digest.models.digests import DigestQuerySet
from subscriptions import schedule
from subscriptions.models import Subscriber

State = Digest.State
Place = tuple[datetime, int]  # in the order of due readers: next_due_at, pk


def due_at(reader: Subscriber) -> datetime | None:
    """When this reader's next digest is due (UTC), by the reader's row and the zone data of today.

    ``next_due_at`` is a search key: a country may have changed its clocks since it was computed. The hour that moved
    is then found as after a change of zone: it can be a little ahead, or have passed.
    """
    stored, last = reader.next_due_at, reader.last_at
    assert stored
    if schedule.is_due_time(stored, **reader.rhythm) or (last and stored == last + schedule.LONGEST):
        return stored
    # As of the stored instant, not of this moment: two planners, and a clock that jumps, must find the same.
    if last:
        return schedule.following(last, **reader.rhythm, now=stored, earliest=reader.paused_until)
    return schedule.next_due(stored - schedule.PASSED, **reader.rhythm)


def following(reader: Subscriber, due: datetime, now: datetime) -> datetime | None:
    """When the digest after that of ``due`` is due (UTC), if that one is planned at ``now``.

    From hour to hour, however late it was. Where it came at no hour of the clock, REST counts from when it came.
    """
    last = due if schedule.is_due_time(due, **reader.rhythm) else now
    return schedule.following(last, **reader.rhythm)


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


def place_of(reader: Subscriber) -> Place:
    """Where a due reader stands among them."""
    assert reader.next_due_at
    return reader.next_due_at, reader.pk


def next_chunk(now: datetime, last: Place | None) -> list[Subscriber]:
    """The next PLAN_CHUNK readers behind ``last`` whose due time has come, locked, but for those of another planner."""
    reached = Subscriber.objects.reached(now)
    if last:  # keyset: those that wait for their edition stay due and must not be read again in this run
        reached = reached.filter(next_due_at__gte=last[0]).exclude(next_due_at=last[0], pk__lte=last[1])
    if connection.vendor == "postgresql":
        reached = reached.select_for_update(skip_locked=True, of=("self",))
    return list(reached[: settings.PLAN_CHUNK])


def pass_over_stopped(readers: Sequence[Subscriber], now: datetime) -> list[Subscriber]:
    """Move on those who are paused or suppressed at ``now``, without a row; the others.

    A stop of years would keep them among the due for years. One that ends goes on with the next due time.
    """
    active = set(Subscriber.objects.active(now).filter(pk__in=[r.pk for r in readers]).values_list("pk", flat=True))
    stopped = [reader for reader in readers if reader.pk not in active]
    for reader in stopped:
        reader.reschedule(now)
    Subscriber.objects.bulk_update(stopped, ["next_due_at"])
    return [reader for reader in readers if reader.pk in active]
