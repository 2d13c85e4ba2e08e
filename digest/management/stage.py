"""What the commands of the stages share: --now, --day, and a console for progress and tables."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from subscriptions.management.operating import OperatorCommand


def iso_day(text: str) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day; write 2026-03-20") from error


class StageCommand(OperatorCommand):
    """One stage by hand. Exit codes: 0 done or nothing to do, 1 it could not be done, 2 wrong arguments."""

    takes_day = True
    day_help = "the day to work on, like 2026-03-20; today (UTC) if not given"

    def add_arguments(self, parser: CommandParser) -> None:
        """--now for a replay; --day where the stage is about one."""
        super().add_arguments(parser)
        if self.takes_day:
            parser.add_argument(
                "--day",
                type=iso_day,
                metavar="DAY",
                help=self.day_help,
            )

    def day(self, options: dict[str, Any]) -> date:
        """--day, else the UTC date of now."""
        given: date | None = options.get("day")
        return given or self.now(options).date()

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Progress]:
        """A progress bar on stderr; its first task is ``what``."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            progress.add_task(what, total=total)
            yield progress
