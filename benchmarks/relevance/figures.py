"""The figures of one query, and two methods compared. Their definitions are in ``__main__``."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.relevance.data import Keyword, Library, LikeThis

Scores = npt.NDArray[np.floating]
Gains = npt.NDArray[Any]  # grades, or whether it is relevant
AT_ONCE = 500  # resamples


class Query(Protocol):
    """What a task asks; ``unit`` is what is drawn in the bootstrap."""

    unit: str


def ndcg(scores: Scores, gains: Gains, k: int = 10) -> float:
    """Discounted gain of the best ``k`` by score (equal ones in their order) over the best possible; 0 without any.

    The gain is the grade itself and its discount log2(1 + place) (Jarvelin and Kekalainen 2002).
    """
    best = _discounted(np.sort(gains)[::-1][:k])
    return _discounted(gains[_order(scores)][:k]) / best if best else 0.0


def average_precision(scores: Scores, relevant: npt.NDArray[np.bool_]) -> float:
    """The mean of the precisions at each relevant place; 0 without any."""
    places = np.flatnonzero(relevant[_order(scores)])
    return float(np.mean(np.arange(1, len(places) + 1) / (places + 1))) if len(places) else 0.0


def r_precision(scores: Scores, relevant: npt.NDArray[np.bool_]) -> float:
    """The precision at as many places as there are relevant ones; 0 without any."""
    many = int(relevant.sum())
    return float(relevant[_order(scores)][:many].mean()) if many else 0.0


def recall(scores: Scores, wanted: Sequence[int], k: int) -> float:
    """The share of ``wanted`` among the best ``k``."""
    return float(np.isin(wanted, _order(scores)[:k]).mean())


def _order(scores: Scores) -> npt.NDArray[np.intp]:
    return np.argsort(-scores, kind="stable")


def _discounted(gains: Gains) -> float:
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def of_like(query: LikeThis, scores: Scores) -> dict[str, float]:
    """Of papers like one."""
    return {
        "like this paper: nDCG@10": ndcg(scores, query.grades),
        "like this paper: MAP": average_precision(scores, query.grades >= 1),
    }


def of_keyword(query: Keyword, scores: Scores) -> dict[str, float]:
    """Of one-phrase topics."""
    return {
        "one-phrase topic: nDCG@10": ndcg(scores, query.bears),
        "one-phrase topic: R-precision": r_precision(scores, query.bears),
        "the same, any spelling: nDCG@10": ndcg(scores, query.bears_somehow),
        "the same, any spelling: R-precision": r_precision(scores, query.bears_somehow),
    }


def of_library(query: Library, scores: Scores) -> dict[str, float]:
    """Of readers' libraries."""
    return {f"library: recall@{k}": recall(scores, query.cold, k) for k in (20, 100)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of two methods over ``units`` units, and the 95 % interval of ours - theirs."""

    figure: str
    units: int
    theirs: float
    ours: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Of the means, which is the mean of the paired differences."""
        return self.ours - self.theirs

    def in_words(self) -> str:
        """The difference and its interval."""
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    @property
    def verdict(self) -> str:
        """In a word what the interval says."""
        return "gain" if self.low > 0 else "loss" if self.high < 0 else "no evidence"


Scorer = Callable[[Any], Scores]  # of a query of its task
Measured = dict[str, dict[str, float]]  # {figure: {unit: value}}


def measure(queries: Iterable[Query], scorer: Scorer, figures: Callable[[Any, Scores], dict[str, float]]) -> Measured:
    """Each figure by unit; the queries of one unit are averaged."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for query in queries:
        for figure, value in figures(query, scorer(query)).items():
            found[figure][query.unit].append(value)
    return {figure: {unit: fmean(values) for unit, values in units.items()} for figure, units in found.items()}


def compare(ours: Measured, theirs: Measured, resamples: int, seed: int) -> list[Comparison]:
    """A line for each figure."""
    lines = []
    for figure, values in ours.items():
        one, other = np.array(list(values.values())), np.array([theirs[figure][unit] for unit in values])
        low, high = interval(one - other, resamples, seed)
        lines.append(Comparison(figure, len(one), float(other.mean()), float(one.mean()), low, high))
    return lines


def interval(differences: npt.NDArray[np.floating], resamples: int, seed: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean."""
    draw, size = np.random.default_rng(seed), len(differences)
    sizes = [min(AT_ONCE, resamples - done) for done in range(0, resamples, AT_ONCE)]
    means = np.concatenate([differences[draw.integers(0, size, (n, size))].mean(axis=1) for n in sizes])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
