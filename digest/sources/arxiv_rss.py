"""arXiv's daily announcement, from its RSS feed: what is new in the categories."""

import logging
import re
from collections.abc import Iterator
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings

from digest.sources import client
from digest.sources.arxiv import BUSY, GATE, SECONDS_BETWEEN_REQUESTS, bare_id
from digest.sources.base import Fetched, PaperRecord, Rejected, SourceError
from digest.sources.payload import ARXIV, extension, read_feed, storable, text_of

NAME = "arxiv_rss"
# A feed is cut at 2000 items, and of an over-full one the new papers are lost first: ask for few at once.
CATEGORIES_PER_REQUEST = 4
MAX_ITEMS = 2000
# A cross-list is a paper's first showing in a further category: new to that category's readers. Replacements
# are never new, and a third of a usual feed: https://info.arxiv.org/help/rss_specifications.html
WANTED = ("new", "cross")
UNWANTED = ("replace", "replace-cross")

_GUID = re.compile(r"oai:arXiv\.org:(\S+)")
_DESCRIPTION = re.compile(r"arXiv:\S+\s+Announce Type:\s*(\S+)\s+Abstract:\s*", re.IGNORECASE)
_COMMA = re.compile(r",\s*")
_SUFFIX = re.compile(r"(?:Jr|Sr|Ph\.?\s?D|M\.?D)\.?|I{2,3}|IV", re.IGNORECASE)

logger = logging.getLogger(__name__)


def fetch(day: date) -> Iterator[Fetched]:
    """The papers announced on ``day``: arXiv's own date, which begins at midnight in New York.

    The feed holds the current batch only, so any other day yields nothing. A paper that several categories
    list comes once, as new where any of them says so. Raises SourceError before the first record, or never.
    """
    found: dict[str, PaperRecord] = {}
    rejected: list[Rejected] = []
    names = list(dict.fromkeys(settings.ARXIV_CATEGORIES))
    for start in range(0, len(names), CATEGORIES_PER_REQUEST):
        for record in _batch(names[start : start + CATEGORIES_PER_REQUEST], day):
            if isinstance(record, Rejected):
                rejected.append(record)
            elif record.source_key not in found or record.raw["announce_type"] == "new":
                found[record.source_key] = record
    yield from found.values()
    yield from rejected


def _batch(categories: list[str], day: date) -> list[Fetched]:
    body = client.get(
        f"{settings.ARXIV_RSS_URL}/rss/{'+'.join(categories)}",
        {},
        source=NAME,
        accept="application/rss+xml, application/xml;q=0.9",
        min_interval=SECONDS_BETWEEN_REQUESTS,
        gate=GATE,
        busy=BUSY,
    )
    feed = read_feed(body, source=NAME)
    title = text_of(feed.feed.get("title"))
    if title.startswith("Feed error for query"):  # a mistake in the categories comes with status 200
        text = f"{NAME}: {title}: {text_of(feed.feed.get('subtitle'))}"
        raise SourceError(text, transient=False)
    if len(feed.entries) >= MAX_ITEMS:
        logger.warning("%s: the feed of %s is full at %d items: papers may be missing", NAME, categories, MAX_ITEMS)
    if _date_of(feed) != day:
        return []
    return [record for entry in feed.entries if (record := read(feed, entry, day)) is not None]


def _date_of(feed: Any) -> date:
    """The date of the batch in arXiv's own offset: midnight in New York is already 4 or 5 o'clock in UTC."""
    published = [feed.feed.get("published"), *(entry.get("published") for entry in feed.entries)]
    for text in filter(None, published):  # an Atom feed has it in its entries only
        try:
            return datetime.fromisoformat(text).date()
        except ValueError:
            pass
        try:
            return parsedate_to_datetime(text).date()
        except (ValueError, OverflowError):
            continue
    raise SourceError(f"{NAME} answered with a feed without a readable date", transient=True)


def read(feed: Any, entry: Any, day: date) -> Fetched | None:
    """One item as a record announced on ``day``; None for a replacement; Rejected if it cannot be read."""
    description = text_of(entry.get("summary"))
    prefix = _DESCRIPTION.match(description)
    kind = text_of(extension(feed, entry, ARXIV, "announce_type")) or (prefix[1] if prefix else "")
    if kind in UNWANTED:
        return None
    guid = text_of(entry.get("id"))
    name = _GUID.fullmatch(guid)
    arxiv_id = bare_id(name[1]) if name else None
    title = text_of(entry.get("title"))
    authors = split_authors(text_of(entry.get("author")))
    doi = text_of(extension(feed, entry, ARXIV, "DOI"))
    categories = tuple(tag["term"] for tag in entry.get("tags", []) if tag.get("term"))
    abstract = description[prefix.end() :] if prefix else description
    raw = {"guid": guid, "announce_type": kind, "title": title, "creator": entry.get("author"), "doi": doi}
    raw |= {"categories": list(categories), "description": description}
    if arxiv_id is None:
        return Rejected("the guid holds no arXiv id", storable(raw))
    if kind not in WANTED:
        return Rejected(f"unknown announce type {kind!r}", storable(raw))
    if not title:
        return Rejected("no title", storable(raw))
    if not authors:
        return Rejected("no authors", storable(raw))
    return PaperRecord(
        source=NAME,
        source_key=arxiv_id,
        arxiv_id=arxiv_id,
        title=title,
        authors=authors,
        abstract=abstract,
        doi=doi.split()[0] if doi else None,  # a paper in two journals has two, with a space between
        categories=categories,
        announced_on=day,
        raw=storable(raw),
    )


def split_authors(creator: str) -> tuple[str, ...]:
    """The names in one text: "A. B (X, Beijing), C. D, Jr." are two. Parentheses stay with their name."""
    balanced = creator.count("(") == creator.count(")")
    names: list[str] = []
    depth = 0
    for piece in _COMMA.split(creator):
        # Parentheses that do not match are a typing error: then every comma parts two names.
        if names and (depth > 0 or _SUFFIX.fullmatch(piece.strip())):
            names[-1] += f", {piece}"
        else:
            names.append(piece)
        if balanced:
            depth += piece.count("(") - piece.count(")")
    return tuple(filter(None, (name.strip() for name in names)))
