"""Papers made ready once, and what interests find in them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix

from digest.relevance.liking import strongest_terms
from digest.relevance.matching import (
    AUTHOR_WEIGHT,
    CATEGORY_WEIGHT,
    SHOWN_TERMS,
    Match,
    PaperText,
    TopicTerms,
)
from digest.relevance.names import name_words, same_name
from digest.relevance.pages import Found, Pages, forms
from digest.relevance.vectors import Model, Query, Weights, repeated
from digest.relevance.words import END

# So many distinct phrases, and authors, are kept with what they found. It bounds the memory of a run, nothing else.
KEPT_WORDS = 4096
# By TF-IDF alone a paper is a topic's from this cosine on if it shares so many different words with it, so that most of
# the reasons in a mail are right (docs/evaluation.md). A topic of one short phrase is that phrase and nothing else.
TOPIC_COSINE, SHARED_WORDS = 0.12, 6
# From this cosine with a taste on a paper is like it.
LIKE_COSINE = 0.15


class Reading:
    """Papers with their words, vectors and authors. The same words of many readers are looked up once."""

    def __init__(self, papers: Sequence[PaperText], model: Model) -> None:
        """About half a millisecond and 10 KB a paper."""
        self.papers, self.model = papers, model
        self._pages = Pages(model.words)
        self.vectors: csr_matrix = model.of_words(map(repeated, map(self._pages.add, papers)))
        self._by_term = csr_matrix(self.vectors.T)
        self._listed: dict[str, list[int]] = defaultdict(list)
        self._by_family: dict[str, dict[tuple[str, ...], set[int]]] = defaultdict(lambda: defaultdict(set))
        for at, paper in enumerate(papers):
            for category in dict.fromkeys(paper.categories):
                self._listed[category].append(at)
            for name in filter(None, map(name_words, paper.authors)):
                self._by_family[name[-1]][name].add(at)
        self.topic = lru_cache(KEPT_WORDS)(self._topic)
        self.phrase = lru_cache(KEPT_WORDS)(self._phrase)
        self.author = lru_cache(KEPT_WORDS)(self._author)
        self.names = lru_cache(KEPT_WORDS)(self._names)

    def _topic(self, topic: TopicTerms) -> Mapping[int, Match]:
        """The papers that name a term, are listed in a category, or are near enough by TF-IDF alone."""
        named, listed, query = self._named(topic), self._in_categories(topic), self._query(topic)
        cosines = self._cosines(query)
        near = {at for at in np.flatnonzero(cosines >= TOPIC_COSINE).tolist() if self._shares_enough(at, query)}
        matches = {}
        for at in sorted({*named, *listed, *near}):
            score = float(cosines[at]) + _weight(named.get(at, ())) + CATEGORY_WEIGHT * (at in listed)
            if at in named:
                terms = forms([(term, found.written) for term, found in named[at]])[:SHOWN_TERMS]
            else:
                terms = [] if at in listed else self._shared(at, query)
            matches[self.papers[at].id] = Match(topic.id, topic.name, score, tuple(terms), listed.get(at, ""))
        return matches

    def relevance(self, topic: TopicTerms) -> Weights:
        """The scores that ``topic`` goes by, of all papers [P], those included that it leaves out."""
        scores = self._cosines(self._query(topic))
        for at, terms in self._named(topic).items():
            scores[at] += _weight(terms)
        for at in self._in_categories(topic):
            scores[at] += CATEGORY_WEIGHT
        return scores

    def _named(self, topic: TopicTerms) -> dict[int, list[tuple[str, Found]]]:
        named = defaultdict(list)
        for term in topic.terms:
            for found in self._pages.find(term):
                named[found.at].append((term, found))
        return named

    def _in_categories(self, topic: TopicTerms) -> dict[int, str]:
        return {at: category for category in reversed(topic.categories) for at in self._listed.get(category, ())}

    def _query(self, topic: TopicTerms) -> Query:
        texts = (topic.name, *topic.terms, topic.description)
        return self.model.query([word for text in texts for word in (*self._words(text), END)])

    def _cosines(self, query: Query) -> Weights:
        """The same as ``similar`` of one row [P], without scipy's cost of a call, which is that of fifty rows."""
        scores = np.zeros(len(self.papers), dtype=np.float32)
        starts = self._by_term.indptr
        for column, weight in zip(query.columns.tolist(), query.weights.tolist(), strict=True):
            row = slice(starts[column], starts[column + 1])
            scores[self._by_term.indices[row]] += weight * self._by_term.data[row]
        return _finite(scores)

    def _words(self, text: str) -> list[str]:
        return self.model.words.flat(text).split(" ")

    def _phrase(self, text: str) -> Mapping[int, Match]:
        """The papers that name ``text``, as whole words like a topic's term; none by TF-IDF alone."""
        found = self._pages.find(text)
        cosines = self._cosines(self.model.query(self._words(text))) if found else ()
        return {
            self.papers[at].id: Match(0, text, weight + float(cosines[at]), (written,), kind="phrase")
            for at, written, weight in found
        }

    def _author(self, wanted: str) -> Mapping[int, Match]:
        """The papers of the author ``wanted``."""
        words = name_words(wanted)
        bearers = self._by_family.get(words[-1], {}) if words else {}
        found = {at for name, papers in bearers.items() if same_name(words, name) for at in papers}
        return {self.papers[at].id: Match(0, wanted, AUTHOR_WEIGHT, kind="author") for at in sorted(found)}

    def _names(self, text: str) -> frozenset[int]:
        """The papers that name these very words."""
        return frozenset(self.papers[found.at].id for found in self._pages.find(text))

    def similar(self, vectors: csr_matrix) -> Weights:
        """Cosines (n x P) of n rows of length 1 with all papers; 0 for what is no finite number."""
        cosines = (vectors @ self._by_term).toarray().astype(np.float32, copy=False)
        return _finite(cosines)

    def _shares_enough(self, at: int, query: Query) -> bool:
        row = self.vectors.indices[slice(*self.vectors.indptr[at : at + 2])]
        shared = np.intersect1d(row, query.columns, assume_unique=True).tolist()
        return len({word for column in shared for word in self.model.terms[column].split()}) >= SHARED_WORDS

    def _shared(self, at: int, query: Query) -> list[str]:
        """The terms that contribute most to the cosine of a paper with ``query``, in the paper's own form."""
        row = slice(*self.vectors.indptr[at : at + 2])
        columns, own, wanted = np.intersect1d(self.vectors.indices[row], query.columns, return_indices=True)
        shares = self.vectors.data[row][own] * query.weights[wanted]
        strongest = strongest_terms(self.model, columns, shares, SHOWN_TERMS)
        return [*dict.fromkeys(filter(None, (self._pages.written(at, term) for term in strongest)))]


def _weight(named: Iterable[tuple[str, Found]]) -> float:
    return max((found.weight for _, found in named), default=0.0)


def _finite(scores: Weights) -> Weights:
    """In place: what a damaged model made of a paper is no match."""
    finite: Weights = np.nan_to_num(scores, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return finite
