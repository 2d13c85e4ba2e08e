"""What the commands of the stages share: --now, --day, and a console for progress and tables."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from subscriptions import clock


def instant(text: str) -> datetime:
    """An ISO instant; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no instant; write 2026-03-20T06:00 (UTC)") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def iso_day(text: str) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day; write 2026-03-20") from error


class StageCommand(BaseCommand):
    """One stage by hand. Exit codes: 0 done or nothing to do, 1 it could not be done, 2 wrong arguments."""

    takes_day = True
    day_help = "the day to work on, like 2026-03-20; today (UTC) if not given"

    def add_arguments(self, parser: CommandParser) -> None:
        """--now for a replay; --day where the stage is about one."""
        parser.add_argument(
            "--now",
            type=instant,
            metavar="INSTANT",
            help="act as if it were this instant, like 2026-03-20T06:00 (UTC)",
        )
        if self.takes_day:
            parser.add_argument(
                "--day",
                type=iso_day,
                metavar="DAY",
                help=self.day_help,
            )

    def now(self, options: dict[str, Any]) -> datetime:
        """--now, else the clock."""
        given: datetime | None = options.get("now")
        return given or clock.now()

    def day(self, options: dict[str, Any]) -> date:
        """--day, else the UTC date of now."""
        given: date | None = options.get("day")
        return given or self.now(options).date()

    @property
    def console(self) -> Console:
        """Where tables and bars go: stdout, without colours where it is not a terminal."""
        return Console(file=cast("IO[str]", self.stdout), highlight=False)

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Progress]:
        """A progress bar on stderr; its first task is ``what``."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            progress.add_task(what, total=total)
            yield progress
