"""Django's SMTP backend at the speed of the wire, and with an end to whatever hangs."""

from collections.abc import Callable
from functools import partial
from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

from subscriptions.envelopes import envelope_sender
from subscriptions.smtp.connection import Connection, TlsConnection
from subscriptions.smtp.cord import Cord


class EmailBackend(smtp.EmailBackend):
    """Django's, with its settings and exceptions, for a thread that sends many mails over one connection.

    Where the server offers PIPELINING (RFC 2920) an envelope is one write and one round trip instead of three. A
    message with a method ``octets`` (the whole mail as bytes, lines ending in CRLF) is sent as these, unbuilt. A
    connection that was lost is opened again by the next ``open`` or ``send_messages``.

    Two things differ from smtplib, both for the sake of mails that nobody knows about: a lost connection is Unsent
    where the server cannot have taken the mail, and an answer that is none (garbage, a line without an end) is a lost
    connection, not a refusal.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection: Connection | None = None
        self._partial_connection: Connection | None = None
        self._cord = Cord()

    @property
    def connection_class(self) -> Callable[..., "Connection"]:  # type: ignore[override]
        """What ``open`` calls for a connection."""
        return partial(TlsConnection if self.use_ssl else Connection, cord=self._cord)

    def open(self) -> bool | None:
        """Connect, unless connected: then False. Raises OSError, of which smtplib's exceptions and SSLError are kinds.

        A failure leaves nothing open. The time-out holds for each read and each write, not for all of them together:
        a server that says one byte a second is ended by ``abort`` only.
        """
        if self.connection:
            return False
        self._cord = Cord()
        opened = None
        try:
            if super().open() and self.connection:
                self.connection.ehlo_or_helo_if_needed()  # it may be gone by now: not the first mail's matter
                opened = True
        except OSError:
            if not self.fail_silently:
                raise
        finally:
            if not opened:
                self._drop()
        return opened

    def abort(self) -> None:
        """From another thread: end what ``open``, ``send_messages`` or ``close`` waits for. They get an OSError.

        Only the resolver of names goes on until its own time-out. The next ``open`` makes a new connection.
        """
        self._cord.pull()

    def _drop(self) -> None:
        """Close whatever is open, without a word: no TLS, no login or no answer."""
        for connection in (self._partial_connection, self.connection):
            if connection:
                connection.close()
        self._partial_connection = self.connection = None
        self._cord.let_go()

    def _send(self, email_message: EmailMessage) -> bool:
        recipients = email_message.recipients()
        if not recipients or not (self.connection or self.open()):
            return False
        octets: Callable[[], bytes] | None = getattr(email_message, "octets", None)
        message: Any = email_message
        mail = octets() if octets else message.message().as_bytes(linesep="\r\n")
        line: Any = self.connection
        try:
            named = getattr(email_message, "metadata", {}).get("mail", "")
            line.hand_over(envelope_sender(named, email_message.from_email), recipients, mail)
        except SMTPException:
            if not self.fail_silently:
                raise
            return False
        finally:
            if line.sock is None:
                self.connection = None
        return True
