"""Broker, workers and beat. The only module of health that knows Celery."""

from datetime import datetime
from typing import Any

from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from digest.health.verdict import Verdict, fault, not_checked, ok, warning
from subscriptions.tasks import BEAT_SEEN

LONG_QUEUE = 1000  # beat's own tasks expire, so a long queue is nudges that no worker takes
SECONDS = 2
SOON = {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS}
# Kombu would wait for two seconds before the second try: a page that asks whether all is well would hang that long.
ONE_MORE_TRY: dict[str, Any] = {"max_retries": 1, "interval_start": 0.2, "timeout": SECONDS}
AWAY = (OperationalError, OSError, RedisError)
START_WORKER = "Start one: celery --app config.celery worker --pool threads"
START_BEAT = "Start it: celery --app config.celery beat. Without it nothing is fetched, planned or sent."


def faults() -> list[str]:
    """What keeps this process from doing its work, in words; empty when all is well."""
    found = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        found.append(f"database: {type(error).__name__}")
    try:
        with broker(settings.REDIS_URL) as there:
            there.ensure_connection(**ONE_MORE_TRY)
    except AWAY as error:
        found.append(f"broker: {type(error).__name__}")
    return found


def broker(url: str) -> Connection:
    """A connection to the broker that gives up soon."""
    return Connection(url, connect_timeout=SECONDS, transport_options=dict(SOON))


def processes(url: str, now: datetime) -> list[Verdict]:
    """Broker, queue, workers and beat. With no broker the others cannot be asked."""
    try:
        with broker(url) as there:
            there.ensure_connection(**ONE_MORE_TRY)
            redis: Any = there.default_channel
            length = sum(int(redis.client.llen(name)) for name in settings.QUEUES)
        answers = _ping(url)
        seen = cache.get(BEAT_SEEN)
    except AWAY as error:
        remedy = "Start Redis, or correct REDIS_URL. Pages work without it; no task runs."
        away = fault("Broker", f"does not answer ({type(error).__name__})", remedy)
        return [away, *(not_checked(name, "the broker does not answer") for name in ("Queue", "Workers", "Beat"))]
    last = datetime.fromisoformat(seen) if seen else None
    return [ok("Broker", "answers"), queue(length), workers(answers), beat(last, now, settings.TICK_SECONDS)]


def queue(length: int) -> Verdict:
    """How many tasks wait."""
    if length > LONG_QUEUE:
        return warning("Queue", f"{length} waiting", "Add workers, or see what they are busy with.")
    return ok("Queue", f"{length} waiting")


def workers(number: int) -> Verdict:
    """How many workers answered."""
    if not number:
        return fault("Workers", f"none answered within {SECONDS} s", START_WORKER)
    return ok("Workers", f"{number} answered")


def beat(seen: datetime | None, now: datetime, tick: float) -> Verdict:
    """When a worker last ran a task of beat's timetable; ``tick`` in seconds."""
    if seen is None:
        return fault("Beat", "not seen: does beat run, and a worker?", START_BEAT)
    age = max((now - seen).total_seconds(), 0.0)  # it may have ticked since ``now`` was read
    said = f"seen {age:.0f} s ago"
    if age > max(5 * tick, 60):
        return fault("Beat", f"{said}, it ticks every {tick:g} s", START_BEAT)
    return ok("Beat", said)


def _ping(url: str) -> int:
    """How many workers answer. By an app of its own: ``config``'s would wait as patiently as a worker may."""
    with Celery("doctor", broker=url, set_as_current=False) as app:
        app.conf.broker_transport_options = dict(SOON)
        return len(app.control.ping(timeout=SECONDS) or [])
