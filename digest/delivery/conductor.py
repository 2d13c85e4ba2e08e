"""One run of sending: rows to messages to threads and back to rows. The only part of delivery that writes digests.

Each round is one commit. It records what the threads finished and marks what they get next ``sending``; only then are
those mails rendered and handed to them. So a kill at any moment leaves at most one uncertain hand-over a thread.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain, takewhile

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError, connection

from digest import fencing, ledger
from digest.delivery import throttle
from digest.delivery.absent import Absent
from digest.delivery.crew import Crew, Unit
from digest.delivery.hand_over import Outcome
from digest.delivery.units import units_of
from digest.models import Digest
from digest.providers import provider_of
from digest.delivery._stub import Press
from subscriptions import receivers

log = logging.getLogger(__name__)
State = Digest.State
EXCHANGES = 4  # slow answers of a mail server in one hand-over; the rest of the lease is for the record
STOP_WITHIN = 5.0  # seconds from the stop until connections are cut: SIGTERM ends everything within ten
DATABASE_PATIENCE = 10.0  # seconds that a record is tried again, since without it mails would be uncertain
SHORT_WAIT = timedelta(seconds=2)  # for the next token of MAIL_RATE; connections stay open meanwhile
FRESH = 60.0  # seconds after which papers and editions are read anew
RETRY = timedelta(minutes=5)  # after a mail's first soft failure; then three times as long each time


class TransportDown(Exception):  # noqa: N818 - a fact about the mail server, not about us
    """The mail server cannot be reached: what was not handed over is planned as before."""


def send_digests(
    clock: Callable[[], datetime],
    by: str = "",
    *,
    chunk: int = 100,
    limit: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
    full: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Send planned digests until none is due, ``limit`` is reached or ``stop`` says so; how many ended in which state.

    They are claimed by ``chunk``; ``full`` is called when there were as many, so that others may help. ``clock`` is asked
    each round: a lease that lapsed meanwhile is not used. An empty Counter means that nothing was due, or that nothing
    may be sent now (``throttle.opens_in``). Raises TransportDown, and fencing.NotOurs.
    """
    now = clock()
    fencing.check(now)
    ledger.recover(now)
    run = Run(clock, by, chunk, limit, stop, progress, full)
    try:
        run.go()
    finally:
        run.end()
    if run.failure:
        raise run.failure
    if run.crew.is_down and not run.ended:
        raise TransportDown(run.crew.down)
    return run.ended


