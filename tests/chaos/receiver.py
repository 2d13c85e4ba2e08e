"""The mail server of a run, in a process of its own: ``python -m tests.chaos.receiver FOLDER SECONDS`` prints its port.

One line of FOLDER/received.log for each mail that it took: time, Message-ID, recipient. The line is written before the
answer, so what was answered with 250 is in the log, whatever is killed. While FOLDER/hang is there, mails are neither
taken nor answered, and their connections stay as they are for ever. A file FOLDER/drop-1, -2, ... each makes that one
mail is taken and its connection closed without an answer. SECONDS is how long an answer takes.
"""

import os
import signal
import sys
import time
from pathlib import Path

from tests.fakes.hostile import Gone, Hostile, Session
from tests.fakes.smtp import message_id

LOG, HANG, DROP = "received.log", "hang", "drop"


class Receiver:
    """What the script of the server does at the end of each mail."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self.log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def end_of_mail(self, session: Session) -> bytes:
        """Take it, or not."""
        session.server.heard.clear()  # it would grow with every mail
        if (self.folder / HANG).exists():
            session.server.stopped.wait()
            raise Gone
        time.sleep(self.seconds)
        line = f"{time.time():.3f} {message_id(session.mail)} {session.recipient}\n"
        os.write(self.log, line.encode())
        if self._is_to_drop():
            raise Gone
        return b"250 2.0.0 taken"

    def _is_to_drop(self) -> bool:
        for order in self.folder.glob(f"{DROP}-*"):
            try:
                order.unlink()
            except FileNotFoundError:  # another connection's
                continue
            return True
        return False


def main(folder: str, seconds: str) -> None:
    """Serve until killed."""
    receiver = Receiver(Path(folder), float(seconds))
    with Hostile({".": receiver.end_of_mail}) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        while True:
            signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
