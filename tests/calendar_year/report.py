"""The run in words."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from tests.calendar_year.verdict import as_hours
from tests.calendar_year.year import Arrival, Year

SHOWN = 20


def lines(year: Year) -> Iterator[str]:
    """Edges, figures, violations, and the line for scripts."""
    yield ("Where clocks change, and when the digest came whose hour is left out or comes twice:\n")
    for one in year.arrivals:
        yield (_line(one))
    verdict = year.verdict
    yield (f"\n{year.plan.days} days from {year.plan.start}, {len(year.zones)} zones, {year.readers} readers who stay,")
    yield (
        f"{year.travellers} who travel ({sum(map(len, year.record.moves.values()))} moves), {year.record.ticks} plannings\n"
    )
    yield (f"digests on a local day that was chosen: {_days(verdict.on_due_days)}")
    yield (f"digests on a local day that was not:    {_days(verdict.on_other_days)}")
    yield (f"dates that a traveller had twice:       {verdict.twice}\n")
    yield ("hours between two digests of daily readers")
    yield (f"  who stay:                {_range(verdict.daily)}")
    yield (f"  who travel, no move:     {_range(verdict.travelling)}")
    yield (f"  with a move in between:  {_range(verdict.around_moves)}\n")
    for violation in verdict.violations[:SHOWN]:
        yield (f"VIOLATION {violation}")
    digests = sum(map(len, year.record.digests.values()))
    edges = Counter(one.edge.kind for one in year.arrivals)
    yield (
        f"violations={len(verdict.violations)} zones={len(year.zones)} days={year.plan.days} "
        f"readers={year.readers + year.travellers} digests={digests} gaps={edges['gap']} repeats={edges['repeat']}"
    )


def _line(one: Arrival) -> str:
    edge = one.edge
    what = f"{edge.kind:6} {edge.begin:%H:%M}-{edge.end:%H:%M}"
    came = f"{one.at:%a %H:%M} UTC = {one.at.astimezone(ZoneInfo(edge.zone)):%a %H:%M %Z}" if one.at else "never"
    return f"{edge.zone:22} {edge.day} {what}  {one.reader.hour:%H:%M} came {came}"


def _days(counts: Counter[int]) -> str:
    return ", ".join(f"{number} x {days} days" for number, days in sorted(counts.items())) or "none"


def _range(gaps: list[timedelta]) -> str:
    return f"{as_hours(min(gaps))} to {as_hours(max(gaps))} ({len(gaps)})" if gaps else "none"
