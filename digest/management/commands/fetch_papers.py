from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from rich.table import Table

from digest import fetching, follow_ups
from digest.management.stage import StageCommand
from digest.models import SourceRun
from digest.sources import SOURCES


class Command(StageCommand):
    help = (
        "Read the sources for one day and store papers and their counts, and notice what readers of earlier papers are "
        "to be told. Exit code 1 where no source could be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--source, and the common ones."""
        super().add_arguments(parser)
        parser.add_argument(
            "--source",
            action="append",
            choices=sorted(SOURCES),
            help="read this one only; may be given more than once (default: the setting SOURCES)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Each source in turn; one that fails does not stop the others."""
        now, day = self.now(options), self.day(options)
        names = options["source"] or settings.SOURCES
        table = Table("source", "state", "papers", "added", "refused", "reason", title=f"Papers of {day}")
        runs = []
        with self.bar("Reading", len(names)) as progress:
            for name in names:
                run = fetching.collect(name, day, now, by="command")
                runs.append(run)
                progress.advance(progress.task_ids[0])
                rest = f"; it asks to be left alone until {run.retry_at:%d %b %H:%M} UTC" if run.retry_at else ""
                cells = (run.source, run.state, run.received, run.created, len(run.rejected), run.reason + rest)
                table.add_row(*map(str, cells))
        self.console.print(table)
        if found := follow_ups.notice(now):
            self.console.print(f"News of papers that readers have: {found}.")
        if all(run.state == SourceRun.State.FAILED for run in runs):
            raise CommandError(f"No source could be read for {day}. The reasons are above.")
