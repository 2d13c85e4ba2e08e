"""Mails that come to us: wishes to leave, and reports of mail servers and providers. Read, never answered."""

from subscriptions.inbound.mailboxes import MailboxError, mailbox_of
from subscriptions.inbound.receiving import Received, read_mailbox, receive

__all__ = ["MailboxError", "Received", "mailbox_of", "read_mailbox", "receive"]
