"""Single mails that somebody asked for: claimed from the queue, let through by the guard, built. Not sent here."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import translation

from subscriptions import addresses, consent, guard, languages, links
from subscriptions.emails import message_to
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber, Suppression

log = logging.getLogger(__name__)
Kind, Outcome = SignupRequest.Kind, SignupRequest.Outcome
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 5
SWEPT = 500
_FORMS: dict[str, str] = {Kind.IMPORT: "import", Kind.LINK: "link form"}  # as the consent's record names them


@dataclass(frozen=True, slots=True)
class Letter:
    """Which mail one request needs: the outcome once it has left, its template, its links, and whom it goes to."""

    outcome: SignupRequest.Outcome
    name: str
    subscriber: Subscriber
    context: dict[str, Any] = field(default_factory=dict)
    reminder: bool = False


def ask(
    kind: SignupRequest.Kind,
    email: str,
    now: datetime,
    *,
    network: str = "",
    subscriber: Subscriber | None = None,
    choice: Mapping[str, Any] | None = None,
) -> SignupRequest:
    """Write down that a letter was asked for, whatever the state of the address. The task does the rest.

    ``email`` is where it shall go, ``subscriber`` whose settings it is about where the asker proved that, ``choice``
    what a new reader begins with.
    """
    return SignupRequest.objects.create(
        kind=kind, email=email, network=network, created_at=now, subscriber=subscriber, choice=dict(choice or {})
    )


def is_stopped(email: str, now: datetime) -> bool:
    """Whether the address said No, or is nobody's. A bounce is not a No: a new sign-up may show that it works again."""
    said_no = Suppression.objects.live(now).filter(email_hash=addresses.address_hash(email))
    return addresses.is_role(email) or said_no.exclude(reason__in=Suppression.LIFTED_BY_CONFIRMING).exists()


def instead_of_a_letter(reader: Subscriber, now: datetime, network: str) -> SignupRequest:
    """A request for the link to one's own data whose link is shown on a page, since no letter may go to the reader.

    Who reported our mail, or was stopped by hand, has the same right to see and erase what is kept (GDPR Art. 12).
    """
    request = ask(Kind.LINK, reader.email, now, network=network, subscriber=reader)
    request.outcome = Outcome.SUPPRESSED
    finish(request, now, "shown on the page")
    return request


def waiting(now: datetime) -> list[int]:
    """Requests that nobody works on: new ones, held ones, and those that a lost worker or a silent server left.

    Imports last: a list of thousands must not keep those who stand at the door.
    """
    free = SignupRequest.objects.free(now).order_by("pk").values_list("pk", flat=True)
    people = list(free.exclude(kind=Kind.IMPORT)[:SWEPT])
    return [*people, *free.filter(kind=Kind.IMPORT)[: SWEPT - len(people)]]


def letter_for(request_id: int, now: datetime) -> tuple[SignupRequest, EmailMessage | None] | None:
    """Claim a request and say which mail it needs, if any. None where another worker has it, or it is held or done."""
    with transaction.atomic():
        if not SignupRequest.objects.free(now).filter(pk=request_id).update(free_at=now + LEASE):
            return None
        request = SignupRequest.objects.select_related("subscriber").get(pk=request_id)
        guard.one_at_a_time(request.email)
        if request.attempts >= MAX_ATTEMPTS:  # workers that were killed while they had it
            return _without_mail(request, Outcome.FAILED, now, "too many attempts")
        if is_stopped(request.email, now):
            return _without_mail(request, Outcome.SUPPRESSED, now)
        # A clock behind that of the form's process must not make links older than the row that they name.
        linked_at = max(now, request.created_at)
        letter = _LETTERS[request.kind](request, linked_at)
        if letter is None:
            return _without_mail(request, Outcome.NOBODY, now)
        if letter.outcome is Outcome.CONFIRM_SENT and request.granted_at is None and (why := _held_back(request, now)):
            return _hold(request, now, why)
        if request.granted_at is None and (refusal := _refused(request, letter, now)):
            shared = refusal.kind in {guard.Kind.SITE, guard.Kind.DOMAIN}
            if shared or request.attempts or _may_wait(request, refusal, now):
                return _hold(request, now, str(refusal))
            return _without_mail(request, Outcome.OVER_BUDGET, now, str(refusal))
        reader = _take(request, letter, now)
    key = f"{letter.name}-{request.pk}"
    try:
        made_at, to = request.created_at, request.email
        return request, message_to(reader, letter.name, letter.context, now=now, key=key, made_at=made_at, to=to)
    except Exception as error:  # one poisoned request fails alone, whatever is wrong with it
        log.exception("the mail of request %s cannot be built", request.pk)
        give_up_or_retry(request, now, f"building: {type(error).__name__}", for_ever=True)
        return request, None


