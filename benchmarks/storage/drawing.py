"""Made-up days: which readers are sent which of a day's candidates."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TOPICS, OWN_TOPICS = 20, 3
PREFERENCE = 20.0  # how much likelier a paper of an own topic is than an equally popular one of another
AT_ONCE = 2000  # readers
Picks = NDArray[np.int64]  # a row a reader, the numbers of candidates, from 0


@dataclass(frozen=True, slots=True)
class Model:
    """How a reader's papers of a day are drawn: without replacement, by weights.

    The weight of the candidate at place r is 1 / r ** ``exponent`` (Zipf), times PREFERENCE where it is of one of the
    reader's own topics, if ``has_topics``. An exponent of 0 and no topics: all are alike.
    """

    name: str
    exponent: float
    has_topics: bool


UNIFORM = Model("uniform", 0.0, has_topics=False)
POPULAR = Model("popular", 1.0, has_topics=True)


class Crowd:
    """Readers with OWN_TOPICS of TOPICS topics each; their numbers are 0, 1, 2 ..."""

    def __init__(self, readers: int, seed: int) -> None:
        self.readers, self.rng = readers, np.random.default_rng(seed)

    @cached_property
    def likes(self) -> NDArray[np.float32]:
        """The weight of each topic for each reader."""
        own = np.argpartition(self.rng.random((self.readers, TOPICS), np.float32), OWN_TOPICS, axis=1)[:, :OWN_TOPICS]
        weights = np.ones((self.readers, TOPICS), np.float32)
        np.put_along_axis(weights, own, PREFERENCE, axis=1)
        return weights

    def day(self, model: Model, candidates: int, papers: int) -> Picks:
        """What each reader is sent on one day.

        The ``papers`` smallest of exponential variates, each divided by its weight, are a draw without replacement by
        these weights (Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006).
        """
        popularity = (np.arange(1, candidates + 1, dtype=np.float32)) ** -model.exponent
        topics = self.rng.integers(TOPICS, size=candidates)
        found = np.empty((self.readers, papers), np.int64)
        for start in range(0, self.readers, AT_ONCE):
            number = min(AT_ONCE, self.readers - start)
            waits = self.rng.standard_exponential((number, candidates), np.float32) / popularity
            if model.has_topics:
                waits /= self.likes[start : start + number, topics]
            found[start : start + number] = np.argpartition(waits, papers - 1, axis=1)[:, :papers]
        return found


def by_candidate(picks: Picks, candidates: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(candidate, readers) of a day, the readers ascending; candidates that nobody was sent are left out."""
    flat = picks.ravel()
    order = np.argsort(flat, kind="stable")
    readers = order // picks.shape[1]
    ends = np.cumsum(np.bincount(flat, minlength=candidates))
    for candidate, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > start:
            yield candidate, readers[start:end]
