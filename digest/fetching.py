"""The runs: each source read once an hour for the last days, what came and what was refused written down."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import Max

from digest import merging
from digest.freshness import judge, standing_on
from digest.models import SourceRun
from digest.models.papers import SourceRunQuerySet
from digest.papers import Stored, store
from digest.sources import SOURCES
from digest.sources.base import Fetched, PaperRecord, Rejected, SourceError
from digest.sources.payload import storable
from digest.text import readable

log = logging.getLogger(__name__)
BATCH = 500
REFUSALS = (DataError, IntegrityError, ValueError, OverflowError, TypeError)
WHOLE_REJECTIONS = 200  # a run: of further ones the reason and the beginning are kept
RUN_LIMIT = timedelta(minutes=30)  # a run that is older was killed
LONGEST_REST, LONGEST_WAIT = timedelta(hours=6), timedelta(hours=24)
# A part of a list is an earlier day's when this share of at least so many papers came for an earlier day before:
# papers cross-listed later come again too, but never most of a category's.
STALE_SHARE, FEWEST_STALE = 0.5, 5


def runs_due(now: datetime) -> list[tuple[str, date]]:
    """The (source, day) pairs whose last reading began longer ago than FETCH_EVERY_MINUTES, longest unread first.

    A source that asked to be left alone is left alone.
    """
    since = now - timedelta(minutes=settings.FETCH_EVERY_MINUTES)
    resting = groups_resting(now)
    wanted = [
        (source, now.date() - timedelta(days=back))
        for source in settings.SOURCES
        if group_of(source) not in resting
        for back in reversed(range(SOURCES[source].days))
    ]
    runs = SourceRun.objects.filter(day__in={day for _, day in wanted}).values_list("source", "day")
    begun = {(source, day): at for source, day, at in runs.annotate(Max("started_at")).order_by()}
    never = datetime.min.replace(tzinfo=UTC)
    return sorted((pair for pair in wanted if begun.get(pair, never) <= since), key=lambda pair: begun.get(pair, never))


def group_of(source: str) -> str:
    """The sources that are left alone together are named by their group."""
    return (SOURCES[source].group if source in SOURCES else "") or source


def groups_resting(now: datetime) -> set[str]:
    """The groups of which a source asked to be left alone until later than ``now``."""
    return {group_of(name) for name in SourceRun.objects.filter(retry_at__gt=now).values_list("source", flat=True)}


def all_in(now: datetime, day: date) -> bool:
    """Whether ``day`` is fresh or quiet in every source, and none is to be read at this moment, nor being read."""
    ended = all(known["state"] in {SourceRun.State.FRESH, SourceRun.State.QUIET} for known in standing_on(day))
    running = SourceRun.objects.filter(
        state=SourceRun.State.RUNNING, started_at__gt=now - RUN_LIMIT, source__in=settings.SOURCES
    )
    return ended and not runs_due(now) and not running.exists()


def collect(source: str, day: date, now: datetime, by: str = "") -> SourceRun:
    """Read one source for one day into rows. Never raises for what a source does: the run says it."""
    run = SourceRun.objects.create(source=source, day=day, started_at=now, by=by)
    registered = SOURCES[source]
    heard, error = read_into(run, lambda: registered.fetch(day))
    run.state, reason = judge(
        registered.batch(day),
        day,
        now,
        received=run.received,
        refused=heard.lost,
        error=error,
        stale=heard.stale(registered.stale_by),
    )
    run.reason = reason[:300]
    run.save()
    return run


def is_news(run: SourceRun) -> bool:
    """Whether this reading lost papers, and none of its source did within the day before: people are told once."""

    def lost_some(other: SourceRun, refused: bool) -> bool:
        return other.state == SourceRun.State.PARTIAL or (other.state == SourceRun.State.FAILED and refused)

    if not lost_some(run, bool(run.rejected)):
        return False
    since = run.started_at - timedelta(days=1)
    earlier = _earlier_runs(run).filter(started_at__gt=since).without_rejected()
    return not any(lost_some(other, other.refused > 0) for other in earlier)  # type: ignore[attr-defined]  # annotated


def read_into(run: SourceRun, fetch: Callable[[], Iterable[Fetched]]) -> tuple["Heard", SourceError | None]:
    """Store what ``fetch`` gives and end the run, all but its word. Does not save it."""
    error: SourceError | None = None
    begun = time.monotonic()
    heard = Heard(run)
    try:
        heard.all(fetch())
    except SourceError as raised:
        error = raised
    except Exception as raised:  # a defect of ours: the run must end all the same, or it keeps the edition waiting
        log.exception("reading %s for %s", run.source, run.day)
        error = SourceError(f"a defect of ours: {type(raised).__name__}", transient=False)
    run.finished_at = run.started_at + timedelta(seconds=time.monotonic() - begun)
    if error and error.busy:
        run.retry_at = run.finished_at + _rest(run, error)
    return heard, error


def _rest(run: SourceRun, error: SourceError) -> timedelta:
    """How long to leave a busy source alone: as it says, else an hour, then two, then four ..."""
    if error.wait is not None:
        return min(timedelta(seconds=error.wait), LONGEST_WAIT)
    times = 0
    for retry_at in _earlier_runs(run).values_list("retry_at", flat=True)[:5]:
        if retry_at is None:
            break
        times += 1
    return min(timedelta(minutes=settings.FETCH_EVERY_MINUTES << times), LONGEST_REST)


def _earlier_runs(run: SourceRun) -> SourceRunQuerySet:
    return SourceRun.objects.filter(source=run.source).exclude(pk=run.pk).order_by("-started_at", "-pk")


class Heard:
    """What a run hears, stored batch by batch: memory does not grow with the list."""

    def __init__(self, run: SourceRun) -> None:
        self.run, self.now = run, run.started_at
        self.lost = 0  # records refused with which a paper may be lost
        self.papers: Counter[str] = Counter()  # by category; "" for all
        self.earlier: Counter[str] = Counter()  # of them, those that came for an earlier day before

    def all(self, fetched: Iterable[Fetched]) -> None:
        """Store all that is readable, and keep the rest aside with its reason."""
        for batch in _batches(fetched):
            records = []
            for item in batch:
                refusal = item if isinstance(item, Rejected) else _fault(item)
                if refusal:
                    self._reject(refusal)
                else:
                    assert isinstance(item, PaperRecord)
                    records.append(item)
            for kept, stored in self._store(records):
                self._count(kept, stored)

    def stale(self, stale_by: str) -> list[str]:
        """The categories, or "the list", that show an earlier day; nothing where the source is not judged so."""
        names = {"list": [""], "category": settings.ARXIV_CATEGORIES}.get(stale_by, [])
        return [
            name or "the list"
            for name in names
            if self.papers[name] >= FEWEST_STALE and self.earlier[name] > STALE_SHARE * self.papers[name]
        ]

    def _store(self, records: list[PaperRecord]) -> Iterator[tuple[list[PaperRecord], Stored]]:
        for _ in range(2):  # once more where another worker was first with a paper, or both waited for each other
            try:
                yield records, self._store_whole(records)
            except (IntegrityError, OperationalError):
                continue
            except REFUSALS:
                break
            return
        for record in records:  # one record spoils the batch: find it, keep the rest
            try:
                fit = replace(record, raw=storable(record.raw))
                yield [record], self._store_whole([fit])
            except REFUSALS as error:
                self._reject(Rejected(f"the database refused it: {error}"[:300], record.raw))

    def _store_whole(self, records: list[PaperRecord]) -> Stored:
        """With all that follows from it, or not at all: a record that was stored does not speak again."""
        with transaction.atomic():
            stored = store(records, self.run.day, self.now)
            merging.settle(stored, self.now, by=f"{merging.BY_SOURCE}{self.run.source}")
        return stored

    def _count(self, records: list[PaperRecord], stored: Stored) -> None:
        self.run.received += len(records)
        self.run.created += stored.created
        self.run.changed += stored.changed
        for record in records:
            for name in ("", *record.categories):
                self.papers[name] += 1
                self.earlier[name] += record.source_key in stored.earlier

    def _reject(self, rejected: Rejected) -> None:
        self.lost += rejected.is_lost
        raw = storable(rejected.raw)
        record = raw if len(self.run.rejected) < WHOLE_REJECTIONS else str(raw)[:200]
        self.run.rejected.append({"reason": rejected.reason, "record": record})


def _batches(fetched: Iterable[Fetched]) -> Iterator[list[Fetched]]:
    """The records in batches; those that came before a source failed too, and then its failure."""
    batch: list[Fetched] = []
    try:
        for item in fetched:
            batch.append(item)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _fault(record: PaperRecord) -> Rejected | None:
    return None if readable(record.title) else Rejected("no title", record.raw)
