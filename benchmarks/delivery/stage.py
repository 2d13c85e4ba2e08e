"""What all rows of one run share: the database, the mail sink, a folder, and how a row's process is started."""

import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import connection
from rich.progress import Progress

from benchmarks.delivery.measured import Figures, run_child

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# The installation that the benchmark is.
ENVIRONMENT = {
    "SITE_URL": "https://papers.example.org",
    "FROM_EMAIL": "Daily Papers <papers@example.org>",
    "POSTAL_ADDRESS": "Daily Papers, 1 Example Street, 12345 Example City",
    "LOG_LEVEL": "ERROR",
}


@dataclass
class Stage:
    """One run of the benchmark."""

    folder: Path
    threads: int
    mail_port: int
    progress: Progress
    warm_up: int  # digests of ours that are sent before the clock starts
    server: str = field(default_factory=lambda: os.environ["DATABASE_URL"])  # its named database

    @property
    def database(self) -> str:
        """The address of the database that was made beside the named one."""
        return urlsplit(self.server)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()

    def child(
        self, row: str, options: Mapping[str, Any], words: str, *, mail_url: str = "", **environment: str
    ) -> Figures:
        """Run a row in a process of its own, with a progress bar. Raises RowFailed."""
        given = {
            **ENVIRONMENT,
            "DATABASE_URL": self.database,
            "MAIL_URL": mail_url or f"smtp://127.0.0.1:{self.mail_port}",
            "SEND_THREADS": str(self.threads),
            **environment,
        }
        with self.bar(words, options["messages"]) as done:
            return run_child(row, options, given, done)

    def fill(self, messages: int, *, alike: bool = False, write_mail: bool = False) -> None:
        """Plan so many digests anew."""
        folder = str(self.folder) if write_mail else ""
        self.child("data:fill", {"messages": messages, "alike": alike, "folder": folder}, "planning")

    @contextmanager
    def bar(self, words: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar for the time of the block; what to call with the number that is done."""
        task = self.progress.add_task(words, total=total)
        try:
            yield lambda done: self.progress.update(task, completed=done)
        finally:
            self.progress.remove_task(task)

    def durability(self) -> dict[str, str]:
        """What makes the database's commits durable, as the server says it."""
        with psycopg.connect(self.database) as server:
            rows = server.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DURABLE)])
            return dict(rows.fetchall())


@dataclass
class Row:
    """A line of the table: the figures of each time that it was run, or why it was not."""

    key: str
    label: str
    runs: list[Figures] = field(default_factory=list)
    missing: str = ""

    @property
    def rate(self) -> float | None:
        """The median of messages a second."""
        return statistics.median(run.rate for run in self.runs) if self.runs else None
