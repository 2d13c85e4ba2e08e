"""Celery tasks of the readers' side, and the only place here that sends mail."""

import logging
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from anymail.exceptions import AnymailError
from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage, get_connection, mail_admins
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from subscriptions import clock, guard, inbound, letters, lifecycle, privacy, receivers, suppression
from subscriptions.answers import About, Stage, classify
from subscriptions.models import SignupRequest
from subscriptions.smtp import TooLarge, Unsent

log = logging.getLogger(__name__)
BEAT_SEEN = "beat-seen"  # the cache's name for when a task of beat's timetable last ran; the doctor reads it


@shared_task(name="subscriptions.tasks.handle_signup")
def handle_signup(request_id: int) -> None:
    """Send the mail that one sign-up request needs."""
    now = clock.now()
    found = letters.letter_for(request_id, now)
    request, letter = found or (None, None)
    if request is None or letter is None:
        return
    connection = get_connection()
    try:
        connection.open()
    except (OSError, SMTPException, AnymailError) as error:
        log.warning("the mail of request %s waits, no mail server: %s", request_id, type(error).__name__)
        letters.put_back(request, now, f"no mail server: {type(error).__name__}")
        return
    try:
        connection.send_messages([letter])
    except Exception as error:  # one poisoned letter fails alone, whatever is wrong with it
        _did_not_leave(request, letter, error, now)
    else:
        letters.finish(request, now)
    try:
        connection.close()
    except (OSError, SMTPException) as error:
        log.info("the mail server did not say goodbye: %s", type(error).__name__)


def _did_not_leave(request: SignupRequest, letter: EmailMessage, error: Exception, now: datetime) -> None:
    """Refused for ever, for now, or for what is ours; or lost on the way: then nobody knows, and it is a letter."""
    refusal, answer = receivers.refusal_of(error), receivers.answer_of(error)
    if refusal:
        mail = getattr(letter, "metadata", {}).get("mail", "")
        receivers.refused(refusal, letter.to[0], mail, now)
    lost = answer is None or (answer.stage is Stage.API and not 400 <= answer.code < 500)
    meaning = classify(answer) if answer and not lost else None
    name = type(error).__name__
    if meaning and meaning.about is About.US:
        log.error("the mail of request %s waits, %s: %s", request.pk, meaning.why or "we were refused", meaning.detail)
        reason = f"{meaning.why or name} {meaning.detail}"
        if now - request.created_at < guard.GIVE_UP:
            letters.put_back(request, now, reason)
        else:
            letters.give_up_or_retry(request, now, reason)
        return
    log.warning("the mail of request %s did not leave: %s", request.pk, name)
    reason = f"{name} {refusal.detail if refusal else meaning.detail if meaning else ''}".rstrip()
    from_the_server = isinstance(error, OSError | SMTPException | AnymailError) and not isinstance(error, TooLarge)
    letters.give_up_or_retry(
        request,
        now,
        reason,
        for_ever=bool(refusal or (meaning and meaning.for_ever)) or not from_the_server,
        perhaps_sent=lost and from_the_server and not isinstance(error, Unsent),
    )


@shared_task(name="subscriptions.tasks.handle_signups")
def handle_signups() -> None:
    """The sweep: requests whose nudge was lost, that were held, or whose mail did not leave."""
    for request_id in letters.waiting(clock.now()):
        try:
            handle_signup(request_id)
        except (OperationalError, InterfaceError):  # the database is away: nothing else would go better
            raise
        except Exception:  # one poisoned request must not stop those behind it
            log.exception("request %s failed", request_id)


@shared_task(name="subscriptions.tasks.read_mailbox")
def read_mailbox() -> None:
    """Read INBOUND_MAILBOX, where there is one: wishes to leave, bounces, complaints."""
    if not settings.INBOUND_MAILBOX:
        return
    try:
        received = inbound.read_mailbox(settings.INBOUND_MAILBOX, clock.now())
    except inbound.MailboxError as error:
        log.error("the mailbox INBOUND_MAILBOX cannot be read: %s", error)
        return
    if received:
        log.info("mails in the mailbox: %s", ", ".join(f"{count} {what}" for what, count in sorted(received.items())))


@shared_task(name="subscriptions.tasks.read_mail_events")
def read_mail_events() -> None:
    """Stop the addresses that bounced or complained."""
    led = suppression.apply(clock.now())
    if led:
        log.info("read mail events: %s", ", ".join(f"{count} {what}" for what, count in sorted(led.items())))


@shared_task(name="subscriptions.tasks.tidy")
def tidy() -> None:
    """Watch whether sign-ups are confirmed, finish erasures, and forget what is old."""
    now = clock.now()
    cache.set(BEAT_SEEN, now.isoformat(), timeout=None)
    if breaker := guard.watch(now):
        log.error("confirmation mails are held: %s", breaker.reason)
        alert(
            "Confirmation mails are held",
            f"{breaker.reason}.\n\nLook at Sign-up requests and Budgets in the admin, then close it under Breakers.",
        )
    if erased := privacy.erase_waiting(now):
        log.info("erased %s readers", erased)
    if gone := lifecycle.expire(now) + guard.sweep(now):
        log.info("forgot %s old rows of sign-ups", gone)
    if gone := suppression.sweep(now):
        log.info("forgot %s old mail events, or what was in them", gone)


def alert(subject: str, text: str) -> None:
    """Tell the operators (ALERT_EMAILS). A mail server that is away is no reason to fail: the log has it."""
    try:
        mail_admins(subject, text)
    except (OSError, SMTPException, AnymailError) as error:
        log.warning("the alert did not leave: %s", type(error).__name__)


def nudge(task: Any, *args: int) -> None:
    """Queue a task now instead of at the next tick. A broker that is away costs a minute, not the request."""
    try:
        task.apply_async(args=args, retry=False)
    except (BrokerError, OSError) as error:
        log.warning("no broker for a nudge, the sweep will do it: %s", type(error).__name__)
