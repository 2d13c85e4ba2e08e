"""How fast records become papers: `python -m benchmarks.ingest --database-url URL --data DIR`.

Stores the listing of arXiv and the featured papers of every recorded day in an empty database of its own, in batches as
a run of a source does: first as new records, then the same ones again, then with every upvote changed. A last column
has the featured papers alone, each day's short list as a batch of its own. Of each pass it prints records/s, queries a
record, and how much the process grew from the first tenth of the pass to the last: flat means that memory does not grow
with the list.
"""

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.database import command_line, own_database, parse

LISTING, FEATURED = "arxiv_listing.jsonl.gz", "hf_daily_papers.jsonl.gz"
NOW = datetime(2026, 5, 1, 6, tzinfo=UTC)
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Pass:
    """One reading of all records."""

    name: str
    records: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    queries: int = 0
    memory: list[float] = field(default_factory=list)  # MB after each batch

    @property
    def growth(self) -> float:
        """MB from the mean of the first tenth of the batches to that of the last."""
        tenth = max(len(self.memory) // 10, 1)
        return (sum(self.memory[-tenth:]) - sum(self.memory[:tenth])) / tenth


def main() -> None:
    """Run the passes and print the table."""
    options = arguments()
    console = Console()
    with own_database(options.database_url) as description:
        new = run("new", options, NOW)
        unchanged = run("unchanged", options, NOW + timedelta(hours=1))
        upvotes = run("other upvotes", options, NOW + timedelta(hours=2), _one_more_upvote)
        rows = _rows()
        _empty()
        daily = run("new, a day a batch", options, NOW, by_day=True)
        console.print(table([new, unchanged, upvotes, daily], description))
        console.print(rows)
    ratio = unchanged.seconds / unchanged.records / (new.seconds / new.records)
    console.print(f"An unchanged record costs {ratio:.2f} of what a new one costs.")


def arguments() -> argparse.Namespace:
    """The command line. Exit code 2 where the data is not there."""
    parser = command_line("ingest", str(__doc__), (LISTING, FEATURED), database="embedded")
    parser.add_argument("--limit", type=int, help="so many records of each file only")
    return parse(parser, (LISTING, FEATURED))


def run(
    name: str,
    options: argparse.Namespace,
    now: datetime,
    change: Callable[[Any], Any] = lambda record: record,
    *,
    by_day: bool = False,
) -> Pass:
    """Store all records once. Only ``store`` is timed, not the reading of the files."""
    from django.db import connection  # noqa: PLC0415 - Django is set up by now, not at import

    from digest.papers import store  # noqa: PLC0415

    made = Pass(name)

    def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
        made.queries += 1
        return execute(*arguments)

    with (
        Progress(console=Console(file=sys.stderr), transient=True, refresh_per_second=1) as progress,
        connection.execute_wrapper(counted),
    ):
        bar = progress.add_task(name, total=None)
        for day, records in batches(options, by_day=by_day):
            changed = [change(record) for record in records]
            begun = time.perf_counter()
            stored = store(changed, day, now)
            made.seconds += time.perf_counter() - begun
            made.records += len(records)
            made.created += stored.created
            made.changed += stored.changed
            made.unchanged += stored.unchanged
            made.memory.append(_memory())
            progress.advance(bar, len(records))
    return made


def batches(options: argparse.Namespace, *, by_day: bool = False) -> Iterator[tuple[date, list[Any]]]:
    """(day, records) in batches as ``fetching`` stores them; with ``by_day`` the featured papers, a batch a day."""
    from digest.fetching import BATCH  # noqa: PLC0415

    featured = islice(_featured(options.data / FEATURED), options.limit)
    if by_day:
        for day, own in groupby(featured, key=lambda record: record.featured_on):
            yield day, list(own)
        return
    for records in (islice(_listed(options.data / LISTING), options.limit), featured):
        while batch := list(islice(records, BATCH)):
            yield NOW.date(), batch


def _listed(path: Path) -> Iterator[Any]:
    from digest.sources.base import PaperRecord  # noqa: PLC0415

    with gzip.open(path, "rt") as lines:
        for line in lines:
            raw = json.loads(line)
            yield PaperRecord(
                source="arxiv_rss",
                source_key=raw["id"],
                arxiv_id=raw["id"],
                title=raw["title"],
                authors=tuple(raw["authors"]),
                abstract=raw["summary"],
                categories=tuple(raw["categories"]),
                announced_on=date.fromisoformat(raw["first_listed"]),
                raw=raw,
            )


def _featured(path: Path) -> Iterator[Any]:
    from digest.sources import huggingface  # noqa: PLC0415
    from digest.sources.base import PaperRecord  # noqa: PLC0415

    with gzip.open(path, "rt") as lines:
        for answer in map(json.loads, lines):
            day = date.fromisoformat(answer["date"])
            for element in answer["response"]:
                if isinstance(record := huggingface.read(element, day), PaperRecord):
                    yield record


def _one_more_upvote(record: Any) -> Any:
    return replace(record, upvotes=(record.upvotes or 0) + 1)


def _empty() -> None:
    from django.core.management import call_command  # noqa: PLC0415

    call_command("flush", interactive=False, verbosity=0)


def _memory() -> float:
    """Resident megabytes of this process at this moment; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / 1e6
    except OSError:
        return 0.0


def table(passes: list[Pass], description: str) -> Table:
    """A column a pass."""
    whole = Table("", *(p.name for p in passes), title=f"Ingest into {description}, {os.cpu_count()} cores")
    rows: list[tuple[str, Callable[[Pass], str]]] = [
        ("records", lambda p: f"{p.records:,}"),
        ("  created / changed / unchanged", lambda p: f"{p.created:,} / {p.changed:,} / {p.unchanged:,}"),
        ("seconds", lambda p: f"{p.seconds:.1f}"),
        ("records/s", lambda p: f"{p.records / p.seconds:,.0f}"),
        ("queries, COPY apart", lambda p: f"{p.queries:,}"),
        ("queries a record", lambda p: f"{p.queries / p.records:.4f}"),
        ("peak memory, MB", lambda p: f"{max(p.memory):.0f}"),
        ("growth over the pass, MB", lambda p: f"{p.growth:+.0f}"),
    ]
    for label, value in rows:
        whole.add_row(label, *map(value, passes))
    return whole


def _rows() -> str:
    from digest.models import Paper, Sighting, Signal  # noqa: PLC0415

    counts = {model._meta.verbose_name_plural: model._default_manager.count() for model in (Paper, Sighting, Signal)}
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


if __name__ == "__main__":
    main()
