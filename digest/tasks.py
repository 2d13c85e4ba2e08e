"""Celery tasks: a few lines each around plain functions. Every one is safe to run twice at once."""

import logging
import threading
import time
from functools import partial
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import transaction

from digest import (
    approval,
    delivery,
    editions,
    fencing,
    fetching,
    filling,
    follow_ups,
    outcomes,
    planning,
    profiles,
    retention,
)
from digest.delivery import throttle
from subscriptions import clock
from subscriptions.tasks import alert, nudge

log = logging.getLogger(__name__)
SEND_DEADLINE = 60.0  # seconds of one send task; then it is queued again, behind what waits
_stopping = threading.Event()  # SIGTERM came: a send task ends between two mails
_sending = threading.Lock()  # one run a process has all the threads that it can use
_more = threading.Event()  # somebody asked for a run while there was one


@worker_shutting_down.connect
def stop_sending(**_: Any) -> None:
    """Let the send task end, within ten seconds also where the mail server hangs."""
    _stopping.set()


@shared_task(bind=True, name="digest.tasks.fetch_sources")
def fetch_sources(self: Any) -> None:
    """Read the sources whose hour has come, and notice what readers of earlier papers are to be told."""
    while due := fetching.runs_due(clock.now()):  # asked again each time: another worker may be reading too
        source, day = due[0]
        run = fetching.collect(source, day, clock.now(), by=self.request.hostname)
        log.info("source %s day %s: %s, %s papers", source, day, run.state, run.received)
        if fetching.is_news(run):
            said = f"{source} on {day}: {run.reason}.\n\nmanage.py sources --rejected lists what was refused, and why."
            alert(f"A part of the papers of {source} is missing", said)
    if settings.FILL_IN:
        filling.fill_in(clock.now(), by=self.request.hostname)
    if found := follow_ups.notice(clock.now()):
        log.info("news of papers that readers have: %s", found)


@shared_task(bind=True, name="digest.tasks.draft_edition")
def draft_edition(self: Any) -> None:
    """Draft, or redraft, the editions that are not approved; once a day with a new relevance model."""
    now = clock.now()
    try:
        profiles.renew(now)
    except Exception:  # whatever is wrong with the words of some papers, the day goes on with the model that is there
        log.exception("the relevance model could not be fitted")
    for day in editions.days_to_draft(now):
        editions.draft(day, now, by=self.request.hostname)


@shared_task(bind=True, name="digest.tasks.approve_edition")
def approve_edition(self: Any) -> None:
    """Approve the editions whose hour has come."""
    if approval.approve_due(clock.now(), by=self.request.hostname, alert=alert):
        nudge(plan_digests)


@shared_task(bind=True, name="digest.tasks.plan_digests")
def plan_digests(self: Any) -> None:
    """Plan the digests of the readers whose hour has come; each chunk that is committed may leave."""
    now = clock.now()
    try:
        fencing.check(now)
    except fencing.NotOurs as error:
        log.error("%s", error)
        return
    planning.plan_due(now, by=self.request.hostname, progress=lambda _: nudge(send_digests))


@shared_task(bind=True, name="digest.tasks.send_digests")
def send_digests(self: Any) -> None:
    """Send what is planned. As many processes as there are share the rows; a second task in one leaves at once."""
    _more.set()
    if not _sending.acquire(blocking=False):
        return
    try:
        end = time.monotonic() + SEND_DEADLINE
        works = True
        while works and _more.is_set() and not _stopping.is_set():
            _more.clear()
            works = _send(self.request.hostname, end)
    finally:
        _sending.release()
    if time.monotonic() > end and not _stopping.is_set():
        nudge(send_digests)


def _send(by: str, end: float) -> bool:
    """Runs of sending until nothing is due, with the waits that the mail server or MAIL_RATE wants between them.

    False where nothing can be sent now: the next tick tries again.
    """

    def stop() -> bool:
        return _stopping.is_set() or time.monotonic() > end

    while not stop():
        try:
            ended = delivery.send_digests(
                clock.now, by=by, chunk=settings.SEND_CHUNK, stop=stop, full=partial(nudge, send_digests)
            )
        except delivery.TransportDown as error:
            log.error("the mail server cannot be reached, the digests wait: %s", error)
            throttle.tell(clock.now(), alert)
            return False
        except fencing.NotOurs as error:
            log.error("%s", error)
            return False
        if ended:
            log.info("digests: %s", ", ".join(f"{number} {state}" for state, number in sorted(ended.items())))
        throttle.tell(clock.now(), alert)
        wait = throttle.opens_in(clock.now()).total_seconds()
        if not wait:
            return True
        _stopping.wait(max(min(wait, end - time.monotonic()), 0.0))
    return True


@shared_task(name="digest.tasks.settle")
def settle() -> None:
    """Learn from the providers' reports what became of mails, and decide about those of which nobody knows."""
    now = clock.now()
    try:
        fencing.check(now)
    except fencing.NotOurs as error:
        log.error("%s", error)
        return
    if led := outcomes.read_events(now):
        log.info("learnt of mails: %s", dict(led))
    if led := outcomes.resolve_uncertain(now):
        log.info("uncertain mails: %s", dict(led))
        nudge(send_digests)
    for edition in outcomes.hold_bursts(now, alert):
        log.error("the edition of %s is held: %s", edition.day, edition.held_reason)


@shared_task(name="digest.tasks.close_days")
def close_days() -> None:
    """Close the local days that have ended everywhere, and thin out what is old."""
    now = clock.now()
    for day in outcomes.days_to_close(now):
        try:
            total = outcomes.close_day(day, now)
        except outcomes.TooEarly as error:
            log.info("%s", error)
        else:
            log.info("closed %s: %s", day, total.counts)
    if any((gone := retention.prune(now)).values()):
        log.info("thinned out: %s", gone)


def nudge_sending() -> None:
    """After this transaction: send now, not at the next tick."""
    transaction.on_commit(partial(nudge, send_digests))
