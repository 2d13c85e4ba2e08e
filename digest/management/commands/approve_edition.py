from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest import approval
from digest.management.stage import StageCommand
from digest.models import Edition


class Command(StageCommand):
    help = (
        "Approve the edition of a day, so that readers see it and digests are planned from it. Papers whose mail does "
        "not pass the linter are left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--unchecked, and the common ones."""
        super().add_arguments(parser)
        parser.add_argument("--unchecked", action="store_true", help="pass the linter by, where it is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where it cannot be approved, with the reason."""
        day = self.day(options)
        edition = Edition.objects.filter(day=day).first()
        if edition is None:
            raise CommandError(f"There is no edition of {day}. Run: manage.py draft_edition --day {day}")
        try:
            verdict = approval.approve(edition, self.now(options), by="command", unchecked=options["unchecked"])
        except approval.NotApproved as error:
            raise CommandError(str(error)) from error
        for paper in verdict.left_out:
            self.stdout.write(f"Left out: {paper.entry.paper.key}. {paper.reason}")
        self.stdout.write(f"{edition}: {edition.state} by {edition.approved_by}.")
