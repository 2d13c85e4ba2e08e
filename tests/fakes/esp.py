"""A mail provider on the loopback, in the shape of Mailgun's API as Anymail speaks it: scriptable, and quick.

``POST /v3/DOMAIN/messages`` with a form, ``recipient-variables`` for a batch
(https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending). What it reports afterwards
is in ``tests.fakes.reports``.

As a process of its own, ``python -m tests.fakes.esp --latency 0.1``: it prints its address, counts and keeps nothing.
"""

import argparse
import itertools
import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.utils import parseaddr
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_counter = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one call is answered. ``accepts``: its mails go out, whatever the answer says."""

    status: int = 200
    accepts: bool = True
    delay: float = 0.0  # seconds
    retry_after: str = ""
    drops: bool = False  # the connection ends in place of an answer


FAILS_AFTER_ACCEPTING = Answer(status=500)
DROPS_AFTER_ACCEPTING = Answer(drops=True)


def slow_down(seconds: int) -> Answer:
    """Nothing is accepted, and the caller is asked for patience (RFC 6585 section 4)."""
    return Answer(status=429, accepts=False, retry_after=str(seconds))


@dataclass(frozen=True, slots=True)
class Mail:
    """What one recipient gets, with its own values in the placeholders."""

    recipient: str
    to: str  # the header, so all that its recipient sees of the others
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    variables: dict[str, str]  # come back with each report; the recipient does not see them
    message_id: str

    @property
    def seen(self) -> str:
        """All that reaches the recipient."""
        headers = (f"{name}: {value}" for name, value in self.headers.items())
        return "\n".join([self.to, self.subject, *headers, self.text, self.html])


@dataclass(frozen=True, slots=True)
class Call:
    """One accepted call, and the mails that it made."""

    path: str
    form: dict[str, list[str]]
    message_id: str
    mails: tuple[Mail, ...]


class FakeEsp:
    """The server. Use as a context manager: it listens inside.

    ``answers`` are given to the next calls, in order; when there are none left ``otherwise`` is. ``refused`` are
    addresses that make a call fail as a whole, as one bad address does at Mailgun. With ``keeps`` false it counts
    recipients and reads nothing.
    """

    def __init__(self, *, latency: float = 0.0, keeps: bool = True, port: int = 0) -> None:
        self.answers: deque[Answer] = deque()
        self.otherwise = Answer(delay=latency)
        self.refused: set[str] = set()
        self.calls: list[Call] = []
        self.accepted = 0  # recipients
        self._keeps = keeps
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), partial(_Handler, self))

    @property
    def url(self) -> str:
        """What Anymail's MAILGUN_API_URL names."""
        return f"http://127.0.0.1:{self._server.server_port}/v3"

    @property
    def mails(self) -> list[Mail]:
        """All mails that were accepted, in order."""
        return [mail for call in self.calls for mail in call.mails]

    def __enter__(self) -> "FakeEsp":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until the process ends."""
        self._server.serve_forever()

    def take(self, path: str, kind: str, body: bytes) -> tuple[Answer, dict[str, str]]:
        """Accept the mails of a call, or not; how to answer, and with what."""
        answer = self.answers.popleft() if self.answers else self.otherwise
        message_id = f"<{next(_counter)}@provider.example>"
        if not self._keeps:
            with self._lock:
                self.accepted += body.count(b'\r\nContent-Disposition: form-data; name="to"\r\n')
            return answer, _queued(message_id)
        form = _form(kind, body)
        if self.refused & set(_addresses(form)):
            words = "to parameter is not a valid address. please check documentation"
            return Answer(status=400, accepts=False), {"message": words}
        if answer.accepts:
            call = _call(path, form, message_id)
            with self._lock:
                self.calls.append(call)
                self.accepted += len(call.mails)
            return answer, _queued(call.message_id)
        return answer, {"message": "try again later"}


def _queued(message_id: str) -> dict[str, str]:
    return {"id": message_id, "message": "Queued. Thank you."}


def fields_of(kind: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of a multipart form (RFC 7578), in their order; ``kind`` is its Content-Type."""
    parts = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload()
    return [(p.get_param("name", header="Content-Disposition"), p.get_payload(decode=True).decode()) for p in parts]


def _form(kind: str, body: bytes) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in fields_of(kind, body):
        form.setdefault(name, []).append(value)
    return form


def _addresses(form: dict[str, list[str]]) -> list[str]:
    return [parseaddr(to)[1] for to in form.get("to", [])]


def _call(path: str, form: dict[str, list[str]], message_id: str) -> Call:
    """Own copies for each where there are recipient variables; else one mail in which all see all."""
    batch = json.loads(form["recipient-variables"][0]) if "recipient-variables" in form else None
    own = form.get("h:Message-Id", [""])[0]
    message_id = own if own and "%recipient" not in own else message_id
    recipients, shown = _addresses(form), ", ".join(form.get("to", []))
    mails = [
        _mail(form, recipient, to if batch else shown, (batch or {}).get(recipient, {}), message_id)
        for recipient, to in zip(recipients, form.get("to", []), strict=True)
    ]
    return Call(path, form, message_id, tuple(mails))


def _mail(form: dict[str, list[str]], recipient: str, to: str, values: dict[str, Any], message_id: str) -> Mail:
    def filled(name: str) -> str:
        # Mailgun leaves a placeholder that it has no value for as it is.
        text = form.get(name, [""])[0]
        return re.sub(r"%recipient\.([^%\s]+)%", lambda found: str(values.get(found[1], found[0])), text)

    headers = {name[2:]: filled(name) for name in form if name.startswith("h:")}
    return Mail(
        recipient,
        to,
        filled("subject"),
        filled("text"),
        filled("html"),
        headers,
        {name[2:]: filled(name) for name in form if name.startswith("v:")},
        headers.get("Message-Id") or message_id,
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write an answer

    def __init__(self, esp: FakeEsp, *arguments: Any) -> None:
        self.esp = esp
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not re.fullmatch(r"/v3/[^/]+/messages", self.path):
            self.answer(404, {"message": "Not Found"})
        elif not (kind := self.headers.get("Content-Type", "")).startswith("multipart/form-data"):
            self.answer(415, {"message": "this fake reads what we send"})
        else:
            answer, said = self.esp.take(self.path, kind, body)
            time.sleep(answer.delay)
            if answer.drops:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self.answer(answer.status, said, answer.retry_after)

    def do_GET(self) -> None:
        self.answer(200, {"accepted": self.esp.accepted})

    def answer(self, status: int, said: Any, retry_after: str = "") -> None:
        octets = json.dumps(said).encode()
        self.send_response_only(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main(arguments: Iterable[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.esp", description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer (default: 0)")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1 (default: any that is free)")
    options = parser.parse_args(None if arguments is None else list(arguments))
    esp = FakeEsp(latency=options.latency, keeps=False, port=options.port)
    print(esp.url, flush=True)  # noqa: T201 - the one who started it waits for this line
    esp.serve_forever()


if __name__ == "__main__":
    main()
