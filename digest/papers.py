"""Records in, rows out: identity and merging."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from digest.models import Paper, Sighting, Signal
from digest.sources.base import PaperRecord
from digest.sources.payload import storable
from digest.text import readable, shorten

_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)
# Later sources overrule earlier ones on title, authors and abstract: arXiv keeps its TeX whole.
TRUST = ("sample", "huggingface", "arxiv_rss", "arxiv_api")


def identity(record: PaperRecord) -> str:
    """The key of the work: arXiv id without version, else DOI, else normalised title + first author + year."""
    if record.arxiv_id:
        return f"arxiv:{record.arxiv_id}"
    doi = (record.doi or "").strip().lower()
    if found := _ARXIV_DOI.fullmatch(doi):
        return f"arxiv:{found[1]}"
    if doi:
        return f"doi:{doi}"
    words = re.sub(r"\W+", " ", readable(record.title).casefold()).strip()
    author = readable(record.authors[0]).casefold() if record.authors else ""
    year = record.submitted_at.year if record.submitted_at else ""
    return "title:" + hashlib.sha256(f"{words}|{author}|{year}".encode()).hexdigest()[:40]


def store(records: Iterable[PaperRecord], now: datetime) -> int:
    """Upsert papers, sightings and signals in one transaction; how many papers are new.

    The number of queries does not grow with the number of records, but for updates in batches of 200.
    """
    by_key: dict[str, list[PaperRecord]] = {}
    for record in records:
        by_key.setdefault(identity(record), []).append(record)
    if not by_key:
        return 0
    with transaction.atomic():
        known = {p.key: p for p in Paper.objects.filter(key__in=by_key)}
        new = {key: Paper(key=key, first_seen_at=now) for key in by_key if key not in known}
        changed = []
        for key, own in by_key.items():
            paper = new.get(key) or known[key]
            before = dict(vars(paper))
            for record in sorted(own, key=lambda r: _trust(r.source)):
                _merge(paper, record)
            if key in known and {k: v for k, v in vars(paper).items() if k != "_state"} != {
                k: v for k, v in before.items() if k != "_state"
            }:
                changed.append(paper)
        Paper.objects.bulk_create(new.values(), ignore_conflicts=True)
        if changed:
            Paper.objects.bulk_update(changed, MERGED, batch_size=200)
        ids = dict(Paper.objects.filter(key__in=by_key).values_list("key", "pk"))
        _keep_sightings(by_key, ids, now)
        _keep_signals(by_key, ids, now)
    return len(new)


MERGED = [
    "arxiv_id",
    "doi",
    "title",
    "authors",
    "abstract",
    "blurb",
    "blurb_origin",
    "categories",
    "keywords",
    "code_url",
    "project_url",
    "submitted_at",
    "announced_on",
    "featured_on",
    "upvotes",
    "comments",
    "stars",
]


def _trust(source: str) -> int:
    return TRUST.index(source) if source in TRUST else len(TRUST)


def _merge(paper: Paper, record: PaperRecord) -> None:
    """Let a record speak: counts are the newest, dates the first, texts by trust, gaps are filled.

    What an editor changed stays as the editor left it.
    """
    edited = {name: getattr(paper, name) for name in paper.edited}
    overrules = not paper.title or _trust(record.source) >= TRUST.index("arxiv_rss")
    if overrules:
        paper.title = shorten(readable(record.title), 500)
        paper.authors = [name for name in map(readable, record.authors) if name] or paper.authors
    if record.abstract and (overrules or not paper.abstract):
        paper.abstract = readable(record.abstract)
    if paper.blurb_origin != Paper.Origin.EDITOR and record.summary and record.source in {"sample", "huggingface"}:
        paper.blurb = readable(record.summary)
        paper.blurb_origin = Paper.Origin.SUMMARY if record.source == "sample" else Paper.Origin.AI
    paper.arxiv_id = paper.arxiv_id or record.arxiv_id
    paper.doi = paper.doi or record.doi
    if record.categories and (overrules or not paper.categories):
        paper.categories = list(record.categories)
    paper.keywords = [readable(word) for word in record.keywords] or paper.keywords
    paper.code_url = _web_address(record.code_url) or paper.code_url
    paper.project_url = _web_address(record.project_url) or paper.project_url
    paper.submitted_at = paper.submitted_at or record.submitted_at
    paper.announced_on = paper.announced_on or record.announced_on
    paper.featured_on = min(filter(None, (paper.featured_on, record.featured_on)), default=None)
    paper.upvotes = record.upvotes if record.upvotes is not None else paper.upvotes
    paper.comments = record.comments if record.comments is not None else paper.comments
    paper.stars = record.stars if record.stars is not None else paper.stars
    for name, value in edited.items():
        setattr(paper, name, value)


def _web_address(url: str) -> str:
    """The address if it is one of the web's and fits, else nothing: "javascript:" never reaches a page."""
    return url if re.match(r"https?://[^\s\"<>]+\Z", url) and len(url) <= 500 else ""


def _keep_sightings(by_key: dict[str, list[PaperRecord]], ids: dict[str, int], now: datetime) -> None:
    sightings = {
        (record.source, record.source_key): Sighting(
            paper_id=ids[key],
            source=record.source,
            source_key=record.source_key,
            raw=storable(record.raw),
            first_seen_at=now,
            last_seen_at=now,
        )
        for key, own in by_key.items()
        for record in own
    }
    Sighting.objects.bulk_create(
        sightings.values(),
        update_conflicts=True,
        unique_fields=["source", "source_key"],
        update_fields=["raw", "last_seen_at"],
    )


def _keep_signals(by_key: dict[str, list[PaperRecord]], ids: dict[str, int], now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    signals = {
        ids[key]: Signal(
            paper_id=ids[key],
            hour=hour,
            upvotes=record.upvotes,
            comments=record.comments or 0,
            stars=record.stars,
        )
        for key, own in by_key.items()
        for record in own
        if record.upvotes is not None
    }
    Signal.objects.bulk_create(
        signals.values(),
        update_conflicts=True,
        unique_fields=["paper", "hour"],
        update_fields=["upvotes", "comments", "stars"],
    )
