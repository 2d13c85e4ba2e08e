from typing import Any

from django.core.management.base import CommandError

from digest import planning
from digest.management.stage import StageCommand
from digest.models import Edition
from subscriptions.models import Subscriber


class Command(StageCommand):
    help = "Plan the digests of the readers whose local hour has come. Sends nothing."
    takes_day = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where readers are due and no edition was ever approved."""
        now = self.now(options)
        due = Subscriber.objects.due(now).count()
        if not due:
            self.stdout.write(f"No reader is due at {now:%Y-%m-%d %H:%M} UTC.")
            return
        with self.bar("Planning", due) as progress:
            task = progress.task_ids[0]
            outcome = planning.plan_due(now, "command", lambda number: progress.advance(task, number))
        self.stdout.write(", ".join(f"{number} {what}" for what, number in sorted(outcome.items())) + ".")
        if outcome["waiting"] and not Edition.objects.published().exists():
            raise CommandError(
                "No edition is approved, so these readers wait. Run: manage.py draft_edition, then approve_edition"
            )
