"""What a paper's row knows, from what the sources say of it. Nothing here saves."""

from datetime import datetime

from digest.addresses import linkable
from digest.identity import Identity
from digest.models import Paper
from digest.sources import SOURCES, arxiv_api
from digest.sources.base import PaperRecord
from digest.text import readable, shorten

GONE = 1000
NAMES = ("key", "arxiv_id", "doi", "fingerprint")  # given by digest.identity
COUNTS = ("upvotes", "comments", "stars")
TOLD = (
    "title",
    "authors",
    "abstract",
    "texts_from",
    "blurb",
    "blurb_origin",
    "categories",
    "keywords",
    "code_url",
    "project_url",
    "submitted_at",
    "announced_on",
    "featured_on",
    "featured_at",
    *COUNTS,
)
# All that a record can change.
ABSORBED = (*NAMES, *TOLD, "withdrawn_at", "withdrawn_from", "code_seen_at")


def trust_of(source: str) -> int:
    """How much a source is trusted with texts. One that is gone cannot be asked again: what it said stays."""
    if not source:
        return -1
    return SOURCES[source].trust if source in SOURCES else GONE


def kept(paper: Paper) -> set[str]:
    """The fields that are an editor's: no source changes them."""
    return {*paper.edited, *(["blurb_origin"] if "blurb" in paper.edited else [])}


def absorb(paper: Paper, named: Identity, seen_at: datetime, read_at: datetime) -> None:
    """Let a record speak that was first seen at ``seen_at``, as it was read at ``read_at``.

    Counts are the newest, dates the first, texts by trust, gaps are filled. What an editor changed stays.
    """
    record = named.record
    had_code = bool(paper.code_link)
    edited = {name: getattr(paper, name) for name in kept(paper)}
    _absorb_texts(paper, named)
    paper.keywords = [readable(word) for word in record.keywords] or paper.keywords
    # The same door for every source, whatever it let through; and what was stored before there was one leaves by it.
    paper.code_url = linkable(record.code_url) or paper.code_link
    paper.project_url = linkable(record.project_url) or paper.project_link
    paper.announced_on = min(filter(None, (paper.announced_on, record.announced_on)), default=None)
    paper.featured_on = min(filter(None, (paper.featured_on, record.featured_on)), default=None)
    # Where the source does not say the hour, that at which the paper was first seen is the best that is known.
    seen_that_day = seen_at if record.featured_on == seen_at.date() else None
    paper.featured_at = paper.featured_at or record.featured_at or seen_that_day
    _absorb_withdrawal(paper, record)
    for name in COUNTS:
        if (count := getattr(record, name)) is not None:
            setattr(paper, name, count)
    for name, value in edited.items():
        setattr(paper, name, value)
    # Asked of the address too: of rows older than this column nobody knows when their code was seen first.
    if paper.code_url and not had_code:
        paper.code_seen_at = paper.code_seen_at or read_at


def _absorb_withdrawal(paper: Paper, record: PaperRecord) -> None:
    """Each source takes back what it said itself; arXiv, which has the paper, also what was said before it."""
    by_arxiv = record.source == arxiv_api.NAME
    if record.withdrawn_at:
        paper.withdrawn_at = paper.withdrawn_at or record.withdrawn_at
        paper.withdrawn_from = record.source if by_arxiv else paper.withdrawn_from or record.source
    elif record.is_withdrawal_known and (
        paper.withdrawn_from == record.source or (by_arxiv and not paper.withdrawn_from)
    ):
        paper.withdrawn_at, paper.withdrawn_from = None, ""


def _absorb_texts(paper: Paper, named: Identity) -> None:
    record = named.record
    overrules = not paper.title or trust_of(record.source) >= trust_of(paper.texts_from)
    if overrules:
        paper.texts_from = record.source
        paper.title = shorten(named.title, 500)
        paper.authors = [name for name in map(readable, record.authors) if name] or paper.authors
    if record.abstract and (overrules or not paper.abstract):
        paper.abstract = readable(record.abstract)
    if record.categories and (overrules or not paper.categories):
        paper.categories = list(record.categories)
    if record.submitted_at and (overrules or not paper.submitted_at):
        paper.submitted_at = record.submitted_at
    if record.summary:
        paper.blurb = readable(record.summary)
        paper.blurb_origin = Paper.Origin.SUMMARY if record.source == "sample" else Paper.Origin.AI
