"""One message as bytes -> what the rules look at, each thing read once and only when a rule asks."""

import re
from email import message_from_string
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from digest.lint.page import Page
from digest.lint.wording import urls_in

NAME = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
BRACKETED = re.compile(r"<([^<>]*)>")


class Header(NamedTuple):
    """One header field; each character of ``lines`` and ``raw`` is one octet."""

    name: str
    lines: tuple[str, ...]  # as they are folded
    raw: str  # unfolded, without the name

    @property
    def text(self) -> str:
        """The value with its encoded-words decoded; as it is where they cannot be."""
        try:
            return str(make_header(decode_header(self.raw)))
        except (MessageError, LookupError, ValueError):
            return self.raw


class Part(NamedTuple):
    """One part that is no multipart."""

    type: str  # "text/html"
    charset: str
    encoding: str  # Content-Transfer-Encoding, lower-case; 7bit where it is not stated (RFC 2045 section 6.1)
    attached: bool
    body: bytes  # as it goes over the wire, after its headers
    text: str | None  # decoded, with \n; None where it cannot be

    @property
    def wire_size(self) -> int:
        """Octets with CRLF line ends, whatever ends the lines here."""
        return len(self.body) + self.body.count(b"\n") - self.body.count(b"\r\n")


class Mail:
    """A message. Raises nothing; what cannot be read is empty or None, and a rule says so."""

    def __init__(self, raw: bytes, *, trial: bool = False) -> None:
        self.raw = raw
        self.trial = trial
        head = b"" if raw.startswith((b"\n", b"\r\n")) else re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
        self.headers, self.strays = _headers(head.decode("latin-1"))

    def all(self, name: str) -> list[Header]:
        """The headers of this name, whatever its case."""
        return [header for header in self.headers if header.name.lower() == name.lower()]

    def value(self, name: str) -> str:
        """The first header's value, decoded and stripped; empty where there is none."""
        found = self.all(name)
        return found[0].text.strip() if found else ""

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """(name, address) of all headers of this name. Names may still be encoded."""
        return [pair for pair in getaddresses([h.raw for h in self.all(name)]) if any(pair)]

    @cached_property
    def sender_domain(self) -> str:
        """The domain of From, lower-case; empty where there is none."""
        senders = self.addresses("From")
        return senders[0][1].rpartition("@")[2].lower() if senders else ""

    @cached_property
    def is_digest(self) -> bool:
        """A list's mail, as against a letter to one reader (confirm, link)."""
        return bool(self.all("List-Id") or self.all("List-Unsubscribe"))

    @cached_property
    def unsubscribe_url(self) -> str:
        """The first http(s) address of List-Unsubscribe; empty where there is none."""
        found = BRACKETED.findall(self.value("List-Unsubscribe"))
        return next((uri.strip() for uri in found if uri.strip().lower().startswith(("https:", "http:"))), "")

    def is_own(self, url: str) -> bool:
        """Whether a link leads to this site: to the host of List-Unsubscribe. All links of a letter do."""
        return not self.is_digest or host_of(url) == host_of(self.unsubscribe_url)

    @cached_property
    def message(self) -> Message:
        """The MIME tree. Each character is one octet: bytes would come back as replacement characters."""
        return message_from_string(self.raw.decode("latin-1"))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The leaves, in order."""
        return tuple(_part(leaf) for leaf in self.message.walk() if not leaf.is_multipart())

    @cached_property
    def defects(self) -> list[str]:
        """What the MIME parser had to put up with."""
        return [type(defect).__name__ for part in self.message.walk() for defect in part.defects]

    def _first(self, kind: str) -> Part | None:
        return next((part for part in self.parts if part.type == kind and not part.attached), None)

    @cached_property
    def text_part(self) -> Part | None:
        """The text."""
        return self._first("text/plain")

    @cached_property
    def html_part(self) -> Part | None:
        """The HTML."""
        return self._first("text/html")

    @cached_property
    def text(self) -> str:
        """The decoded text; empty where there is none."""
        return (self.text_part.text or "") if self.text_part else ""

    @cached_property
    def html(self) -> str | None:
        """The decoded HTML; None for a reader of text."""
        return self.html_part.text if self.html_part else None

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines; the end of the last one makes no other."""
        lines = self.text.split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    @cached_property
    def page(self) -> Page:
        """The HTML as a tree; an empty one where there is none."""
        return Page(self.html or "")

    @cached_property
    def urls(self) -> dict[str, str]:
        """Every address that is mailed -> where it stands first: links and images, then those of the text."""
        found = {link.href: link.spot for link in self.page.links}
        found |= {src: image.spot for image in self.page.named("img") if (src := image.attrs.get("src", ""))}
        for number, line in enumerate(self.lines, start=1):
            for url in urls_in(line):
                found.setdefault(url, f"text, line {number}")
        return found


def host_of(url: str) -> str:
    """The host of an address, lower-case; empty where it cannot be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _headers(head: str) -> tuple[tuple[Header, ...], tuple[str, ...]]:
    """The header fields, and the lines that are none."""
    fields: list[list[str]] = []
    strays = []
    for line in re.split(r"\r?\n", head) if head else []:
        if line[:1] in (" ", "\t") and fields:
            fields[-1].append(line)
        elif NAME.match(line):
            fields.append([line])
        else:
            strays.append(line)
    headers = []
    for lines in fields:
        name, raw = NAME.match("".join(lines)).groups()  # type: ignore[union-attr]
        headers.append(Header(name, tuple(lines), raw.strip(" \t")))
    return tuple(headers), tuple(strays)


def _part(leaf: Message) -> Part:
    payload = leaf.get_payload()
    body = payload.encode("latin-1") if isinstance(payload, str) else b""
    charset = leaf.get_content_charset("us-ascii")
    encoding = str(leaf.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    text = None
    if leaf.get_content_maintype() == "text":
        try:
            decoded = leaf.get_payload(decode=True)
            text = decoded.decode(charset).replace("\r\n", "\n") if isinstance(decoded, bytes) else None
        except (LookupError, ValueError):
            text = None
    disposition = leaf.get_content_disposition()
    return Part(leaf.get_content_type(), charset, encoding, disposition == "attachment", body, text)
