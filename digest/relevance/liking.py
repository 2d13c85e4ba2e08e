"""What a reader likes, as groups of similar papers. Pure and deterministic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from digest.relevance.vectors import Model, Weights, normalised

MOST_TASTES, MOST_LIKED = 5, 50
# Groups with this cosine between their papers, on average, are one taste.
ONE_TASTE = 0.05


@dataclass(frozen=True, eq=False)
class Taste:
    """Liked papers that resemble each other: never the average of two different interests."""

    papers: tuple[int, ...]  # the newest first
    vector: csr_matrix  # 1 x V, the mean of the papers' vectors, scaled to length 1

    def terms(self, model: Model, n: int) -> tuple[str, ...]:
        """The ``n`` strongest words and pairs; of a pair and its words only the stronger."""
        return tuple(strongest_terms(model, self.vector.indices, self.vector.data, n))


def strongest_terms(model: Model, columns: npt.NDArray[np.integer], weights: Weights, n: int) -> list[str]:
    """The ``n`` terms with the greatest weights; of those that share a word only the strongest."""
    said: list[str] = []
    for column in columns[np.lexsort((columns, -weights))].tolist():
        term = model.terms[column]
        if not any({*term.split()} & {*other.split()} for other in said):
            said.append(term)
        if len(said) == n:
            break
    return said


def tastes(liked: csr_matrix, ids: Sequence[int]) -> list[Taste]:
    """The groups of liked papers (rows of length 1, the newest first), as ``groups_of`` finds them."""
    rows = csr_matrix(liked[:MOST_LIKED])
    groups = groups_of((rows @ rows.T).toarray())
    return [_taste(csr_matrix(rows[group]), [ids[at] for at in group]) for group in groups]


def groups_of(cosines: npt.NDArray[np.floating]) -> list[list[int]]:
    """Groups of papers by their cosines (n x n, the newest first), the one with the most papers first.

    The two groups whose papers have the highest mean cosine become one as long as that is ``ONE_TASTE`` or more
    (average linkage). The newest 50 papers are read and the 5 largest groups are kept, of equal ones the newer.
    """
    groups = _groups(cosines[:MOST_LIKED, :MOST_LIKED])
    groups.sort(key=lambda group: (-len(group), group))
    return groups[:MOST_TASTES]


def in_proportion(sizes: Sequence[int], worth: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """How much tastes of so many papers want each candidate, from its worth to each of them (tastes x candidates).

    All tastes together (the sum of worths, times the root of each size) and each taste by itself have their turns, as
    often as they have papers: the next place is that of the greatest weight / (rank + 1/2), the divisors of
    Sainte-Lague for dividing seats in proportion. Together they find best what a reader likes, measured by libraries;
    by itself each has its share, however small: docs/evaluation.md.
    """
    weights = np.array(sizes, dtype=np.float64)
    whole = np.sqrt(weights) @ worth
    orders = np.argsort(-np.vstack([whole, worth]), axis=1, kind="stable")
    ranks = np.empty_like(orders)
    np.put_along_axis(ranks, orders, np.arange(worth.shape[1])[None, :], axis=1)
    found: npt.NDArray[np.float64] = (np.array([weights.sum(), *weights])[:, None] / (ranks + 0.5)).max(axis=0)
    return found


def _groups(cosines: np.ndarray) -> list[list[int]]:
    groups = [[at] for at in range(len(cosines))]
    between = np.nan_to_num(cosines).astype(np.float64)  # sums over all pairs of two groups
    np.fill_diagonal(between, -np.inf)
    sizes = np.ones(len(groups))
    while len(groups) > 1:
        mean = between / np.outer(sizes, sizes)
        one, other = sorted(divmod(int(mean.argmax()), len(groups)))
        if mean[one, other] < ONE_TASTE:
            break
        groups[one] = sorted(groups[one] + groups.pop(other))
        between[one] += between[other]
        between[:, one] += between[:, other]
        sizes[one] += sizes[other]
        between, sizes = np.delete(np.delete(between, other, 0), other, 1), np.delete(sizes, other)
    return groups


def _taste(rows: csr_matrix, papers: list[int]) -> Taste:
    return Taste(tuple(papers), normalised(csr_matrix(rows.sum(axis=0))))
