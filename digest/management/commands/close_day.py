from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError

from digest import outcomes, report
from digest.management.stage import StageCommand


class Command(StageCommand):
    help = (
        "Close a local day that has ended everywhere: settle uncertain digests as the worker does at each tick, store "
        "the day's sum, and remember who was sent what. "
        "Without --day: the newest day that can be closed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where it is too early, or the sum does not add up."""
        now = self.now(options)
        day: date = options["day"] or now.date() - timedelta(days=1)
        while not options["day"] and now < outcomes.closes_at(day):
            day -= timedelta(days=1)
        outcomes.resolve_uncertain(now)
        try:
            total = outcomes.close_day(day, now)
        except outcomes.TooEarly as error:
            raise CommandError(str(error)) from error
        self.console.print(report.sum_table(day, total))
        if not total.adds_up:
            raise CommandError(f"The sum of {day} does not add up.")
