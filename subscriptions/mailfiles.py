"""A mail transport into files: each hand-over one .eml, opened exclusively, for the demo and for trying things out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmlBackend(BaseEmailBackend):
    """Writes to EMAIL_FILE_PATH (``MAIL_URL=file:var/mail``).

    A file's name begins with the local part of the Message-ID and ends in random hex: a mail that were handed over
    twice would be there twice, and could be counted.
    """

    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently, **kwargs)
        self.folder = Path(settings.EMAIL_FILE_PATH or "var/mail")

    def open(self) -> bool:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each message; how many."""
        self.open()
        for message in email_messages:
            wire = message.message()
            local_part = parseaddr(wire["Message-ID"] or "mail")[1].partition("@")[0] or "mail"
            name = f"{local_part}-{datetime.now(UTC):%H%M%S}-{token_hex(4)}.eml"
            with (self.folder / name).open("xb") as file:
                file.write(wire.as_bytes())
        return len(email_messages)
