"""The sending threads: one connection to the mail server each, opened once and used for mail after mail.

They know no database: a thread puts a mail together from what was read before, while the conductor waits for its
commit, hands it over, and reports. So a killed process leaves at most one uncertain hand-over a thread, and a hanging
server costs a thread, never the others.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from smtplib import SMTPException

from anymail.exceptions import AnymailError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from digest.delivery.hand_over import TOO_SLOW, Outcome, hand_over, of_opening, unrendered
from digest.models import Digest

log = logging.getLogger(__name__)
Unit = tuple[Digest, ...]  # handed over together: one digest, or a batch of a provider's API
Compose = Callable[[], EmailMessage]  # makes a unit's message; reads no row


@dataclass(frozen=True, slots=True)
class Job:
    """One hand-over that is to be made until the lease of its rows ends, by the monotonic clock, and not later."""

    unit: Unit
    compose: Compose
    until: float


LINGER = 0.005  # seconds
ABANDON_AFTER = 1.0  # seconds that a thread has to come back once its connection is cut


@dataclass(frozen=True, slots=True)
class Report:
    """What a thread says: it is ready, its connection is down, or a unit is done."""

    member: "Member"
    unit: Unit = ()
    outcomes: tuple[Outcome, ...] = ()
    opening: bool = False  # and needs a new connection
    down: str = ""
    answer: Outcome | None = None  # the server is there, and wants no connection


@dataclass(eq=False)
class Member:
    """One thread and its connection."""

    reports: SimpleQueue[Report]
    inbox: SimpleQueue[Job | None] = field(default_factory=SimpleQueue)
    connection: BaseEmailBackend | None = None
    unit: Unit = ()
    since: float = field(default_factory=time.monotonic)  # busy, or opening, since then
    cut: bool = False  # the conductor has cut its connection
    abandoned: bool = False  # nobody listens to it any more

    def start(self) -> "Member":
        """Open the connection, then wait for mails. A daemon: a thread that hangs must not keep the process."""
        threading.Thread(target=self._run, name="sending", daemon=True).start()
        return self

    def take(self, job: Job) -> None:
        """Put a mail together and hand it over, beginning now."""
        self.unit, self.since = job.unit, time.monotonic()
        self.inbox.put(job)

    def abort(self) -> None:
        """End whatever its connection waits for. Not every transport can be ended from outside."""
        self.cut = True
        abort = getattr(self.connection, "abort", None)
        if abort:
            abort()

    def _run(self) -> None:
        while self._open():
            if not self._send():
                return

    def _open(self) -> bool:
        try:
            self.connection = get_connection()
            self.connection.open()
        except Exception as error:  # whatever is wrong, the conductor decides
            self._close()
            answer = of_opening(error)
            said = answer.reason if answer else f"{type(error).__name__}: {error}"
            self._report(Report(self, down=said, answer=answer))
            return False
        self._report(Report(self))
        return True

    def _send(self) -> bool:
        """Mail after mail until the connection breaks (True) or there is nothing more to do (False)."""
        assert self.connection
        fresh = True
        while (job := self.inbox.get()) is not None:
            outcomes = self._do(job, self.connection, fresh=fresh)
            fresh = False
            # SMTP's backend closes its connection itself where it cannot be used any more.
            closed = getattr(self.connection, "connection", self) is None
            broken = closed or any(outcome.broken for outcome in outcomes)
            if broken:
                self._close()
            self._report(Report(self, job.unit, outcomes, opening=broken))
            if self.abandoned:
                break
            if broken:
                return True
        self._close()
        return False

    def _do(self, job: Job, connection: BaseEmailBackend, *, fresh: bool) -> tuple[Outcome, ...]:
        try:
            message = job.compose()
        except Exception as error:  # one poisoned reader or paper fails alone, whatever is wrong with it
            log.exception("digest %s cannot be rendered", job.unit[0].pk)
            return (unrendered(error, alone=len(job.unit) == 1),) * len(job.unit)
        if time.monotonic() >= job.until:  # the process was frozen: another may have the rows by now
            return (TOO_SLOW,) * len(job.unit)
        return tuple(hand_over(connection, message, fresh=fresh))

    def _report(self, report: Report) -> None:
        if not self.abandoned:
            self.reports.put(report)

    def _close(self) -> None:
        connection, self.connection = self.connection, None
        try:
            if connection:
                connection.close()
        except (OSError, SMTPException, AnymailError) as error:
            log.info("the mail server did not say goodbye: %s", type(error).__name__)


class Crew:
    """All threads of one process. Used by one conductor."""

    def __init__(self, size: int, patience: float) -> None:
        self.size = size
        self.patience = patience  # seconds that opening a connection or one hand-over may take
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self.opening: set[Member] = set()
        self.free: list[Member] = []
        self.busy: set[Member] = set()
        self.down = ""  # why the newest thread that gave up did
        self.answer: Outcome | None = None  # to it, where the server gave one

    @property
    def is_down(self) -> bool:
        """Whether the last thread has given up."""
        return bool(self.down) and not (self.opening or self.free or self.busy)

    def muster(self, wanted: int) -> None:
        """Have up to ``wanted`` threads, as far as the size allows."""
        for _ in range(min(wanted, self.size) - len(self.opening) - len(self.free) - len(self.busy)):
            self.opening.add(Member(self.reports).start())

    def hand(self, job: Job) -> None:
        """Give a unit to a free thread."""
        member = self.free.pop()
        self.busy.add(member)
        member.take(job)

    def finished(self, seconds: float) -> list[tuple[Unit, tuple[Outcome, ...]]]:
        """The units that are done, after waiting up to ``seconds`` for the first report.

        Then LINGER for half of the threads: a commit takes as long as several hand-overs, and one does for all of them.
        """
        done: list[tuple[Unit, tuple[Outcome, ...]]] = []
        wait = seconds
        try:
            while True:
                report = self.reports.get(timeout=wait) if wait > 0 else self.reports.get_nowait()
                if not report.member.abandoned:
                    self._hear(report)
                    if report.unit:
                        done.append((report.unit, report.outcomes))
                if len(done) == 1:
                    end = time.monotonic() + LINGER
                enough = not done or len(done) >= len(self.busy)
                wait = 0.0 if enough else end - time.monotonic()
        except Empty:
            return done

    def give_up(self, patience: float | None = None) -> list[Unit]:
        """Cut the connections of threads that take too long; the units of those that do not come back even then."""
        now, limit = time.monotonic(), self.patience if patience is None else patience
        lost = []
        for member in [*self.opening, *self.busy]:
            if not member.cut and now - member.since >= limit:
                log.warning("the mail server hangs, its connection is cut")
                member.abort()
                member.since = now
            elif member.cut and now - member.since >= ABANDON_AFTER:
                member.abandoned = True
                member.inbox.put(None)
                if member in self.busy:
                    lost.append(member.unit)
                self.opening.discard(member)
                self.busy.discard(member)
                self.down = "the mail server hangs"
                self.size -= 1
        return lost

    def disband(self) -> None:
        """Let every thread close its connection and end."""
        for member in [*self.opening, *self.free, *self.busy]:
            member.abandoned = True
            member.inbox.put(None)

    def _hear(self, report: Report) -> None:
        member = report.member
        if report.unit:
            self.busy.discard(member)
            member.unit, member.since = (), time.monotonic()
            (self.opening.add if report.opening else self.free.append)(member)
            member.cut = False
        elif report.down:
            self.opening.discard(member)
            self.down, self.answer = report.down, report.answer
            self.size -= 1  # not again in this run
        else:
            self.opening.discard(member)
            self.free.append(member)
            member.cut = False
