"""One run: waves of readers become due, and in each wave something is killed, frozen, emptied or restarted."""

import random
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from django.db import InterfaceError, OperationalError, connection
from rich.progress import Progress

from digest.models import Digest
from subscriptions import clock
from subscriptions.models import Subscriber
from tests.chaos import cast
from tests.chaos.copies import Event
from tests.chaos.servers import Broker, Database, MailServer
from tests.chaos.staff import WORKERS, Staff
from tests.chaos.watch import Watch

if TYPE_CHECKING:
    from tests.chaos.troubles import Trouble

T = TypeVar("T")
State = Digest.State
SETTLE = 90.0  # seconds without any progress until the run gives up waiting for the end
LEAVERS = 48  # readers who are stopped in the middle: every second one unsubscribes, the others are suppressed


@dataclass
class Run:
    """The state of the run, and what can be done to the installation."""

    database: Database
    broker: Broker
    mail: MailServer
    staff: Staff
    readers: list[int]
    options: Namespace
    chance: random.Random
    progress: Progress
    watch: Watch
    events: list[Event] = field(default_factory=list)
    done: list[str] = field(default_factory=list)  # troubles beside the kills
    gave_up: int = 0  # workers that ended, in good order, because their broker went away
    stopped: dict[int, datetime] = field(default_factory=dict)  # readers who were stopped, and when that was committed
    missed: list[str] = field(default_factory=list)  # what did not come about, or ended by itself
    to_stop: list[tuple[float, int, Callable[[int, datetime], None]]] = field(default_factory=list)  # when, who, how
    began: float = field(default_factory=time.time)
    next_reader: int = 0
    wave: int = 1  # readers

    def go(self, troubles: "list[Trouble]") -> None:
        """All troubles, a wave each; then the rest of the readers, until nothing is on its way any more."""
        self.wave = max(len(self.readers) * 3 // (4 * len(troubles) + 4), 1)  # a quarter is left for second tries
        self.troubles_bar = self.progress.add_task("troubles", total=len(troubles))
        self.mails_bar = self.progress.add_task("mails", total=len(self.readers))
        self.watch.last = time.monotonic()  # what came before took its time
        self.staff.start()
        self.make_due(self.wave)
        if not self.wait(self.mail.taken, 60 * self.options.patience):
            self.missed.append("no mail within a minute of the start")
            return
        for trouble in troubles:
            self.tell(trouble.name)
            self.make_due(self.wave)
            if not trouble.bring(self):
                self.missed.append(f"it did not come about: {trouble.name}")
            elif not trouble.is_kill:
                self.done.append(trouble.name)
            self.progress.advance(self.troubles_bar)
        self.tell("left alone")
        self.make_due(len(self.readers))
        self.settle()
        for post in WORKERS:
            self.staff.ask_to_end(post)
        self.staff.close()
        both = len(WORKERS) * self.options.threads
        for at, seconds in self.watch.standstills:
            self.events.append(Event(at, "this machine stood still", both, seconds))

    # What everything below uses

    def wait(self, done: Callable[[], T], seconds: float) -> T | None:
        """Until ``done`` says something true; None after so many seconds. Dead processes are started again meanwhile."""
        end = self.watch.now() + seconds
        while self.watch.now() < end:
            for ended in self.staff.look_after():
                if ended.is_kill_of_a_worker:
                    self.events.append(Event(ended.at, f"kill -9 {ended.where}", self.options.threads))
                elif ended.gave_up_after(self.broker.back_at, self.options.patience):
                    self.gave_up += 1
                elif not ended.where:
                    self.missed.append(f"{ended.name} ended by itself with code {ended.code}")
            self.stop_some()
            self.progress.update(self.mails_bar, completed=self.mail.taken())
            if found := done():
                return found
            time.sleep(0.05)
        return None

    def tell(self, what: str) -> None:
        """Say what is being done, with the time since the start."""
        self.progress.update(self.troubles_bar, description=what)
        elapsed = self.progress.tasks[self.troubles_bar].elapsed or 0.0
        self.progress.console.print(f"{elapsed:6.1f} s  {what}")

    def pause(self, most: float) -> None:
        """A random while, in the middle of work where there is some."""
        before = self.mail.taken()
        self.wait(lambda: self.mail.taken() > before, 4.0)
        self.wait(lambda: False, self.chance.uniform(0, most))

    def make_due(self, number: int) -> None:
        """So many readers more. Two of them will be stopped soon: before, during or after their mail."""
        some = self.readers[self.next_reader : self.next_reader + number]
        self.next_reader += len(some)
        patiently(lambda: cast.make_due(some, clock.now()))
        if len(self.stopped) + len(self.to_stop) < LEAVERS and len(some) > 8:
            for reader, how in zip(self.chance.sample(some, 2), (cast.leave, cast.suppress), strict=True):
                self.to_stop.append((self.watch.now() + self.chance.uniform(0, 4), reader, how))

    def stop_some(self) -> None:
        """Stop those readers whose moment has come, and note when that was committed."""
        now = self.watch.now()
        for moment, reader, how in [*self.to_stop]:
            if moment <= now:
                self.to_stop.remove((moment, reader, how))
                patiently(lambda how=how, reader=reader: how(reader, clock.now()))
                self.stopped[reader] = clock.now()

    def settle(self) -> None:
        """Until all is planned and ended, or nothing has moved for a long while."""
        last, since = None, self.watch.now()
        while left := patiently(self.left):
            if left != last:
                last, since = left, self.watch.now()
            if self.watch.now() - since > SETTLE * self.options.patience:
                self.missed.append(f"the end: for {SETTLE:.0f} s there were still {left}")
                return
            self.wait(lambda: False, 0.5)

    def left(self) -> dict[str, int]:
        """What has not ended."""
        waiting = [State.PLANNED, State.CLAIMED, State.SENDING]
        if self.options.policy == "resend":
            waiting.append(State.UNCERTAIN)
        counts = {state.value: Digest.objects.filter(state=state).count() for state in waiting}
        counts["due"] = Subscriber.objects.due(clock.now()).count()
        return {what: number for what, number in counts.items() if number}


def patiently(function: Callable[[], T], seconds: float = 30.0) -> T:
    """Also while the database is being restarted."""
    end = time.monotonic() + seconds
    while True:
        try:
            return function()
        except (OperationalError, InterfaceError):
            if time.monotonic() > end:
                raise
            connection.close()
            time.sleep(0.2)
