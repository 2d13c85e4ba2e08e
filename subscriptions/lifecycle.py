"""What happens to a reader, and the only place where a state changes: docs/readers.md has the table.

Each change takes the row as it is now, under its lock, and leaves a ConsentEvent in the same transaction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from subscriptions import consent, letters, privacy, schedule
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, Interest, SignupRequest, Subscriber, Suppression, Topic

Kind, State = ConsentEvent.Kind, Subscriber.State
CHOICES = ("hour", "zone", "weekdays", "paper_limit", "only_my_topics", "images", "text_only", "language")
SCHEDULING = frozenset({"hour", "zone", "weekdays", "paused_until"})
LIMITS = (5, 10, 20)
UNDO_WITHIN = timedelta(hours=1)
BY_BUTTON, BY_ONE_CLICK = "unsubscribe page", "one-click"
UNDOABLE = frozenset({BY_BUTTON, BY_ONE_CLICK})
NOT_ME_FOR = timedelta(days=365)
KEPT_PENDING = timedelta(days=7)


def confirm(request: SignupRequest, now: datetime, origin: Origin, zone: str = "") -> Subscriber:
    """The reader pressed Confirm. Pressing twice is harmless, and so is pressing after having left again.

    ``zone`` is the browser's, for a new reader who has not chosen one. A bounce before is lifted: the link arrived.

    Only a request made after the last leaving counts: an old mail must not bring back who left, and nothing does who
    asked to be erased, or said "it was not me". Raises Subscriber.DoesNotExist where the reader was erased meanwhile.
    """
    with transaction.atomic():
        assert request.subscriber_id, "a confirm link exists only for a handled request"
        reader = Subscriber.objects.to_change(request.subscriber_id)
        if why_not(request, reader, now):
            return reader
        lifted = lift(_liftable(reader), now)
        if reader.state != State.ACTIVE or lifted:
            reader.confirmed_at = now
            reader.zone = zone if zone and reader.state == State.PENDING else reader.zone
            _activate(reader, now)
            consent.note(reader, Kind.CONFIRMED, now, origin, consent.CONFIRM)
    return reader


def why_not(request: SignupRequest, reader: Subscriber, now: datetime) -> str:
    """What keeps this request from being confirmed: "left" since, "blocked", "erased"; "" where nothing does."""
    if reader.erase_asked_at is not None:
        return "erased"
    if is_disowned(reader.email_hash, now):
        return "blocked"
    left_since = reader.left_at is not None and reader.left_at >= request.created_at
    return "left" if left_since and reader.state != State.ACTIVE else ""


def choose(
    subscriber: Subscriber, choices: Mapping[str, Any], interests: Interests, now: datetime, origin: Origin
) -> None:
    """Save what the reader, or an operator for the reader, chose and recompute when the next digest is due.

    Only the choices are written, onto the row as it is now: an unsubscribe in between must win.
    """
    with transaction.atomic():
        reader = _set(
            subscriber, now, **{name: choices[name] for name in (*CHOICES, "paused_until") if name in choices}
        )
        wanted = interests.rows(reader)
        reader.interests.all().delete()
        Interest.objects.bulk_create(wanted)
        consent.note(reader, Kind.CHANGED, now, origin)


def mute(subscriber: Subscriber, topic: Topic, now: datetime, origin: Origin) -> None:
    """No more papers of this topic, unless another interest brings them."""
    with transaction.atomic():
        reader = Subscriber.objects.to_change(subscriber.pk)
        Interest.objects.update_or_create(subscriber=reader, topic=topic, defaults={"kind": Interest.Kind.MUTED_TOPIC})
        consent.note(reader, Kind.CHANGED, now, origin)


def fewer(subscriber: Subscriber, now: datetime, origin: Origin) -> int:
    """The next smaller number of papers; what it is now."""
    with transaction.atomic():
        current = Subscriber.objects.to_change(subscriber.pk).paper_limit
        limit = max((number for number in LIMITS if number < current), default=current)
        if limit != current:
            consent.note(_set(subscriber, now, paper_limit=limit), Kind.CHANGED, now, origin)
    return limit


def go_weekly(subscriber: Subscriber, now: datetime, origin: Origin) -> Subscriber:
    """One digest a week from now on, on the local weekday of the last one; of today where there was none."""
    with transaction.atomic():
        reader = Subscriber.objects.to_change(subscriber.pk)
        if not reader.is_weekly:
            day = reader.last_day or schedule.local_day(now, reader.zone)
            consent.note(_set(reader, now, weekdays=1 << day.weekday()), Kind.CHANGED, now, origin)
    return Subscriber.objects.get(pk=subscriber.pk)


def pause(subscriber: Subscriber, until: datetime, now: datetime, origin: Origin) -> None:
    """No digest before ``until`` (UTC); it ends by itself. Raises ValueError for an end that is over."""
    if until <= now:
        raise ValueError("a pause ends in the future")
    with transaction.atomic():
        consent.note(_set(subscriber, now, paused_until=until), Kind.PAUSED, now, origin)


def resume(subscriber: Subscriber, now: datetime, origin: Origin) -> bool:
    """The pause ends now; False where there was none."""
    with transaction.atomic():
        paused = Subscriber.objects.to_change(subscriber.pk).is_paused(now)
        reader = _set(subscriber, now, paused_until=None)
        if paused:
            consent.note(reader, Kind.RESUMED, now, origin)
    return paused


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
        _activate(reader, now)
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


def is_disowned(email_hash: str, now: datetime) -> bool:
    """Whether somebody who reads this address said "it was not me" in the last twelve months."""
    said = Suppression.objects.live(now).filter(email_hash=email_hash, reason=Suppression.Reason.NOT_ME)
    return said.exists()


def move(request: SignupRequest, now: datetime, origin: Origin) -> bool:
    """Use the address that was confirmed, and tell the old one.

    False where it belongs to another reader by now, or the reader has named another one since: the owner of a mistyped
    address, or of the one before, must not take the reader over with an older link. Raises privacy.NotYet where the
    address has a mail on the wire, IntegrityError where it signs up at this moment; then nothing has changed.
    """
    with transaction.atomic():
        assert request.subscriber_id, "a link to move exists only for a known reader"
        there = Subscriber.objects.filter(email=request.email).values_list("pk", flat=True).first()
        # Both rows, in the order of their numbers: two who move to each other's address must not wait in a circle.
        rows = {pk: Subscriber.objects.to_change(pk) for pk in sorted({request.subscriber_id, there or 0} - {0})}
        reader, other = rows[request.subscriber_id], rows.get(there or 0)
        if reader.email == request.email:
            return True
        named_since = SignupRequest.objects.filter(subscriber=reader, kind=request.kind, pk__gt=request.pk)
        if reader.erase_asked_at is not None or named_since.exists():
            return False
        if other and other.state == State.ACTIVE:
            return False
        if other:  # asked for once and never confirmed, or left: the address has a reader now
            privacy.forget(other, now, keep=request)
        old = reader.email
        reader.email, reader.moved_at = request.email, now
        reader.save(update_fields=["email", "email_hash", "moved_at"])
        consent.note(reader, Kind.MOVED, now, origin)
        lift(_liftable(reader), now)
        letters.ask(SignupRequest.Kind.MOVED, old, now, network=origin.network, subscriber=reader)
    return True


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


def expire(now: datetime) -> int:
    """Forget sign-ups that were never confirmed, and requests, after seven days; how many rows."""
    with transaction.atomic():
        requests, _ = SignupRequest.objects.filter(created_at__lte=now - KEPT_PENDING).delete()
        never = Subscriber.objects.filter(confirmed_at=None, created_at__lte=now - KEPT_PENDING)
        asked = SignupRequest.objects.filter(subscriber=OuterRef("pk"))
        stale = list(never.filter(~Exists(asked)).order_by("created_at").values_list("pk", flat=True)[:1000])
        ConsentEvent.objects.forget_entirely(stale)
        Subscriber.objects.filter(pk__in=stale, confirmed_at=None).delete()
    return requests + len(stale)


def lift(stops: QuerySet[Suppression], now: datetime) -> int:
    """End these suppressions; how many. A day that was due meanwhile is over: the reader goes on with the next."""
    with transaction.atomic():
        hashes = list(stops.filter(lifted_at=None).values_list("email_hash", flat=True))
        lifted = stops.filter(lifted_at=None).update(lifted_at=now)
        overdue = Subscriber.objects.filter(email_hash__in=hashes, state=State.ACTIVE, next_due_at__lte=now)
        for pk in overdue.values_list("pk", flat=True):
            reader = Subscriber.objects.to_change(pk)
            reader.reschedule(now)
            reader.save(update_fields=["next_due_at"])
    return lifted


def _liftable(reader: Subscriber) -> QuerySet[Suppression]:
    """What a link that was mailed to this address, and pressed, disproves."""
    return Suppression.objects.filter(
        email_hash=reader.email_hash, reason__in=Suppression.LIFTED_BY_CONFIRMING, lifted_at=None
    )


def _activate(reader: Subscriber, now: datetime) -> None:
    reader.state, reader.left_at = State.ACTIVE, None
    reader.reschedule(now)
    reader.save(update_fields=["state", "left_at", "confirmed_at", "zone", "next_due_at"])


def _set(subscriber: Subscriber, now: datetime, **values: Any) -> Subscriber:
    """Write these fields onto the row as it is now; the row. What moves no hour leaves the next digest where it is."""
    reader = Subscriber.objects.to_change(subscriber.pk)
    moved = {name for name in SCHEDULING & values.keys() if getattr(reader, name) != values[name]}
    for name, value in values.items():
        setattr(reader, name, value)
    waits = reader.next_due_at is not None and reader.next_due_at <= now
    if moved and not (moved == {"weekdays"} and waits and _is_chosen(reader)):
        reader.reschedule(now)
    reader.save(update_fields=[*values, "next_due_at"])
    return reader


def _is_chosen(reader: Subscriber) -> bool:
    """Whether the day of the digest that is due now, and only waits for its edition, is one of the chosen ones."""
    assert reader.next_due_at
    return bool(reader.weekdays >> schedule.local_day(reader.next_due_at, reader.zone).weekday() & 1)
