"""Papers made ready once, and what interests find in them. Pure."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from digest.relevance.matching import (
    AUTHOR_WEIGHT,
    CATEGORY_WEIGHT,
    SHOWN_TERMS,
    TEXT_WEIGHT,
    TITLE_WEIGHT,
    Match,
    PaperText,
    TopicTerms,
)
from digest.relevance.names import name_words, same_name
from digest.relevance.liking import Taste
from digest.relevance.vectors import TITLE_TIMES, Model, Weights
from digest.relevance.words import composed

# So many distinct phrases, and authors, are kept with what they found. It bounds the memory of a run, nothing else.
KEPT_WORDS = 4096
# From these cosines on a paper is a topic's, or like a taste, though it shares no term and no category.
TOPIC_COSINE, LIKE_COSINE = 0.2, 0.2
COSINE_WEIGHT, LIKE_WEIGHT = 1.0, 4.0
END = "\n"  # of a part of a paper, in its flat text: no word is equal to it


class Place(NamedTuple):
    """Where a paper names some words: its index, and the first place of each kind (-1: nowhere)."""

    at: int
    title: int
    text: int

    @property
    def weight(self) -> float:
        """What it is worth."""
        return TITLE_WEIGHT * (self.title >= 0) + TEXT_WEIGHT * (self.text >= 0)


class Reading:
    """Papers with their words, vectors and authors. The same words of many readers are looked up once."""

    def __init__(self, papers: Sequence[PaperText], model: Model) -> None:
        self.papers, self.model = papers, model
        self._flat: list[str] = []  # words with spaces around; each part ends with END
        self._titles: list[int] = []  # where the flat title ends
        self._spans: list[array[int]] = []  # start and end of each word in the paper's text
        self._naming: dict[str, array[int]] = defaultdict(lambda: array("i"))
        self._listed: dict[str, list[int]] = defaultdict(list)
        self._by_family: dict[str, dict[tuple[str, ...], set[int]]] = defaultdict(lambda: defaultdict(set))
        self.vectors: csr_matrix = model.of_words([self._read(at, paper) for at, paper in enumerate(papers)])
        self._by_term = csr_matrix(self.vectors.T)
        self.phrase = lru_cache(KEPT_WORDS)(self._phrase)
        self.author = lru_cache(KEPT_WORDS)(self._author)
        self.names = lru_cache(KEPT_WORDS)(self._names)

    def _read(self, at: int, paper: PaperText) -> list[str]:
        words: list[str] = []
        spans, title = array("I"), 0
        for part in _parts(paper):
            tokens = self.model.words.tokens(part)
            words += [*tokens.words, END]
            for span in zip((*tokens.starts, 0), (*tokens.ends, 0), strict=True):
                spans.extend(span)
            title = title or len(words)
        flat = f" {' '.join(words)} "
        self._flat.append(flat)
        self._titles.append(flat.index(END))
        self._spans.append(spans)
        for word in {*words}:
            self._naming[word].append(at)
        for category in dict.fromkeys(paper.categories):
            self._listed[category].append(at)
        for name in filter(None, map(name_words, paper.authors)):
            self._by_family[name[-1]][name].add(at)
        return words[:title] * (TITLE_TIMES - 1) + words

    def topic(self, topic: TopicTerms) -> Mapping[int, Match]:
        """The papers that name a term, are listed in a category, or are near enough by TF-IDF alone."""
        query = self._query(topic)
        cosines = self.similar(query)[0]
        places = {term: self._places(term) for term in topic.terms}
        named: dict[int, list[Place]] = defaultdict(list)
        said: dict[int, list[str]] = defaultdict(list)
        for term, found in places.items():
            for place in found:
                named[place.at].append(place)
                said[place.at].append(term)
        listed = {at: category for category in reversed(topic.categories) for at in self._listed.get(category, ())}
        near = {int(at) for at in np.flatnonzero(cosines >= TOPIC_COSINE)}
        matches = {}
        for at in sorted(named.keys() | listed.keys() | near):
            score = COSINE_WEIGHT * float(cosines[at]) + CATEGORY_WEIGHT * (at in listed)
            if at in named:
                score += TITLE_WEIGHT * any(place.title >= 0 for place in named[at])
                score += TEXT_WEIGHT * any(place.text >= 0 for place in named[at])
                terms = self._as_written(at, zip(said[at], named[at], strict=True))
            elif at in listed:
                terms = ()
            else:
                terms = self._shared(at, query)
            matches[self.papers[at].id] = Match(topic.id, topic.name, score, terms, listed.get(at, ""))
        return matches

    def _phrase(self, text: str) -> Mapping[int, Match]:
        """The papers that name ``text``, as whole words like a topic's term."""
        places = self._places(text)
        cosines = self.similar(self.model.of_words([self.model.words.flat(text).split()]))[0] if places else ()
        return {
            self.papers[place.at].id: Match(
                0,
                text,
                place.weight + COSINE_WEIGHT * float(cosines[place.at]),
                self._as_written(place.at, [(text, place)]),
                kind="phrase",
            )
            for place in places
        }

    def _author(self, wanted: str) -> Mapping[int, Match]:
        """The papers of the author ``wanted``."""
        words = name_words(wanted)
        bearers = self._by_family.get(words[-1], {}) if words else {}
        found = {at for name, papers in bearers.items() if same_name(words, name) for at in papers}
        return {self.papers[at].id: Match(0, wanted, AUTHOR_WEIGHT, kind="author") for at in sorted(found)}

    def _names(self, text: str) -> frozenset[int]:
        """The papers that name these very words."""
        return frozenset(self.papers[place.at].id for place in self._places(text))

    def like(self, taste: Taste) -> Mapping[int, Match]:
        """The papers that resemble a taste, but not those that taught it; ``paper`` is the nearest of these."""
        cosines = self.similar(taste.vector)[0]
        near = [int(at) for at in np.flatnonzero(cosines >= LIKE_COSINE) if self.papers[at].id not in taste.papers]
        if not near:
            return {}
        nearest = self.similar(taste.liked)[:, near].argmax(axis=0).tolist()
        return {
            self.papers[at].id: Match(
                0,
                "",
                LIKE_WEIGHT * float(cosines[at]),
                self._shared(at, taste.vector),
                kind="like",
                paper=taste.papers[which],
            )
            for at, which in zip(near, nearest, strict=True)
        }

    def similar(self, vectors: csr_matrix) -> Weights:
        """Cosines (n x P) of n rows of length 1 with all papers; 0 for what is no finite number."""
        cosines = (vectors @ self._by_term).toarray().astype(np.float32, copy=False)
        finite: Weights = np.nan_to_num(cosines, copy=False, posinf=0.0, neginf=0.0)
        return finite

    def _query(self, topic: TopicTerms) -> csr_matrix:
        words = self.model.words
        said = [word for text in (topic.name, *topic.terms, topic.description) for word in words.flat(text).split()]
        return self.model.of_words([said])

    def _places(self, text: str) -> list[Place]:
        """Where papers name ``text``. Only those that have its rarest word are searched."""
        flat = self.model.words.flat(text)
        if not flat:
            return []
        wanted, found = f" {flat} ", []
        for at in min((self._naming.get(word, ()) for word in {*flat.split(" ")}), key=len):
            first, end = self._flat[at].find(wanted), self._titles[at]
            if first >= 0:
                text_at = first if first >= end else self._flat[at].find(wanted, end)
                found.append(Place(at, first if first < end else -1, text_at))
        return found

    def _as_written(self, at: int, found: Iterable[tuple[str, Place]]) -> tuple[str, ...]:
        """The terms found in the paper's own form, the longer instead of those that it contains, in their order."""
        flats = {self.model.words.flat(term): (term, place) for term, place in found}
        longest = [flat for flat in flats if not any(flat != other and f" {flat} " in f" {other} " for other in flats)]
        said: dict[str, None] = {}
        for flat in longest[:SHOWN_TERMS]:
            term, place = flats[flat]
            written = self._written(at, place.title if place.title >= 0 else place.text, flat.count(" ") + 1)
            # Only the case differs: as the interest says it, since a title's capitals say nothing.
            said[term if written.casefold() == term.casefold() else written] = None
        return tuple(said)

    def _written(self, at: int, place: int, words: int) -> str:
        """The paper's own text of so many words at a place of its flat text."""
        first = self._flat[at].count(" ", 0, place + 1) - 1
        part = self._flat[at].count(END, 0, place)
        spans = self._spans[at]
        text = _parts(self.papers[at])[part]
        return " ".join(text[spans[2 * first] : spans[2 * (first + words - 1) + 1]].split())

    def _shared(self, at: int, query: csr_matrix) -> tuple[str, ...]:
        """The terms that contribute most to the cosine of a paper with ``query``, in the paper's own form."""
        own = slice(*self.vectors.indptr[at : at + 2])
        weights = dict(zip(query.indices.tolist(), query.data.tolist(), strict=True))
        shares = [
            (weights[term] * weight, self.model.terms[term])
            for term, weight in zip(self.vectors.indices[own].tolist(), self.vectors.data[own].tolist(), strict=True)
            if term in weights
        ]
        said: dict[str, str] = {}
        for _, term in sorted(shares, key=lambda share: (-share[0], share[1])):
            place = self._flat[at].find(f" {term} ")
            if place >= 0 and not any({*term.split()} & {*other.split()} for other in said):
                said[term] = self._written(at, place, term.count(" ") + 1)
            if len(said) == SHOWN_TERMS:
                break
        return tuple(dict.fromkeys(said.values()))


class OwnWords(Reading):
    """Papers for readers' own words alone."""

    def __init__(self, papers: Sequence[PaperText] = ()) -> None:
        super().__init__(papers, Model.without_words({}))


def match(paper: PaperText, topic: TopicTerms) -> Match | None:
    """The match of one paper with one topic by phrases and categories, or None."""
    return OwnWords([paper]).topic(topic).get(paper.id)


def match_all(papers: Sequence[PaperText], topics: Iterable[TopicTerms]) -> dict[int, Mapping[int, Match]]:
    """All such matches as {topic id: {paper id: match}}; topics without one are left out."""
    reading = OwnWords(papers)
    return {topic.id: found for topic in topics if (found := reading.topic(topic))}


def _parts(paper: PaperText) -> tuple[str, ...]:
    return tuple(map(composed, (paper.title, paper.text, *paper.keywords)))
