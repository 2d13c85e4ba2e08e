"""How fast digests leave, beside other ways to send: `python -m benchmarks.delivery --readers 20000 --smtp sink`.

Readers with planned digests of ten papers in PostgreSQL, and a mail server in its own process that takes everything.
Each row is a process of its own; short ones are run three times (lowest/median/highest). What is needed once (imports,
first mails) is left out. Nothing fails on a figure: the exit code is 0 also where a target is missed.

Rows: a smtplib with a ready-made mail and no database; a2 one durable UPDATE after the other; b Django's send_messages;
c ours, one process; d ours, two Celery workers; f ours through a proxy that adds a round trip; g and h ours to a
provider's API, single mails and batches. With --peers also django-post_office, django-newsletter and django-mailer,
each installed from the package index into a temporary folder.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from rich.console import Console
from rich.progress import Progress

from benchmarks.database import own_database
from benchmarks.delivery import report, rows
from benchmarks.delivery.servers import NoServer, mail_sink
from benchmarks.delivery.stage import Row, Stage
from benchmarks.delivery.verdicts import verdicts

DATABASE = (
    "postgres://USER:PASSWORD@HOST:PORT/NAME (a database called test_NAME is made beside it), or 'embedded': a "
    "PostgreSQL server of the dev group, in a temporary folder (default: %(default)s)"
)
ROWS = tuple(key for key in rows.LABELS if key != "e")


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and write the file."""
    options = arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # servers are ended then, too
    try:
        found, facts = run(options)
    except NoServer as error:
        sys.exit(str(error))
    judged = verdicts(_rates(found), _memory(found), threads=facts["threads"], latency=rows.LATENCY)
    console = Console()
    console.print(report.table(found, facts))
    for verdict in judged:
        console.print(str(verdict), highlight=False)
    if options.json:
        options.json.write_text(json.dumps(report.as_json(found, judged, facts), indent=2) + "\n")
    return 0


def run(options: argparse.Namespace) -> tuple[list[Row], dict[str, Any]]:
    """All rows, and what they were run on. Raises NoServer."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daily-papers-delivery-")))
        description = stack.enter_context(own_database(options.database_url))
        port, sink = stack.enter_context(mail_sink(options.smtp))
        progress = stack.enter_context(Progress(console=Console(file=sys.stderr), transient=True, refresh_per_second=4))
        stage = Stage(folder, options.threads or settings.SEND_THREADS, port, progress, options.warm_up)
        wanted = {*options.rows, *(["e"] if options.peers else [])}
        found = rows.run(stage, options.readers, wanted, times=options.times)
        found += rows.memory(stage, options.readers_memory)
        return found, {
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "database": description,
            "settings": stage.durability(),
            "sink": sink,
            "cores": os.cpu_count(),
            "threads": stage.threads,
            "octets": (folder / "message.eml").stat().st_size,
        }


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line. Exit code 2 where it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.delivery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--readers", type=_positive, default=20000, help="(default: %(default)s)")
    parser.add_argument("--database-url", default="embedded", help=DATABASE)
    parser.add_argument(
        "--smtp",
        choices=("sink", "own"),
        default="sink",
        help="sink: postfix's smtp-sink where it is installed, else the one of our tests; own: that one",
    )
    parser.add_argument(
        "--rows", type=_rows, default=ROWS, metavar="a,b,...", help=f"of {','.join(ROWS)} (default: all)"
    )
    parser.add_argument("--times", type=_positive, default=3, help="the short rows, at most (default: %(default)s)")
    parser.add_argument(
        "--warm-up", type=_positive, default=200, help="digests of ours before the clock starts (default: %(default)s)"
    )
    parser.add_argument("--peers", action="store_true", help="other packages too: needs a package index")
    parser.add_argument("--threads", type=_positive, help="that send at once (default: SEND_THREADS)")
    parser.add_argument(
        "--readers-memory",
        type=_numbers,
        default=[],
        metavar="10000,200000",
        help="row c once more with so many readers each, to compare peak memory: takes minutes",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    options = parser.parse_args(argv)
    if options.database_url.startswith("sqlite"):
        parser.error("the rows need PostgreSQL: postgres://USER:PASSWORD@HOST:PORT/NAME, or embedded")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def _numbers(text: str) -> list[int]:
    return [_positive(number) for number in text.split(",")]


def _rows(text: str) -> list[str]:
    wanted = text.split(",")
    if unknown := set(wanted) - set(ROWS):
        raise argparse.ArgumentTypeError(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return wanted


def _rates(found: Sequence[Row]) -> dict[str, float]:
    return {row.key: row.rate for row in found if row.rate}


def _memory(found: Sequence[Row]) -> dict[int, float]:
    """Peak megabytes of row (c) by number of readers."""
    peaks = {
        int(row.key[1:]): row.runs[0].memory
        for row in found
        if row.key.startswith("m") and row.key[1:].isdigit() and row.runs
    }
    return {readers: peak for readers, peak in peaks.items() if peak}


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "180")
    sys.exit(main())
