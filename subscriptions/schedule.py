"""When is this reader's next digest? Pure: no Django, no clock. Instants are aware and in UTC, hours are local."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EVERY_DAY = 0b1111111
# After a change of zone the next digest comes no sooner than REST after the last one and, where every day is chosen,
# no later than LONGEST. In between lies one due time, or two.
REST, LONGEST = timedelta(hours=12), timedelta(hours=36)
# A due time that a change of zone has jumped over still counts for so long: REST is left before the following one, on
# the shortest day too (22 hours, Antarctica/Troll in March).
PASSED = timedelta(hours=10)
TICK = timedelta(microseconds=1)


class Rhythm(TypedDict):
    """When a reader wants digests: the local hour, the IANA zone, the bit mask of weekdays."""

    at: time
    zone: str
    mask: int


def weekdays(days: Iterable[int]) -> int:
    """The bit mask of weekdays, Monday = 0 = the lowest bit. Raises ValueError on other numbers."""
    mask = 0
    for day in days:
        if not 0 <= day <= 6:
            raise ValueError(f"{day} is no weekday: Monday is 0, Sunday is 6")
        mask |= 1 << day
    return mask


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone, read once: the standard library keeps eight, and reads the ninth from the disk each time.

    UTC stands for a name that the tz database does not know: it may have left since a reader chose it, and a reader
    with such a row is to see the pages, choose another one, and get mail till then. ``zone_of(name).key`` says which.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # not there, no name at all, a directory
        return ZoneInfo("UTC")


def local_instant(day: date, at: time, zone: str) -> datetime:
    """The UTC instant at which clocks in ``zone`` show ``at`` on ``day``.

    Where clocks jump over ``at``, the instant that the old offset gives (02:30 shows as 03:30), or the new one where
    that is the next day already (23:30 in America/Nuuk shows as 22:30); where they repeat it, the first of the two:
    PEP 495's fold. A day that the zone skips has no such instant: then the result is of another day.
    """
    first, second = (datetime.combine(day, at.replace(fold=n), zone_of(zone)).astimezone(UTC) for n in (0, 1))
    return first if local_day(first, zone) == day else second


def local_day(instant: datetime, zone: str) -> date:
    """The date in ``zone`` at ``instant``."""
    return instant.astimezone(zone_of(zone)).date()


def next_due(after: datetime, *, at: time, zone: str, mask: int = EVERY_DAY) -> datetime | None:
    """The first instant later than ``after`` at which it is ``at`` in ``zone`` on a weekday of ``mask``.

    None where the mask is empty.
    """
    if not mask & EVERY_DAY:
        return None
    start = local_day(after, zone)
    # Nine days: a week, one more since today's hour may be over, one more since a zone can skip a whole day
    # (Pacific/Apia, 30 December 2011).
    for offset in range(9):
        day = start + timedelta(days=offset)
        if not mask >> day.weekday() & 1:
            continue
        instant = local_instant(day, at, zone)
        if instant > after and local_day(instant, zone) == day:
            return instant
    return None  # pragma: no cover - every weekday recurs within nine days


def is_due_time(instant: datetime, *, at: time, zone: str, mask: int = EVERY_DAY) -> bool:
    """Whether ``instant`` is one of those that ``next_due`` gives, by the zone data of today."""
    day = local_day(instant, zone)
    return bool(mask >> day.weekday() & 1) and local_instant(day, at, zone) == instant


def following(
    last: datetime,
    *,
    at: time,
    zone: str,
    mask: int = EVERY_DAY,
    now: datetime | None = None,
    earliest: datetime | None = None,
) -> datetime | None:
    """The due time after a digest that came at ``last``: the first one REST later or more, not before ``earliest``.

    With ``now`` it may have passed, up to PASSED ago: then it is due at once. Where every day is chosen and no due
    time lies within LONGEST (of two that are 25 hours apart the first was an hour too early), it is that very instant.
    """
    now = now or last
    floor = max(last + REST, now - PASSED, earliest or last)
    due = next_due(floor - TICK, at=at, zone=zone, mask=mask)
    latest = last + LONGEST
    if due and mask == EVERY_DAY and due > latest >= floor:
        return latest
    return due


def next_due_after_change(
    now: datetime,
    last_due: datetime | None,
    asked: datetime | None,
    *,
    at: time,
    zone: str,
    mask: int = EVERY_DAY,
    moved: bool = False,
    earliest: datetime | None = None,
) -> datetime | None:
    """The next digest after a change at ``now``, not before ``earliest``.

    ``last_due`` is when the last digest came, ``asked`` when one was last asked for. After a change of zone (``moved``)
    both count alike: see ``following``. Other changes send nothing at once: the result is later than ``now``, REST
    after ``last_due``, and on a date, by the zone of today, on which none came.
    """
    last = max((instant for instant in (last_due, asked) if instant), default=None)
    if moved and last:
        return following(last, at=at, zone=zone, mask=mask, now=now, earliest=earliest)
    floor = max(now, last_due + REST - TICK if last_due else now, earliest - TICK if earliest else now)
    due = next_due(floor, at=at, zone=zone, mask=mask)
    while due and last and local_day(due, zone) <= local_day(last, zone):
        due = next_due(due, at=at, zone=zone, mask=mask)
    return due
