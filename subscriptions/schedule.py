"""When is this reader's next digest? Pure: no Django, no clock. Instants are aware and in UTC, hours are local."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = 0b1111111
# After a change of zone the next digest comes no sooner than this after the last one.
REST = timedelta(hours=12)


def weekdays(days: Iterable[int]) -> int:
    """The bit mask of weekdays, Monday = 0 = the lowest bit. Raises ValueError on other numbers."""
    mask = 0
    for day in days:
        if not 0 <= day <= 6:
            raise ValueError(f"{day} is no weekday: Monday is 0, Sunday is 6")
        mask |= 1 << day
    return mask


def local_instant(day: date, at: time, zone: str) -> datetime:
    """The UTC instant at which clocks in ``zone`` show ``at`` on ``day``.

    Where clocks jump over ``at``, the instant that the old offset gives (02:30 shows as 03:30); where they repeat it,
    the first of the two: PEP 495's fold=0.
    """
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """The date in ``zone`` at ``instant``."""
    return instant.astimezone(ZoneInfo(zone)).date()


def next_due(after: datetime, *, at: time, zone: str, mask: int = EVERY_DAY) -> datetime | None:
    """The first instant later than ``after`` at which it is ``at`` in ``zone`` on a weekday of ``mask``.

    None where the mask is empty. Raises ZoneInfoNotFoundError for a zone that the tz database does not know.
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


def next_due_after_change(
    now: datetime, last_due: datetime | None, last_day: date | None, *, at: time, zone: str, mask: int = EVERY_DAY
) -> datetime | None:
    """The next digest after a change: later than ``now``, REST after the last one, and on a local day without one.

    ``last_day`` is the local date of the last digest. After a move far westwards that date may lie ahead; the days
    up to it have their digest already, so the gap can be almost two days.
    """
    floor = now if last_due is None else max(now, last_due + REST - timedelta(microseconds=1))
    due = next_due(floor, at=at, zone=zone, mask=mask)
    while due and last_day and local_day(due, zone) <= last_day:
        due = next_due(due, at=at, zone=zone, mask=mask)
    return due
