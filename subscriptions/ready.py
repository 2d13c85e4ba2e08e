"""A message that is put together already: what a sender of many mails hands to a mail backend."""

from binascii import b2a_base64
from collections.abc import Iterator, Mapping
from email.charset import Charset
from email.policy import compat32
from functools import cached_property, lru_cache
from typing import Any, Protocol

from django.core.mail import EmailAlternative, EmailMultiAlternatives
from django.core.mail.message import SafeMIMEMultipart, SafeMIMEText, forbid_multi_line_headers

from subscriptions.emails import BASE64_TEXT, QUOTED_PRINTABLE

# No text can hold it: in quoted-printable "=" stands before a hexadecimal digit or a line's end, in base64 at the end.
BOUNDARY = "=_daily-papers"
HEADER_LINE = 78  # characters; from there on the standard library folds (RFC 5322 section 2.1.1)
_DELIMITER = b"\r\n--" + BOUNDARY.encode()
_CHARSETS: Any = (QUOTED_PRINTABLE, BASE64_TEXT)  # Django takes them, django-stubs do not know
_POLICY = compat32.clone(linesep="\r\n")


class Part(Protocol):
    """A text that is joined when it is asked for."""

    def plain(self) -> bytes:
        """In UTF-8."""

    def quoted(self) -> bytes:
        """In quoted-printable, lines ending in CRLF."""


class ReadyMessage(EmailMultiAlternatives):
    """A message for any mail backend: text and HTML are read from ``text`` and ``html`` when somebody asks.

    ``octets`` are of what it was made of: who changes it afterwards has to send ``message()``.
    """

    def __init__(
        self, text: Part, html: Part | None, encoding: Charset, *, metadata: Mapping[str, str], **fields: Any
    ) -> None:
        super().__init__(**fields)
        self.metadata = metadata  # Anymail's
        self._text, self._html = text, html
        self.encoding = encoding
        del self.body, self.alternatives  # Django has just set them, which would hide the properties below

    @cached_property
    def body(self) -> str:  # type: ignore[override]
        """The text part."""
        return self._text.plain().decode()

    @cached_property
    def alternatives(self) -> list[EmailAlternative]:  # type: ignore[override]
        """The HTML part, where there is one."""
        return [EmailAlternative(self._html.plain().decode(), "text/html")] if self._html else []

    def octets(self) -> bytes:
        """The whole message as it goes over SMTP: lines end in CRLF, dots are not doubled."""
        base64 = self.encoding is BASE64_TEXT
        headers = [header_line(name, value) for name, value in self._headers()]
        text = [_part_head("plain", base64), b"\r\n", _coded(self._text, base64)]
        if not self._html:
            return b"".join([text[0], *headers, *text[1:]])
        html = [_part_head("html", base64), b"\r\n", _coded(self._html, base64)]
        head = [_multipart_head(), *headers]
        return b"".join([*head, _DELIMITER, b"\r\n", *text, _DELIMITER, b"\r\n", *html, _DELIMITER, b"--\r\n"])

    def _headers(self) -> Iterator[tuple[str, str]]:
        """As ``EmailMessage.message`` sets them."""
        yield "Subject", str(self.subject)
        yield "From", self.from_email
        yield "To", ", ".join(self.to)
        if self.reply_to:
            yield "Reply-To", ", ".join(self.reply_to)
        yield from self.extra_headers.items()


def header_line(name: str, value: str) -> bytes:
    """One header as Django and the standard library write it. Raises BadHeaderError for a value of several lines."""
    if value.isascii() and value.isprintable():
        if len(name) + 2 + len(value) <= HEADER_LINE:
            return f"{name}: {value}\r\n".encode()
        if " " not in value:  # a link, another for each reader: cannot be folded, and stands in a line of its own
            return f"{name}: \r\n {value}\r\n".encode()
    return _folded(name, value)


@lru_cache(maxsize=2048)
def _folded(name: str, value: str) -> bytes:
    return _POLICY.fold_binary(*forbid_multi_line_headers(name, value, _CHARSETS[0]))


@lru_cache(maxsize=4)
def _part_head(subtype: str, base64: bool) -> bytes:
    empty = SafeMIMEText("", subtype, _CHARSETS[base64])
    return empty.as_bytes(linesep="\r\n").removesuffix(b"\r\n")


@lru_cache(maxsize=1)
def _multipart_head() -> bytes:
    head, _, _ = SafeMIMEMultipart("alternative", BOUNDARY).as_bytes(linesep="\r\n").partition(b"\r\n\r\n")
    return head + b"\r\n"


def _coded(part: Part, base64: bool) -> bytes:
    if not base64:
        return part.quoted()
    octets = b2a_base64(part.plain(), newline=False)
    return b"".join([octets[at : at + 76] + b"\r\n" for at in range(0, len(octets), 76)])
