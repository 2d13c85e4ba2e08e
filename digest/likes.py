"""What readers said of papers, on a menu: products of sparse matrices for new papers only, and none for a reader."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

import numpy as np
import numpy.typing as npt
from scipy.sparse import vstack

from digest.menu import Found, Menu, as_text
from digest.profiles import Learning
from digest.relevance import LIKE_COSINE, Match, groups_of, in_proportion, strongest_terms
from digest.selection import Numbers

TERMS = 3  # that are kept of what two papers share
# So many papers at once: what two products cost grows with the square of their number, and with candidates x papers.
AT_ONCE = 1000


class Likes:
    """The papers that readers spoke of, beside the candidates. Kept between chunks: many readers speak of the same."""

    def __init__(self, learning: Learning, menu: Menu) -> None:
        self._menu, self._learning = menu, learning
        self._forget()

    def _forget(self) -> None:
        self._row: dict[int, int] = {}
        self._papers: list[int] = []
        _, self._vectors = self._learning.vectors(())
        self._among = np.zeros((0, 0), dtype=np.float32)  # cosines of these papers with each other
        self._with = np.zeros((0, len(self._menu.slate)), dtype=np.float32)  # and with the candidates

    def know(self, papers: Set[int]) -> None:
        """Make these papers ready, at most AT_ONCE. One query for those that no earlier chunk spoke of."""
        if papers <= self._row.keys():
            return
        if len(self._row) + len(papers) > AT_ONCE:
            self._forget()
        row, new = self._learning.vectors(paper for paper in papers if paper not in self._row)
        if not row:
            return
        self._vectors = vstack([self._vectors, new]).tocsr()
        self._row |= {paper: len(self._papers) + at for paper, at in row.items()}
        self._papers += row
        self._among = (self._vectors @ self._vectors.T).toarray()
        self._with = np.vstack([self._with, self._menu.similar(new)])

    def found(self, liked: Sequence[int], without: Set[int]) -> Found:
        """One queue of what is like the liked papers (the newest first), ``without`` these numbers.

        Groups of similar papers, the reader's tastes, share its places (``relevance.in_proportion``). A candidate's
        cosine with a group's mean comes of cosines that are there: it is (a + b + ...) p / |a + b + ...|.
        """
        rows = np.array([self._row[paper] for paper in liked if paper in self._row], dtype=np.int32)
        among, out = self._among[np.ix_(rows, rows)], self._menu.numbers_of({*liked}) | without
        groups = groups_of(among)
        lengths = [np.sqrt(among[np.ix_(group, group)].sum()) or 1.0 for group in groups]
        sums = [self._with[rows[group]].sum(axis=0) for group in groups]
        cosines = np.array([own / length for own, length in zip(sums, lengths, strict=True)])
        cosines = cosines.reshape(len(groups), len(self._menu.slate))
        near = np.array((cosines >= LIKE_COSINE).any(axis=0))
        near[list(out)] = False
        numbers = np.flatnonzero(near).astype(np.int32)
        worth = cosines[:, numbers] * (1 + self._menu.slate.trend[numbers])
        queue = self._menu.slate.queue_of(numbers, in_proportion([len(group) for group in groups], worth))

        def match(at: int) -> Match:
            nearest = int(rows[self._with[rows, at].argmax()])
            terms = self._shared(nearest, at)
            return Match(0, "", float(cosines[:, at].max()), terms, kind="like", paper=self._papers[nearest])

        return Found(queue, Reasons(queue.order, match), match)

    def _shared(self, row: int, at: int) -> tuple[str, ...]:
        key = self._papers[row], self._menu.slate.candidates[at].paper
        if (terms := self._learning.shared.get(key)) is None:
            both = self._vectors[row].multiply(self._menu.vector(at)).tocsr()
            strongest = strongest_terms(self._learning.model, both.indices, both.data, TERMS)
            terms = self._learning.shared.keep(key, tuple(strongest))
        return terms

    def likeness(self, disliked: Iterable[int]) -> npt.NDArray[np.float32] | None:
        """How like each candidate is to the nearest of these papers (cosine, by number); None where none is known."""
        rows = [self._row[paper] for paper in disliked if paper in self._row]
        return self._with[rows].max(axis=0) if rows else None


class Reasons(Mapping[int, tuple[float, str]]):
    """Reasons that are said when they are asked for: of a hundred similar papers ten are picked."""

    def __init__(self, numbers: Numbers, match: Callable[[int], Match]) -> None:
        self._numbers, self._match = frozenset(numbers.tolist()), match

    def __getitem__(self, at: int) -> tuple[float, str]:
        if at not in self._numbers:
            raise KeyError(at)
        match = self._match(at)
        return -match.score, as_text(match)

    def __contains__(self, at: object) -> bool:
        return at in self._numbers

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)
