"""What happens to a reader: asked, confirmed, changed, left. Each leaves a ConsentEvent."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse

from subscriptions.emails import message_to
from subscriptions.links import absolute, confirm_path, manage_token
from subscriptions.models import (
    ConsentEvent,
    Interest,
    SignupRequest,
    Subscriber,
    Suppression,
    Topic,
    address_hash,
)

WORDING = (
    "One email a day with trending papers in the topics you choose. We send a link to confirm first. "
    "Leave at any time with one click."
)
Outcome = SignupRequest.Outcome
CHOICES = ("hour", "zone", "paper_limit", "only_my_topics")
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 5
# Confirmation mails to one address, all windows rolling: a cap without a window locks people out for good.
BUDGETS = ((timedelta(minutes=10), 1), (timedelta(hours=24), 3), (timedelta(days=30), 5))


def request_signup(email: str, now: datetime) -> SignupRequest:
    """Write down that somebody asked, whatever the state of the address. The task does the rest."""
    return SignupRequest.objects.create(email=email, email_hash=address_hash(email), created_at=now)


def waiting_signups(now: datetime) -> list[int]:
    """Requests that nobody works on: new ones, and those that a lost worker or a silent mail server left."""
    free = SignupRequest.objects.filter(Q(free_at=None) | Q(free_at__lte=now), handled_at=None)
    return list(free.order_by("pk").values_list("pk", flat=True)[:500])


def letter_for(request_id: int, now: datetime) -> tuple[SignupRequest, EmailMessage | None] | None:
    """Claim a request and say which mail it needs, if any. None where another worker has it or it is done."""
    with transaction.atomic():
        claimed = SignupRequest.objects.filter(
            Q(free_at=None) | Q(free_at__lte=now), pk=request_id, handled_at=None
        ).update(free_at=now + LEASE)
        if not claimed:
            return None
        request = SignupRequest.objects.get(pk=request_id)
        request.attempts += 1
        request.save(update_fields=["attempts"])
        _one_at_a_time(request.email_hash)
        subscriber = Subscriber.objects.filter(email=request.email).first()
        if Suppression.objects.live().filter(email_hash=request.email_hash).exclude(reason="bounce").exists():
            return _without_mail(request, Outcome.SUPPRESSED, now)
        if _over_budget(request, now):
            return _without_mail(request, Outcome.OVER_BUDGET, now)
        if subscriber is None:
            subscriber, _ = Subscriber.objects.get_or_create(email=request.email, defaults={"created_at": now})
        request.subscriber = subscriber
        request.save(update_fields=["subscriber"])
        if request.attempts == 1:
            _note(subscriber, ConsentEvent.Kind.REQUESTED, now, "sign-up form", WORDING)
    return request, _letter(request, subscriber, now)


def _letter(request: SignupRequest, subscriber: Subscriber, now: datetime) -> EmailMessage:
    if subscriber.state == Subscriber.State.ACTIVE:
        context = {"preferences_url": absolute(reverse("preferences", args=[manage_token(subscriber, now)]))}
        request.outcome = Outcome.ALREADY_SENT
        return message_to(subscriber, "already", context, now=now, key=f"already-{request.pk}")
    request.outcome = Outcome.CONFIRM_SENT
    context = {"confirm_url": absolute(confirm_path(request, now))}
    return message_to(subscriber, "confirm", context, now=now, key=f"confirm-{request.pk}")


def _without_mail(request: SignupRequest, outcome: Outcome, now: datetime) -> tuple[SignupRequest, None]:
    request.outcome = outcome
    finish(request, now)
    return request, None


def finish(request: SignupRequest, now: datetime, reason: str = "") -> None:
    """The request is done."""
    request.handled_at, request.free_at, request.reason = now, None, reason[:200]
    request.save(update_fields=["handled_at", "free_at", "outcome", "reason"])


def give_up_or_retry(request: SignupRequest, now: datetime, reason: str) -> None:
    """The mail did not leave: again after the lease, at most MAX_ATTEMPTS times."""
    if request.attempts >= MAX_ATTEMPTS:
        request.outcome = Outcome.FAILED
        finish(request, now, reason)


def _over_budget(request: SignupRequest, now: datetime) -> bool:
    others = SignupRequest.objects.filter(email_hash=request.email_hash).exclude(pk=request.pk)
    sent = others.filter(outcome__in=[Outcome.CONFIRM_SENT, Outcome.ALREADY_SENT])
    in_hand = others.filter(handled_at=None, free_at__gt=now, subscriber__isnull=False).count()
    return any(sent.filter(handled_at__gt=now - window).count() + in_hand >= most for window, most in BUDGETS)


def _one_at_a_time(email_hash: str) -> None:
    """Requests of one address wait for each other until the end of the transaction; on SQLite all writers do anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [email_hash])


def confirm(request: SignupRequest, now: datetime) -> Subscriber:
    """The reader pressed Confirm. Pressing twice is harmless."""
    with transaction.atomic():
        assert request.subscriber_id, "a confirm link exists only for a handled request"
        subscriber = Subscriber.objects.to_change(request.subscriber_id)
        if subscriber.state != Subscriber.State.ACTIVE:
            subscriber.state = Subscriber.State.ACTIVE
            subscriber.confirmed_at = now
            subscriber.reschedule(now)
            subscriber.save(update_fields=["state", "confirmed_at", "next_due_at"])
            _note(subscriber, ConsentEvent.Kind.CONFIRMED, now, "confirm page", WORDING)
            Suppression.objects.live().filter(
                email_hash=subscriber.email_hash, reason=Suppression.Reason.BOUNCE
            ).update(lifted_at=now)
    return subscriber


def choose(subscriber: Subscriber, topics: Iterable[Topic], now: datetime, where: str = "preferences") -> None:
    """Save what the reader chose, with these topics, and recompute when the next digest is due.

    Only the choices are written, onto the row as it is now: an unsubscribe in between must win.
    """
    with transaction.atomic():
        current = Subscriber.objects.to_change(subscriber.pk)
        for name in CHOICES:
            setattr(current, name, getattr(subscriber, name))
        current.reschedule(now)
        current.save(update_fields=[*CHOICES, "next_due_at"])
        wanted = {topic.pk for topic in topics}
        subscriber.interests.exclude(topic__in=wanted).delete()
        Interest.objects.bulk_create(
            [Interest(subscriber=subscriber, topic_id=topic) for topic in sorted(wanted)],
            ignore_conflicts=True,
        )
        _note(subscriber, ConsentEvent.Kind.CHANGED, now, where)


def unsubscribe(subscriber: Subscriber, now: datetime, where: str) -> bool:
    """The reader leaves, at once and for digests already planned too; False where he had left before."""
    with transaction.atomic():
        left = (
            Subscriber.objects.filter(pk=subscriber.pk)
            .exclude(state=Subscriber.State.UNSUBSCRIBED)
            .update(state=Subscriber.State.UNSUBSCRIBED, next_due_at=None)
        )
        if left:
            _note(subscriber, ConsentEvent.Kind.WITHDRAWN, now, where)
    return bool(left)


def _note(subscriber: Subscriber, kind: ConsentEvent.Kind, now: datetime, where: str, wording: str = "") -> None:
    ConsentEvent.objects.create(
        subscriber=subscriber,
        email_hash=subscriber.email_hash,
        kind=kind,
        at=now,
        where=where,
        wording=wording,
    )
