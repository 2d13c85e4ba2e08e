"""What one mail is, and what is done about it."""

import logging
from collections import Counter
from datetime import datetime
from enum import StrEnum

from django.db import InterfaceError, OperationalError

from subscriptions.inbound import leaving, reports
from subscriptions.inbound.mailboxes import mailbox_of
from subscriptions.inbound.reading import LONGEST, read_mail

log = logging.getLogger(__name__)


class Received(StrEnum):
    """What became of a mail, in words for an operator."""

    LEFT = "unsubscribed"
    ASKED = "asked by a letter whether to unsubscribe"
    REPORT = "a report of a mail server, kept"
    NOTHING = "nothing for us: nothing was changed"


def receive(raw: bytes, now: datetime) -> Received:
    """Do what a mail asks for. Whatever it holds, it is taken; twice is harmless.

    A report returns a digest with its reader's token, so it is looked at first. Raises where the database is away.
    """
    mail = read_mail(raw)
    if reports.is_report(mail):
        return Received.REPORT if reports.store(mail, raw[:LONGEST], now) else Received.NOTHING
    if found := leaving.leaver(mail, now):
        leaving.unsubscribe(*found, now)
        return Received.LEFT
    if leaving.wants_to_leave(mail) and leaving.ask_whether(mail, now):
        return Received.ASKED
    return Received.NOTHING


def read_mailbox(url: str, now: datetime) -> Counter[Received]:
    """Read the mailbox that INBOUND_MAILBOX names; how many mails became what.

    A mail that cannot be handled is flagged for a person, and the others go on. Raises MailboxError where the mailbox
    cannot be reached, and what the database raises where it is away: the mails are met again then.
    """
    received: Counter[Received] = Counter()

    def handle(raw: bytes) -> bool:
        try:
            what = receive(raw, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # whatever a stranger sends, the other mails are read
            log.error("a mail in the mailbox could not be handled: %s", type(error).__name__)
            what = Received.NOTHING
        received[what] += 1
        return what is not Received.NOTHING

    mailbox_of(url).read(handle)
    return received
