"""Other packages that send mail, each in a temporary venv, a project and a database of its own. Not through a child."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.delivery.measured import LONGEST, Figures, RowFailed, counting_commits, cpu_of, peak_memory

PROJECT = Path(__file__).parent / "peers"
INSTALLS_WITHIN = 300.0  # seconds
LIBPQ = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A package, and the command that sends what is queued."""

    package: str
    module: str  # of the project: how its queue is filled
    apps: str
    command: str
    needs: tuple[str, ...] = ()


PEERS = {
    "post_office": Peer("django-post_office", "with_post_office", "post_office", "send_queued_mail"),
    "newsletter": Peer("django-newsletter", "with_newsletter", "newsletter", "submit_newsletter", ("sorl-thumbnail",)),
    "mailer": Peer("django-mailer", "with_mailer", "mailer", "send_mail"),
}


def measure(peer: Peer, messages: int, folder: Path, statistics: str, port: int) -> Figures:
    """Install, fill, send; its own command is timed, less what it takes with nothing to send. Raises RowFailed.

    ``folder`` holds the mail's texts; ``statistics`` is the address of a database of the server.
    """
    venv = folder / f"venv-{peer.apps}"
    python = venv / "bin" / "python"
    versions = _install(peer, venv)
    figures = Figures(messages, note=versions)
    with _database(statistics, f"benchmark_{peer.apps}") as database:
        environment = {
            **_of_the_shell(),
            **_server(statistics),
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": str(PROJECT),
            "PEER_DATABASE": database,
            "PEER_APPS": peer.apps,
            "PEER_TEMPLATES": str(folder),
            "PEER_MAIL_PORT": str(port),
        }

        def manage(*arguments: str) -> tuple[str, float, float, float | None]:
            return _run([str(python), "-W", "ignore", "-m", "django", *arguments], environment, folder)

        manage("migrate", "-v0")
        _, empty, empty_cpu, _ = manage(peer.command)
        manage("shell", "-c", f"import {peer.module}; {peer.module}.fill({messages})")
        with counting_commits(figures, statistics, database):
            _, seconds, cpu, figures.memory = manage(peer.command)
        figures.seconds, figures.cpu = seconds - empty, cpu - empty_cpu
        said, *_ = manage("shell", "-c", f"import {peer.module}; print({peer.module}.sent())")
    if int(said.split()[-1]) != messages:
        raise RowFailed(f"{said.split()[-1]} of {messages} were sent")
    return figures


def _install(peer: Peer, venv: Path) -> str:
    """The package with the newest Django that it takes; its version and Django's."""
    uv = shutil.which("uv")
    make = [uv, "venv", "-q", str(venv)] if uv else [sys.executable, "-m", "venv", str(venv)]
    python = str(venv / "bin" / "python")
    install = [uv, "pip", "install", "-q", "--python", python] if uv else [python, "-m", "pip", "install", "-q"]
    try:
        for command in (make, [*install, peer.package, *peer.needs, "psycopg[binary]"]):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALLS_WITHIN)
    except subprocess.TimeoutExpired as error:
        raise RowFailed(f"{peer.package} could not be installed in time") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise RowFailed(f"{peer.package} could not be installed (offline?)") from error
    say = f"from importlib.metadata import version; print(version('{peer.package}'), version('django'))"
    own, django = subprocess.run([python, "-c", say], check=True, capture_output=True, text=True).stdout.split()
    return f"{peer.package} {own}, Django {django}"


@contextmanager
def _database(statistics: str, name: str) -> Iterator[str]:
    with psycopg.connect(statistics, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield name
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server(address: str) -> dict[str, str]:
    known: Mapping[str, Any] = conninfo_to_dict(address)
    return {LIBPQ[key]: str(value) for key, value in known.items() if key in LIBPQ and value}


def _of_the_shell() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def _run(command: list[str], environment: dict[str, str], folder: Path) -> tuple[str, float, float, float | None]:
    """What it printed, seconds, CPU seconds and peak megabytes. Raises RowFailed."""
    memory, cpu, begun = None, 0.0, time.perf_counter()
    with TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        with subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=errors) as process:
            while process.poll() is None:  # what a process used is known while it lives
                memory, cpu = peak_memory(process.pid) or memory, cpu_of(process.pid) or cpu
                if time.perf_counter() - begun > LONGEST:
                    process.kill()
                time.sleep(0.02)
        seconds = time.perf_counter() - begun
        for file in (out, errors):
            file.seek(0)
        if process.returncode:
            raise RowFailed((errors.read().strip().splitlines() or ["it ended with an error"])[-1])
        return out.read(), seconds, cpu, memory
