"""What was promised of the year, held against what came. Reckoned with zoneinfo alone."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from digest import planning
from subscriptions.models import Subscriber
from tests.calendar_year.edges import exists
from tests.calendar_year.run import DAY, Record, Row, Stretch

REST, LONGEST = timedelta(hours=12), timedelta(hours=36)


@dataclass
class Verdict:
    """Figures and violations."""

    on_due_days: Counter[int] = field(default_factory=Counter)  # {digests on one local due day: how many such days}
    on_other_days: Counter[int] = field(default_factory=Counter)
    daily: list[timedelta] = field(default_factory=list)  # gaps between two digests of daily readers who stay
    around_moves: list[timedelta] = field(default_factory=list)  # ... between which a reader moved
    travelling: list[timedelta] = field(default_factory=list)  # ... of those who travel, other gaps
    twice: int = 0  # dates that a traveller had twice, in two zones
    violations: list[str] = field(default_factory=list)


def judge_staying(stretch: Stretch, record: Record, tick: timedelta, verdict: Verdict) -> None:
    """Exactly one digest on each local day that was chosen, at its hour, and none on others."""
    for reader in stretch.readers:
        zone = ZoneInfo(reader.zone)
        rows = [row for row in record.digests[reader.pk] if stretch.start <= row.due_at < stretch.end]
        by_day = Counter(row.day for row in rows)
        day = stretch.start.astimezone(zone).date() + DAY  # whole days only
        while day < stretch.end.astimezone(zone).date():
            is_due = bool(reader.weekdays >> day.weekday() & 1)
            (verdict.on_due_days if is_due else verdict.on_other_days)[by_day[day]] += 1
            if by_day[day] != is_due:
                verdict.violations.append(f"{_who(reader)} {day}: {by_day[day]} digests")
            day += DAY
        for row in rows:
            if fault := _fault(reader, row, tick):
                verdict.violations.append(f"{_who(reader)} {row.day}: {fault}, due {row.due_at}, came {row.came_at}")
        if reader.weekdays.bit_count() == 7:
            verdict.daily += [later.due_at - row.due_at for row, later in pairwise(rows)]


def _who(reader: Subscriber) -> str:
    return f"{reader.zone} {reader.hour:%H:%M}"


def _fault(reader: Subscriber, row: Row, tick: timedelta) -> str:
    wall = row.due_at.astimezone(ZoneInfo(reader.zone))
    if row.reason == planning.LATE or not timedelta(0) <= row.came_at - row.due_at < tick:
        return "late"
    if wall.date() != row.day:
        return f"of another day, {wall}"
    if wall.fold:
        return "in the repeat, not before it"
    if wall.time() == reader.hour:
        return ""
    shift = abs(datetime.combine(row.day, wall.time()) - datetime.combine(row.day, reader.hour))
    if exists(row.day, reader.hour, reader.zone) or shift > timedelta(hours=2):
        return f"at another hour, {wall}"
    return ""


def judge_travelling(readers: list[Subscriber], record: Record, end: datetime, verdict: Verdict) -> None:
    """Two digests are twelve to thirty-six hours apart wherever the reader went, and no day of a zone has two."""
    for reader in readers:
        rows, moves = record.digests[reader.pk], record.moves[reader.pk]
        for row, later in pairwise(rows):
            gap = later.came_at - row.came_at
            moved = any(row.came_at < at <= later.came_at for at in moves)
            (verdict.around_moves if moved else verdict.travelling).append(gap)
            if not REST <= gap <= LONGEST:
                verdict.violations.append(f"traveller {reader.pk}: {gap} from {row.came_at} to {later.came_at}")
        if not rows or end - rows[-1].came_at > LONGEST:
            verdict.violations.append(f"traveller {reader.pk}: nothing in the end")
        days = Counter((row.day, row.zone) for row in rows)
        verdict.violations += [
            f"traveller {reader.pk}: two on {day} in {zone}" for (day, zone), n in days.items() if n > 1
        ]
        verdict.twice += sum(n > 1 for n in Counter(row.day for row in rows).values())
        late = [row for row in rows if row.reason == planning.LATE]
        verdict.violations += [f"traveller {reader.pk}: late, {row.due_at}" for row in late]


def arrival(rows: list[Row], day: date) -> datetime | None:
    """When the digest of this day was due (UTC)."""
    return next((row.due_at for row in rows if row.day == day), None)


def as_hours(gap: timedelta) -> str:
    """Like 36:00."""
    minutes = gap // timedelta(minutes=1)
    return f"{minutes // 60}:{minutes % 60:02}"


def at_midnight(day: date) -> datetime:
    """The UTC instant with which the day begins."""
    return datetime.combine(day, time(0), UTC)
