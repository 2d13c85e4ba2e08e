"""One run of sending: rows to messages to threads and back to rows. The only part of delivery that writes digests.

Each round is one commit. It records what the threads finished and marks what they get next ``sending``; only then are
those mails put together and handed to them. So a kill at any moment leaves at most one uncertain hand-over a thread.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count
from typing import TypeVar

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError, connection

from digest import fencing, ledger
from digest.delivery import throttle
from digest.delivery.crew import Crew, Job, Unit
from digest.delivery.hand_over import Outcome
from digest.delivery.intake import Intake, Wish
from digest.delivery.refusals import EQUAL, EqualRefusals, Pair
from digest.models import Digest
from digest.providers import Key
from digest.rendering.press import Press
from subscriptions import receivers, suppression
from subscriptions.emails import name_of

log = logging.getLogger(__name__)
State = Digest.State
Done = TypeVar("Done")
EXCHANGES = 4  # slow answers of a mail server in one hand-over; the rest of the lease is for the record
STOP_WITHIN = 5.0  # seconds from the stop until connections are cut: SIGTERM ends everything within ten
DATABASE_PATIENCE = 10.0  # seconds that a record is tried again, since without it mails would be uncertain
IN_A_HURRY = 2.0  # the same, once the process is to end
TAKEN_BACK = timedelta(days=1)  # refusals older than that are not
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
    """Send planned digests until none is due, ``limit`` is reached or ``stop`` says so; how many ended how.

    They are claimed by ``chunk``; ``full`` is called when there were as many and mails go out: others may help.
    ``clock`` is asked each round: a lease that lapsed meanwhile is not used. An empty Counter means that nothing was
    due, or that nothing may be sent now (``throttle.opens_in``). Raises TransportDown, and fencing.NotOurs.
    """
    now = clock()
    fencing.check(now)
    ledger.recover(now)
    run = Run(Intake(Wish(by, chunk, limit, full)), clock, stop, progress)
    try:
        run.go()
    finally:
        run.end()
    if run.failure:
        raise run.failure
    if run.crew.is_down and (answer := run.crew.answer):
        throttle.close(clock(), answer.reason, refused=answer.refused)
    if run.crew.is_down and not run.ended:
        raise TransportDown(run.crew.down)
    return +run.ended


class Run:
    """One call of ``send_digests``: an intake, a crew, and what has come of it so far."""

    def __init__(
        self,
        intake: Intake,
        clock: Callable[[], datetime],
        stop: Callable[[], bool],
        progress: Callable[[int], None],
    ) -> None:
        self.intake, self.clock, self.stop, self.progress = intake, clock, stop, progress
        self.key = intake.provider.idempotency_key
        lease = settings.SEND_LEASE_SECONDS
        self.crew = Crew(settings.SEND_THREADS, patience=min(EXCHANGES * settings.EMAIL_TIMEOUT, lease / 2))
        self.done: list[tuple[Unit, Sequence[Outcome]]] = []  # handed over, not recorded
        self.ended: Counter[str] = Counter()
        self.places: dict[int, int] = {}  # of the digests on the wire, in the order of their hand-overs
        self.numbers = count(1)
        self.refusals = EqualRefusals(lambda: throttle.equal_refusals(clock()), settings.SEND_THREADS)
        self.stopped_at: float | None = None
        self.failure: Exception | None = None

    def go(self) -> None:
        """Round after round, until nothing is left to claim and every thread has answered."""
        intake, crew = self.intake, self.crew
        while not intake.is_over or intake.units or crew.busy or self.done:
            if self.stopped_at is None and self.stop():
                self.stopped_at = time.monotonic()
                self._patiently(intake.stop)
            try:
                intake.fill(crew.size, self.clock(), idle=not crew.busy and not self.done)
            except (OperationalError, InterfaceError) as error:  # first what is on the wire; claims lapse
                self.failure, intake.is_over = error, True
            crew.muster(len(intake.units))
            self._round()
            nothing_to_do = not self.done and not (crew.free and intake.units)
            self.done += crew.finished(0.1 if nothing_to_do else 0.0)
            for unit in crew.give_up(0.0 if self._is_overdue() else None):
                self.done.append((unit, [Outcome(State.UNCERTAIN, "the mail server hangs")] * len(unit)))
            if crew.is_down:
                self._patiently(intake.stop)

    def end(self) -> None:
        """Give back what was not begun and let the threads go; also after an error."""
        self.crew.disband()
        try:
            self.intake.stop()
        except (OperationalError, InterfaceError) as error:
            log.error("claims could not be given back and will lapse: %s", type(error).__name__)

    def _is_overdue(self) -> bool:
        return self.stopped_at is not None and time.monotonic() - self.stopped_at > STOP_WITHIN

    def _round(self) -> None:
        """Record what is done, mark what comes, and hand that over."""
        if not self.done and not (self.intake.units and self.crew.free):
            return
        now, began = self.clock(), time.monotonic()
        pairs: Sequence[Pair] = [p for unit, outcomes in self.done for p in zip(unit, outcomes, strict=True)]
        self.done = []
        if pairs:
            pairs = self._judged(pairs, now)
            self._patiently(lambda: self._hear(pairs, now))
        coming = self.intake.take(len(self.crew.free))
        marked = self._record_and_mark(pairs, coming, now)
        for unit in coming:
            if begun := tuple(digest for digest in unit if digest.pk in marked):
                self._hand(begun, now, until=began + settings.SEND_LEASE_SECONDS)

    def _record_and_mark(self, pairs: Sequence[Pair], units: Sequence[Unit], now: datetime) -> set[int]:
        absent, in_batch = self.intake.absent, any(len(unit) > 1 for unit in units)
        coming = list(chain.from_iterable(units))
        ended = [_as_row(digest, outcome, now) for digest, outcome in pairs]
        unless = absent.changed(coming)
        marked = self._patiently(lambda: ledger.advance(ended, coming, now, unless=unless, in_batch=in_batch))
        self.ended.update(outcome.state for _digest, outcome in pairs)
        self.progress(len(pairs))
        if missing := [digest for digest in coming if digest.pk not in marked]:
            self._patiently(lambda: absent.look_up(missing, again=True))
            unless = absent.changed(missing)
            marked |= self._patiently(lambda: ledger.advance([], missing, now, unless=unless, in_batch=in_batch))
            unwanted = [digest for digest in missing if digest.pk not in marked]
            refused = self._patiently(lambda: ledger.refuse(unwanted, now))
            if refused.pop(State.PLANNED, 0):  # held at this moment: not again in this run
                self.intake.is_over = True
            self.ended.update(refused)
        return marked

    def _judged(self, pairs: Sequence[Pair], now: datetime) -> Sequence[Pair]:
        """The same, but equal refusals in a row are about us; those that were held against readers are taken back."""
        if any(outcome.equal_at for _, outcome in pairs):
            self._patiently(self.refusals.learn)
        judged, back = self.refusals.judge(pairs, self.places)
        if back:
            number = self._patiently(lambda: _take_back(back, now))
            here = min(number, self.ended[State.REJECTED])  # the others were of earlier runs
            self.ended.subtract({State.REJECTED: here, State.PLANNED: -number})
        if self.refusals.changed:
            self._patiently(lambda: throttle.keep_equal_refusals(self.refusals.row()))
            self.refusals.changed = False
        return judged

    def _hear(self, pairs: Sequence[Pair], now: datetime) -> None:
        """What answers say beyond their own mail: against a recipient, or about us."""
        for digest, outcome in pairs:
            if outcome.refusal and (reader := digest.subscriber):
                receivers.refused(outcome.refusal, reader.email, f"digest-{digest.pk}", now, reader.pk)
        about_us = {(outcome.reason, outcome.patience, outcome.refused) for _, outcome in pairs if outcome.about_us}
        for reason, patience, refused in sorted(about_us):
            until = throttle.close(now, reason, patience, refused=refused)
            log.warning("%s: nothing is sent until %s", reason, f"{until:%H:%M:%S}")
            self.intake.stop()
        if not self.intake.works and any(outcome.state == State.ACCEPTED for _, outcome in pairs):
            self.intake.works = True
            throttle.works(now)

    def _patiently(self, work: Callable[[], Done]) -> Done:
        """Do it again while the database is away for a moment: what was handed over must be recorded.

        Only for what may be done twice.
        """
        end = time.monotonic() + (DATABASE_PATIENCE if self.stopped_at is None else IN_A_HURRY)
        while True:
            try:
                return work()
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or time.monotonic() > end:
                    raise
                log.warning("the database is away, trying again: %s", type(error).__name__)
                connection.close()
                time.sleep(0.5)

    def _hand(self, unit: Unit, now: datetime, until: float) -> None:
        without = self.intake.absent.of(unit[0])
        if all(p["paper"] in without for p in unit[0].picks):
            self.done.append((unit, [Outcome(State.SKIPPED, "papers withdrawn")] * len(unit)))
        else:
            self.places.update(zip((digest.pk for digest in unit), self.numbers, strict=False))
            compose = partial(_compose, self.intake.press, self.key, unit, without, now)
            self.crew.hand(Job(unit, compose, until))


# Putting mails together is bound to one core anyway, and what the press keeps is for one thread at a time.
_composing = threading.Lock()


def _compose(press: Press, key: Key | None, unit: Unit, without: frozenset[int], now: datetime) -> EmailMessage:
    """The message of a unit; called by a sending thread."""
    with _composing:
        if len(unit) > 1:
            return press.batch(unit, now=now, without=without)
        digest = unit[0]
        assert digest.subscriber
        message = press.message(digest, digest.subscriber, now=now, without=without)
    if key:
        message.extra_headers[key.header] = key.of(name_of(f"digest-{digest.pk}", digest.planned_at))
    return message


def _take_back(ids: Collection[int], now: datetime) -> int:
    """May be done twice: the second time there is nothing left to do."""
    suppression.take_back([f"digest-{pk}" for pk in ids], now - TAKEN_BACK, now)
    return ledger.take_back(ids, EQUAL, now + RETRY)


def _as_row(digest: Digest, outcome: Outcome, now: datetime) -> ledger.Ended:
    """After a soft failure a mail waits; after an answer about us too: were it one mail's doing, others go first."""
    wait = RETRY * 3 ** (digest.attempt - 1) if outcome.later else RETRY if outcome.about_us else None
    return ledger.Ended(
        digest, outcome.state, outcome.reason, outcome.provider_id, now + wait if wait else None, outcome.counts
    )
