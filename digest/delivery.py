"""Claims Digest rows, renders, sends through Django's mail API, records. What a killed worker left is recovered."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models.functions import Coalesce

from digest import ledger
from digest.models import Digest, Paper, work_is_gone, work_is_hidden
from digest.rendering import Shelf, digest_message
from subscriptions import receivers

log = logging.getLogger(__name__)
State = Digest.State
RETRY_AFTER = timedelta(minutes=5)


class TransportDown(Exception):  # noqa: N818 - a fact about the mail server, not about us
    """The mail server cannot be reached: nothing was tried, everything is planned as before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hand-over."""

    state: str
    reason: str = ""
    provider_id: str = ""
    retry_at: datetime | None = None
    broken: bool = False  # the connection is of no use any more
    refusal: receivers.Refusal | None = None  # what it says against the recipient


def send_digests(
    clock: Callable[[], datetime],
    by: str = "",
    limit: int = 100,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
) -> Counter[str]:
    """Send up to ``limit`` planned digests; how many ended in which state. An empty Counter means nothing was due.

    ``clock`` is asked before each mail: a lease that lapsed meanwhile must not be used. Raises TransportDown.
    """
    ledger.recover(clock())
    ids = ledger.claim(limit, by, clock())
    if not ids:
        return Counter()
    claimed = list(Digest.objects.filter(pk__in=ids).select_related("subscriber").order_by("pk"))
    connection = get_connection()
    try:
        connection.open()
    except (OSError, SMTPException, AnymailError) as error:
        ledger.give_back(ids, claimed[0].claimed_by)
        raise TransportDown(f"{type(error).__name__}: {error}") from error
    try:
        return _send_claimed(claimed, connection, clock, stop, progress)
    finally:
        ledger.give_back(ids, claimed[0].claimed_by)  # those that were not begun; the others are not claimed any more
        try:
            connection.close()
        except (OSError, SMTPException) as error:
            log.info("the mail server did not say goodbye: %s", type(error).__name__)


def _send_claimed(
    claimed: list[Digest],
    connection: BaseEmailBackend,
    clock: Callable[[], datetime],
    stop: Callable[[], bool],
    progress: Callable[[int], None],
) -> Counter[str]:
    """Each transaction records mail n and marks mail n+1: one commit a mail, at most one uncertain after a kill."""
    shelf = Shelf.for_digests(claimed)
    ended: Counter[str] = Counter()
    previous: tuple[Digest, Outcome] | None = None
    for digest in claimed:
        if stop():
            break
        now = clock()
        with transaction.atomic():
            if previous:
                _record(*previous, now)
                previous = None
            begun = ledger.begin(digest, now)
            hidden = _hidden(digest) if begun else set()
        if not begun:
            ended[ledger.why_not(digest, now)] += 1
            continue
        outcome = _hand_over(digest, hidden, shelf, connection, now)
        previous = (digest, outcome)
        ended[outcome.state] += 1
        progress(1)
        if outcome.broken:
            break  # the rest is given back; the next chunk opens a connection of its own
    if previous:
        _record(*previous, clock())
    return ended


def _hidden(digest: Digest) -> set[int]:
    """Papers of the digest that are not to be sent any more.

    An editor hid them, they were withdrawn, or turned out to be the same work as one before them in the mail.
    """
    picked = [p["paper"] for p in digest.picks]
    range_ = {"edition__day__gt": digest.content_from, "edition__day__lte": digest.content_to}
    rows = Paper.objects.filter(pk__in=picked).annotate(work=Coalesce("merged_into", "pk"))
    rows = rows.annotate(left_out=work_is_gone("work") | work_is_hidden(**range_))
    facts = {pk: (work, left_out) for pk, work, left_out in rows.values_list("pk", "work", "left_out")}
    hidden, works = set(), set()
    for pk in picked:
        work, left_out = facts.get(pk, (pk, True))
        if left_out or work in works:
            hidden.add(pk)
        else:
            works.add(work)
    return hidden


def _hand_over(
    digest: Digest, hidden: Iterable[int], shelf: Shelf, connection: BaseEmailBackend, now: datetime
) -> Outcome:
    reader = digest.subscriber
    hidden = set(hidden)
    if all(p["paper"] in hidden for p in digest.picks):
        return Outcome(State.SKIPPED, "papers withdrawn")
    if reader is None:
        return Outcome(State.FAILED, "no reader")
    try:
        message = digest_message(digest, reader, shelf, now=now, without=hidden)
    except Exception as error:  # one poisoned reader or paper fails alone, whatever is wrong with it
        log.exception("digest %s cannot be rendered", digest.pk)
        return Outcome(State.FAILED, f"rendering: {type(error).__name__}")
    return _send(message, connection, now)


def _send(message: EmailMessage, connection: BaseEmailBackend, now: datetime) -> Outcome:
    """Hand one message over. Reasons carry codes and class names, never an address."""
    try:
        sent = connection.send_messages([message])
    except SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        return replace(_by_code(code, "the recipient was refused", now), refusal=receivers.refusal_of(error))
    except SMTPResponseException as error:
        return _by_code(error.smtp_code, type(error).__name__, now)
    except AnymailRecipientsRefused as error:
        refusal = receivers.refusal_of(error)
        return Outcome(State.REJECTED, "the provider refused the recipient", refusal=refusal)
    except AnymailAPIError as error:
        return _by_status(error, now)
    except (AnymailError, ValueError) as error:
        return Outcome(State.FAILED, type(error).__name__)
    except (OSError, SMTPException) as error:
        # Lost in the middle: the server may have taken the mail. Nobody knows until an event says so.
        return Outcome(State.UNCERTAIN, f"connection lost: {type(error).__name__}", broken=True)
    if not sent:
        return Outcome(State.UNCERTAIN, "the transport did not say")
    return Outcome(State.ACCEPTED, provider_id=_provider_id(message))


def _by_code(code: int, what: str, now: datetime) -> Outcome:
    """RFC 5321 section 4.2.1: 4yz asks to try again, 5yz means never."""
    if 400 <= code < 500:
        # 421: the server closes the channel (RFC 5321 section 3.8).
        return Outcome(State.PLANNED, f"{what} for now ({code})", retry_at=now + RETRY_AFTER, broken=code == 421)
    return Outcome(State.REJECTED, f"{what} ({code})")


def _by_status(error: AnymailAPIError, now: datetime) -> Outcome:
    status: Any = error.status_code
    if status == 429:
        return Outcome(State.PLANNED, "the provider asks to slow down (429)", retry_at=now + RETRY_AFTER)
    if status and 400 <= status < 500:
        return Outcome(State.REJECTED, f"the provider refused ({status})")
    return Outcome(State.UNCERTAIN, f"the provider failed ({status or 'no answer'})")


def _provider_id(message: EmailMessage) -> str:
    status = getattr(message, "anymail_status", None)
    return str(status.message_id or "")[:200] if status else ""


def _record(digest: Digest, outcome: Outcome, now: datetime) -> None:
    """Write what became of the hand-over. A row that recovery declared uncertain meanwhile stays so."""
    rows = Digest.objects.filter(pk=digest.pk, claimed_by=digest.claimed_by)
    values: dict[str, Any] = {"free_at": outcome.retry_at}
    if outcome.state == State.ACCEPTED:
        values |= {"accepted_at": now, "provider_id": outcome.provider_id}
    state, reason = outcome.state, outcome.reason
    if state == State.PLANNED and digest.attempt >= ledger.MAX_ATTEMPTS:
        state, values["free_at"] = State.FAILED, None
    if not ledger.move(rows, State.SENDING, state, reason, **values) and state != State.UNCERTAIN:
        ledger.move(rows, State.UNCERTAIN, state, reason, **values)
    if outcome.refusal and digest.subscriber:
        reader = digest.subscriber
        receivers.refused(outcome.refusal, reader.email, f"digest-{digest.pk}", now, reader.pk)
