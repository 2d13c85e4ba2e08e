"""Words and their weights: TF-IDF as scikit-learn computes it, without scikit-learn. Pure.

A term's weight in a text is (1 + ln tf) x idf with idf = 1 + ln((1 + n) / (1 + df)), and each row is scaled to length 1
(Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", 2008, chapter 6; smoothed as in scikit-learn).
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from digest.relevance.matching import PaperText
from digest.relevance.words import END, Words, composed, terms

# Of the stored form and of how texts become words: a change of either must raise it.
VERSION = 1
MIN_DF, MAX_TERMS = 2, 60_000
TITLE_TIMES = 2  # a title's words count as if said so often

Weights = npt.NDArray[np.float32]


class Query(NamedTuple):
    """The terms of a text that are known, by column in ascending order, and their weights: a vector of length 1."""

    columns: npt.NDArray[np.int32]
    weights: Weights


@dataclass(frozen=True, eq=False)
class Model:
    """The terms that are known {term: column}, their idf, and the list of same words they were read with."""

    vocabulary: dict[str, int]
    idf: Weights
    same: Mapping[str, str]

    @cached_property
    def words(self) -> Words:
        """Reads texts as this model does."""
        return Words(self.same)

    @cached_property
    def terms(self) -> list[str]:
        """The terms by column."""
        return list(self.vocabulary)

    @classmethod
    def fit(
        cls, texts: Sequence[PaperText], same: Mapping[str, str], *, min_df: int = MIN_DF, max_terms: int = MAX_TERMS
    ) -> Self:
        """The terms of at least ``min_df`` of the ``texts``, the commonest ``max_terms``. 1 ms a text."""
        words, counted = Words(same), Counter[str]()
        for text in texts:
            counted.update(set(terms(_said(text, words))))
        known = sorted((term for term, n in counted.items() if n >= min_df), key=lambda term: (-counted[term], term))
        kept = sorted(known[:max_terms])
        weights = idf(np.array([counted[term] for term in kept]), len(texts))
        return cls({term: at for at, term in enumerate(kept)}, weights, same)

    @classmethod
    def without_words(cls, same: Mapping[str, str]) -> Self:
        """A model that knows no term: all is found by phrase and category alone."""
        return cls({}, np.zeros(0, dtype=np.float32), same)

    def vectors(self, texts: Iterable[PaperText]) -> csr_matrix:
        """One row of length 1 for each text, or of zeros where no term is known."""
        return self.of_words(_said(text, self.words) for text in texts)

    def of_words(self, texts: Iterable[Sequence[str]]) -> csr_matrix:
        """The same of texts that are words already; words said twice count twice."""
        known, columns, ends = self.vocabulary, [], [0]
        for words in texts:
            columns += [known[term] for term in terms(words) if term in known]
            ends.append(len(columns))
        shape = (len(ends) - 1, len(known))
        counts = csr_matrix((np.ones(len(columns), np.float32), np.array(columns, np.int32), ends), shape=shape)
        counts.sum_duplicates()
        return weighed(counts, self.idf)

    def query(self, words: Sequence[str]) -> Query:
        """The row of one short text, ten times as fast as ``of_words``."""
        counted = Counter(self.vocabulary[term] for term in terms(words) if term in self.vocabulary)
        columns = np.fromiter(sorted(counted), np.int32, len(counted))
        times = np.fromiter((counted[column] for column in columns.tolist()), np.float32, len(counted))
        weights = (1 + np.log(times)) * self.idf[columns]
        return Query(columns, weights / (np.linalg.norm(weights) or 1))

    def encode(self) -> tuple[bytes, bytes]:
        """The vocabulary and the weights, as they are stored."""
        return zlib.compress("\n".join(self.terms).encode()), self.idf.astype("<f4").tobytes()

    @classmethod
    def decode(cls, vocabulary: bytes, idf: bytes, same: Mapping[str, str]) -> Self:
        """A model from what ``encode`` returned. Raises ValueError for anything else."""
        try:
            text = zlib.decompress(vocabulary).decode()
            weights = np.frombuffer(idf, dtype="<f4").astype(np.float32)
        except (zlib.error, ValueError) as error:
            raise ValueError(f"the stored model is damaged: {error}") from error
        known = {term: at for at, term in enumerate(text.split("\n") if text else ())}
        if len(known) != len(weights):
            raise ValueError(f"the stored model is damaged: {len(known)} different terms, {len(weights)} weights")
        if not np.isfinite(weights).all():
            raise ValueError("the stored model is damaged: a weight is not a finite number")
        return cls(known, weights, same)


def idf(df: npt.NDArray[np.integer], texts: int) -> Weights:
    """The weight of terms that ``df`` of ``texts`` texts name."""
    return (1 + np.log((1 + texts) / (1 + df))).astype(np.float32)


def weighed(counts: csr_matrix, idf: Weights) -> csr_matrix:
    """TF-IDF of counted terms (n x V): rows of length 1. ``counts`` is not changed."""
    weights = csr_matrix(counts, dtype=np.float32, copy=True)
    weights.data = (1 + np.log(weights.data)) * idf[weights.indices]
    return normalised(weights)


def normalised(rows: csr_matrix) -> csr_matrix:
    """Rows scaled to length 1, in place; rows of zeros stay."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64)).ravel()
    rows.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(rows.indptr)).astype(np.float32)
    return rows


def parts_of(paper: PaperText) -> tuple[str, ...]:
    """The texts of a paper that are read, the title first."""
    return tuple(map(composed, (paper.title, paper.text, *paper.keywords)))


def repeated(said: tuple[list[str], list[str]]) -> list[str]:
    """The words that count, of those of a title and of the rest."""
    title, rest = said
    return title * TITLE_TIMES + rest


def _said(paper: PaperText, words: Words) -> list[str]:
    title, *rest = ([*words.tokens(part).words, END] for part in parts_of(paper))
    return repeated((title, [word for part in rest for word in part]))
