"""A mail from anybody as headers and parts, read in linear time and bounded memory.

The standard library's parser is not given the whole: nested multiparts end its recursion, and a long Subject costs it
quadratic time. It reads blocks of headers that were cut before.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

LONGEST = 256 * 1024  # octets of a mail that are read; a report's own parts come before the mail that it returns
LONGEST_HEADERS = 64 * 1024  # octets of one block of headers
LONGEST_VALUE = 2_000  # octets of one header; an address has 254, and a subject that anybody reads 78
MOST_PARTS, DEEPEST = 20, 4
LONGEST_BOUNDARY = 70  # RFC 2046 section 5.1.1
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(r"([!-9;-~]{1,100}):[ \t]*(.*)", re.DOTALL)  # RFC 5322 section 2.2


@dataclass(frozen=True, slots=True)
class Part:
    """A mail, or one part of it."""

    headers: Message
    body: bytes

    @property
    def content_type(self) -> str:
        """In lower case, "text/plain" where none is given or it cannot be read (RFC 2045 section 5.2)."""
        return self.headers.get_content_type()

    def header(self, name: str) -> str:
        """A header in one line of Unicode; "" where it is missing. Encoded words (RFC 2047) are decoded."""
        value = str(self.headers.get(name, ""))
        with suppress(HeaderParseError, LookupError, ValueError):  # no such charset, or no such letters in it
            value = str(make_header(decode_header(value)))
        return " ".join(value.split())

    def text(self) -> str:
        """The body as Unicode, whatever its encoding; letters that cannot be read become U+FFFD."""
        single = Message(policy=policy.compat32)
        single["Content-Transfer-Encoding"] = str(self.headers.get("Content-Transfer-Encoding", "7bit"))
        single.set_payload(self.body.decode("ascii", "surrogateescape"))
        octets = single.get_payload(decode=True)
        charset = str(self.headers.get_param("charset", "utf-8"))
        try:
            return bytes(octets).decode(charset, "replace")
        except (LookupError, ValueError):
            return bytes(octets).decode("utf-8", "replace")

    def leaves(self) -> list["Part"]:
        """The parts that hold something themselves, in their order, at most MOST_PARTS."""
        found: list[Part] = []
        _gather(self, DEEPEST, found)
        return found


def read_mail(raw: bytes) -> Part:
    """A whole mail. Whatever the octets are, there is one: perhaps without headers, or without a body."""
    return _part(raw[:LONGEST])


def fields(block: str | bytes) -> Message:
    """A block of "Name: value" lines, as headers are and a report's fields (RFC 3464 section 2.1); values are cut."""
    octets = block.encode("utf-8", "replace") if isinstance(block, str) else block
    cut = Message(policy=policy.compat32)
    for line in _unfolded(octets[:LONGEST_HEADERS].decode("utf-8", "replace")):
        if found := _FIELD.fullmatch(line[:LONGEST_VALUE]):
            cut[found[1]] = found[2]
    return cut


def _unfolded(text: str) -> Iterator[str]:
    """Lines with their continuations (RFC 5322 section 2.2.3)."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if lines and line[:1] in {" ", "\t"}:
            lines.append(line)
            continue
        if lines:
            yield " ".join(lines)
        lines = [line]
    yield " ".join(lines)


def _part(octets: bytes) -> Part:
    if octets[:1] == b"\n" or octets[:2] == b"\r\n":  # a part may have no headers at all (RFC 2046 section 5.1)
        return Part(fields(b""), octets.lstrip(b"\r\n"))
    found = _END_OF_HEADERS.search(octets)
    head, body = (octets[: found.start()], octets[found.end() :]) if found else (octets, b"")
    return Part(fields(head), body)


def _gather(part: Part, depth: int, found: list[Part]) -> None:
    boundary = str(part.headers.get_boundary("")) if part.headers.get_content_maintype() == "multipart" else ""
    if not boundary or len(boundary) > LONGEST_BOUNDARY or not depth:
        found.append(part)
        return
    for piece in _pieces(part.body, boundary.encode("utf-8", "replace")):
        if len(found) >= MOST_PARTS:
            return
        _gather(_part(piece), depth - 1, found)


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the lines of a boundary (RFC 2046 section 5.1.1)."""
    delimiter = b"\n--" + boundary
    piece: list[bytes] | None = None
    for between in (b"\n" + body).split(delimiter)[1:]:  # without the preamble
        line, _, content = between.partition(b"\n")
        if line.strip() not in {b"", b"--"}:  # a longer boundary that begins with this one
            if piece is not None:
                piece.append(delimiter + between)
            continue
        if piece is not None:
            yield b"".join(piece)
        if line.strip():
            return
        piece = [content]
    if piece is not None:  # cut, or never closed
        yield b"".join(piece)
