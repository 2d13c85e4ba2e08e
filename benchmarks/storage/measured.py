"""The measurements, each on the code of the product and on rows of a database."""

import argparse
import ctypes
import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db import connection
from pyroaring import BitMap64

from benchmarks.storage.drawing import POPULAR, UNIFORM, Crowd, Picks, by_candidate
from digest import bulk, outcomes, sent
from digest.models import Digest, Paper, Sent
from subscriptions import privacy
from subscriptions.models import Subscriber

FIRST = date(2026, 1, 5)
WINDOW = 8  # days of candidates of a weekly digest
PLAIN_ROWS = 1_000_000
Line = tuple[str, str]
WHY = [{"topic": 7, "terms": ["language model"], "category": "cs.CL"}]


def measure(options: argparse.Namespace, step: Callable[[str], None]) -> list[Line]:
    """All figures, as (what, value). ``step`` is told what is being done."""
    step("drawing")
    crowd = Crowd(options.readers, options.seed)
    alike = crowd.day(UNIFORM, options.candidates, options.papers)
    days = [crowd.day(POPULAR, options.candidates, options.papers) for _ in range(WINDOW + 1)]
    step("storing readers and papers")
    _store_readers(options.readers)
    papers = [_store_papers(number, options.candidates) for number in range(WINDOW + 1)]
    step("storing bitmaps")
    before = _size()
    for picks, own in zip(days[:WINDOW], papers, strict=False):
        sent.add({own[at]: (readers + 1).tolist() for at, readers in by_candidate(picks, options.candidates)})
    rows = (_size() - before) / WINDOW
    step("storing a plain table")
    plain = _plain_table(days, papers, options)
    a_year = options.days / options.readers
    lines = [
        ("octets per reader and year", ""),
        ("  bitmaps, uniform", f"{_octets(alike, options.candidates) * a_year:,.0f}"),
        ("  bitmaps, popular", f"{_mean_octets(days, options.candidates) * a_year:,.0f}"),
        ("  rows of Sent, popular", f"{rows * a_year:,.0f}"),
        ("  plain table (reader, paper) with its index", f"{plain * options.days * options.papers:,.0f}"),
    ]
    step("closing a day")
    lines += _closing(days[WINDOW], papers[WINDOW])
    step("planning")
    lines += _planning(papers, options)
    step("erasing")
    return lines + _erasing(options)


def _octets(picks: Picks, candidates: int) -> int:
    """Of all bitmaps of a day."""
    return sum(len(BitMap64(readers.tolist()).serialize()) for _, readers in by_candidate(picks, candidates))


def _mean_octets(days: Sequence[Picks], candidates: int) -> float:
    return sum(_octets(picks, candidates) for picks in days) / len(days)


def _store_readers(number: int) -> None:
    now = datetime.combine(FIRST, datetime.min.time(), UTC)
    made = (
        Subscriber(pk=pk, email=f"reader{pk}@example.org", state="active", created_at=now, confirmed_at=now)
        for pk in range(1, number + 1)
    )
    Subscriber.objects.bulk_create(made, batch_size=5000)


def _store_papers(day: int, candidates: int) -> list[int]:
    now = datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), UTC)
    made = [
        Paper(key=f"made-up:{day}-{at}", title=f"A study of matter {at}", first_seen_at=now, featured_on=now.date())
        for at in range(candidates)
    ]
    return [paper.pk for paper in Paper.objects.bulk_create(made, batch_size=1000)]


