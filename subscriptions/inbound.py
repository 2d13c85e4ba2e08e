"""Leaving by mail: what comes to the mailbox UNSUBSCRIBE_MAILTO. Nothing is ever answered (RFC 3834 section 2)."""

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError

from subscriptions import lifecycle, links
from subscriptions.consent import Origin
from subscriptions.tokens import LENGTH, Purpose

_TOKEN = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{LENGTH}}}(?![0-9A-Za-z])")


def unsubscribe_by_mail(raw: bytes, now: datetime) -> bool:
    """Let the reader leave whose token the subject carries; whether there was one. Twice is harmless.

    The token is the authorisation, as at the one-click address: who sent the mail can be forged and is not looked at.
    """
    try:
        subject = str(message_from_bytes(raw, policy=policy.default)["Subject"] or "")
    except (MessageError, ValueError, IndexError, AttributeError):  # the standard parser has raised all of them
        return False
    found = (links.read_reader(Purpose.UNSUBSCRIBE, text, now) for text in _TOKEN.findall(subject))
    token, reader = next(((token, reader) for token, reader in found if token), (None, None))
    if token is None:
        return False
    if reader:
        lifecycle.unsubscribe(reader, now, Origin(lifecycle.BY_MAIL, token=token.name))
    return True
