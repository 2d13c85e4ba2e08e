"""How fast digests are planned: `python -m benchmarks.planning --readers 10000,100000`.

For each number of readers a database of its own: the topics that are shipped, papers of today and of two earlier
editions, and readers with about five interests each, all of them due. Each measured part is a process of its own on a
copy of that database: planning (P), and the floor (F), which reads the same readers with their interests and writes the
very rows that planning made by plain COPY, a commit a chunk. They run in turn, P F F P and so on. A last floor writes
the readers' next due times too, as planning must.

Exit code 1 where a sum does not add up, a reader gets a paper twice, or PostgreSQL finds due readers without their
index. Targets are judged, but nothing fails on a figure.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.database import HELP, own_database
from benchmarks.delivery.measured import RowFailed
from benchmarks.planning import report
from benchmarks.planning.databases import Copies
from benchmarks.planning.sizes import Bench, Size
from benchmarks.planning.verdicts import verdicts


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    options = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server is ended then, too
    console = Console()
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daily-papers-planning-")))
        description = stack.enter_context(own_database(options.database_url))
        progress = stack.enter_context(Progress(console=Console(file=sys.stderr), transient=True, refresh_per_second=2))
        bench = Bench(Copies(folder), folder, options.chunk, options.times, progress)
        sizes = [Size(readers) for readers in sorted(set(options.readers))]
        fill = {"papers_of_today": options.papers, "data": str(options.data), "history": options.history}
        try:
            for size in sizes:
                bench.measure(size, fill, options.profile if size is sizes[-1] else None)
        except RowFailed as error:
            sys.exit(str(error))
    judged = verdicts([size.figures() for size in sizes])
    title = (
        f"{options.papers} papers, chunks of {options.chunk}, {'with' if options.history else 'without'} yesterday's "
        f"digests, {description}, {os.cpu_count()} cores, load {load:.1f} before; run in turn, planning first"
    )
    console.print(report.table(sizes, title))
    for verdict in judged:
        console.print(str(verdict), highlight=False)
    for fault in (fault for size in sizes for fault in size.faults):
        console.print(fault, highlight=False)
    if options.json:
        facts = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "title": title}
        found = {**facts, "sizes": [asdict(size) for size in sizes]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(any(size.faults for size in sizes))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.planning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--readers",
        type=_numbers,
        default=[10_000, 100_000, 1_000_000],
        metavar="N,N,...",
        help="sizes, each on its own (default: 10000,100000,1000000)",
    )
    parser.add_argument("--papers", type=_positive, default=500, metavar="N", help="of today (default: %(default)s)")
    parser.add_argument("--chunk", type=_positive, default=1000, metavar="N", help="PLAN_CHUNK (default: %(default)s)")
    parser.add_argument("--times", type=_positive, default=2, metavar="N", help="of each part (default: %(default)s)")
    parser.add_argument(
        "--history",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="readers got a digest yesterday, of a day that is not closed (default: yes)",
    )
    parser.add_argument("--database-url", default="embedded", help=f"{HELP} (default: %(default)s)")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data/corpora"),
        help="the folder of arxiv_listing.jsonl.gz; where it is not there papers are made up (default: %(default)s)",
    )
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="write a cProfile of one more planning of the largest size there"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def _numbers(text: str) -> list[int]:
    return [_positive(number) for number in text.split(",")]


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "140")
    sys.exit(main())
