"""Text made ready for the wire once, with places in it that are filled in for each reader.

Pieces are joined by putting one behind another, and the whole decodes to the joined texts: the quoted form of each ends
where a line ends, by a soft line break (RFC 2045 section 6.7, rule 5) where its text goes on.
"""

import re
from binascii import b2a_qp
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from subscriptions.emails import Extent, extent

SOFT_BREAK = b"=\r\n"
Form = Literal[0, 1]
PLAIN: Form = 0  # where the two forms stand in a Piece and in a Stencil
QUOTED: Form = 1


class Piece(NamedTuple):
    """A text in both forms, and its extent."""

    plain: bytes  # UTF-8
    quoted: bytes  # quoted-printable, lines ending in CRLF
    size: int
    escaped: int


class Stencil(NamedTuple):
    """A text with places, in both forms, for Python's % and a mapping."""

    plain: bytes
    quoted: bytes
    size: int  # without what fills ``places``
    escaped: int
    places: tuple[bytes, ...]  # but tokens; in their order, and one can stand there twice

    def extent(self, filling: "Mapping[bytes, Piece | Stencil | Extent]") -> Extent:
        """How much it is when the places are filled."""
        size, escaped = self.size, self.escaped
        for place in self.places:
            made = filling[place]
            size += made.size
            escaped += made.escaped
        return Extent(size, escaped)


class Unfit(ValueError):  # noqa: N818 - a fact about a text
    """A text of which no stencil can be made."""


def piece(text: str) -> Piece:
    """The text in both forms."""
    plain = text.encode()
    return Piece(plain, quoted(plain), *extent(plain))


def stencil(
    text: str, marks: Mapping[str, str], *, tokens: Collection[str] = (), lines: Collection[str] = ()
) -> Stencil:
    """The text with a place wherever a mark stands; ``marks`` says the name of the place for each.

    What fills the places in ``tokens`` is as long as their marks, and plain. What fills those in ``lines`` is whole
    lines: raises Unfit where the mark of one is not alone in its line.
    """
    before, *rest = re.split(f"({'|'.join(marks)})", text)
    texts, names = [before], [marks[mark] for mark in rest[::2]]
    for name, after in zip(names, rest[1::2], strict=True):
        if name not in lines:
            texts.append(after)
            before = f"...{after}"
        elif after.startswith("\n") and (not before or before.endswith("\n")):
            texts.append(after[1:])  # the lines bring their end
            before = after
        else:
            raise Unfit(f"{name} shares its line")
    pieces = list(map(piece, texts))
    return Stencil(
        _with_places([made.plain for made in pieces], names),
        _with_places([made.quoted for made in pieces], names),
        sum(made.size for made in pieces) + sum(len(mark) for mark in rest[::2] if marks[mark] in tokens),
        sum(made.escaped for made in pieces),
        tuple(name.encode() for name in names if name not in tokens),
    )


def quoted(plain: bytes) -> bytes:
    """Quoted-printable in lines of 76 octets at most. Empty, or whole lines."""
    # One octet more than there is: else a last line of 76 had no room for the soft break.
    lines = plain.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + b"x"
    coded = b2a_qp(lines)[:-1].replace(b"\n", b"\r\n")
    return coded if not coded or coded.endswith(b"\n") else coded + SOFT_BREAK


def _with_places(texts: list[bytes], names: list[str]) -> bytes:
    first, *others = (text.replace(b"%", b"%%") for text in texts)
    filled = (b"%%(%b)b%b" % (name.encode(), after) for name, after in zip(names, others, strict=True))
    return first + b"".join(filled)
