"""A whole installation for a test: own database, real processes, a real SMTP receiver, a server that replays days."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

import psycopg
from aiosmtpd.controller import Controller

ROOT = Path(__file__).resolve().parents[2]


KILL_SWITCH = 300.0  # seconds: no measure of anything, but a test that waits for ever is to end


@contextmanager
def empty_database(folder: Path):
    """A DATABASE_URL of a new database of the suite's kind, without tables."""
    url = os.environ["DATABASE_URL"]
    if url.startswith("sqlite"):
        yield f"sqlite:///{folder / 'scratch.sqlite3'}"
        return
    name = f"scratch_{token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def scratch_database(folder: Path):
    """A DATABASE_URL of an empty, migrated database of the suite's kind."""
    with empty_database(folder) as own:
        manage(own, "migrate", "-v0")
        yield own


def manage(database: str, *arguments: str, **environment: str) -> str:
    """A command of manage.py on that database; what it printed. Raises on a failure, with its errors."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def run_code(database: str, code: str, **environment: str):
    """Python in a Django shell; what its variable ``out`` holds, through JSON."""
    printed = manage(
        database,
        "shell",
        "--no-imports",
        "-v0",
        "-c",
        f"out = None\n{code}\nimport json\nprint(json.dumps(out))",
        **environment,
    )
    return json.loads(printed.splitlines()[-1])


SHELL = """
import json, sys
import django
django.setup()
answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    names = {"out": None}
    exec(json.loads(line), names)
    print(json.dumps(names["out"]), file=answers, flush=True)
"""


class Shell:
    """A process of the installation that stays and runs what it is given: Django is started once, not for each look."""

    def __init__(self, database: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHELL],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def run(self, code: str):
        """What the code's variable ``out`` holds, through JSON. A failure ends the process; its errors are on stderr."""
        print(json.dumps(code), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        assert answer, f"the shell ended: {code}"
        return json.loads(answer)


def wait_until(done: Callable[[], object], what: str):
    """Ask until ``done`` is true; what it said."""
    end = time.monotonic() + KILL_SWITCH
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.05)
    raise AssertionError(f"still not: {what}")


class Inbox:
    """An SMTP receiver that keeps every mail. Can be away for a while, on the same port."""

    def __init__(self) -> None:
        self.mails: list = []
        self.port = 0
        self.controller: Controller | None = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port or free_port())
        self.controller.start()
        self.port = self.controller.port

    def stop(self) -> None:
        if self.controller:
            self.controller.stop()
            self.controller = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def replay(days: dict[str, list]):
    """A loopback stand-in for the daily list: ``days`` by date; other dates are empty. Gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            page = int(query.get("p", ["0"])[0])
            elements = days.get(query.get("date", [""])[0], []) if page == 0 else []
            body = json.dumps(elements).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def element(number: int, title: str, day: str, upvotes: int) -> dict:
    """One element of the daily list, in the API's shape."""
    return {
        "paper": {
            "id": f"2603.{number:05}",
            "authors": [{"_id": "x", "name": "Ana Exemplar", "hidden": False}],
            "publishedAt": f"{day}T00:00:00.000Z",
            "submittedOnDailyAt": f"{day}T00:00:00.000Z",
            "title": title,
            "summary": "We study it. It works.",
            "upvotes": upvotes,
        },
        "publishedAt": f"{day}T00:00:00.000Z",
        "title": title,
        "numComments": 1,
        "submittedBy": {"name": "somebody"},
    }
