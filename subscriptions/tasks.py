"""Celery tasks of the readers' side, and the only place here that sends mail."""

import logging
from smtplib import SMTPException
from typing import Any

from anymail.exceptions import AnymailError
from celery import shared_task
from kombu.exceptions import OperationalError

from subscriptions import clock, lifecycle

log = logging.getLogger(__name__)


@shared_task(name="subscriptions.tasks.handle_signup")
def handle_signup(request_id: int) -> None:
    """Send the mail that one sign-up request needs."""
    now = clock.now()
    found = lifecycle.letter_for(request_id, now)
    request, letter = found or (None, None)
    if request is None or letter is None:
        return
    try:
        letter.send()
    except (OSError, SMTPException, AnymailError) as error:
        log.warning("the mail of sign-up request %s did not leave: %s", request_id, type(error).__name__)
        lifecycle.give_up_or_retry(request, now, type(error).__name__)
    else:
        lifecycle.finish(request, now)


@shared_task(name="subscriptions.tasks.handle_signups")
def handle_signups() -> None:
    """The sweep: requests whose nudge was lost, or whose mail did not leave."""
    for request_id in lifecycle.waiting_signups(clock.now()):
        handle_signup(request_id)


def nudge(task: Any, *args: int) -> None:
    """Queue a task now instead of at the next tick. A broker that is away costs a minute, not the request."""
    try:
        task.apply_async(args=args, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker for a nudge, the sweep will do it: %s", type(error).__name__)
