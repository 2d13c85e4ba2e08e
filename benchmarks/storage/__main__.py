"""What it costs to remember for ever who was sent which paper: `python -m benchmarks.storage`.

A database of its own is filled with made-up readers and days. Of each day every reader is sent PAPERS of CANDIDATES
papers, drawn without replacement in one of two ways:

* uniform: all candidates are alike. The worst case for a compressed bitmap.
* popular: the candidate at place r weighs 1 / r (Zipf), and twenty times as much where it is of one of the reader's
  own three topics of twenty. Nearer to what planning does, which is less random still.

Days are independent, so nine of them are drawn and --days scales what they take. It prints

* octets per reader and year of --days mails: of the bitmaps (`Sent`), of the rows of `Sent` as the database keeps them,
  and of a plain table (reader, paper) with one index, measured on a million rows that came day by day;
* octets of `Digest.picks` per reader and day, which are kept until the day is closed, and after;
* what bitmaps add to planning: reading those of today's candidates (a daily reader) and of the last eight days (a
  weekly one), and finding in them what each reader of a chunk had. All eight days are taken for closed, and a reader
  had mail on each of them, or on none: the worst case and the best;
* the time of closing a day, and of erasing one reader, which reads all bitmaps.
"""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.database import HELP, own_database


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = _options(argv)
    console = Console(width=None if sys.stdout.isatty() else 120)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        own_database(options.database_url) as description,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        from benchmarks.storage.measured import measure  # noqa: PLC0415 - Django is set up by now, not at import

        bar = progress.add_task("", total=None)
        found = measure(options, step=lambda what: progress.update(bar, description=what))
    words = f"{options.readers:,} readers, {options.papers} of {options.candidates} papers a day, {description}"
    console.print(_table(found, words))
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.storage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, default, of_what in (
        ("readers", 100_000, "all daily, with ids from 1 on"),
        ("days", 250, "mails of a reader in a year"),
        ("papers", 10, "in a mail"),
        ("candidates", 500, "of a day"),
        ("chunk", 500, "readers that are planned together"),
        ("seed", 2026, "of all that is drawn"),
    ):
        parser.add_argument(f"--{name}", type=_positive, default=default, metavar="N", help=f"{of_what} (%(default)s)")
    parser.add_argument("--database-url", default="sqlite", help=f"{HELP} (default: %(default)s)")
    options = parser.parse_args(argv)
    if options.papers > options.candidates:
        parser.error(f"{options.papers} papers cannot be drawn from {options.candidates} candidates")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _table(found: Sequence[tuple[str, str]], title: str) -> Table:
    table = Table("", title=title, title_justify="left")
    table.add_column("measured", justify="right", no_wrap=True)
    for what, value in found:
        table.add_row(what, value)
    return table


if __name__ == "__main__":
    sys.exit(main())
