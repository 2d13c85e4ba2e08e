"""Why a paper belongs to a topic, for the editors: the same matching that planning does."""

from collections.abc import Iterable

from digest import profiles
from digest.models import Edition, Paper
from digest.readings import paper_text, topic_terms
from digest.relevance import Match, Reading
from subscriptions.models import Topic


def matches_of(papers: Iterable[Paper], topics: Iterable[Topic], edition: Edition) -> dict[int, list[Match]]:
    """{paper id: its matches} by the edition's model, the topics in their order; papers without one are left out."""
    reading = Reading([paper_text(paper) for paper in papers], profiles.model_of(edition))
    found: dict[int, list[Match]] = {}
    for topic in topics:
        for paper, match in reading.topic(topic_terms(topic)).items():
            found.setdefault(paper, []).append(match)
    return found
