"""The one function that reads the clock. Tasks, views and commands call it; everything below takes ``now``."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from subscriptions.models import ClockShift


def now() -> datetime:
    """The current instant, aware, in UTC. Under DEBUG shifted by the offset in the database, for demo and replay."""
    real = timezone.now()
    if not settings.DEBUG:
        return real
    shift = ClockShift.objects.first()
    return real + shift.offset if shift else real


def shift_to(instant: datetime) -> timedelta:
    """Let the clock show ``instant`` now and tick on from there. Raises ImproperlyConfigured outside DEBUG."""
    if not settings.DEBUG:
        raise ImproperlyConfigured("The clock can be shifted with DEBUG=true only.")
    offset = instant - timezone.now()
    ClockShift.objects.update_or_create(pk=1, defaults={"offset": offset})
    return offset


def running_from(instant: datetime) -> Callable[[], datetime]:
    """A clock that shows ``instant`` now and ticks on: what a command with --now hands to a long stage."""
    start = time.monotonic()
    return lambda: instant + timedelta(seconds=time.monotonic() - start)


def is_shifted() -> bool:
    """Whether an offset is set."""
    return ClockShift.objects.exists()
