"""The runs: each source read once an hour for the last days, what came and what was refused written down."""

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import DataError, IntegrityError

from digest.models import Paper, SourceRun
from digest.papers import store
from digest.sources import FILL_IN, SOURCES
from digest.sources.base import Fetched, PaperRecord, Rejected, SourceError
from digest.sources.payload import storable
from digest.text import readable

log = logging.getLogger(__name__)
BATCH = 500
REFUSALS = (DataError, IntegrityError, ValueError, OverflowError)
KEPT_REJECTIONS = 200  # a run: enough to see the pattern, small enough for a row
RUN_LIMIT = timedelta(minutes=30)  # a run that is older was killed
FETCHED_DAYS = 3  # today and the two before: lists fill up late


def runs_due(now: datetime) -> list[tuple[str, date]]:
    """The (source, day) pairs whose last reading began longer ago than FETCH_EVERY_MINUTES, older days first."""
    since = now - timedelta(minutes=settings.FETCH_EVERY_MINUTES)
    today = now.date()
    days = [today - timedelta(days=back) for back in reversed(range(FETCHED_DAYS))]
    recent = set(SourceRun.objects.filter(started_at__gt=since).values_list("source", "day"))
    return [(source, day) for source in settings.SOURCES for day in days if (source, day) not in recent]


def all_read(now: datetime) -> bool:
    """Whether no source is to be read at this moment, nor being read."""
    running = SourceRun.objects.filter(state=SourceRun.State.RUNNING, started_at__gt=now - RUN_LIMIT)
    return not runs_due(now) and not running.exists()


def collect(source: str, day: date, now: datetime, by: str = "") -> SourceRun:
    """Read one source for one day into rows. Never raises for what a source does: the run says it."""
    run = SourceRun.objects.create(source=source, day=day, started_at=now, by=by)
    _read(run, lambda: SOURCES[source](day), now)
    if run.state == SourceRun.State.FRESH and not run.received:
        if day < now.date():
            run.state, run.reason = SourceRun.State.QUIET, "weekend" if day.weekday() >= 5 else "empty list"
        else:
            run.state, run.reason = SourceRun.State.WAITING, "nothing yet"
    run.save()
    return run


def fill_in(now: datetime, by: str = "") -> SourceRun | None:
    """Ask arXiv for the categories of recent papers that came without. None where nothing is missing."""
    missing = list(
        Paper.objects.filter(
            arxiv_id__isnull=False, categories=[], first_seen_at__gt=now - timedelta(days=FETCHED_DAYS)
        ).values_list("arxiv_id", flat=True)[:BATCH]
    )
    since = now - timedelta(minutes=settings.FETCH_EVERY_MINUTES)
    if not missing or SourceRun.objects.filter(source="arxiv_api", started_at__gt=since).exists():
        return None
    run = SourceRun.objects.create(source="arxiv_api", day=now.date(), started_at=now, by=by)
    _read(run, lambda: FILL_IN([str(arxiv_id) for arxiv_id in missing]), now)
    run.save()
    return run


def _read(run: SourceRun, fetch: Callable[[], Iterable[Fetched]], now: datetime) -> None:
    """Store what ``fetch`` gives and end the run, fresh or failed. Does not save it."""
    try:
        _store_all(fetch(), run, now)
    except SourceError as error:
        run.state, run.reason = SourceRun.State.FAILED, str(error)[:300]
    except Exception as error:  # a defect of ours: the run must end all the same, or it keeps the edition waiting
        log.exception("reading %s for %s", run.source, run.day)
        run.state, run.reason = SourceRun.State.FAILED, f"a defect of ours: {type(error).__name__}"
    else:
        run.state = SourceRun.State.FRESH
    run.finished_at = now


def _store_all(fetched: Iterable[Fetched], run: SourceRun, now: datetime) -> None:
    iterator = iter(fetched)
    while batch := list(islice(iterator, BATCH)):
        records = []
        for item in batch:
            refusal = item if isinstance(item, Rejected) else _fault(item)
            if refusal:
                _reject(run, refusal)
            else:
                assert isinstance(item, PaperRecord)
                records.append(item)
        try:
            created = store(records, now)
        except REFUSALS:  # one record spoils the batch: find it, keep the rest
            created = 0
            for record in records:
                try:
                    created += store([record], now)
                except REFUSALS as error:
                    _reject(run, Rejected(f"the database refused it: {error}"[:300], record.raw))
        run.created += created
        run.received += len(records)


def _fault(record: PaperRecord) -> Rejected | None:
    if not readable(record.title):
        return Rejected("no title", record.raw)
    return None


def _reject(run: SourceRun, rejected: Rejected) -> None:
    if len(run.rejected) < KEPT_REJECTIONS:
        run.rejected.append({"reason": rejected.reason, "record": storable(rejected.raw)})
