"""The runs: each source read once an hour for the last days, what came and what was refused written down."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError

from digest import merging
from digest.freshness import judge
from digest.models import EditionPaper, Paper, SourceRun
from digest.papers import Stored, store
from digest.sources import CONFIRM_WITHDRAWAL, FILL_IN, SOURCES
from digest.sources.arxiv import says_withdrawn
from digest.sources.arxiv_api import WITHDRAWN_AT
from digest.sources.base import Fetched, PaperRecord, Rejected, SourceError
from digest.sources.payload import storable
from digest.text import readable

log = logging.getLogger(__name__)
BATCH = 500
REFUSALS = (DataError, IntegrityError, ValueError, OverflowError)
WHOLE_REJECTIONS = 200  # a run: of further ones the reason and the beginning are kept
RUN_LIMIT = timedelta(minutes=30)  # a run that is older was killed
RECENT = timedelta(days=3)
LONGEST_REST, LONGEST_WAIT = timedelta(hours=6), timedelta(hours=24)
# A part of a list is an earlier day's when this share of at least so many papers came for an earlier day before:
# papers cross-listed later come again too, but never most of a category's.
STALE_SHARE, FEWEST_STALE = 0.5, 5


def runs_due(now: datetime) -> list[tuple[str, date]]:
    """The (source, day) pairs whose last reading began longer ago than FETCH_EVERY_MINUTES, older days first.

    A source that asked to be left alone is left alone.
    """
    since = now - timedelta(minutes=settings.FETCH_EVERY_MINUTES)
    recent = set(SourceRun.objects.filter(started_at__gt=since).values_list("source", "day"))
    resting = set(SourceRun.objects.filter(retry_at__gt=now).values_list("source", flat=True))
    return [
        (source, day)
        for source in settings.SOURCES
        if source not in resting
        for day in (now.date() - timedelta(days=back) for back in reversed(range(SOURCES[source].days)))
        if (source, day) not in recent
    ]


def all_in(now: datetime) -> bool:
    """Whether no source is to be read at this moment, nor being read, nor waiting for today's batch."""
    running = SourceRun.objects.filter(state=SourceRun.State.RUNNING, started_at__gt=now - RUN_LIMIT)
    return not runs_due(now) and not running.exists() and not _waiting(now)


def _waiting(now: datetime) -> bool:
    ended = SourceRun.objects.filter(day=now.date(), source__in=settings.SOURCES).exclude(state=SourceRun.State.RUNNING)
    last = dict(ended.order_by("started_at", "pk").values_list("source", "state"))
    return SourceRun.State.WAITING in last.values()


def collect(source: str, day: date, now: datetime, by: str = "") -> SourceRun:
    """Read one source for one day into rows. Never raises for what a source does: the run says it."""
    run = SourceRun.objects.create(source=source, day=day, started_at=now, by=by)
    _read(run, lambda: SOURCES[source].fetch(day), now)
    run.save()
    return run


def fill_in(now: datetime, by: str = "") -> SourceRun | None:
    """Ask arXiv about recent papers that came without categories, and whether those in editions were withdrawn.

    None where there is nothing to ask, or arXiv was asked within the hour.
    """
    since = now - timedelta(minutes=settings.FETCH_EVERY_MINUTES)
    asked = SourceRun.objects.filter(source="arxiv_api")
    if asked.filter(started_at__gt=since).exists() or asked.filter(retry_at__gt=now).exists():
        return None
    recent = Paper.objects.shown().filter(arxiv_id__isnull=False)
    bare = recent.filter(categories=[], first_seen_at__gt=now - RECENT)
    listed = EditionPaper.objects.shown().filter(edition__day__gt=(now - RECENT).date())
    in_editions = recent.filter(pk__in=listed.values("paper"))
    ids = [str(name) for rows in (bare, in_editions) for name in rows.values_list("arxiv_id", flat=True)]
    wanted = list(dict.fromkeys(ids))[:BATCH]
    if not wanted:
        return None
    run = SourceRun.objects.create(source="arxiv_api", day=now.date(), started_at=now, by=by)
    _read(run, lambda: _with_withdrawals(FILL_IN(wanted), now), now)
    run.save()
    return run


def _with_withdrawals(fetched: Iterable[Fetched], now: datetime) -> Iterator[Fetched]:
    """The records; those whose withdrawal arXiv confirms with the time at which we learnt of it."""
    for record in fetched:
        if isinstance(record, PaperRecord) and says_withdrawn(record.comment) and _confirmed(record):
            yield replace(record, withdrawn_at=now, raw={**record.raw, WITHDRAWN_AT: now.isoformat()})
        else:
            yield record


def _confirmed(record: PaperRecord) -> bool:
    try:
        return bool(record.arxiv_id) and CONFIRM_WITHDRAWAL(str(record.arxiv_id))
    except SourceError as error:  # the next hour asks again
        log.warning("whether %s is withdrawn could not be asked: %s", record.arxiv_id, error)
        return False


def _read(run: SourceRun, fetch: Callable[[], Iterable[Fetched]], now: datetime) -> None:
    """Store what ``fetch`` gives and end the run with its word. Does not save it."""
    error: SourceError | None = None
    heard = _Heard(run, now)
    try:
        heard.all(fetch())
    except SourceError as raised:
        error = raised
    except Exception as raised:  # a defect of ours: the run must end all the same, or it keeps the edition waiting
        log.exception("reading %s for %s", run.source, run.day)
        error = SourceError(f"a defect of ours: {type(raised).__name__}", transient=False)
    source = SOURCES[run.source]
    run.state, reason = judge(
        source.batch(run.day), run.day, now, received=run.received, error=error, stale=heard.stale(source.stale_by)
    )
    run.reason = reason[:300]
    run.finished_at = now
    if error and error.busy:
        run.retry_at = now + _rest(run, error)


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


def _earlier_runs(run: SourceRun) -> Any:
    return SourceRun.objects.filter(source=run.source).exclude(pk=run.pk).order_by("-started_at", "-pk")


class _Heard:
    """What a run hears, stored batch by batch: memory does not grow with the list."""

    def __init__(self, run: SourceRun, now: datetime) -> None:
        self.run, self.now = run, now
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
        for _ in range(2):  # once more where another worker was first with a paper
            try:
                yield records, store(records, self.run.day, self.now)
            except IntegrityError:
                continue
            except REFUSALS:
                break
            return
        for record in records:  # one record spoils the batch: find it, keep the rest
            try:
                yield [record], store([record], self.run.day, self.now)
            except REFUSALS as error:
                self._reject(Rejected(f"the database refused it: {error}"[:300], record.raw))

    def _count(self, records: list[PaperRecord], stored: Stored) -> None:
        self.run.received += len(records)
        self.run.created += stored.created
        self.run.changed += stored.changed
        for record in records:
            for name in ("", *record.categories):
                self.papers[name] += 1
                self.earlier[name] += record.source_key in stored.earlier
        for twin, survivor in stored.doubles:
            try:
                merging.merge(Paper.objects.filter(pk__in=[twin, survivor]), self.now, by=f"source {self.run.source}")
            except merging.CannotMerge as refusal:
                log.info("papers %s and %s: %s", twin, survivor, refusal)

    def _reject(self, rejected: Rejected) -> None:
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
