"""Celery tasks: a few lines each around plain functions. Every one is safe to run twice at once."""

import logging
import time
from functools import partial
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction

from digest import approval, delivery, editions, fetching, filling, outcomes, planning, retention
from subscriptions import clock
from subscriptions.tasks import alert, nudge

log = logging.getLogger(__name__)
SEND_DEADLINE = 60  # seconds of one send task: a warm shutdown must not wait longer


@shared_task(bind=True, name="digest.tasks.fetch_sources")
def fetch_sources(self: Any) -> None:
    """Read the sources whose hour has come."""
    while due := fetching.runs_due(clock.now()):  # asked again each time: another worker may be reading too
        source, day = due[0]
        run = fetching.collect(source, day, clock.now(), by=self.request.hostname)
        log.info("source %s day %s: %s, %s papers", source, day, run.state, run.received)
    if settings.FILL_IN:
        filling.fill_in(clock.now(), by=self.request.hostname)


@shared_task(bind=True, name="digest.tasks.draft_edition")
def draft_edition(self: Any) -> None:
    """Draft, or redraft, the editions that are not approved."""
    now = clock.now()
    for day in editions.days_to_draft(now):
        editions.draft(day, now, by=self.request.hostname)


@shared_task(bind=True, name="digest.tasks.approve_edition")
def approve_edition(self: Any) -> None:
    """Approve the editions whose hour has come."""
    if approval.approve_due(clock.now(), by=self.request.hostname, alert=alert):
        nudge(plan_digests)


@shared_task(bind=True, name="digest.tasks.plan_digests")
def plan_digests(self: Any) -> None:
    """Plan the digests of the readers whose hour has come."""
    if planning.plan_due(clock.now(), by=self.request.hostname).total():
        nudge(send_digests)


@shared_task(bind=True, name="digest.tasks.send_digests")
def send_digests(self: Any) -> None:
    """Send one chunk, and nudge the next: as many workers as there are share the planned rows."""
    end = time.monotonic() + SEND_DEADLINE
    try:
        ended = delivery.send_digests(
            clock.now,
            by=self.request.hostname,
            limit=settings.SEND_CHUNK,
            stop=lambda: time.monotonic() > end,
        )
    except delivery.TransportDown as error:
        log.error("the mail server cannot be reached, the digests wait: %s", error)
        return
    if ended:
        log.info("sent a chunk: %s", dict(ended))
        nudge(send_digests)


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
