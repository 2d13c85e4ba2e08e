"""Celery tasks of the readers' side, and the only place here that sends mail."""

import logging
from smtplib import SMTPException
from typing import Any

from anymail.exceptions import AnymailError
from celery import shared_task
from django.core.mail import mail_admins
from kombu.exceptions import OperationalError

from subscriptions import clock, guard, letters, lifecycle, privacy, receivers, suppression

log = logging.getLogger(__name__)


@shared_task(name="subscriptions.tasks.handle_signup")
def handle_signup(request_id: int) -> None:
    """Send the mail that one sign-up request needs."""
    now = clock.now()
    found = letters.letter_for(request_id, now)
    request, letter = found or (None, None)
    if request is None or letter is None:
        return
    try:
        letter.send()
    except (OSError, SMTPException, AnymailError) as error:
        log.warning("the mail of sign-up request %s did not leave: %s", request_id, type(error).__name__)
        refusal = receivers.refusal_of(error)
        if refusal:
            mail = getattr(letter, "metadata", {}).get("mail", "")
            receivers.refused(refusal, letter.to[0], mail, now)
        reason = f"{type(error).__name__} {refusal.detail}" if refusal else type(error).__name__
        letters.give_up_or_retry(request, now, reason, for_ever=refusal is not None)
    else:
        letters.finish(request, now)


@shared_task(name="subscriptions.tasks.handle_signups")
def handle_signups() -> None:
    """The sweep: requests whose nudge was lost, that were held, or whose mail did not leave."""
    for request_id in letters.waiting(clock.now()):
        handle_signup(request_id)


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
    if breaker := guard.watch(now):
        log.error("confirmation mails are held: %s", breaker.reason)
        _alert(
            "Confirmation mails are held",
            f"{breaker.reason}.\n\nLook at Sign-up requests and Budgets in the admin, then close it under Breakers.",
        )
    if erased := privacy.erase_waiting(now):
        log.info("erased %s readers", erased)
    if gone := lifecycle.expire(now) + guard.sweep(now):
        log.info("forgot %s old rows of sign-ups", gone)
    if gone := suppression.sweep(now):
        log.info("forgot %s old mail events, or what was in them", gone)


def _alert(subject: str, text: str) -> None:
    """Tell the operators (ALERT_EMAILS). A mail server that is away is no reason to fail: the log has it."""
    try:
        mail_admins(subject, text)
    except (OSError, SMTPException, AnymailError) as error:
        log.warning("the alert did not leave: %s", type(error).__name__)


def nudge(task: Any, *args: int) -> None:
    """Queue a task now instead of at the next tick. A broker that is away costs a minute, not the request."""
    try:
        task.apply_async(args=args, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker for a nudge, the sweep will do it: %s", type(error).__name__)
