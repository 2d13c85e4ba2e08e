"""Why a paper belongs to a topic, for the editors: the same matching that planning does."""

from collections.abc import Iterable

from digest.models import Paper
from digest.readings import paper_text, topic_terms
from digest.relevance import Match, match_all
from subscriptions.models import Topic


def matches_of(papers: Iterable[Paper], topics: Iterable[Topic]) -> dict[int, list[Match]]:
    """{paper id: its matches}, the topics in their order; papers without one are left out."""
    found: dict[int, list[Match]] = {}
    for by_paper in match_all([paper_text(paper) for paper in papers], map(topic_terms, topics)).values():
        for paper, match in by_paper.items():
            found.setdefault(paper, []).append(match)
    return found
