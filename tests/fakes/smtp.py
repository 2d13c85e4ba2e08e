"""A fast SMTP receiver that takes every mail and says which: ``python -m tests.fakes.smtp --port 2525 --log FILE``."""

import argparse
import asyncio
import os
import re
import signal
import threading
import time
from pathlib import Path

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8")
END = b"\r\n.\r\n"  # of a mail (RFC 5321 section 4.1.1.4)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_PATH = re.compile(rb"<([^>]*)>")


def message_id(mail: bytes) -> str:
    """The Message-ID of a mail as it came over the wire; empty where it has none."""
    found = _MESSAGE_ID.search(mail[: mail.find(b"\r\n\r\n")])
    return found[1].decode(errors="replace") if found else ""


def path(argument: bytes) -> str:
    """The address of ``FROM:<...>`` or ``TO:<...>``."""
    found = _PATH.search(argument)
    return found[1].decode(errors="replace") if found else ""


def without_dots(mail: bytes) -> bytes:
    """A mail as it was before its dots were doubled (RFC 5321 section 4.5.2)."""
    return mail.replace(b"\r\n.", b"\r\n").removeprefix(b".")


def greeting_of(extensions: tuple[str, ...]) -> bytes:
    """The answer to EHLO (RFC 5321 section 4.1.1.1)."""
    lines = ["localhost", *extensions]
    return b"".join(f"250{' ' if line is lines[-1] else '-'}{line}\r\n".encode() for line in lines)


class Sink:
    """An SMTP server in a thread of its own, for thousands of mails a second.

    ``accepted`` has (Message-ID, recipient) of every mail that was answered with 250, in that order. With ``log`` each
    is a line of that file too, "Message-ID recipient", written before the 250: a mail that was not logged was never
    accepted, whatever is killed. ``latency`` is the seconds before each answer: a round trip of that length. With
    ``keep`` the mails stay in ``mails`` as they came, dots undone.
    """

    def __init__(self, port: int = 0, log: str | Path | None = None, latency: float = 0.0, keep: bool = False) -> None:
        self.port, self.latency, self.keep = port, latency, keep
        self.accepted: list[tuple[str, str]] = []
        self.mails: list[bytes] = []
        self.senders: list[str] = []  # of their envelopes, with ``keep``
        self.connections = 0
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if log else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="sink")
        self._open: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Listen; afterwards ``port`` is known."""
        self._thread.start()
        listening = self._loop.create_server(lambda: _Session(self), "127.0.0.1", self.port, backlog=1000)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close every connection at once, without a word. What was accepted stays to be read."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        if self._log is not None:
            os.close(self._log)

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        for transport in self._open:
            transport.abort()
        await asyncio.sleep(0)  # their connection_lost

    def take(self, mail: bytes, recipients: list[str]) -> None:
        """Keep one mail. One write of the whole line or lines: O_APPEND leaves no half of one between two."""
        name = message_id(mail)
        taken = [(name, recipient) for recipient in recipients]
        if self._log is not None:
            os.write(self._log, "".join(f"{name} {recipient}\n" for recipient in recipients).encode())
        if self.keep:
            self.mails.append(without_dots(mail))
        self.accepted += taken


class _Session(asyncio.Protocol):
    """One connection: commands in, answers out, as little parsing as a client of good manners needs."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.buffer = bytearray()
        self.in_data = False
        self.searched = 0  # of the buffer, for the end of a mail
        self.recipients: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport
        self.sink._open.add(transport)
        self.sink.connections += 1
        self._answer(b"220 localhost ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.sink._open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        answers = bytearray()
        while self._mail(answers) if self.in_data else self._command(answers):
            pass
        if answers:
            self._answer(bytes(answers))

    def _mail(self, answers: bytearray) -> bool:
        """Take the mail that the buffer begins with, if its end is there."""
        at = 0 if self.buffer.startswith(END[2:]) else self.buffer.find(END, max(0, self.searched - len(END))) + 2
        if at == 1:
            self.searched = len(self.buffer)
            return False
        self.sink.take(bytes(self.buffer[:at]), self.recipients)
        del self.buffer[: at + 3]
        self.in_data, self.recipients = False, []
        answers += b"250 2.0.0 taken\r\n"
        return True

    def _command(self, answers: bytearray) -> bool:
        """Do the command that the buffer begins with, if its end is there."""
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        verb, _, argument = bytes(self.buffer[:end]).partition(b" ")
        del self.buffer[: end + 2]
        match verb.upper():
            case b"EHLO":
                answers += greeting_of(EXTENSIONS)
            case b"RCPT":
                self.recipients.append(path(argument))
                answers += b"250 2.1.5 ok\r\n"
            case b"DATA" if not self.recipients:
                answers += b"554 5.5.1 no valid recipients\r\n"
            case b"DATA":
                self.in_data, self.searched = True, 0
                answers += b"354 go on\r\n"
            case b"QUIT":
                answers += b"221 2.0.0 bye\r\n"
                self.sink._loop.call_later(self.sink.latency, self.transport.close)  # it writes what is left first
                return False
            case b"HELO" | b"MAIL" | b"RSET" | b"NOOP":
                self.recipients = []
                if self.sink.keep and verb.upper() == b"MAIL":
                    self.sink.senders.append(path(argument))
                answers += b"250 2.0.0 ok\r\n"
            case _:
                answers += b"502 5.5.2 what is that?\r\n"
        return True

    def _answer(self, answers: bytes) -> None:
        if self.sink.latency:
            self.sink._loop.call_later(self.sink.latency, self.transport.write, answers)
        else:
            self.transport.write(answers)


def main() -> None:
    """Run until SIGTERM or Ctrl-C; the port is the first line that is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.smtp", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, and the first line printed is it")
    parser.add_argument("--log", type=Path, help="append 'Message-ID recipient' of each mail to this file")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds before each answer")
    options = parser.parse_args()
    sink = Sink(options.port, options.log, options.latency / 1000)
    sink.start()
    print(sink.port, flush=True)  # noqa: T201 - the one who started it waits for this line
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        sink.stop()


if __name__ == "__main__":
    main()
