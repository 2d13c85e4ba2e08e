"""The body of every worker and beat. It is imported once, by the process that forks them all.

So a new life begins in a fraction of a second. Import it only once the environment names database and broker.
"""

import os
import sys
from pathlib import Path

import django
from celery.bin.celery import main
from django.conf import settings

from config.celery import app

django.setup()
app.loader.import_default_modules()

from tests.chaos.faults import FAULTS  # noqa: E402 - its models need Django set up
from tests.chaos.late import watch  # noqa: E402
from tests.chaos.steps import Orders  # noqa: E402


def work(orders: Path, policy: str, fault: str, late: Path, log: Path, *arguments: str) -> None:
    """Be a Celery worker that can be told to kill itself."""
    _write_to(log)
    settings.UNCERTAIN_MAILS = policy
    watch(late)
    Orders(orders).install()
    if fault:
        FAULTS[fault]()
    _celery("worker", *arguments)


def beat(log: Path, *arguments: str) -> None:
    """Be a beat."""
    _write_to(log)
    _celery("beat", *arguments)


def _celery(*arguments: str) -> None:
    sys.argv = ["celery", "--app", "config", *arguments]  # the command itself: its exit code is what a supervisor sees
    main()


def _write_to(log: Path) -> None:
    os.setsid()  # Ctrl-C reaches the supervisor only
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
