"""INBOUND_MAILBOX: a mailbox that is read every tick, by IMAP or as a Maildir on this machine.

A mail that was for us is marked as seen. Any other is flagged and stays unseen: a person wrote it, to be answered by
one. So only mails that are neither are read, and a mail that could not be handled is met again.
"""

import imaplib
import mailbox as maildirs
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import imap_tools
from imap_tools import AND, MailMessageFlags

from subscriptions.inbound.reading import LONGEST

Handle = Callable[[bytes], bool]  # takes a mail; whether it was for us
MOST = 200  # mails of one reading; the next tick goes on
TIMEOUT = 30.0  # seconds
PORTS = {"imaps": 993, "imap": 143}
EXAMPLES = "imaps://user:password@imap.example.org/INBOX or maildir:/var/mail/papers"


class MailboxError(Exception):
    """The mailbox cannot be read now; the text has no password."""


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir: new mails are in ``new``, handled ones move to ``cur`` (https://cr.yp.to/proto/maildir.html)."""

    path: Path

    def read(self, handle: Handle) -> int:
        """Hand the new mails over one by one; how many. Raises MailboxError where there is no Maildir."""
        if not (self.path / "new").is_dir():
            raise MailboxError("no Maildir there: a folder with the folders new, cur and tmp")
        folder = maildirs.Maildir(self.path, factory=None, create=False)
        number = 0
        for name in sorted(path.name for path in (self.path / "new").iterdir())[:MOST]:
            with (self.path / "new" / name).open("rb") as file:
                raw = file.read(LONGEST)
            flag = "S" if handle(raw) else "F"
            handled = f"{name.partition(folder.colon)[0]}{folder.colon}2,{flag}"
            (self.path / "new" / name).rename(self.path / "cur" / handled)
            number += 1
        return number


@dataclass(frozen=True, slots=True)
class Imap:
    """A folder of an IMAP server (RFC 9051)."""

    url: SplitResult

    def read(self, handle: Handle) -> int:
        """Hand the mails over that are neither seen nor flagged; how many. Raises MailboxError."""
        number = 0
        with self._folder() as folder:
            for uid in folder.uids(AND(seen=False, flagged=False))[:MOST]:
                ours = handle(_fetched(folder, uid))
                folder.flag([uid], [MailMessageFlags.SEEN if ours else MailMessageFlags.FLAGGED], value=True)
                number += 1
        return number

    @contextmanager
    def _folder(self) -> Iterator[Any]:
        try:
            box = self._connect()
            try:
                box.login(
                    unquote(self.url.username or ""),
                    unquote(self.url.password or ""),
                    initial_folder=unquote(self.url.path.strip("/")) or "INBOX",
                )
                yield box
            finally:  # the library's own end would hide an error of ours behind the server's bad manners
                with suppress(OSError, imaplib.IMAP4.error):
                    box.client.logout()
                with suppress(OSError):
                    box.client.shutdown()
        except (OSError, imap_tools.ImapToolsError, imaplib.IMAP4.error) as error:
            raise MailboxError(type(error).__name__) from error

    def _connect(self) -> Any:
        host, port = self.url.hostname or "", self.url.port or PORTS[self.url.scheme]
        if self.url.scheme == "imaps":
            return imap_tools.MailBox(host, port, timeout=TIMEOUT)
        if is_loopback(host):  # nobody listens between
            return imap_tools.MailBoxUnencrypted(host, port, timeout=TIMEOUT)
        return imap_tools.MailBoxStartTls(host, port, timeout=TIMEOUT)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    return host in {"127.0.0.1", "::1", "localhost"}


def _fetched(folder: Any, uid: str) -> bytes:
    """The first octets of a mail, which stays unseen (RFC 9051 section 6.4.5.1)."""
    _, data = folder.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LONGEST}>)")
    return next((bytes(item[1]) for item in data if isinstance(item, tuple)), b"")


def mailbox_of(text: str) -> Maildir | Imap:
    """The mailbox that INBOUND_MAILBOX names. Raises ValueError with how to write it."""
    url = urlsplit(text)
    if url.scheme == "maildir" and url.path.startswith("/"):
        return Maildir(Path(unquote(url.path)))
    if url.scheme in PORTS and url.hostname and url.username:
        return Imap(url)
    raise ValueError(f"write it like {EXAMPLES}")
