"""What readers get over weeks of recorded days: `python -m benchmarks.digests --data DIR`.

A hundred readers by a fixed rule, the last sixty recorded days of Hugging Face Daily Papers, and the real stages: each
day's list is read through the real client, the edition is drafted and approved, digests are planned five times a day,
taken as accepted, and days are closed. Editions are approved unchecked: the linter's gate costs seconds a day. Readers
say more, less and "keep it" of what they got, some pause for a week, and now and then two papers turn out to be one
work.

Each reason is examined anew, with no code of the product. Exit code 1 where a reader gets a work twice, a digest holds
no paper, a reason is not true, or what a reader set is not kept: limit, mutes, nothing but matches.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from io import StringIO
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.database import command_line, own_database, parse
from benchmarks.replay import RECORDED, answers, loopback, recorded

SHOWN_FAULTS = 20


def main() -> int:
    """Play, print, and say what may not be."""
    options = _arguments()
    days = [(day, elements) for day, elements in recorded(options.data / RECORDED) if elements]
    played_days = [day for day, _ in days[-options.days :]]
    earlier = [day for day, _ in days[: -options.days]][-options.earlier :] if options.earlier else []
    console = Console()
    with own_database(options.database_url) as description, loopback(answers(dict(days))) as url:
        found, falsehoods = _play(url, earlier, played_days, options.readers)
        title = (
            f"{options.readers} readers, {len(played_days)} days with papers from {played_days[0]} to "
            f"{played_days[-1]}, {description}"
        )
        console.print(_table(found, title))
    for words in falsehoods[:SHOWN_FAULTS]:
        console.print(words, highlight=False)
    return int(any(line.fault for line in found))


def _play(url: str, earlier: Sequence[date], days: Sequence[date], readers: int) -> tuple[list[Any], list[str]]:
    """The figures (figures.Line), and what is not true of reasons."""
    from django.conf import settings  # noqa: PLC0415 - Django is set up by now, not at import
    from django.core.management import call_command  # noqa: PLC0415

    from benchmarks.digests.days import play, read_earlier  # noqa: PLC0415
    from benchmarks.digests.figures import lines  # noqa: PLC0415
    from digest.sources import huggingface  # noqa: PLC0415

    settings.SOURCES, settings.HUGGINGFACE_URL = ["huggingface"], url
    huggingface.SECONDS_BETWEEN_REQUESTS = 0.0  # our own server
    call_command("load_topics", stdout=StringIO())
    with Progress(console=Console(file=sys.stderr), transient=True, refresh_per_second=1) as progress:
        bar = progress.add_task("reading earlier days", total=None)
        read_earlier(earlier)
        progress.update(bar, total=(days[-1] - days[0]).days + 1)
        played = play(days, readers, lambda day: progress.update(bar, advance=1, description=f"{day}"))
        progress.update(bar, description="counting")
        return lines(played), played.falsehoods


def _arguments() -> argparse.Namespace:
    parser = command_line("digests", str(__doc__), (RECORDED,), database="sqlite")
    parser.add_argument("--readers", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--days", type=int, default=60, help="the last so many with papers (default: %(default)s)")
    parser.add_argument(
        "--earlier", type=int, default=40, help="days before them that words are weighed by (default: %(default)s)"
    )
    return parse(parser, (RECORDED,))


def _table(found: Sequence[Any], title: str) -> Table:
    shown = Table("", title=title, title_justify="left")
    shown.add_column("", justify="right")
    for line in found:
        shown.add_row(line.words, f"[red]{line.value}[/red]" if line.fault else line.value)
    return shown


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "120")
    sys.exit(main())
