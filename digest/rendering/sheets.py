"""What one mail is joined from: stencils, and what fills their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from digest.rendering.frames import OFFERS, PHRASES, Both, Frame
from subscriptions.emails import Extent
from subscriptions.stencils import PLAIN, QUOTED, Form, Piece, Stencil

TextOrHtml = Literal[0, 1]
TEXT: TextOrHtml = 0  # where the two stand in what has both
HTML: TextOrHtml = 1


class Said(NamedTuple):
    """Words as they fill a place of either part."""

    text: Piece
    html: Piece
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one mail. It is joined when somebody asks, also in another thread: nothing in it changes."""

    stencil: Stencil
    filling: Mapping[bytes, Piece]
    addresses: Mapping[bytes, Stencil]
    papers: Sequence[tuple[Stencil, Piece]]
    news: Sequence[Stencil]

    def plain(self) -> bytes:
        """In UTF-8."""
        return self._joined(PLAIN)

    def quoted(self) -> bytes:
        """In quoted-printable, lines ending in CRLF."""
        return self._joined(QUOTED)

    def extent(self) -> Extent:
        """How much it is, without joining it."""
        papers = [paper.extent({b"why": why}) for paper, why in self.papers]
        joined = {b"items": _sum(papers), b"follow_ups": _sum(self.news)}
        return self.stencil.extent({**self.filling, **self.addresses, **joined})

    def _joined(self, form: Form) -> bytes:
        filling = {place: made[form] for place, made in self.filling.items()}
        for place, address in self.addresses.items():
            filling[place] = address[form] % filling
        papers = []
        for paper, why in self.papers:
            filling[b"why"] = why[form]
            papers.append(paper[form] % filling)
        filling[b"items"] = b"".join(papers)
        filling[b"follow_ups"] = b"".join([news[form] % filling for news in self.news])
        return self.stencil[form] % filling


class Sheet(NamedTuple):
    """One mail."""

    frame: Frame
    said: Mapping[str, Said]
    offers: Sequence[tuple[Said, Stencil]]  # words, and an address with a place for a token
    papers: Sequence[Both]
    why: Sequence[Said]  # the papers are there
    news: Sequence[Both]
    tokens: Mapping[bytes, Piece]

    @property
    def subject(self) -> str:
        """On one line."""
        return " ".join(self.said["subject_line"].words.join(self.frame.subject).split())

    def part(self, part: TextOrHtml) -> Part:
        """Its TEXT or its HTML."""
        filling = {**self.tokens, **{_PLACES[name]: said[part] for name, said in self.said.items()}}
        addresses = {}
        for (words, address), (said, stencil) in zip(_OFFERS, self.offers, strict=False):
            filling[words], addresses[address] = said[part], stencil
        papers = [(paper[part], why[part]) for paper, why in zip(self.papers, self.why, strict=True)]
        return Part(self.frame[part], filling, addresses, papers, [news[part] for news in self.news])


_PLACES = {name: name.encode() for name in PHRASES}
_OFFERS = [(words.encode(), address.encode()) for words, address in OFFERS]


def _sum(made: Sequence[Extent | Stencil]) -> Extent:
    return Extent(sum([one.size for one in made]), sum([one.escaped for one in made]))