def _size() -> int:
    """Octets of the database: what is deleted does not count on SQLite, what is not vacuumed does on PostgreSQL."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        values = []
        for name in ("page_count", "freelist_count", "page_size"):
            cursor.execute(f"PRAGMA {name}")
            values.append(int(cursor.fetchone()[0]))
    pages, free, page = values
    return (pages - free) * page


def _plain_table(days: Sequence[Picks], papers: Sequence[Sequence[int]], options: argparse.Namespace) -> float:
    """Octets a row of the leanest table that answers "had this reader that paper", filled day by day."""
    lean = " WITHOUT ROWID" if connection.vendor == "sqlite" else ""
    readers = max(min(options.readers, PLAIN_ROWS // (len(days) * options.papers)), 1)
    statement = "INSERT INTO plain VALUES (%s, %s)"
    before = _size()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE plain (reader bigint, paper bigint, PRIMARY KEY (reader, paper)){lean}")
        for picks, own in zip(days, papers, strict=True):
            rows = [(reader + 1, own[at]) for reader, line in enumerate(picks[:readers].tolist()) for at in line]
            cursor.executemany(statement, rows)
    return (_size() - before) / int(readers * options.papers * len(days))


def _closing(picks: Picks, papers: Sequence[int]) -> list[Line]:
    day = FIRST + timedelta(days=WINDOW)
    at = datetime.combine(day, datetime.min.time(), UTC)
    now = outcomes.closes_at(day)
    texts = [_picks(line, papers) for line in picks.tolist()]
    names = ("subscriber_id", "day", "zone", "cadence", "state", "reason", "due_at", "content_from", "content_to")
    rest = ("planned_at", "planned_by", "claimed_by", "attempt", "perhaps_taken", "in_batch", "provider_id", "folded")
    values = (day, "UTC", "daily", "accepted", "", at, day - timedelta(days=1), day)
    ended = (at, "", "", 1, False, False, "", False)
    rows = ((pk, *values, *ended, text, "[]") for pk, text in enumerate(texts, start=1))
    bulk.insert(Digest, (*names, *rest, "picks", "follow_ups"), rows, texts=("picks", "follow_ups"))
    with _timed() as took:
        outcomes.close_day(day, now)
    return [
        ("Digest.picks, octets per reader and day", f"{sum(map(len, texts)) / len(texts):,.0f}"),
        (f"closing a day of {len(texts):,} digests, seconds", f"{took():.1f}"),
    ]


def _picks(line: Sequence[int], papers: Sequence[int]) -> str:
    """As planning writes them, with one reason each."""
    return json.dumps([{"paper": papers[at], "place": at + 1, "why": WHY} for at in line], separators=(",", ":"))


def _planning(papers: Sequence[Sequence[int]], options: argparse.Namespace) -> list[Line]:
    lines: list[Line] = []
    today = _store_papers(WINDOW + 1, options.candidates)
    window = [pk for own in papers[1:] for pk in own]
    for name, candidates in (("daily", today), ("weekly", window)):
        base = _reset_peak()
        everybody = range(1, options.readers + 1)
        with _timed() as loading:
            known = sent.readers_of_works(candidates, {})
        memory = _peak_above(base)
        with _timed() as finding:
            for start in range(0, options.readers, options.chunk):
                sent.papers_of(everybody[start : start + options.chunk], known)
        with _timed() as in_vain:
            for start in range(0, options.readers, options.chunk):
                sent.papers_of(range(options.readers + start + 1, options.readers + start + 1 + options.chunk), known)
        lines += [
            (f"planning, {name}: {len(candidates):,} candidates, {len(known):,} with a bitmap", ""),
            ("  reading them once a run, milliseconds", f"{loading() * 1e3:,.1f}"),
            ("  memory for it at the peak, MB", memory),
            ("  finding what a reader had, microseconds", f"{finding() * 1e6 / options.readers:,.2f}"),
            ("  finding that a reader had none of them, microseconds", f"{in_vain() * 1e6 / options.readers:,.2f}"),
        ]
        del known
    return lines


def _erasing(options: argparse.Namespace) -> list[Line]:
    now = outcomes.closes_at(FIRST + timedelta(days=WINDOW))
    with _timed() as took:
        assert privacy.erase(1, now)
    stored = Sent.objects.count()
    scaled = took() * options.days / (WINDOW + 1)
    return [(f"erasing a reader, seconds: {stored:,} bitmaps; those of a year", f"{took():.2f}; {scaled:.1f}")]


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    """Yields what says, afterwards, how many seconds it took."""
    begun = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0] - begun
    ended.append(time.perf_counter())


def _reset_peak() -> int | None:
    """Forget the peak of resident memory and return what there is now, in kB; None where the system cannot."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # else what is read goes where the days were drawn, and seems to cost nothing
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except (OSError, AttributeError):
        return None


def _peak_above(base: int | None) -> str:
    return "not known here" if base is None else f"{(_status('VmHWM') - base) / 1e3:,.0f}"


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
