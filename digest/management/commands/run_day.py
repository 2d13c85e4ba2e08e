from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from digest import outcomes, report
from digest.management.stage import StageCommand
from digest.sources import SOURCES
from subscriptions.models import Subscriber


class Command(StageCommand):
    help = (
        "A whole day without Celery: fetch, draft, approve, plan, send, close what has ended, and print the table. "
        "Exit code 1 where the day could not be done; running it again goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--source, and the common ones."""
        super().add_arguments(parser)
        parser.add_argument("--source", action="append", choices=sorted(SOURCES), help="as for fetch_papers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every stage goes on with what is there; the first fault is told at the end."""
        now, day = self.now(options), self.day(options)
        faults: list[str] = []
        common = {"stdout": self.stdout, "stderr": self.stderr, "now": now}
        for name, own in (
            ("fetch_papers", {"day": day, "source": options["source"]}),
            ("draft_edition", {"day": day}),
            ("approve_edition", {"day": day}),
            ("plan_digests", {}),
            ("send_digests", {}),
        ):
            try:
                call_command(name, **common, **own)
            except CommandError as error:
                faults.append(f"{name}: {error}")
        for ended in outcomes.days_to_close(now):
            call_command("close_day", **common, day=ended)
        self.console.print(report.day_table(day, now))
        if not Subscriber.objects.exists():
            faults.append("There are no readers yet: nobody to mail. Subscribe on the front page.")
        if faults:
            raise CommandError("\n".join(faults))
