"""At most one request at a time to a source, with a pause between two, over all workers."""

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.cache import cache

from digest.sources.base import SourceError

PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.1

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Local:
    """The gate of this process. It alone is left when the cache is away."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0  # time.monotonic()


_locals: dict[str, _Local] = {}


@contextmanager
def turn(name: str, interval: float, hold: float) -> Iterator[None]:
    """Wait for the turn to ask ``name``; afterwards keep the gate shut for ``interval`` seconds.

    ``hold`` is the longest time in seconds that the request itself may take: a worker that dies in the middle
    shuts the gate for that long. An ``interval`` of 0 means no gate. Raises SourceError (transient) when the
    turn does not come within a minute.
    """
    if interval <= 0:
        yield
        return
    deadline = time.monotonic() + PATIENCE_SECONDS
    local = _locals.setdefault(name, _Local())
    if not local.lock.acquire(timeout=PATIENCE_SECONDS):
        raise _no_turn(name)
    try:
        time.sleep(max(0.0, local.free_at - time.monotonic()))
        _wait_for_the_others(name, hold + interval, deadline)
        try:
            yield
        finally:
            local.free_at = time.monotonic() + interval
            _leave_to_the_others(name, interval)
    finally:
        local.lock.release()


def _wait_for_the_others(name: str, seconds: float, deadline: float) -> None:
    while not _add(name, seconds):
        if time.monotonic() >= deadline:
            raise _no_turn(name)
        time.sleep(LOOK_AGAIN_SECONDS)


def _add(name: str, seconds: float) -> bool:
    try:
        # Redis keeps whole seconds, and a timeout of 0 would be no gate at all: round up.
        return cache.add(_key(name), 1, timeout=math.ceil(seconds))
    except Exception:  # every cache backend has its own; without it the gate of this process is still there
        logger.warning("the cache does not answer: requests to %s are spaced within this process only", name)
        return True


def _leave_to_the_others(name: str, seconds: float) -> None:
    try:
        cache.set(_key(name), 1, timeout=math.ceil(seconds))
    except Exception:
        logger.warning("the cache does not answer: other workers may find the gate of %s shut or open", name)


def _key(name: str) -> str:
    return f"source-gate:{name}"


def _no_turn(name: str) -> SourceError:
    text = f"no turn to ask {name} within {PATIENCE_SECONDS:.0f} s: other workers are asking it"
    return SourceError(text, transient=True)
