from typing import Any

from django.core.management.base import CommandError

from digest import profiles
from digest.management.stage import StageCommand


class Command(StageCommand):
    help = (
        "Fit the relevance model anew on the papers of the last 90 days. The worker does it once a day; drafts take "
        "the newest, approved editions keep theirs."
    )
    takes_day = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where there are too few papers."""
        with self.bar("Reading and counting words", total=None):
            model = profiles.renew(self.now(options), force=True)
        if model is None:
            raise CommandError(
                f"There are fewer than {profiles.FEWEST_PAPERS} papers to learn from. Run: manage.py fetch_papers"
            )
        self.stdout.write(f"{model}: {model.terms} terms of {model.documents} papers since {model.since}.")
