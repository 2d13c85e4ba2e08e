"""The only builder of mails: a folder of three templates and a context -> a message with all its headers."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.charset import BASE64, QP, SHORTEST, Charset
from email.headerregistry import Address
from email.utils import format_datetime, formataddr, getaddresses, parseaddr
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import idna
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from subscriptions import languages, links
from subscriptions.models import Subscriber

LINE = 76  # characters of a line of the text part; 78 is what RFC 5322 section 2.1.1 asks for
ISOLATE, END = "\u2068", "\u2069"  # of a text in the other direction: Unicode Standard Annex 9 section 2.4.2
_GAPS = re.compile(r"\n{3,}")
# All that quoted-printable leaves as it is (RFC 2045 section 6.7), for counting.
_PLAIN = bytes(octet for octet in range(32, 127) if octet != ord("=")) + b"\n"


class _Utf8(Charset):
    """UTF-8 that goes over the wire in 7 bits. Django sends 8bit; a relay that re-encodes that breaks DKIM."""

    def __init__(self, body_encoding: int) -> None:
        super().__init__("utf-8")
        self.header_encoding, self.body_encoding = SHORTEST, body_encoding

    def header_encode_lines(self, string: str, maxlengths: Iterator[int]) -> list[str | None]:
        """Encoded-words of 66 characters, which fit a line with "Subject: " before them.

        RFC 2047 section 2 allows 75. Django does not tell the standard library's Header what it is for, so that would
        have 76, and fold before the first.
        """
        return super().header_encode_lines(string, (length - 10 for length in maxlengths))


QUOTED_PRINTABLE, BASE64_TEXT = _Utf8(QP), _Utf8(BASE64)


def message_to(
    subscriber: Subscriber,
    name: str,
    context: Mapping[str, Any],
    *,
    now: datetime,
    key: str,
    made_at: datetime | None = None,
    listed: bool = False,
    to: str = "",
    stream: str = "",
) -> EmailMultiAlternatives:
    """The mail ``templates/emails/<name>/`` to one reader in the reader's language, not sent.

    ``key`` ("digest-17") names the mail in this database, and with ``made_at``, when its row was made, everywhere and
    for ever: its Message-ID is made of both, so a retry carries the same (RFC 5322 section 3.6.4). ``listed`` mails are
    the list's: they carry List-Id and one-click unsubscribe (RFC 2919, RFC 2369, RFC 8058), and ``stream`` in their
    Feedback-ID ("2026-03-20:daily:en"), which is what providers count complaints by: nothing of the reader. ``to`` is
    another address than the reader's: one to be confirmed, or the old one. Raises ValueError where the subject's
    template gives nothing.
    """
    with translation.override(languages.of(subscriber)):
        own = reader_context(subscriber, now)
        mail = write(name, {**own, **context}, text_only=subscriber.text_only)
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=set_in_lines(mail.text),
        to=[to or subscriber.email],
        headers=headers_of(own["unsubscribe_url"], now=now, key=key, made_at=made_at, listed=listed, stream=stream),
        **senders(listed),
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    message.encoding = shorter_encoding(mail.html or str(message.body))
    # Opaque, since some providers show it to the reader; it brings the provider's events back to the mail.
    message.metadata = {"mail": key}  # type: ignore[attr-defined]
    return message


class Written(NamedTuple):
    """What the three templates of a mail gave: a line, text whose lines are not set yet, and HTML."""

    subject: str
    text: str
    html: str


def write(name: str, context: Mapping[str, Any], *, text_only: bool = False) -> Written:
    """The templates of ``emails/<name>/`` in the active language. Raises ValueError where the subject is empty."""
    context = {**site_context(), **language_context(), **context}
    subject = " ".join(render_to_string(f"emails/{name}/subject.txt", context, using="text").split())
    if not subject:
        raise ValueError(f"emails/{name}/subject.txt gave an empty subject")
    context["subject"] = subject
    text = render_to_string(f"emails/{name}/body.txt", context, using="text")
    return Written(subject, text, "" if text_only else render_to_string(f"emails/{name}/body.html", context).strip())


def set_in_lines(text: str) -> str:
    """A text part in lines of 76 characters, paragraphs one blank line apart; a long link has a line of its own."""
    lines = []
    for line in map(str.rstrip, text.strip().splitlines()):
        if len(line) <= LINE:
            lines.append(line)
            continue
        for piece in textwrap.wrap(line, LINE, break_long_words=False, break_on_hyphens=False):
            linked = re.search(r"://|mailto:", piece)
            lines += [piece] if linked else [piece[at : at + LINE] for at in range(0, len(piece), LINE)]
    if ISOLATE in text:
        lines = list(_isolated_in_each(lines))
    return _GAPS.sub("\n\n", "\n".join(lines)) + "\n"


def _isolated_in_each(lines: Iterable[str]) -> Iterator[str]:
    """The lines, with isolates that go over the end of one ended there and begun anew: a line is a paragraph."""
    open_ = 0
    for line in lines:
        begun = open_ if line else 0
        open_ = max(0, open_ + line.count(ISOLATE) - line.count(END))
        yield f"{ISOLATE * begun}{line}{END * open_}" if line else line


def shorter_encoding(text: str) -> Charset:
    """Quoted-printable, which people can read, unless base64 is shorter: Greek is three times as long in the former."""
    return encoding_for(extent(text.encode()))


def encoding_for(text: "Extent") -> Charset:
    """What ``shorter_encoding`` chooses for a text of that extent."""
    quoted, base64 = _lengths(text)
    return QUOTED_PRINTABLE if quoted <= base64 else BASE64_TEXT


def encoded_length(text: str) -> int:
    """About how many octets a text is on the wire, in the shorter encoding."""
    return length_on_the_wire(extent(text.encode()))


def length_on_the_wire(text: "Extent") -> int:
    """What ``encoded_length`` says of a text of that extent."""
    return min(_lengths(text))


class Extent(NamedTuple):
    """The octets of a text in UTF-8, and how many of them quoted-printable has to escape. Those of parts add up."""

    size: int
    escaped: int


def extent(octets: bytes) -> Extent:
    """How much there is."""
    return Extent(len(octets), len(octets.translate(None, delete=_PLAIN)))


def _lengths(text: Extent) -> tuple[int, int]:
    """In quoted-printable and in base64, with their line breaks at 76 characters (RFC 2045 sections 6.7 and 6.8)."""
    return (text.size + 2 * text.escaped) * 77 // 75, text.size * 4 // 3 * 77 // 76


def senders(listed: bool) -> dict[str, Any]:
    """Whom a message is from, and who reads the answers: arguments of Django's EmailMessage."""
    return {
        "from_email": mailbox(settings.DEFAULT_FROM_EMAIL if listed else settings.LETTERS_FROM_EMAIL),
        "reply_to": [mailbox(settings.REPLY_TO)] if settings.REPLY_TO else None,
    }