class Run:
    """What one call of ``send_digests`` has claimed, and where each of it is."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        by: str,
        chunk: int,
        limit: int | None,
        stop: Callable[[], bool],
        progress: Callable[[int], None],
        full: Callable[[], None],
    ) -> None:
        self.clock, self.by, self.stop, self.progress, self.full = clock, by, stop, progress, full
        self.provider = provider_of(settings.EMAIL_BACKEND)
        self.chunk = max(chunk, self.provider.batch_limit) if self.provider.uses_batches else chunk
        self.left = limit
        lease = settings.SEND_LEASE_SECONDS
        self.crew = Crew(settings.SEND_THREADS, patience=min(EXCHANGES * settings.EMAIL_TIMEOUT, lease / 2))
        self.units: deque[Unit] = deque()  # claimed, not marked
        self.done: list[tuple[Unit, Sequence[Outcome]]] = []  # handed over, not recorded
        self.ended: Counter[str] = Counter()
        self.drained = False  # nothing more is claimed
        self.dry = 0  # claims in a row for which there was no token
        self.next_claim = 0.0
        self.stopped_at: float | None = None
        self.worked = False  # whether the transport's patience was reset
        self.failure: Exception | None = None
        self._read_anew()

    def go(self) -> None:
        """Round after round, until nothing is left to claim and every thread has answered."""
        while not self.drained or self.units or self.crew.busy or self.done:
            if self.stopped_at is None and self.stop():
                self.stopped_at = time.monotonic()
                self._claim_no_more()
            self._claim()
            self.crew.muster(len(self.units))
            self._round()
            nothing_to_do = not self.done and not (self.crew.free and self.units)
            self.done += self.crew.finished(0.1 if nothing_to_do else 0.0)
            for unit in self.crew.give_up(0.0 if self._is_overdue() else None):
                self.done.append((unit, [Outcome(State.UNCERTAIN, "the mail server hangs")] * len(unit)))
            if self.crew.is_down:
                self._claim_no_more()

    def end(self) -> None:
        """Give back what was not begun and let the threads go; also after an error."""
        self.crew.disband()
        try:
            self._claim_no_more()
        except (OperationalError, InterfaceError) as error:
            log.error("claims could not be given back and will lapse: %s", type(error).__name__)

    def _is_overdue(self) -> bool:
        return self.stopped_at is not None and time.monotonic() - self.stopped_at > STOP_WITHIN

    def _claim_no_more(self) -> None:
        self.drained = True
        ledger.give_back(list(chain.from_iterable(self.units)))
        self.units.clear()

    def _read_anew(self) -> None:
        self.press, self.absent, self.read_at = Press(), Absent(), time.monotonic()

    def _claim(self) -> None:
        """Have at least as many units ready as there are threads."""
        if self.drained or len(self.units) >= self.crew.size or time.monotonic() < self.next_claim:
            return
        try:
            digests = self._claimed(self.clock())
            if time.monotonic() - self.read_at > FRESH:
                self._read_anew()
                self._read(list(chain.from_iterable(self.units)))
            self._read(digests)
        except (OperationalError, InterfaceError) as error:  # first what is on the wire; leases lapse
            self.failure, self.drained = error, True
            return
        again = {digest.pk for digest in digests}  # its lease lapsed here, and it was claimed anew
        stale = [unit for unit in self.units if not again.isdisjoint(digest.pk for digest in unit)]
        self.units = deque(unit for unit in self.units if unit not in stale)
        self.units.extend(units_of(digests, self.press, self.provider))

    def _read(self, digests: Sequence[Digest]) -> None:
        self.press.lay_out(digests)
        self.absent.look_up(digests)

    def _claimed(self, now: datetime) -> list[Digest]:
        wanted = self.chunk if self.left is None else min(self.chunk, self.left)
        granted = throttle.take(wanted, now) if wanted else 0
        ids = ledger.claim(granted, self.by, now) if granted else []
        throttle.put_back(granted - len(ids))
        if self.left is not None:
            self.left -= len(ids)
        if len(ids) == self.chunk:
            self.full()
        wait = throttle.opens_in(now) if not granted and wanted else timedelta(0)
        self.dry = self.dry + 1 if wait else 0
        if self.dry == 1 and wait <= SHORT_WAIT:
            self.next_claim = time.monotonic() + wait.total_seconds()
        elif not ids:
            self.drained = True
        return list(Digest.objects.filter(pk__in=ids).select_related("subscriber").order_by("pk")) if ids else []

    def _round(self) -> None:
        """Record what is done, mark what comes, and hand that over."""
        room = len(self.crew.free)
        in_batch = bool(self.units) and len(self.units[0]) > 1
        alike = takewhile(lambda unit: (len(unit) > 1) == in_batch, list(self.units)[:room])
        coming = [self.units.popleft() for _ in list(alike)]
        if not coming and not self.done:
            return
        done, self.done = self.done, []
        now = self.clock()
        marked = self._record_and_mark(done, list(chain.from_iterable(coming)), now, in_batch=in_batch)
        for unit in coming:
            if begun := tuple(digest for digest in unit if digest.pk in marked):
                self._hand(begun, now)

    def _record_and_mark(
        self, done: Sequence[tuple[Unit, Sequence[Outcome]]], coming: list[Digest], now: datetime, *, in_batch: bool
    ) -> set[int]:
        pairs = [pair for unit, outcomes in done for pair in zip(unit, outcomes, strict=True)]
        self._hear(pairs, now)
        ended = [_as_row(digest, outcome, now) for digest, outcome in pairs]
        unless = self.absent.changed(coming) if coming else None
        marked = self._patiently(lambda: ledger.advance(ended, coming, now, unless=unless, in_batch=in_batch))
        self.ended.update(outcome.state for _digest, outcome in pairs)
        self.progress(len(pairs))
        if missing := [digest for digest in coming if digest.pk not in marked]:
            self.absent.look_up(missing, again=True)
            marked |= ledger.advance([], missing, now, in_batch=in_batch)
            refused = ledger.refuse([digest for digest in missing if digest.pk not in marked], now)
            self.drained |= bool(refused.pop(State.PLANNED, 0))  # held at this moment: not again in this run
            self.ended.update(refused)
        return marked

    def _hear(self, pairs: Sequence[tuple[Digest, Outcome]], now: datetime) -> None:
        """What answers say beyond their own mail: against a recipient, or about us."""
        for digest, outcome in pairs:
            if outcome.refusal and (reader := digest.subscriber):
                receivers.refused(outcome.refusal, reader.email, f"digest-{digest.pk}", now, reader.pk)
        for reason, patience in {(outcome.reason, outcome.patience) for _, outcome in pairs if outcome.about_us}:
            until = throttle.close(now, reason, patience)
            log.warning("%s: nothing is sent until %s", reason, f"{until:%H:%M:%S}")
            self._claim_no_more()
        if not self.worked and any(outcome.state == State.ACCEPTED for _, outcome in pairs):
            self.worked = True
            throttle.works(now)

    def _patiently(self, work: Callable[[], set[int]]) -> set[int]:
        """Do it again while the database is away for a moment: what was handed over must be recorded."""
        end = time.monotonic() + (DATABASE_PATIENCE if self.stopped_at is None else 2.0)
        while True:
            try:
                return work()
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or time.monotonic() > end:
                    raise
                log.warning("the database is away, trying again: %s", type(error).__name__)
                connection.close()
                time.sleep(0.5)

    def _hand(self, unit: Unit, now: datetime) -> None:
        without = self.absent.of(unit[0])
        if all(p["paper"] in without for p in unit[0].picks):
            self.done.append((unit, [Outcome(State.SKIPPED, "papers withdrawn")] * len(unit)))
            return
        try:
            message = self._message(unit, without, now)
        except Exception as error:  # one poisoned reader or paper fails alone, whatever is wrong with it
            log.exception("digest %s cannot be rendered", unit[0].pk)
            state = State.FAILED if len(unit) == 1 else State.PLANNED  # of a batch each tries again alone
            self.done.append((unit, [Outcome(state, f"rendering: {type(error).__name__}")] * len(unit)))
            return
        self.crew.hand(unit, message)

    def _message(self, unit: Unit, without: frozenset[int], now: datetime) -> EmailMessage:
        if len(unit) > 1:
            return self.press.batch(unit, now=now, without=without)
        digest = unit[0]
        assert digest.subscriber
        message = self.press.message(digest, digest.subscriber, now=now, without=without)
        if key := self.provider.idempotency_key:
            message.extra_headers[key.header] = key.of(f"digest-{digest.pk}")
        return message


def _as_row(digest: Digest, outcome: Outcome, now: datetime) -> ledger.Ended:
    # After an answer about us too: were it one mail's doing after all, the others go first and often.
    again = now + RETRY * (3 ** (digest.attempt - 1) if outcome.later else 1)
    again = again if outcome.later or outcome.about_us else None
    return ledger.Ended(digest, outcome.state, outcome.reason, outcome.provider_id, again, outcome.counts)
