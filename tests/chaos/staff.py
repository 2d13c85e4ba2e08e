"""The workers and the beats: started, killed, and started again."""

import os
import signal
import time
from argparse import Namespace
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from celery.platforms import EX_FAILURE

from tests.chaos import worker
from tests.chaos.steps import STEPS, Orders
from tests.chaos.watch import Watch

WORKERS, BEATS = ("worker-1", "worker-2"), ("beat-1", "beat-2")
AT_RANDOM = "at random"
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
GIVING_UP = 30.0  # seconds after the broker came back
TERM_LIMIT = 10.0  # seconds that a warm shutdown may take
HOW = {AT_RANDOM, *(step.name for step in STEPS)}


@dataclass(frozen=True, slots=True)
class End:
    """How one process ended."""

    name: str  # with the number of its life: worker-1.3
    at: float  # time.time()
    where: str  # the step of a kill, AT_RANDOM, "SIGTERM", or "" where it ended by itself
    code: int

    @property
    def is_kill_of_a_worker(self) -> bool:
        """Whether mails may have been in its hands."""
        return self.name.startswith("worker") and self.where in HOW

    def gave_up_after(self, broker_back_at: float, patience: int = 1) -> bool:
        """Whether it ended as Celery 5.7 does when Redis goes away while a task runs.

        Closing the lost connection, kombu restores unacknowledged messages to a pool that is gone; the AttributeError
        is an "Unrecoverable error": the worker ends its tasks and leaves with EX_FAILURE, for its supervisor to start
        it again.
        """
        return not self.where and self.code == EX_FAILURE and 0 <= self.at - broker_back_at < GIVING_UP * patience


@dataclass(slots=True)
class Life:
    """One process from its start to its end."""

    name: str
    process: BaseProcess
    asked: str = ""  # ended by the supervisor, and how
    at: float = 0.0

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid
        os.kill(self.process.pid, number)


class Staff:
    """Two workers and two beats. Each life of a worker has a host name of its own, which its claims bear."""

    def __init__(self, folder: Path, watch: Watch, options: Namespace) -> None:
        self.folder = folder
        self.watch = watch
        self.policy, self.fault, self.patience = options.policy, options.fault, options.patience
        self.orders = Orders(folder / "orders")
        self.orders.folder.mkdir()
        self.logs = folder / "log"
        self.logs.mkdir()
        self.late = folder / "late.txt"  # mails that were sent by a worker whose lease had lapsed
        self.late.touch()
        self.number = 0
        self.lives: dict[str, Life] = {}
        self.ends: list[End] = []
        self.shutdowns: list[float] = []  # seconds that each SIGTERM took
        self.nursery = get_context("forkserver")
        self.nursery.set_forkserver_preload([worker.__name__])

    def start(self) -> None:
        """All of them."""
        for post in (*WORKERS, *BEATS):
            self._begin(post)

    def _begin(self, post: str) -> None:
        self.number += 1
        name, log = f"{post}.{self.number}", self.logs / f"{post}.log"
        if post in WORKERS:
            pool = ("--pool", "threads", "--concurrency", "4", "--hostname", f"{name}@chaos", *QUIET)
            process = self.nursery.Process(
                target=worker.work,
                args=(self.orders.folder, self.policy, self.fault, self.late, log, *pool),
                daemon=True,
            )
        else:
            schedule = ("--schedule", str(self.folder / f"{post}.schedule"), "--pidfile=")
            process = self.nursery.Process(target=worker.beat, args=(log, *schedule), daemon=True)
        process.start()
        self.lives[post] = Life(name, process)

    def look_after(self) -> list[End]:
        """Start again whatever ended; what ended since the last look."""
        ended = []
        for post, life in [*self.lives.items()]:
            code = life.process.exitcode
            if code is not None:
                where = self.orders.last_words(life.process.pid or 0) or life.asked
                ended.append(End(life.name, life.at or time.time(), where, code))
                self._begin(post)
        self.ends += ended
        return ended

    def kill(self, post: str) -> None:
        """SIGKILL, wherever it is."""
        life = self.lives[post]
        life.asked, life.at = AT_RANDOM, time.time()
        life.process.kill()
        life.process.join()

    def freeze(self, post: str) -> None:
        """It does nothing any more, and does not know."""
        self.lives[post].send(signal.SIGSTOP)

    def thaw(self, post: str) -> None:
        """It goes on where it was."""
        self.lives[post].send(signal.SIGCONT)

    def ask_to_end(self, post: str) -> None:
        """SIGTERM, and note how long it took. Killed after three times the limit."""
        life = self.lives[post]
        life.asked = "SIGTERM"
        begun = self.watch.now()
        life.process.terminate()
        while life.process.is_alive():
            life.process.join(0.05)
            if self.watch.now() - begun > 3 * TERM_LIMIT * self.patience:
                life.process.kill()
        self.shutdowns.append(self.watch.now() - begun)

    def close(self) -> None:
        """The end of all."""
        for life in self.lives.values():
            life.process.kill()
            life.process.join()
        self.lives.clear()

    def tails(self, lines: int = 15) -> str:
        """The last lines of every log."""
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            for log in sorted(self.logs.glob("*.log"))
        )
