from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from subscriptions import inbound
from subscriptions.management.operating import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Read the mailbox INBOUND_MAILBOX now, as the workers do each tick: mails of readers who want to leave, "
        "bounces and complaints are done and marked as seen, all others are flagged for a person. Run it once before "
        "you rely on it: it says how many mails were what, or why the mailbox cannot be read."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where there is no mailbox, or it cannot be read."""
        if not settings.INBOUND_MAILBOX:
            raise CommandError("INBOUND_MAILBOX is not set; it looks like imaps://user:password@imap.example.org/INBOX")
        try:
            received = inbound.read_mailbox(settings.INBOUND_MAILBOX, self.now(options))
        except inbound.MailboxError as error:
            raise CommandError(f"The mailbox cannot be read: {error}") from error
        for what, number in sorted(received.items()):
            self.stdout.write(f"{number} {what}")
        if not received:
            self.stdout.write("No new mails.")
