"""Papers x interests -> matches that say why. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

CATEGORY_WEIGHT, TITLE_WEIGHT, TEXT_WEIGHT = 1.0, 2.0, 1.0


@dataclass(frozen=True, slots=True)
class PaperText:
    """What matching reads of a paper."""

    id: int
    title: str
    text: str = ""
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicTerms:
    """What matching reads of a topic. Terms are lower case; a category or one term is enough."""

    id: int
    name: str
    categories: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """Why a paper belongs to a topic: the words found, the category shared, and how much that weighs (> 0)."""

    topic: int
    name: str
    score: float
    terms: tuple[str, ...] = ()
    category: str = ""

    @property
    def why(self) -> str:
        """The evidence in words: 'names "diffusion model"' or 'is listed in cs.RO'."""
        if self.terms:
            return "names " + ", ".join(f'"{term}"' for term in self.terms[:3])
        return f"is listed in {self.category}"


def match(paper: PaperText, topic: TopicTerms) -> Match | None:
    """The match of one paper with one topic, or None. Costs two regular expression searches."""
    category = next((c for c in paper.categories if c in topic.categories), "")
    in_title = _found(topic.terms, paper.title)
    in_text = _found(topic.terms, " . ".join((paper.text, *paper.keywords)))
    score = CATEGORY_WEIGHT * bool(category) + TITLE_WEIGHT * bool(in_title) + TEXT_WEIGHT * bool(in_text)
    if not score:
        return None
    terms = tuple(dict.fromkeys((*in_title, *in_text)))
    return Match(topic.id, topic.name, score, terms, category)


def match_all(papers: Sequence[PaperText], topics: Iterable[TopicTerms]) -> dict[int, dict[int, Match]]:
    """All matches as {topic id: {paper id: match}}; topics without one are left out."""
    found = {topic.id: {p.id: m for p in papers if (m := match(p, topic))} for topic in topics}
    return {topic: matches for topic, matches in found.items() if matches}


def _found(terms: tuple[str, ...], text: str) -> tuple[str, ...]:
    pattern = _pattern(terms)
    if pattern is None or not text:
        return ()
    hits = (m.lastgroup for m in pattern.finditer(_flat(text)))
    return tuple(dict.fromkeys(terms[int(hit[1:])] for hit in hits if hit))


def _flat(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").split())


@lru_cache(maxsize=4096)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str] | None:
    """Whole words, a plural allowed, hyphen = space. Terms are escaped: a reader's "c++" is text, not a pattern."""
    flat = {f"t{i}": _flat(term) for i, term in enumerate(terms) if _flat(term)}
    if not flat:
        return None
    longest_first = sorted(flat.items(), key=lambda item: -len(item[1]))
    words = "|".join(f"(?P<{name}>{re.escape(term)})" for name, term in longest_first)
    return re.compile(rf"(?<!\w)(?:{words})(?:e?s)?(?!\w)")