def finish(request: SignupRequest, now: datetime, reason: str = "") -> None:
    """The request is done. One whose reader was erased meanwhile is gone, and stays so."""
    request.handled_at, request.free_at, request.reason = now, None, reason[:200]
    SignupRequest.objects.filter(pk=request.pk).update(
        handled_at=now, free_at=None, outcome=request.outcome, reason=request.reason
    )


def give_up_or_retry(
    request: SignupRequest, now: datetime, reason: str, *, for_ever: bool = False, perhaps_sent: bool = False
) -> None:
    """The mail did not leave: again after the lease, at most MAX_ATTEMPTS times; not where it was refused for ever.

    One that ``perhaps_sent`` names was lost while it was handed over: it counts as a letter, and the next try needs
    another grant, for which it waits.
    """
    if for_ever or request.attempts >= MAX_ATTEMPTS:
        request.outcome = Outcome.FAILED
        finish(request, now, reason)
    elif perhaps_sent:
        SignupRequest.objects.filter(pk=request.pk).update(granted_at=None, reason=reason[:200])


def put_back(request: SignupRequest, now: datetime, reason: str) -> None:
    """No mail server was reached: as if it had not been tried, and again after the lease. A day is the end of it."""
    if now - request.created_at >= guard.GIVE_UP:
        give_up_or_retry(request, now, reason, for_ever=True)
    else:
        SignupRequest.objects.filter(pk=request.pk).update(attempts=F("attempts") - 1, reason=reason[:200])


def _refused(request: SignupRequest, letter: Letter, now: datetime) -> guard.Refusal | None:
    owed, imported = request.kind == Kind.MOVED, request.kind == Kind.IMPORT
    # Who is known at a domain is not kept waiting by those who type names there.
    stranger = letter.outcome in {Outcome.CONFIRM_SENT, Outcome.MOVE_SENT} and not imported
    return guard.grant_letter(
        request.email, now, reminder=letter.reminder, owed=owed, imported=imported, stranger=stranger
    )


def _held_back(request: SignupRequest, now: datetime) -> str:
    """Why no confirmation mail may leave now, if so. An operator's list waits for the breaker only."""
    if guard.is_open(now):
        return "the breaker is open"
    return "too many are unanswered" if request.kind != Kind.IMPORT and guard.is_ahead(now) else ""


def _may_wait(request: SignupRequest, refusal: guard.Refusal, now: datetime) -> bool:
    """Whether to send it some minutes later: who left by mistake and comes back at once stands before a full budget.

    One of a kind for each mailbox, however it is spelt, and only for the shortest window: a flood of requests ends at
    once.
    """
    if refusal.kind is not guard.Kind.ADDRESS or refusal.window > guard.HOLD:
        return False
    others = SignupRequest.objects.filter(kind=request.kind, handled_at=None, free_at__gt=now).exclude(pk=request.pk)
    mine, newest = addresses.folded(request.email), others.order_by("-pk").values_list("email", flat=True)[:SWEPT]
    return all(addresses.folded(other) != mine for other in newest)


def _take(request: SignupRequest, letter: Letter, now: datetime) -> Subscriber:
    """The letter is to leave: count the attempt, and keep a new address as a pending reader; whose letter it is."""
    reader = letter.subscriber
    if reader.pk is None:
        values = {"created_at": now, "language": reader.language}
        reader, _ = Subscriber.objects.get_or_create(email=reader.email, defaults=values)
    if not request.attempts and request.granted_at is None and letter.outcome is Outcome.CONFIRM_SENT:
        origin = consent.Origin(_FORMS.get(request.kind, "sign-up form"), request.network)
        wording = consent.SIGN_UP if request.kind == Kind.SIGN_UP else ""  # other forms say other things
        with translation.override(languages.offered(request.language)):  # the words that were read
            consent.note(reader, ConsentEvent.Kind.REQUESTED, now, origin, wording)
    request.subscriber, request.outcome = request.subscriber or reader, letter.outcome
    request.granted_at = request.granted_at or now
    request.attempts += 1
    request.save(update_fields=["subscriber", "granted_at", "attempts"])
    return reader


