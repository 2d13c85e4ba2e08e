from typing import Any

from django.core.management.base import CommandParser

from digest import outcomes, report
from digest.management.stage import StageCommand
from subscriptions.management.operating import instant


class Command(StageCommand):
    help = (
        "Read the stored mail events once more, for digests (delivered, bounced, complained, uncertain ones) and for "
        "the suppressions: after a correction of how they are read, or when rows were restored. Doing it twice changes "
        "nothing more; what was lifted or confirmed after an event stays so."
    )
    day_help = "only the events of digests of this local day, like 2026-03-20; all if not given"

    def add_arguments(self, parser: CommandParser) -> None:
        """--since, and the common ones."""
        super().add_arguments(parser)
        parser.add_argument(
            "--since",
            type=instant,
            metavar="INSTANT",
            help="only events received then or later, like 2026-03-20T06:00 (UTC)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """A table of what changed."""
        replayed = outcomes.replay(self.now(options), options["since"], options["day"])
        self.console.print(report.replay_table(replayed))
