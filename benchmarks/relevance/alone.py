"""How often a topic is right about a paper that names none of its terms: half of its terms are hidden, and judge."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.relevance.data import HALVES, number
from benchmarks.relevance.methods import SAME_WORDS
from digest.relevance import Model, PaperText, Reading, TopicTerms

TOPICS = Path("subscriptions/topics.json")


@dataclass(frozen=True, slots=True)
class Alone:
    """Papers that topics take by TF-IDF alone, how many of them name a hidden term, and how many of all others do."""

    topics: int
    papers: int
    right: int
    prior: float

    def in_words(self) -> str:
        """One line."""
        return (
            f"{self.topics} topics with half of their terms take {self.papers} papers by TF-IDF alone; "
            f"{self.right / (self.papers or 1):.3f} of these name a hidden term, of all other papers {self.prior:.3f}."
        )


def measure(papers: Sequence[PaperText], half: str) -> Alone:
    """Over both halves of the terms of each shipped topic; a topic belongs to the tuning half if its number is even."""
    reading = Reading(papers, Model.fit(papers, SAME_WORDS))
    topics = [topic for topic in json.loads(TOPICS.read_text("utf-8")) if HALVES[number(topic["slug"]) % 2] == half]
    taken = right = others = hidden = 0
    for topic, seen, unseen in _halved(topics):
        named, judged = (_naming(reading, terms) for terms in (seen, unseen))
        alone = reading.topic(TopicTerms(1, topic["name"], (), seen, topic["description"])).keys() - named
        taken += len(alone)
        right += len(alone & judged)
        others += len(papers) - len(named | alone)
        hidden += len(judged - named - alone)
    return Alone(len(topics), taken, right, hidden / others)


def _halved(topics: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]]:
    for topic in topics:
        for first in (0, 1):
            yield topic, tuple(topic["terms"][first::2]), tuple(topic["terms"][1 - first :: 2])


def _naming(reading: Reading, terms: Sequence[str]) -> set[int]:
    return {paper for term in terms for paper in reading.names(term)}
