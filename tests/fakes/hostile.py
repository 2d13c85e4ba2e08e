"""An SMTP server that behaves well, but for what a script says: refuses, stalls, hangs up, talks nonsense."""

import socket
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.fakes.smtp import END, EXTENSIONS, greeting_of, message_id, path, without_dots


class Gone(Exception):  # noqa: N818 - not an error: the connection is to end here
    """Close the connection."""


# What is answered instead of the usual; a function is asked first, and with None the usual is done.
Action = bytes | Callable[["Session"], bytes | None]


class Hostile:
    """Use it as ``with Hostile({"RCPT": b"550 5.1.1 no such user"}) as server``.

    ``script`` names steps: "connect", each verb (EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, RSET, QUIT), "body" (354 was
    said) and "." (the whole mail is here). An answer of 421 closes the connection. ``accepted`` is as the Sink has it;
    ``heard`` is all that came, as it came: one write of the client is one item unless it is long.
    """

    def __init__(
        self,
        script: Mapping[str, Action] | None = None,
        *,
        extensions: tuple[str, ...] = EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
    ) -> None:
        self.script = dict(script or {})
        self.extensions, self.tls, self.implicit = extensions, tls, implicit
        self.accepted: list[tuple[str, str]] = []
        self.mails: list[bytes] = []
        self.heard: list[bytes] = []
        self.connections = 0
        self.tries: Counter[str] = Counter()  # of RCPT, by recipient
        self.stopped = threading.Event()
        self.hangs = threading.Event()  # somebody waits for us
        self.was_outlasted = False  # somebody waited longer than any client may
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sessions: list[Session] = []

    def __enter__(self) -> "Hostile":
        self._spawn(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        end(self._listener)
        for session in self._sessions:
            end(session.line)
        for thread in self._threads:
            thread.join(30)
        assert not self.was_outlasted, "the client did not end the connection, the server did"

    def _listen(self) -> None:
        while not self.stopped.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            session = Session(self, line)
            self._sessions.append(session)
            self._spawn(session.run)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True, name="hostile")
        self._threads.append(thread)
        thread.start()


class Session:
    """One connection, in a thread of its own."""

    def __init__(self, server: Hostile, line: socket.socket) -> None:
        self.server, self.line = server, line
        self.buffer = b""
        self.has_sender = False
        self.recipient = ""  # of the newest RCPT
        self.recipients: list[str] = []
        self.mail = b""
        self.envelopes = 0  # MAIL commands of this connection

    def run(self) -> None:
        try:
            if self.server.implicit:
                self._begin_tls()
            self.say(self.do("connect") or b"220 localhost ESMTP")
            while True:
                line = self._until(b"\r\n")
                verb, _, argument = line[:-2].partition(b" ")
                self._step(verb.decode(errors="replace").upper(), argument)
        except (Gone, OSError):
            pass
        finally:
            end(self.line)

    def do(self, step: str) -> bytes | None:
        """What the script wants instead of the usual, if anything."""
        action = self.server.script.get(step)
        return action(self) if callable(action) else action

    def say(self, answer: bytes) -> None:
        self.line.sendall(answer if answer.endswith(b"\r\n") else answer + b"\r\n")
        if answer.startswith(b"421"):
            raise Gone

    def take(self) -> None:
        """The mail is ours now."""
        self.server.mails.append(self.mail)
        self.server.accepted += [(message_id(self.mail), recipient) for recipient in self.recipients]

    def _step(self, verb: str, argument: bytes) -> None:
        if verb == "MAIL":
            self.recipients, self.envelopes = [], self.envelopes + 1
        if verb == "RCPT":
            self.recipient = path(argument)
            self.server.tries[self.recipient] += 1
        answer = self.do(verb) or self._usual(verb)
        if verb == "RSET" or (verb == "MAIL" and answer.startswith(b"25")):
            self.has_sender = verb == "MAIL"
        if verb == "RCPT" and answer.startswith(b"25"):
            self.recipients.append(self.recipient)
        self.say(answer)
        if verb == "DATA" and answer.startswith(b"354"):
            self._data()
        if verb == "STARTTLS" and answer.startswith(b"220"):
            self._begin_tls()
        if verb == "QUIT":
            raise Gone

    def _usual(self, verb: str) -> bytes:
        if verb == "EHLO":
            plain = self.server.tls and not isinstance(self.line, ssl.SSLSocket)
            return greeting_of((*self.server.extensions, *(("STARTTLS",) if plain else ())))
        if verb == "MAIL" and self.has_sender:
            return b"503 5.5.1 nested MAIL"
        if verb == "RCPT" and not self.has_sender:
            return b"503 5.5.1 need MAIL"
        if verb == "DATA":
            return b"354 go on" if self.recipients else b"554 5.5.1 no valid recipients"
        return {"AUTH": b"235 2.7.0 welcome", "STARTTLS": b"220 2.0.0 go on", "QUIT": b"221 2.0.0 bye"}.get(
            verb, b"250 2.0.0 ok"
        )

    def _data(self) -> None:
        if answer := self.do("body"):
            self.say(answer)
        while not self.buffer.startswith(END[2:]) and END not in self.buffer:
            self._read()
        at = 0 if self.buffer.startswith(END[2:]) else self.buffer.index(END) + 2
        stuffed, self.buffer = self.buffer[:at], self.buffer[at + 3 :]
        self.mail = without_dots(stuffed)
        self.has_sender = False
        answer = self.do(".")
        if answer is None:
            self.take()
        self.say(answer or b"250 2.0.0 taken")

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self._read()
        found, _, self.buffer = self.buffer.partition(mark)
        return found + mark

    def _read(self) -> None:
        chunk = self.line.recv(65536)
        if not chunk:
            raise Gone
        self.server.heard.append(chunk)
        self.buffer += chunk

    def _begin_tls(self) -> None:
        assert self.server.tls
        self.line = self.server.tls.wrap_socket(self.line, server_side=True)


def hang(session: Session) -> bytes | None:
    """Say nothing until the test is over. A client that waits for that has no end of its own: the test fails."""
    session.server.hangs.set()
    session.server.was_outlasted |= not session.server.stopped.wait(60)
    raise Gone


def drop(session: Session) -> bytes | None:
    """Close the connection without a word."""
    raise Gone


def take_and_drop(session: Session) -> bytes | None:
    """Take the mail, and close the connection before anybody hears of it."""
    session.take()
    raise Gone


def slowly(answer: bytes, pause: float = 1.0) -> Action:
    """Say it one byte at a time."""

    def speak(session: Session) -> bytes | None:
        session.server.hangs.set()
        for octet in answer:
            session.line.sendall(bytes([octet]))
            if session.server.stopped.wait(pause):
                raise Gone
        return b"\r\n"

    return speak


def to(address: str, action: Action) -> Action:
    """Do it to this recipient only."""
    return lambda session: _done(action, session) if session.recipient == address else None


def at_first(action: Action) -> Action:
    """Do it at each recipient's first try only, as greylists do."""
    return lambda session: _done(action, session) if session.server.tries[session.recipient] == 1 else None


def from_mail(number: int, action: Action) -> Action:
    """Do it from the n-th mail of each connection on."""
    return lambda session: _done(action, session) if session.envelopes >= number else None


def _done(action: Action, session: Session) -> bytes | None:
    return action(session) if callable(action) else action


def end(line: socket.socket) -> None:
    """Close a socket for everybody who waits for it."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a self-signed certificate for that host, and the file to trust it by."""
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(key), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem
