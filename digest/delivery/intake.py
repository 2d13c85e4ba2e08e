"""What one run of sending has claimed and not begun, with what it knows of the papers in it."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, takewhile

from django.conf import settings
from django.db import InterfaceError, OperationalError

from digest import ledger
from digest.delivery import throttle
from digest.delivery.absent import Absent
from digest.delivery.crew import Unit
from digest.delivery.reading import read_digests
from digest.delivery.units import units_of
from digest.models import Digest
from digest.providers import provider_of
from digest.rendering.press import Press

log = logging.getLogger(__name__)
ASK_AGAIN = 0.2  # seconds
SHORT_WAIT = timedelta(seconds=2)  # for the next token of MAIL_RATE; connections stay open meanwhile
FRESH = 60.0  # seconds after which papers and editions are read anew


@dataclass(frozen=True, slots=True)
class Wish:
    """How a run was called."""

    by: str
    chunk: int
    limit: int | None
    full: Callable[[], None]


class Intake:
    """Claims by the chunk, as fast as the throttle lets, and hands out units."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.provider = provider_of(settings.EMAIL_BACKEND)
        self.chunk = max(wish.chunk, self.provider.batch_limit) if self.provider.uses_batches else wish.chunk
        self.left = wish.limit
        self.units: deque[Unit] = deque()
        self.is_over = False  # nothing more is claimed
        self.works = False  # a mail was accepted: help is worth calling
        self.dry = 0  # claims in a row for which there was no token
        self.not_before = 0.0
        self._read_anew()

    def fill(self, wanted: int, now: datetime, *, idle: bool) -> None:
        """Claim a chunk where fewer than ``wanted`` units are left.

        That there is nothing more to claim is only believed while ``idle``: what is on the wire may be planned again.
        """
        if self.is_over or len(self.units) >= wanted or time.monotonic() < self.not_before:
            return
        digests = self._claimed(now)
        if not digests and not self.dry:
            self.is_over = idle
            self.not_before = time.monotonic() + ASK_AGAIN
        if time.monotonic() - self.read_at > FRESH:
            self._read_anew()
            self._read(list(chain.from_iterable(self.units)))
        digests = self._read(digests)
        again = {digest.pk for digest in digests}  # claimed before too, and its lease lapsed here
        self.units = deque(unit for unit in self.units if again.isdisjoint(digest.pk for digest in unit))
        self.units.extend(units_of(digests, self.press, self.provider))

    def take(self, room: int) -> list[Unit]:
        """Up to ``room`` units, all batches or all single digests."""
        in_batch = bool(self.units) and len(self.units[0]) > 1
        alike = takewhile(lambda unit: (len(unit) > 1) == in_batch, list(self.units)[:room])
        return [self.units.popleft() for _ in list(alike)]

    def stop(self) -> None:
        """Claim no more, and give back what was not begun."""
        self.is_over = True
        ledger.give_back(list(chain.from_iterable(self.units)))
        self.units.clear()

    def _read_anew(self) -> None:
        self.press, self.absent, self.read_at = Press(), Absent(), time.monotonic()

    def _read(self, digests: Sequence[Digest]) -> list[Digest]:
        """Those that could be read. One poisoned row ends alone, with its reason."""
        try:
            self.press.lay_out(digests)
            self.absent.look_up(digests)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if len(digests) > 1:
                return [digest for one in digests for digest in self._read([one])]
            log.exception("digest %s cannot be read", digests[0].pk)
            row = Digest.objects.filter(pk=digests[0].pk, claimed_by=digests[0].claimed_by)
            ledger.move(
                row, Digest.State.CLAIMED, Digest.State.FAILED, f"reading: {type(error).__name__}", free_at=None
            )
            return []
        return list(digests)

    def _claimed(self, now: datetime) -> list[Digest]:
        wanted = self.chunk if self.left is None else min(self.chunk, self.left)
        granted = throttle.take(wanted, now) if wanted else 0
        ids = ledger.claim(granted, self.wish.by, now) if granted else []
        throttle.put_back(granted - len(ids))
        if self.left is not None:
            self.left -= len(ids)
        if len(ids) == self.chunk and self.works:
            self.wish.full()
        wait = throttle.opens_in(now) if not granted and wanted else timedelta(0)
        self.dry = self.dry + 1 if wait else 0
        if self.dry == 1 and wait <= SHORT_WAIT:
            self.not_before = time.monotonic() + wait.total_seconds()
        elif self.dry:
            self.is_over = True
        return read_digests(ids)
