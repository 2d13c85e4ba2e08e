"""The mail server of a run, in a process of its own: ``python -m tests.chaos.receiver LOG SECONDS`` prints its port.

One line of the log for each mail that it took: time, Message-ID, recipient. The line is written before the answer, so
what was answered with 250 is in the log, whatever is killed. SIGUSR1: the next mails are taken, and their connections
closed without an answer. SIGUSR2: from now on mails are neither taken nor answered, their connections stay as they are;
another SIGUSR2 ends it. SECONDS is how long an answer takes.
"""

import os
import signal
import sys
import time
from pathlib import Path

from tests.fakes.hostile import Gone, Hostile, Session
from tests.fakes.smtp import message_id

AT_ONCE = 4  # mails that one SIGUSR1 spoils


class Receiver:
    """What the script of the server does at the end of each mail."""

    def __init__(self, log: Path, seconds: float) -> None:
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.seconds = seconds
        # One list entry a mail: taking one out is atomic, and signals come whenever they like.
        self.to_drop: list[None] = []
        self.hangs = False
        signal.signal(signal.SIGUSR1, lambda *_: self.to_drop.extend([None] * AT_ONCE))
        signal.signal(signal.SIGUSR2, self.begin_or_stop_to_hang)

    def begin_or_stop_to_hang(self, *_: object) -> None:
        """What a signal does."""
        self.hangs = not self.hangs

    def end_of_mail(self, session: Session) -> bytes:
        """Take it, or not."""
        session.server.heard.clear()  # it would grow with every mail
        if self.hangs:
            session.server.stopped.wait(60)
            raise Gone
        time.sleep(self.seconds)
        line = f"{time.time():.3f} {message_id(session.mail)} {session.recipient}\n"
        os.write(self.log, line.encode())
        try:
            self.to_drop.pop()
        except IndexError:
            return b"250 2.0.0 taken"
        raise Gone


def main(log: str, seconds: str) -> None:
    """Serve until killed."""
    receiver = Receiver(Path(log), float(seconds))
    with Hostile({".": receiver.end_of_mail}) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        while True:
            signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