def site_context() -> dict[str, str]:
    """What every mail says about its sender."""
    named = settings.POSTAL_ADDRESS.startswith(settings.SITE_NAME)
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "sender": ", ".join(filter(None, ["" if named else settings.SITE_NAME, settings.POSTAL_ADDRESS])),
    }


@lru_cache(maxsize=32)
def mailbox(text: str) -> str:
    """A sender as headers carry it: the domain by IDNA 2008 (RFC 5891), since Django's own is of 2003.

    The two name different domains of "straße.de". Raises ValueError where there is not one address, or no such domain.
    """
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not local or not all(domain.split(".")) or len(getaddresses([text])) > 1:
        raise ValueError(f"{text!r} is not one address")
    if not domain.isascii():  # an ASCII name is left as it is: hosts with an underscore exist, though IDNA has none
        domain = idna.encode(domain, uts46=True).decode()
    return str(Address(name, local, domain))


def sending_domain(listed: bool = True) -> str:
    """The domain of From: Message-ID and List-Id are aligned with it."""
    address = parseaddr(mailbox(settings.DEFAULT_FROM_EMAIL if listed else settings.LETTERS_FROM_EMAIL))[1]
    return address.rpartition("@")[2] or "localhost"


def language_context() -> dict[str, str]:
    """What every mail says about the active language."""
    rtl = translation.get_language_bidi()
    return {
        "language": translation.get_language() or settings.LANGUAGE_CODE,
        "direction": "rtl" if rtl else "ltr",
        "start": "right" if rtl else "left",
    }


def reader_context(subscriber: Subscriber, now: datetime) -> dict[str, Any]:
    """What every mail says about its reader."""
    return {
        "unsubscribe_url": links.absolute(links.unsubscribe_path(subscriber, now)),
        "manage_token": links.manage_token(subscriber, now),
        "confirmed_at": subscriber.confirmed_at,
    }


def name_of(key: str, made_at: datetime | None) -> str:
    """A mail's name that no other one has, in no database and of no installation: "digest-17.5f1c0d9a3b7e2468".

    Numbers begin again in a fresh database, and two installations of a domain count alike. But no two of them make a
    row of one number in the same microsecond.
    """
    if made_at is None:  # of no row: it only shows what a mail looks like
        return key
    own = blake2b(f"{settings.INSTANCE_ID} {key} {made_at.astimezone(UTC):%Y%m%d%H%M%S%f}".encode(), digest_size=8)
    return f"{key}.{own.hexdigest()}"


def headers_of(
    unsubscribe_url: str, *, now: datetime, key: str, listed: bool, made_at: datetime | None = None, stream: str = ""
) -> dict[str, str]:
    """The headers beside those of Django: see ``message_to``."""
    domain = sending_domain(listed)
    headers = {
        "Message-ID": f"<{name_of(key, made_at)}@{domain}>",
        "Date": format_datetime(now),
        "Auto-Submitted": "auto-generated",  # RFC 3834 section 5
        "X-Auto-Response-Suppress": "All",  # Exchange's out-of-office replies
    }
    if listed:
        headers |= {
            "List-Id": formataddr((settings.SITE_NAME, f"digest.{domain}")),
            "List-Unsubscribe": ", ".join(f"<{address}>" for address in _ways_out(unsubscribe_url)),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Archive": f"<{settings.SITE_URL}/>",
            "Feedback-ID": f"{stream or key.partition('-')[0]}:dailypapers",
        }
    return headers


def _ways_out(url: str) -> list[str]:
    """The one-click address; a mailbox only where somebody reads it (RFC 2369 section 3.2, RFC 8058 section 3.1)."""
    if not settings.UNSUBSCRIBE_MAILTO:
        return [url]
    token = url.rstrip("/").rpartition("/")[2]
    return [url, f"mailto:{settings.UNSUBSCRIBE_MAILTO}?subject=unsubscribe%20{token}"]
