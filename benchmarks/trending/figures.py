"""The four figures of one order, and two orders compared. Their definitions are in ``__main__``."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.trending.data import Early, Unit

FIGURES = ("Spearman within the day", "top-5 overlap", "top 5 of the complete day", "weekly top 10")

Scorer = Callable[[Early], float]


def plain(paper: Early) -> float:
    """The order to beat."""
    return paper.upvotes


def ours(paper: Early) -> float:
    """The order of an edition."""
    return paper.score().value


def measure(unit: Unit, score: Scorer) -> dict[str, float]:
    """The figures of one unit: the first three for a day, the fourth for a week."""
    scores = {paper.key: score(paper) for paper in unit.early}
    upvotes = {paper.key: paper.upvotes for paper in unit.early}
    ranked = sorted(scores, key=lambda key: (-scores[key], -upvotes[key], key))
    if unit.top10:
        return {FIGURES[3]: len(unit.top10.intersection(ranked[:10])) / len(unit.top10)}
    complete = sorted(unit.late, key=lambda key: (-unit.late[key], key))
    present = [key for key in complete if key in scores]
    return {
        FIGURES[0]: spearman(list(scores.values()), [unit.late[key] for key in scores]),
        FIGURES[1]: len({*ranked[:5]} & {*present[:5]}) / 5,
        FIGURES[2]: len({*ranked[:5]} & {*complete[:5]}) / 5,
    }


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Rank correlation, -1 to 1; 0 where all values of one side are equal."""
    x, y = _ranks(a), _ranks(b)
    middle = (len(x) - 1) / 2
    spread = math.sqrt(sum((r - middle) ** 2 for r in x) * sum((r - middle) ** 2 for r in y))
    return sum((r - middle) * (s - middle) for r, s in zip(x, y, strict=True)) / spread if spread else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    places: dict[float, list[int]] = {}
    for place, value in enumerate(ordered):
        places.setdefault(value, []).append(place)
    return [fmean(places[value]) for value in values]


def interval(differences: Sequence[float], resamples: int, seed: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean."""
    draw = random.Random(seed)
    means = sorted(fmean(draw.choices(differences, k=len(differences))) for _ in range(resamples))
    return means[int(0.025 * (resamples - 1))], means[math.ceil(0.975 * (resamples - 1))]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure for plain upvotes and for another order, over ``units`` units."""

    figure: str
    units: int
    plain: float
    other: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Of the means, which is the mean of the paired differences."""
        return self.other - self.plain

    def in_words(self) -> str:
        """The difference and its interval."""
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    @property
    def verdict(self) -> str:
        """In a word what the interval says."""
        return "gain" if self.low > 0 else "loss" if self.high < 0 else "no evidence"


def compare(units: Sequence[Unit], score: Scorer, resamples: int, seed: int) -> list[Comparison]:
    """Plain upvotes against ``score``, a line for each figure that these units have."""
    pairs = [(measure(unit, plain), measure(unit, score)) for unit in units]
    found = []
    for figure in FIGURES:
        both = [(before[figure], after[figure]) for before, after in pairs if figure in before]
        if both:
            low, high = interval([after - before for before, after in both], resamples, seed)
            found.append(Comparison(figure, len(both), fmean(b for b, _ in both), fmean(a for _, a in both), low, high))
    return found
