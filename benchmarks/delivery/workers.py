"""The row of two worker processes that share the planned rows through Celery."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from benchmarks.delivery.measured import (
    Figures,
    Progress,
    counting_commits,
    cpu_of,
    peak_memory,
    tell,
    watching_cores,
)
from config.celery import app
from digest.models import Digest
from digest.tasks import send_digests

STARTS_WITHIN = 60.0  # seconds
# As docker-compose.yml runs it.
WORKER = ("worker", "--pool=threads", "--concurrency=8", "--without-gossip", "--without-mingle", "--loglevel=ERROR")


def send(*, messages: int, statistics: str, workers: int = 2) -> None:
    """One nudge for each worker, then wait until no digest is open. The workers' start is not timed."""
    figures, progress, database = Figures(messages), Progress(), str(connection.settings_dict["NAME"])
    with counting_commits(figures, statistics, database):
        with _running(workers) as pids:
            cpu, begun = sum(map(cpu_of, pids)), time.perf_counter()
            with watching_cores(figures):
                for _ in pids:
                    send_digests.delay()
                _wait(progress)
            figures.seconds = time.perf_counter() - begun
            figures.cpu = sum(map(cpu_of, pids)) - cpu
            figures.memory = max((memory for memory in map(peak_memory, pids) if memory), default=None)
        connection.close()
    accepted = Digest.objects.filter(state=Digest.State.ACCEPTED).count()
    if accepted != messages:
        figures.note = f"{accepted} accepted"
    tell(figures)


@contextmanager
def _running(workers: int) -> Iterator[list[int]]:
    """So many workers that answer; their process ids."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "celery", "--app=config.celery", *WORKER, f"--hostname=benchmark-{number}@%h"],
            stdout=subprocess.DEVNULL,
            stderr=sys.stderr,
        )
        for number in range(workers)
    ]
    try:
        end = time.monotonic() + STARTS_WITHIN
        while len(app.control.ping(timeout=0.5) or []) < workers:
            if time.monotonic() > end or any(worker.poll() is not None for worker in started):
                raise SystemExit("the workers did not start")
        yield [worker.pid for worker in started]
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait()


def _wait(progress: Progress) -> None:
    """Until no digest is open; asked four times a second, which is among the commits."""
    left = Digest.objects.open().count()
    while left:
        time.sleep(0.25)
        now_left = Digest.objects.open().count()
        progress(left - now_left)
        left = now_left
