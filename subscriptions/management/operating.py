"""What the operators' commands share: --now, a table on stdout, a progress bar on stderr."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from subscriptions import clock
from subscriptions.transfer import cells


def instant(text: str) -> datetime:
    """An ISO instant; without an offset it is UTC."""
    try:
        return cells.instant(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no instant; write 2026-03-20T06:00 (UTC)") from error


class OperatorCommand(BaseCommand):
    """A command about readers. Exit codes: 0 done or nothing to do, 1 it could not be done, 2 wrong arguments."""

    def add_arguments(self, parser: CommandParser) -> None:
        """--now, as the commands of the stages have it."""
        parser.add_argument(
            "--now",
            type=instant,
            metavar="INSTANT",
            help="act as if it were this instant, like 2026-03-20T06:00 (UTC)",
        )

    def now(self, options: dict[str, Any]) -> datetime:
        """--now, else the clock."""
        given: datetime | None = options.get("now")
        return given or clock.now()

    @property
    def console(self) -> Console:
        """Where tables go: stdout, without colours where it is not a terminal."""
        return Console(file=cast("IO[str]", self.stdout), highlight=False)

    @contextmanager
    def bars(self, total: int | None) -> Iterator[Callable[[str, int], None]]:
        """Progress bars on stderr, one for each word that is told: ``told("Checking", 1000)``."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            tasks: dict[str, Any] = {}

            def told(what: str, number: int) -> None:
                if what not in tasks:
                    tasks[what] = progress.add_task(what, total=total)
                progress.advance(tasks[what], number)

            yield told
