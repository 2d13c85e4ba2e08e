import sys
from typing import Any

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError

from subscriptions.inbound import receive
from subscriptions.inbound.reading import LONGEST
from subscriptions.management.operating import OperatorCommand

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits(3): the mail server keeps the mail and comes back


class Command(OperatorCommand):
    help = (
        "Read one mail on stdin: a wish to leave that came to UNSUBSCRIBE_MAILTO, or a bounce or complaint that came "
        "to BOUNCE_ADDRESS. For a mail server's pipe, like this line of /etc/aliases: "
        'bounces: "|/srv/papers/manage.py receive_mail". Exit code 0 whatever the mail holds, 75 where the database '
        "is away: the mail server tries again. Where mails wait in a mailbox instead, set INBOUND_MAILBOX."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Takes whatever comes."""
        raw = sys.stdin.buffer.read(LONGEST)
        while sys.stdin.buffer.read(LONGEST):  # a pipe that nobody reads to its end is an error to some mail servers
            pass
        try:
            received = receive(raw, self.now(options))
        except (OperationalError, InterfaceError) as error:
            raise CommandError("The database is away.", returncode=TRY_AGAIN) from error
        self.stdout.write(f"{received.capitalize()}.")
