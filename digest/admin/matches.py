"""Why a paper belongs to a topic, for the editors: the same matching that planning does."""

from collections.abc import Iterable

from digest.models import Paper
from digest.planning import topic_terms
from digest.relevance import Match, PaperText, match_all
from subscriptions.models import Topic


def paper_text(paper: Paper) -> PaperText:
    """What matching reads of a paper's row."""
    text = f"{paper.abstract} {paper.blurb}"
    return PaperText(paper.pk, paper.title, text, tuple(paper.categories), tuple(paper.keywords))


def matches_of(papers: Iterable[Paper], topics: Iterable[Topic]) -> dict[int, list[Match]]:
    """{paper id: its matches}, the topics in their order; papers without one are left out."""
    found: dict[int, list[Match]] = {}
    for by_paper in match_all([paper_text(paper) for paper in papers], map(topic_terms, topics)).values():
        for paper, match in by_paper.items():
            found.setdefault(paper, []).append(match)
    return found
