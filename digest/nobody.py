"""The reader of previews and checks: number 0, who is nobody and whose links open nothing."""

from copy import copy
from datetime import datetime
from typing import Any

from subscriptions.models import Subscriber
from subscriptions.tokens import NOBODY

ADDRESS = "reader@example.org"


def nobody(now: datetime, **settings: Any) -> Subscriber:
    """A reader with these settings who has just confirmed. Never saved."""
    active = Subscriber.State.ACTIVE
    return Subscriber(pk=NOBODY, email=ADDRESS, state=active, created_at=now, confirmed_at=now, **settings)


def as_nobody(reader: Subscriber) -> Subscriber:
    """Nobody with a reader's settings: a mail rendered for this one names the reader nowhere."""
    double = copy(reader)
    double.pk, double.email = NOBODY, ADDRESS
    return double
