"""Planning's real ``plan_due`` under a clock that is pushed on, tick by tick, and what came of it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from unittest import mock

from django.db.models import Min

from digest import planning
from digest.board import Board
from digest.models import Digest
from digest.planning import runs
from digest.relevance import Model, PaperText, Reading
from digest.selection import Candidate
from subscriptions import lifecycle
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import Subscriber
from tests.calendar_year.cast import Move

DAY = timedelta(days=1)
DELIVERED = timedelta(hours=6)  # in delivery's place: nothing gets too late
KEPT = 3 * DAY  # rows older than this are taken out of the database: a reader's past does not slow down the year


@dataclass(frozen=True)
class Row:
    """What became of one digest."""

    reader: int
    day: date
    zone: str
    due_at: datetime
    came_at: datetime
    state: str
    reason: str


@dataclass
class Record:
    """All digests and moves of the run, by reader, in their order."""

    digests: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    moves: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    ticks: int = 0


@dataclass(frozen=True)
class Stretch:
    """A part of the calendar to live through, and who does."""

    start: datetime
    end: datetime
    readers: list[Subscriber]


def live(
    stretch: Stretch, moves: list[Move], tick: timedelta, record: Record, progress: Callable[[timedelta], None]
) -> None:
    """Push the clock from the start of the stretch to its end and let planning do what it does each minute."""
    Subscriber.objects.update(next_due_at=None)
    for reader in stretch.readers:
        reader.last_due_at = None
        reader.reschedule(stretch.start)
    Subscriber.objects.bulk_update(stretch.readers, ["last_due_at", "next_due_at"], batch_size=500)
    Digest.objects.all().delete()
    waiting = [move for move in reversed(moves) if stretch.start <= move.at < stretch.end]
    now = delivered = cleared = stretch.start
    seen = 0
    with _news_for_everybody():
        while now <= stretch.end:  # what is due a minute before the end comes at its tick
            while waiting and waiting[-1].at <= now:
                _move(waiting.pop(), now, record)
            if now - delivered >= DELIVERED:
                Digest.objects.filter(state=Digest.State.PLANNED).update(state=Digest.State.ACCEPTED)
                delivered = now
            planning.plan_due(now, by="calendar")
            record.ticks += 1
            if now - cleared >= DAY:
                seen, cleared = _read(record, seen, now), now
            step = _next(now, waiting, tick) - now
            progress(min(step, max(stretch.end - now, timedelta(0))))
            now += step
    _read(record, seen, now)


def _next(now: datetime, waiting: list[Move], tick: timedelta) -> datetime:
    """The next tick at which there is anything to do."""
    due = Subscriber.objects.filter(state="active", next_due_at__isnull=False).aggregate(at=Min("next_due_at"))["at"]
    instants = [instant for instant in (due, waiting and waiting[-1].at) if instant]
    ticks = -((now - min(instants)) // tick) if instants else DAY // tick
    return now + max(ticks, 1) * tick


def _move(move: Move, now: datetime, record: Record) -> None:
    reader = Subscriber.objects.get(pk=move.reader)
    lifecycle.choose(reader, {"zone": move.zone}, Interests(), now, Origin("calendar"))
    if reader.zone != move.zone:
        record.moves[move.reader].append(now)


def _read(record: Record, seen: int, now: datetime) -> int:
    """Take note of the new rows, and take old ones out; the newest row that was read."""
    fields = ("pk", "subscriber_id", "day", "zone", "due_at", "planned_at", "state", "reason")
    for pk, reader, *rest in Digest.objects.filter(pk__gt=seen).order_by("pk").values_list(*fields):
        record.digests[reader or 0].append(Row(reader or 0, *rest))
        seen = pk
    Digest.objects.filter(due_at__lt=now - KEPT).delete()
    return seen


@contextmanager
def _news_for_everybody() -> Iterator[None]:
    """An edition with one new paper every six hours, so that nobody has to wait for one: the point is time.

    Editions are named by days; these have days far ahead, and so four a day.
    """
    boards: dict[int, Board] = {}

    def board_of(now: datetime) -> Board:
        newest = 4 * now.toordinal() + now.hour // 6
        if newest not in boards:
            boards.clear()
            days = tuple(date.fromordinal(n) for n in range(newest - 7, newest + 1))
            entries = {day: (Candidate(day.toordinal(), 1, 1.0),) for day in days}
            papers = [PaperText(day.toordinal(), "New") for day in days]
            boards[newest] = Board(days, frozenset(), entries, reading=Reading(papers, Model.without_words({})))
        return boards[newest]

    with mock.patch.object(runs, "read_board", board_of):
        yield
