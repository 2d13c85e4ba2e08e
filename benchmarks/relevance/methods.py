"""How a query scores what it asks for: by us, by TF-IDF alone (scikit-learn) and by BM25 (bm25s)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from benchmarks.relevance.data import COLD, Library, LikeThis, number
from benchmarks.relevance.figures import Scorer, Scores
from digest.relevance import Model, PaperText, Reading, Taste, TopicTerms, in_proportion, tastes
from digest.relevance.vectors import idf, weighed

OURS, TFIDF, BM25 = "ours", "TF-IDF alone", "BM25"
SAME_WORDS: dict[str, str] = json.loads(Path("digest/same_words.json").read_text("utf-8"))

Scorers = dict[str, Scorer]


def of_like(papers: Sequence[PaperText]) -> Scorers:
    """Papers like one: its only liked paper is the query."""
    reading = Reading(papers, Model.fit(papers, SAME_WORDS))
    vectors = _vectorizer().fit_transform(map(_text, papers))
    bm25 = _Bm25(papers)

    def ours(query: LikeThis) -> Scores:
        (taste,) = tastes(reading.vectors[[query.paper]], [query.paper])
        return np.asarray(reading.similar(taste.vector)[0][query.pool])

    return {
        OURS: ours,
        TFIDF: lambda query: (vectors[[query.paper]] @ vectors[query.pool].T).toarray()[0],
        BM25: lambda query: bm25.scores(_text(papers[query.paper]))[query.pool],
    }


def of_keyword(papers: Sequence[PaperText]) -> Scorers:
    """One-phrase topics."""
    reading = Reading(papers, Model.fit(papers, SAME_WORDS))
    vectorizer = _vectorizer()
    vectors = vectorizer.fit_transform(map(_text, papers))
    bm25 = _Bm25(papers)
    return {
        OURS: lambda query: reading.relevance(TopicTerms(1, query.unit, (), (query.unit,))),
        TFIDF: lambda query: (vectorizer.transform([query.unit]) @ vectors.T).toarray()[0],
        BM25: lambda query: bm25.scores(query.unit),
    }


def of_library(counts: csr_matrix, cold: csr_matrix) -> Scorers:
    """Readers' libraries: a cold article counts by its cosines with the reader's tastes."""
    shelf = Shelf(counts, cold)
    warm = counts[shelf.warm]
    weights = TfidfTransformer(sublinear_tf=True).fit(warm)
    vectors, wanted = weights.transform(counts), csr_matrix(weights.transform(cold).T)
    bm25 = bm25s.BM25()
    bm25.index([_words(row) for row in cold], show_progress=False)

    def alone(query: Library) -> Scores:
        return np.asarray((csr_matrix(vectors[query.warm].sum(axis=0)) @ wanted).toarray()[0])

    def by_bm25(query: Library) -> Scores:
        return np.asarray(bm25.get_scores(_words(csr_matrix(counts[query.warm].sum(axis=0)))))

    return {OURS: shelf.together, TFIDF: alone, BM25: by_bm25}


class Shelf:
    """Articles as vectors of counts, and what readers' tastes say of the cold ones."""

    def __init__(self, counts: csr_matrix, cold: csr_matrix) -> None:
        self.warm = [at for at in range(counts.shape[0]) if number(at) % COLD]
        known = counts[self.warm]
        weights = idf(np.bincount(known.indices, minlength=known.shape[1]), len(self.warm))
        self._vectors, self._cold = weighed(counts, weights), csr_matrix(weighed(cold, weights).T)

    def cosines(self, query: Library) -> list[tuple[Taste, Scores]]:
        """The reader's tastes with the cosine of each cold article."""
        found = tastes(self._vectors[query.warm], query.warm)
        return [(taste, (taste.vector @ self._cold).toarray()[0]) for taste in found]

    def together(self, query: Library) -> Scores:
        """What all tastes together and each by itself want, as planning has it."""
        found, cosines = zip(*self.cosines(query), strict=True)
        return in_proportion([len(taste.papers) for taste in found], np.array(cosines))


class _Bm25:
    def __init__(self, papers: Sequence[PaperText]) -> None:
        self._index = bm25s.BM25()
        self._index.index(_tokens([_text(paper) for paper in papers]), show_progress=False)
        self._papers = len(papers)

    def scores(self, text: str) -> Scores:
        (words,) = _tokens([text])
        return np.asarray(self._index.get_scores(words)) if words else np.zeros(self._papers)


def _vectorizer() -> Any:
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, stop_words="english")


def _tokens(texts: Sequence[str]) -> Any:
    return bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)


def _words(counts: csr_matrix) -> list[str]:
    columns = zip(counts.indices.tolist(), counts.data.tolist(), strict=True)
    return [word for column, times in columns for word in [str(column)] * int(times)]


def _text(paper: PaperText) -> str:
    return f"{paper.title} {paper.text}"
