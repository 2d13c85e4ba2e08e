"""In and on: confirmed, moved to another address, stopped no more; or never confirmed, and forgotten."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from subscriptions import consent, letters, privacy
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, Interest, SignupRequest, Subscriber, Suppression, Topic

Kind, State = ConsentEvent.Kind, Subscriber.State
KEPT_PENDING = timedelta(days=7)


def confirm(request: SignupRequest, now: datetime, origin: Origin, zone: str = "") -> Subscriber:
    """The reader pressed Confirm. Pressing twice is harmless, and so is pressing after having left again.

    ``zone`` is the browser's, for a new reader who has not chosen one. A bounce before is lifted: the link arrived.

    Only a request made after the last leaving counts: an old mail must not bring back who left, and nothing does who
    asked to be erased, or said "it was not me". A new reader begins with what was chosen with the request. Raises
    Subscriber.DoesNotExist where the reader was erased meanwhile.
    """
    with transaction.atomic():
        assert request.subscriber_id, "a confirm link exists only for a handled request"
        reader = Subscriber.objects.to_change(request.subscriber_id)
        if why_not(request, reader, now):
            return reader
        lifted = lift(_liftable(reader), now)
        if reader.state != State.ACTIVE or lifted:
            _begin_with(reader, request.choice)
            reader.confirmed_at = now
            reader.zone = zone if zone and reader.state == State.PENDING else reader.zone
            activate(reader, now)
            consent.note(reader, Kind.CONFIRMED, now, origin, consent.CONFIRM)
    return reader


def _begin_with(reader: Subscriber, choice: Mapping[str, Any]) -> None:
    """Give a reader without interests those that came with the sign-up. Call it with the row locked.

    Anybody can type any address and choose for it: so nothing changes for who is subscribed, interests that are there
    stay, and the limits are taken by those only who were never confirmed before.
    """
    if not choice or reader.state == State.ACTIVE or reader.interests.exists():
        return
    topics = Topic.objects.filter(offered=True, pk__in=choice["topics"]).values_list("pk", flat=True)
    Interest.objects.bulk_create(Interests(tuple(topics), tuple(choice["phrases"])).rows(reader))
    if reader.state == State.PENDING:
        reader.only_my_topics, reader.paper_limit = choice["only_my_topics"], choice["paper_limit"]
        reader.save(update_fields=["only_my_topics", "paper_limit"])


def why_not(request: SignupRequest, reader: Subscriber, now: datetime) -> str:
    """What keeps this request from being confirmed: "left" since, "blocked", "erased"; "" where nothing does."""
    if reader.erase_asked_at is not None:
        return "erased"
    if is_disowned(reader.email_hash, now):
        return "blocked"
    left_since = reader.left_at is not None and reader.left_at >= request.created_at
    return "left" if left_since and reader.state != State.ACTIVE else ""


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


def activate(reader: Subscriber, now: datetime) -> None:
    """The reader gets digests from now on. Call it with the row locked."""
    reader.state, reader.left_at = State.ACTIVE, None
    reader.reschedule(now)
    reader.save(update_fields=["state", "left_at", "confirmed_at", "zone", "next_due_at"])


def _liftable(reader: Subscriber) -> QuerySet[Suppression]:
    """What a link that was mailed to this address, and pressed, disproves."""
    return Suppression.objects.filter(
        email_hash=reader.email_hash, reason__in=Suppression.LIFTED_BY_CONFIRMING, lifted_at=None
    )
