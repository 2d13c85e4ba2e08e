"""What readers choose from: the candidates of some days, and what each interest finds among them, looked up once."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from json import dumps
from typing import Any

import numpy as np
import numpy.typing as npt

from digest.board import Board
from digest.kept import Kept
from digest.relevance import KEPT_WORDS, Match
from digest.selection import Queue, Slate
from digest.sent import papers_of
from subscriptions.interests import Interests
from subscriptions.models import Interest

Kind = Interest.Kind
REASONS = 3  # that a row keeps of a pick
POPULAR = 0.0, ""  # a pick without a reason of the reader's own


@dataclass(frozen=True, slots=True)
class Found:
    """What an interest finds: its queue and, by number, its relevance below zero with the reason as a row keeps it."""

    queue: Queue
    reasons: Mapping[int, tuple[float, str]]
    match: Callable[[int], Match]  # the whole reason, by number


class Menu:
    """The candidates of some days of a board, for any number of readers."""

    def __init__(self, board: Board, days: tuple[date, ...]) -> None:
        """One query for the bitmaps of who was sent the candidates on days that are closed."""
        self.board, self.days = board, days
        candidates = board.candidates(days)
        self.slate = Slate(candidates, board.twins)
        papers = list(self.slate.number)
        row = {text.id: at for at, text in enumerate(board.reading.papers)}
        self._rows = np.array([row[paper] for paper in papers], dtype=np.int64)
        self.slate.group(board.reading.vectors[self._rows])
        self._had = {self.slate.number[paper]: readers for paper, readers in board.sent(papers).items()}
        self._heads = [f'{{"paper":{c.paper},"place":{c.place},"why":[' for c in self.slate.candidates]
        # The same words of many readers are looked up once; the bound is one of memory.
        self._found = Kept[Found](KEPT_WORDS)
        self._named = Kept[frozenset[int]](KEPT_WORDS)

    def found_by(self, own: Interests) -> list[Found]:
        """What each wanted interest of a reader finds, in the order of their turns.

        The narrow ones come first: few papers are theirs, and limits are small.
        """
        found = []
        for kind, wanted in ((Kind.AUTHOR, own.authors), (Kind.PHRASE, own.phrases), (Kind.TOPIC, own.topics)):
            for what in wanted:
                found.append(self._found.get((kind, what)) or self.finds(kind, what))
        return found

    def finds(self, kind: str, what: Any) -> Found:
        """What a wanted interest finds: a topic's number, a phrase or an author's name."""
        return self._found.keep((kind, what), self._finds(kind, what))

    def _finds(self, kind: str, what: Any) -> Found:
        reading = self.board.reading
        if kind == Kind.TOPIC:
            topic = self.board.topics.get(what)
            return self.found(reading.topic(topic) if topic else {})
        return self.found(reading.author(what) if kind == Kind.AUTHOR else reading.phrase(what))

    def found(self, matches: Mapping[int, Match]) -> Found:
        """Matches {paper: match} as a queue with its reasons."""
        queue = self.slate.queue({paper: match.score for paper, match in matches.items()})
        own = {at: matches[self.slate.candidates[at].paper] for at in queue.order.tolist()}
        return Found(queue, {at: (-match.score, as_text(match)) for at, match in own.items()}, own.__getitem__)

    def naming(self, text: str) -> frozenset[int]:
        """The numbers of the candidates that name these words."""
        named, number = self._named.get(text), self.slate.number
        if named is None:
            papers = self.board.reading.names(text)
            named = self._named.keep(text, frozenset(number[paper] for paper in papers if paper in number))
        return named

    def in_topics(self, topics: Iterable[int]) -> set[int]:
        """The numbers of the candidates of these topics."""
        return {at for found in self.found_by(Interests(topics=tuple(topics))) for at in found.reasons}

    def similar(self, vectors: Any) -> npt.NDArray[np.float32]:
        """How similar each candidate is to these vectors (n x V): cosines (n x candidates), by number."""
        cosines: npt.NDArray[np.float32] = self.board.reading.similar(vectors)[:, self._rows]
        return cosines

    def vector(self, at: int) -> Any:
        """A candidate's vector (1 x V)."""
        return self.board.reading.vectors[self._rows[at]]

    def sent_to(self, readers: Iterable[int]) -> dict[int, set[int]]:
        """The numbers of the candidates that these readers were sent on closed days, in any row of the work."""
        return papers_of(readers, self._had)

    def numbers_of(self, papers: Set[int]) -> set[int]:
        """The numbers of those of these papers, in any row of the work, that are candidates."""
        number = self.slate.number_of_row
        return {number[paper] for paper in papers & number.keys()}

    def picks(self, numbers: Sequence[int], found: Sequence[Found]) -> str:
        """Picks as the row keeps them (JSON): the paper, its place, and the strongest reasons of the interests."""
        chosen = set(numbers)
        first: dict[int, tuple[float, str]] = {}
        several: dict[int, list[tuple[float, str]]] = {}
        for own in found:
            reasons = own.reasons
            for at in chosen & reasons.keys():
                if at in first:
                    several.setdefault(at, [first[at]]).append(reasons[at])
                else:
                    first[at] = reasons[at]
        said = {at: ",".join([text for _, text in sorted(own)[:REASONS]]) for at, own in several.items()}
        heads = self._heads
        picks = [f"{heads[at]}{said[at] if at in said else first.get(at, POPULAR)[1]}]}}" for at in numbers]
        return f"[{','.join(picks)}]"


def as_text(found: Match) -> str:
    """A reason as the row keeps it (JSON): topics by id with the evidence, likes by paper, own words as they are."""
    said: dict[str, Any] = {found.kind: found.name}
    if found.kind == "like":
        said = {"like": found.paper, "terms": list(found.terms)}
    elif found.kind == "topic":
        said = {"topic": found.topic, "terms": list(found.terms), "category": found.category}
    return dumps(said, separators=(",", ":"), ensure_ascii=False)
