"""Out: unsubscribed, taken back within the hour, disowned, erased."""

from datetime import datetime, timedelta

from django.db import OperationalError, transaction

from subscriptions import consent, privacy
from subscriptions.consent import Origin
from subscriptions.lifecycle.joining import activate
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber, Suppression

Kind, State = ConsentEvent.Kind, Subscriber.State
UNDO_WITHIN = timedelta(hours=1)
BY_BUTTON, BY_ONE_CLICK, BY_MAIL = "unsubscribe page", "one-click", "mail to the unsubscribe address"
UNDOABLE = frozenset({BY_BUTTON, BY_ONE_CLICK, BY_MAIL})
NOT_ME_FOR = timedelta(days=365)


def unsubscribe(subscriber: Subscriber, now: datetime, origin: Origin) -> bool:
    """The reader leaves, at once and for digests already planned too; False where that had been so before."""
    with transaction.atomic():
        left = (
            Subscriber.objects.filter(pk=subscriber.pk)
            .exclude(state=State.UNSUBSCRIBED)
            .update(state=State.UNSUBSCRIBED, next_due_at=None, left_at=now)
        )
        if left:
            consent.note(subscriber, Kind.WITHDRAWN, now, origin)
    return bool(left)


def can_undo(subscriber: Subscriber, now: datetime) -> bool:
    """Whether the reader left within the hour by a press of their own, and had confirmed before."""
    if (
        subscriber.state != State.UNSUBSCRIBED
        or subscriber.confirmed_at is None
        or subscriber.erase_asked_at is not None
        or subscriber.left_at is None
        or now >= subscriber.left_at + UNDO_WITHIN
    ):
        return False
    last = subscriber.consent_events.filter(kind=Kind.WITHDRAWN).order_by("-pk").first()
    return last is not None and last.where in UNDOABLE


def undo(subscriber: Subscriber, now: datetime, origin: Origin) -> bool:
    """Take back a leaving of the last hour; False where there is none to take back."""
    with transaction.atomic():
        reader = Subscriber.objects.to_change(subscriber.pk)
        if not can_undo(reader, now):
            return False
        activate(reader, now)
        consent.note(reader, Kind.RESTORED, now, origin)
    return True


def give_reason(subscriber: Subscriber, reason: str, now: datetime, origin: Origin) -> None:
    """Why the reader left, in one of our words."""
    with transaction.atomic():
        reader = Subscriber.objects.to_change(subscriber.pk)
        consent.note(reader, Kind.REASON, now, Origin(reason, origin.network, origin.token))


def not_me(request: SignupRequest, now: datetime, origin: Origin) -> None:
    """Whoever reads this address did not ask: no mail to it for twelve months, whoever types it.

    A row that never confirmed stays pending, cannot be confirmed any more, and is forgotten within a week.
    """
    with transaction.atomic():
        Suppression.objects.update_or_create(
            email_hash=request.email_hash,
            reason=Suppression.Reason.NOT_ME,
            lifted_at=None,
            defaults={"created_at": now, "ends_at": now + NOT_ME_FOR},
        )
        reader = Subscriber.objects.filter(signup_requests=request, email_hash=request.email_hash).first()
        if reader:
            if reader.confirmed_at is not None:
                unsubscribe(reader, now, origin)
            consent.note(reader, Kind.DISOWNED, now, origin)


def ask_erase(subscriber: Subscriber, now: datetime, origin: Origin) -> bool:
    """Erase a reader now, or as soon as the mail on the wire has ended; whether it is done.

    The wish is a row first: from here on nothing is sent, and the sweep does what this call could not.
    """
    with transaction.atomic():
        unsubscribe(subscriber, now, origin)
        Subscriber.objects.filter(pk=subscriber.pk, erase_asked_at=None).update(erase_asked_at=now)
    try:
        privacy.erase(subscriber.pk, now)
    except (privacy.NotYet, OperationalError):  # of two that wait for each other the database ends one
        return False
    return True
