"""One row's figures: what a child process measures of itself, and how the parent runs it and reads them.

Each row is a process of its own, so that CPU time and peak memory are the row's. It prints JSON lines: how many
messages are done, and at the end the figures.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryFile
from typing import Any

import psycopg

SAID_EVERY = 0.2  # seconds between two lines of progress
LONGEST = 1800.0  # seconds of one run of a row


@dataclass
class Figures:
    """What one run of a row came to. None: not measured."""

    messages: int
    seconds: float = 0.0
    cpu: float | None = None  # seconds of the sending process or processes, user and system
    memory: float | None = None  # peak resident megabytes of the largest of them
    commits: int | None = None  # transactions of its database
    queries: int | None = None
    idle: float | None = None  # share of all cores of the machine
    note: str = ""

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


class RowFailed(Exception):  # noqa: N818 - a row that could not be measured
    """The row's process ended without figures; the text is what it said last."""


@contextmanager
def measuring(figures: Figures) -> Iterator[None]:
    """Seconds, CPU time and peak memory of this process over the block."""
    cpu, begun = _cpu(), time.perf_counter()
    yield
    figures.seconds = time.perf_counter() - begun
    figures.cpu = _cpu() - cpu
    figures.memory = peak_memory(os.getpid())


def _cpu() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory(pid: int) -> float | None:
    """Peak resident megabytes of a process that runs; None where the system does not say.

    Not ru_maxrss: on Linux that of a child begins with its parent's.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def cpu_of(pid: int) -> float:
    """CPU seconds that a process of this machine has used, its threads included; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def counting_commits(figures: Figures, statistics: str, database: str) -> Iterator[None]:
    """Transactions that ``database`` ended over the block. ``statistics`` is the address of another one beside it.

    A backend reports what it did when it ends, so connections to the database must be closed in the block.
    """
    before = _commits(statistics, database)
    yield
    figures.commits = _commits(statistics, database) - before


def _commits(statistics: str, database: str) -> int:
    with psycopg.connect(statistics, autocommit=True) as server:
        end = time.monotonic() + 5
        while _count(server, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", database):
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        return _count(server, "SELECT xact_commit FROM pg_stat_database WHERE datname = %s", database)


def _count(server: psycopg.Connection[Any], query: Any, database: str) -> int:
    found = server.execute(query, [database]).fetchone()
    return int(found[0]) if found else 0


@contextmanager
def watching_cores(figures: Figures) -> Iterator[None]:
    """The idle share of all cores over the block."""
    before = _ticks()
    yield
    after = _ticks()
    if before and after:
        spent = [late - early for early, late in zip(before, after, strict=True)]
        figures.idle = (spent[3] + spent[4]) / sum(spent)  # idle, and waiting for a disk


def _ticks() -> list[int]:
    try:
        return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return []


class Progress:
    """Tells the parent how many messages are done. A row calls it with each further number."""

    def __init__(self) -> None:
        self.done, self._said = 0, 0.0

    def __call__(self, more: int) -> None:
        """So many more are done."""
        self.done += more
        if time.monotonic() - self._said > SAID_EVERY:
            self._said = time.monotonic()
            _say({"done": self.done})


def tell(figures: Figures) -> None:
    """The row's last line."""
    _say({"figures": asdict(figures)})


def _say(value: object) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def run_child(
    row: str, options: Mapping[str, Any], environment: Mapping[str, str], progress: Callable[[int], None]
) -> Figures:
    """Run ``python -m benchmarks.delivery.child ROW OPTIONS`` to its end. Raises RowFailed."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.delivery.child", row, json.dumps(options)]
    figures = None
    with TemporaryFile("w+") as errors:  # a pipe that nobody reads would stop a child that has much to complain of
        with subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as child:
            ending = threading.Timer(LONGEST, child.kill)
            ending.start()
            assert child.stdout
            for line in child.stdout:
                said = json.loads(line)
                if "done" in said:
                    progress(said["done"])
                else:
                    figures = Figures(**said["figures"])
            ending.cancel()
        errors.seek(0)
        complaints = errors.read().strip().splitlines()
    if child.returncode or figures is None:
        raise RowFailed((complaints or [f"exit code {child.returncode}"])[-1])
    return figures
