import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from subscriptions import addresses, lifecycle
from subscriptions.consent import Origin
from subscriptions.management.operating import OperatorCommand
from subscriptions.models import Subscriber


class Command(OperatorCommand):
    help = (
        "Erase one reader, by number or by address. The address is read from stdin, so that it stands in no shell "
        "history and no list of processes: echo ana@example.org | manage.py erase_subscriber. What stays is a keyed "
        "hash that keeps imports from bringing the address back. Exit code 1 where there is no such reader."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The number, or nothing."""
        super().add_arguments(parser)
        parser.add_argument(
            "number", metavar="NUMBER", type=int, nargs="?", help="the reader's number (default: an address on stdin)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """At once, or as soon as the mail on the wire has ended."""
        if options["number"] is None:
            reader = Subscriber.objects.filter(email=_typed()).first()
        else:
            reader = Subscriber.objects.filter(pk=options["number"]).first()
        if reader is None:
            raise CommandError("There is no such reader. Nothing was erased.")
        name = str(reader)
        if lifecycle.ask_erase(reader, self.now(options), Origin("operator")):
            self.stdout.write(f"Erased: {name}.")
        else:
            self.stdout.write(f"A mail to {name} is being sent this second. It is the last: erased within minutes.")


def _typed() -> str:
    """The address on stdin."""
    if sys.stdin.isatty():
        print("Address of the reader to erase: ", end="", file=sys.stderr, flush=True)
    try:
        return addresses.clean(sys.stdin.readline().strip())
    except ValueError as error:
        raise CommandError(f"{error}. Nothing was erased.") from error
