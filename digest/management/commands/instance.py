from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from digest import fencing, sequences
from subscriptions.management.operating import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Which installation this database belongs to. A database of another one plans and sends nothing: so a copy, "
        "or a backup that was restored, cannot mail everybody a second time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Without any of them it only tells."""
        super().add_arguments(parser)
        either = parser.add_mutually_exclusive_group()
        either.add_argument(
            "--adopt", action="store_true", help="this installation (INSTANCE_ID) sends from it from now on"
        )
        either.add_argument("--fence", action="store_true", help="nobody sends from it until it is adopted")
        parser.add_argument(
            "--skip-open",
            action="store_true",
            help="with --adopt, after restoring a backup: end what was to be sent, since it may have left already",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where the database is another's and stays so."""
        now = self.now(options)
        if options["skip_open"] and not options["adopt"]:
            raise CommandError("--skip-open goes with --adopt.")
        if options["fence"]:
            fencing.fence(now)
            self.stdout.write("Fenced: nothing is planned or sent from this database until instance --adopt.")
            return
        if options["adopt"]:
            try:
                ended = fencing.adopt(now, skip_open=options["skip_open"])
            except sequences.NoRoom as error:
                raise CommandError(str(error)) from error
            more = f" {ended} open digests are ended, editors sign in again." if options["skip_open"] else ""
            self.stdout.write(
                f"This database belongs to {settings.INSTANCE_ID} now.{more} New rows get numbers beyond all that were "
                "given out before, so that no old link names another reader."
            )
            return
        try:
            fencing.check(now)
        except fencing.NotOurs as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"This database belongs to {settings.INSTANCE_ID}, which is this installation.")
