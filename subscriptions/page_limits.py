"""How many pages that cost something to compute one network gets by GET.

In the cache, where all else that is limited is counted in rows (``guard``): a GET writes no row, and what a lost count
costs is a moment of computing, not a letter in somebody's mailbox. A window begins by the clock, so that over the turn
of one twice as many can pass. The keys are made of the network's hash and the clock, and of nothing that was asked for.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache

from subscriptions import guard
from subscriptions.budgets import Windows

log = logging.getLogger(__name__)
T = TypeVar("T")


def admit_preview(ip: str, now: datetime) -> bool:
    """Count one preview or mail of the archive that is computed for this network; False where it is one too many."""
    return unless_away(lambda: _has_room("previews", settings.PREVIEWS_PER_NETWORK, ip, now), True)


def admit_own_page(ip: str, now: datetime) -> bool:
    """Count one page of a reader's own that is computed each time; False where it is one too many."""
    return unless_away(lambda: _has_room("own-pages", settings.OWN_PAGES_PER_NETWORK, ip, now), True)


def _has_room(what: str, windows: Windows, ip: str, now: datetime) -> bool:
    network = guard.network_hash(ip)
    for window, most in windows:
        seconds = int(window.total_seconds())
        key = f"{what}:{seconds}:{int(now.timestamp()) // seconds}:{network}"
        cache.add(key, 0, timeout=seconds)
        if cache.incr(key) > most:
            return False
    return True


def unless_away(ask: Callable[[], T], otherwise: T) -> T:
    """What the cache answers; ``otherwise`` where it does not."""
    try:
        return ask()
    except Exception:  # every cache backend has its own; without it each page is computed
        log.warning("the cache does not answer: pages are neither remembered nor counted")
        return otherwise
