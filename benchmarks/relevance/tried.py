"""What was tried on the tuning half beside what is shipped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.relevance.data import Keyword, Library, LikeThis
from benchmarks.relevance.figures import Scorer, Scores
from benchmarks.relevance.methods import SAME_WORDS, Scorers, Shelf
from digest.relevance import Model, PaperText, Reading, TopicTerms

FED, SHARE = 8, 0.3  # neighbours whose words are taken into the query, and how much they count


def of_like(papers: Sequence[PaperText]) -> Scorers:
    """Papers like one, read otherwise."""
    usual = _reading(papers, SAME_WORDS)

    def alike(reading: Reading, query: LikeThis) -> Scores:
        return np.asarray(reading.similar(reading.vectors[[query.paper]])[0])

    def fed(query: LikeThis) -> Scores:
        scores = alike(usual, query)
        nearest = [at for at in np.argsort(-scores, kind="stable") if at != query.paper][:FED]
        share = SHARE * scores[nearest] / scores[nearest].sum()
        return np.asarray(scores + share @ usual.similar(usual.vectors[nearest]))

    readings = {
        "each form of a word by itself": _reading(papers, {}),
        "the title three times": _reading([_titled(paper) for paper in papers], SAME_WORDS),
        "rare terms too": Reading(papers, Model.fit(papers, SAME_WORDS, min_df=1, max_terms=10**6)),
    }
    found = {name: partial(_in_pool, partial(alike, reading)) for name, reading in readings.items()}
    return {**found, "words of the 8 nearest papers": partial(_in_pool, fed)}


def _in_pool(scorer: Scorer, query: LikeThis) -> Scores:
    return np.asarray(scorer(query)[query.pool])


def of_keyword(papers: Sequence[PaperText]) -> Scorers:
    """One-phrase topics, scored otherwise."""
    usual, by_form = _reading(papers, SAME_WORDS), _reading(papers, {})
    titles = _reading([replace(paper, text="") for paper in papers], SAME_WORDS)

    def cosines(query: Keyword) -> Scores:
        return usual.relevance(TopicTerms(1, query.unit))

    def named(reading: Reading, query: Keyword) -> Scores:
        scores = np.zeros(len(papers))
        scores[list(reading.names(query.unit))] = 1
        return scores

    return {
        "our TF-IDF alone": cosines,
        "named or not": lambda query: named(usual, query),
        "named first, spelling or not": lambda query: cosines(query) + named(usual, query),
        "named in the title counts .1 more": lambda query: _shipped(usual, query) + 0.1 * named(titles, query),
        "named in the title counts 1 more": lambda query: _shipped(usual, query) + named(titles, query),
        "each form of a word by itself": lambda query: _shipped(by_form, query),
    }


def of_library(counts: csr_matrix, cold: csr_matrix) -> Scorers:
    """Libraries, their tastes put together otherwise."""
    shelf = Shelf(counts, cold)

    def together(query: Library) -> Scores:
        heard = [len(taste.papers) ** 0.5 * cosines for taste, cosines in shelf.cosines(query)]
        return np.asarray(np.sum(heard, axis=0))

    def nearest(query: Library) -> Scores:
        return np.asarray(np.max([cosines for _, cosines in shelf.cosines(query)], axis=0))

    def in_turn(query: Library) -> Scores:
        places = [_places(cosines) + 0.1 * at for at, (_, cosines) in enumerate(shelf.cosines(query))]
        return np.asarray(-np.min(places, axis=0))

    def by_size(query: Library) -> Scores:
        places = [_places(cosines) / len(taste.papers) for taste, cosines in shelf.cosines(query)]
        return np.asarray(-np.min(places, axis=0))

    return {
        "all tastes together": together,
        "the nearest taste": nearest,
        "tastes in turn": in_turn,
        "tastes in turn, as often as they have articles": by_size,
    }


def _reading(papers: Sequence[PaperText], same: Mapping[str, str]) -> Reading:
    return Reading(papers, Model.fit(papers, same))


def _shipped(reading: Reading, query: Keyword) -> Scores:
    return reading.relevance(TopicTerms(1, query.unit, (), (query.unit,)))


def _titled(paper: PaperText) -> PaperText:
    return replace(paper, text=f"{paper.title}.\n{paper.text}")


def _places(cosines: Scores) -> Scores:
    places = np.empty(len(cosines))
    places[np.argsort(-cosines, kind="stable")] = np.arange(len(cosines)) + 0.5
    return places
