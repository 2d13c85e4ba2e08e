from typing import Any

from django.core.management.base import CommandError

from digest import approval
from digest.management.stage import StageCommand
from digest.models import Edition


class Command(StageCommand):
    help = "Approve the edition of a day, so that readers see it and digests are planned from it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where it cannot be approved, with the reason."""
        day = self.day(options)
        edition = Edition.objects.filter(day=day).first()
        if edition is None:
            raise CommandError(f"There is no edition of {day}. Run: manage.py draft_edition --day {day}")
        try:
            approval.approve(edition, self.now(options), by="command")
        except approval.NotApproved as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{edition}: {edition.state} by {edition.approved_by}.")
