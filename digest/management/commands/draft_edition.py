from typing import Any

from django.core.management.base import CommandError

from digest import editions, profiles
from digest.management.stage import StageCommand


class Command(StageCommand):
    help = (
        "Draft the edition of a day, or draft it again: new papers come in, the editors' pins, hides and blurbs stay. "
        "Once a day the relevance model is fitted anew before."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where there is no paper for the day."""
        day = self.day(options)
        profiles.renew(self.now(options))
        edition = editions.draft(day, self.now(options), by="command")
        if edition is None:
            raise CommandError(f"No papers for {day}. Run: manage.py fetch_papers --day {day}")
        self.stdout.write(f"{edition}: {edition.state}, {edition.entries.shown().count()} papers.")
