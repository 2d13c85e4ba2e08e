"""The record of consent: each change of a reader leaves an event that is never changed again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from subscriptions.models import ConsentEvent, Subscriber, Wording

Kind = ConsentEvent.Kind
# As the pages say them, in the language that is active when they are kept: one message each, so they cannot differ.
SIGN_UP = _(
    "One email a day with trending papers in the topics you choose. We send a link to confirm first. "
    "Leave at any time with one click."
)
ONE_PRESS = _("One press, and you are subscribed")
ONE_EMAIL = _("One email a day with trending papers, until you leave.")
CONFIRM = format_lazy("{}. {}", ONE_PRESS, ONE_EMAIL)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change came from: the form or link, the keyed hash of the network, and the link's number and minute."""

    where: str
    network: str = ""
    token: str = ""


def note(
    subscriber: Subscriber, kind: ConsentEvent.Kind, now: datetime, origin: Origin, wording: str | Promise = ""
) -> ConsentEvent:
    """Write one event. Call it in the transaction of the change it is about."""
    return ConsentEvent.objects.create(
        subscriber=subscriber,
        email_hash=subscriber.email_hash,
        kind=kind,
        at=now,
        where=origin.where[:80],
        network=origin.network,
        token=origin.token,
        wording=kept(wording),
    )


def kept(wording: str | Promise) -> Wording | None:
    """The row of a wording in the active language, written once."""
    text = str(wording)
    if not text:
        return None
    key = hashlib.sha256(text.encode()).hexdigest()
    return Wording.objects.get_or_create(hash=key, defaults={"text": text})[0]
