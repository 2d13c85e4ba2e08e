"""The record of consent: each change of a reader leaves an event that is never changed again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from subscriptions.models import ConsentEvent, Subscriber, Wording

Kind = ConsentEvent.Kind
SIGN_UP = (
    "One email a day with trending papers in the topics you choose. We send a link to confirm first. "
    "Leave at any time with one click."
)
CONFIRM = "One press, and you are subscribed: one email a day with trending papers, until you leave."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change came from: the form or link, the keyed hash of the network, and the link's number and minute."""

    where: str
    network: str = ""
    token: str = ""


def note(
    subscriber: Subscriber, kind: ConsentEvent.Kind, now: datetime, origin: Origin, wording: str = ""
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


def kept(text: str) -> Wording | None:
    """The row of a wording, written once."""
    if not text:
        return None
    key = hashlib.sha256(text.encode()).hexdigest()
    return Wording.objects.get_or_create(hash=key, defaults={"text": text})[0]
