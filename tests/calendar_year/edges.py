"""When do clocks of a zone jump or repeat? Found from zoneinfo alone, without the product's own reckoning."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Edge:
    """One change of a zone's offset."""

    zone: str
    instant: datetime  # UTC
    before: timedelta
    after: timedelta

    @property
    def kind(self) -> str:
        return "gap" if self.after > self.before else "repeat"

    @property
    def begin(self) -> datetime:
        """The first wall clock time that is left out, or comes twice."""
        return (self.instant + min(self.before, self.after)).replace(tzinfo=None)

    @property
    def end(self) -> datetime:
        return self.begin + abs(self.after - self.before)

    @property
    def day(self) -> date:
        return self.inside.date()

    @property
    def inside(self) -> datetime:
        """The middle of what is left out, or comes twice: whose hour this is notices the edge."""
        return self.begin + abs(self.after - self.before) / 2


def edges_of(zone: str, start: datetime, end: datetime) -> list[Edge]:
    """The edges from ``start`` to ``end`` (UTC), to the minute."""
    found, here = [], start
    while here < end:
        there = min(here + timedelta(days=1), end)
        if offset_at(here, zone) != offset_at(there, zone):
            found.append(_between(zone, here, there))
        here = there
    return found


def _between(zone: str, here: datetime, there: datetime) -> Edge:
    before, after = offset_at(here, zone), offset_at(there, zone)
    while there - here > MINUTE:
        middle = here + (there - here) // MINUTE // 2 * MINUTE
        here, there = (middle, there) if offset_at(middle, zone) == before else (here, middle)
    return Edge(zone, there, before, after)


def offset_at(instant: datetime, zone: str) -> timedelta:
    offset = instant.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset


def exists(day: date, at: time, zone: str) -> bool:
    """Whether clocks in ``zone`` show ``at`` on ``day``."""
    wall = datetime.combine(day, at, ZoneInfo(zone))
    return wall.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall.replace(tzinfo=None)