def _without_mail(
    request: SignupRequest, outcome: SignupRequest.Outcome, now: datetime, reason: str = ""
) -> tuple[SignupRequest, None]:
    request.outcome = outcome
    finish(request, now, reason)
    return request, None


def _hold(request: SignupRequest, now: datetime, reason: str) -> tuple[SignupRequest, None] | None:
    """Wait: the site is busy or the breaker open, and the one who asked may be genuine. A day is the end of it.

    Nobody sits and waits for an import's letter, or a notice: these end with their rows, after a week.
    """
    if request.kind not in (Kind.IMPORT, Kind.MOVED) and now - request.created_at >= guard.GIVE_UP:
        return _without_mail(request, Outcome.HELD_TOO_LONG, now, reason)
    request.free_at, request.reason = now + guard.HOLD, reason
    request.save(update_fields=["free_at", "reason"])
    return None


def _reader_at(email: str) -> Subscriber | None:
    return Subscriber.objects.filter(email=email).first()


def _sign_up(request: SignupRequest, now: datetime) -> Letter:
    reader = _reader_at(request.email)
    # Who is subscribed but stopped by a bounce shows by confirming that the address works again.
    stopped = Suppression.objects.live(now).filter(email_hash=request.email_hash).exists()
    if reader and reader.state == Subscriber.State.ACTIVE and not stopped:
        return _already(reader, now)
    context = {
        "confirm_url": links.absolute(links.confirm_path(request, now)),
        "not_me_url": links.absolute(links.not_me_path(request, now)),
    }
    reader = reader or Subscriber(email=request.email, language=request.language)
    return Letter(Outcome.CONFIRM_SENT, "confirm", reader, context)


def _already(reader: Subscriber, now: datetime) -> Letter:
    context = {"preferences_url": links.absolute(reverse("preferences", args=[links.manage_token(reader, now)]))}
    return Letter(Outcome.ALREADY_SENT, "already", reader, context, reminder=True)


def _link(request: SignupRequest, now: datetime) -> Letter | None:
    """To whoever is known at this address in any state: who left may want to see or erase what is kept."""
    reader = _reader_at(request.email)
    if reader is None:
        return None
    if reader.state == Subscriber.State.PENDING:  # nothing but the confirmation before it is given
        return _sign_up(request, now)
    context = {
        "preferences_url": links.absolute(reverse("preferences", args=[links.manage_token(reader, now)])),
        "fresh_url": links.absolute(links.fresh_path(request, now)),
    }
    return Letter(Outcome.LINK_SENT, "link", reader, context)


def _move(request: SignupRequest, now: datetime) -> Letter | None:
    """To a new address. One that is subscribed on its own is told so; the asker sees no difference."""
    if request.subscriber is None:
        return None
    other = _reader_at(request.email)
    if other and other.pk != request.subscriber.pk and other.state == Subscriber.State.ACTIVE:
        return _already(other, now)
    context = {
        "move_url": links.absolute(links.move_path(request, now)),
        "old_address": request.subscriber.masked_email,
    }
    return Letter(Outcome.MOVE_SENT, "move", request.subscriber, context)


def _moved(request: SignupRequest, _: datetime) -> Letter | None:
    """To the old address, which is not the reader's any more."""
    if request.subscriber is None:
        return None
    context = {"new_address": request.subscriber.masked_email}
    return Letter(Outcome.MOVED_SENT, "moved", request.subscriber, context)


def _leave(request: SignupRequest, _: datetime) -> Letter | None:
    """To a subscribed address from which somebody wrote "unsubscribe": the link, since a sender can be forged."""
    reader = _reader_at(request.email)
    if reader is None or reader.state != Subscriber.State.ACTIVE:
        return None
    return Letter(Outcome.LEAVE_SENT, "leave", reader, reminder=True)


_LETTERS: dict[str, Callable[[SignupRequest, datetime], Letter | None]] = {
    Kind.SIGN_UP: _sign_up,
    Kind.IMPORT: _sign_up,
    Kind.LINK: _link,
    Kind.MOVE: _move,
    Kind.MOVED: _moved,
    Kind.LEAVE: _leave,
}
