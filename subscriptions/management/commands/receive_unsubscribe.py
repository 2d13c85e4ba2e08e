import sys
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError

from subscriptions.inbound import unsubscribe_by_mail
from subscriptions.management.operating import OperatorCommand

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits(3): the mail server keeps the mail and comes back
LONGEST = 1_000_000  # octets that are read: the subject is long before


class Command(OperatorCommand):
    help = (
        "Read one mail on stdin that came to UNSUBSCRIBE_MAILTO, and let the reader leave whose token its subject "
        "carries. For a mail server's pipe, like this line of /etc/aliases: "
        'leave: "|/srv/papers/manage.py receive_unsubscribe". A mail without a token is taken and forgotten. '
        "Exit code 75 where the database is away: the mail server tries again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Takes whatever comes."""
        raw = sys.stdin.buffer.read(LONGEST)
        try:
            done = unsubscribe_by_mail(raw, self.now(options))
        except OperationalError as error:
            raise CommandError("The database is away.", returncode=TRY_AGAIN) from error
        self.stdout.write("Unsubscribed." if done else "No unsubscribe token in the subject: nothing was changed.")
