"""Rows as relevance reads them."""

from collections.abc import Sequence
from functools import lru_cache

from digest.models import Paper
from digest.relevance import Model, PaperText, Reading, TopicTerms
from digest.sources.arxiv import with_aliases
from subscriptions.models import Topic


def paper_text(paper: Paper) -> PaperText:
    """What matching needs of a paper's row."""
    text = f"{paper.abstract} {paper.blurb}"
    # A topic may name either of two names of a category; a paper often bears one only.
    return PaperText(
        paper.pk, paper.title, text, with_aliases(paper.categories), tuple(paper.keywords), tuple(paper.authors)
    )


def topic_terms(topic: Topic) -> TopicTerms:
    """What matching needs of a topic's row."""
    # Only texts, whatever was put into the row past the form: one odd topic must not stop everybody's matching.
    categories, terms = (tuple(t for t in own if isinstance(t, str)) for own in (topic.categories, topic.terms))
    return TopicTerms(topic.pk, topic.name, categories, terms, topic.description)


def reading_of(papers: Sequence[PaperText], model: Model) -> Reading:
    """These papers made ready for matching. Planning asks every minute for what changes once a day: it is kept."""
    return _reading(tuple(papers), model)


@lru_cache(maxsize=3)
def _reading(papers: tuple[PaperText, ...], model: Model) -> Reading:
    return Reading(papers, model)
