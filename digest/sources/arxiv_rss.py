"""arXiv's daily announcement, from its RSS feed: what is new in the categories."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings

from digest.sources.arxiv import ask, bare_id, version_of
from digest.sources.base import Fetched, Incomplete, OtherDay, PaperRecord, Rejected, SourceError
from digest.sources.payload import ARXIV, extension, first_of, read_feed, text_of, texts_of

NAME = "arxiv_rss"
# A feed is cut at 2000 items, and of an over-full one the new papers are lost first: ask for few at once.
CATEGORIES_PER_REQUEST = 4
MAX_ITEMS = 2000
# A cross-list is a paper's first showing in a further category: new to that category's readers. Replacements
# are never new, and a third of a usual feed: https://info.arxiv.org/help/rss_specifications.html
WANTED = ("new", "cross")
UNWANTED = ("replace", "replace-cross")

_GUID = re.compile(r"oai:arXiv\.org:(\S+)")
_DESCRIPTION = re.compile(r"\AarXiv:\S+\s+Announce Type:\s*(\S+)\s+Abstract:\s*", re.IGNORECASE)
_ITEM = re.compile(rb"</(?:item|entry)>")  # in texts it is written with &lt;
_COMMA = re.compile(r",\s*")
_SUFFIX = re.compile(r"(?:Jr|Sr|Ph\.?\s?D|M\.?D)\.?|I{2,3}|IV", re.IGNORECASE)


def fetch(day: date) -> Iterator[Fetched]:
    """The papers announced on ``day``: arXiv's own date, which begins at midnight in New York.

    A paper that several categories list comes once, as new where any of them says so. The feed holds the newest
    batch only, and categories are built one after the other: where some or all show another day, what there is of
    ``day`` is yielded and then OtherDay raised, which names them. So with any SourceError: what came before it is
    good.
    """
    raws: list[dict[str, Any]] = []
    elsewhere: dict[date, list[str]] = {}
    cut: list[str] = []
    failure: SourceError | None = None
    names = list(dict.fromkeys(settings.ARXIV_CATEGORIES))
    for start in range(0, len(names), CATEGORIES_PER_REQUEST):
        chunk = names[start : start + CATEGORIES_PER_REQUEST]
        try:
            shown, batch, missing = _batch(chunk)
        except SourceError as error:
            failure = error
            break
        if shown == day:
            raws += batch
            cut += missing
        else:
            elsewhere.setdefault(shown, []).extend(chunk)
    yield from _each_once(read(raw, day) for raw in raws)
    if failure:
        raise failure
    if elsewhere:
        raise _other_day(day, elsewhere)
    if cut:
        raise Incomplete("; ".join(cut))


def _each_once(records: Iterable[Fetched]) -> Iterator[Fetched]:
    """One record a paper, the one that says "new" where there is one; behind them what could not be read."""
    found: dict[str, PaperRecord] = {}
    rejected: list[Rejected] = []
    for record in records:
        if isinstance(record, Rejected):
            rejected.append(record)
        elif record.source_key not in found or record.raw["announce_type"] == "new":
            found[record.source_key] = record
    yield from found.values()
    yield from rejected


def _other_day(day: date, elsewhere: dict[date, list[str]]) -> OtherDay:
    """What to tell people of categories (lists by the day they show) whose feeds are of another day."""
    shows = min(elsewhere)
    what = "; ".join(f"{shown} for {', '.join(names)}" for shown, names in sorted(elsewhere.items()))
    text = f"{NAME} shows {what}; {day} was asked for"
    if shows > day:
        text += ". The feed holds only the newest batch: arxiv_oai and arxiv_api can serve earlier days"
    return OtherDay(text, shows=shows)


def _batch(categories: list[str]) -> tuple[date, list[dict[str, Any]], list[str]]:
    """The day that the feed of these categories shows, its papers without the replacements, and why some may miss."""
    url = f"{settings.ARXIV_RSS_URL}/rss/{'+'.join(categories)}"
    body = ask(url, {}, source=NAME, accept="application/rss+xml, application/xml;q=0.9")
    feed = read_feed(body, source=NAME)
    title = text_of(feed.feed.get("title"))
    if title.startswith("Feed error for query"):  # a mistake in the categories comes with status 200
        text = f"{NAME}: {title}: {text_of(feed.feed.get('subtitle'))}"
        raise SourceError(text, transient=False)
    missing = []
    if len(feed.entries) >= MAX_ITEMS:
        missing.append(
            f"{NAME}: the feed of {', '.join(categories)} is full at {MAX_ITEMS} items: papers may be missing"
        )
    written = len(_ITEM.findall(body))
    if len(feed.entries) < written:
        missing.append(f"{NAME}: of {written} items of the feed {len(feed.entries)} could be read")
    raws = [_raw(feed, entry) for entry in feed.entries]
    return _date_of(feed), [raw for raw in raws if raw["announce_type"] not in UNWANTED], missing


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


def _raw(feed: Any, entry: Any) -> dict[str, Any]:
    """All of an item that is kept, as JSON."""
    description = text_of(entry.get("summary"))
    prefix = _DESCRIPTION.match(description)
    kind = text_of(extension(feed, entry, ARXIV, "announce_type")) or (prefix[1] if prefix else "")
    return {
        "guid": text_of(entry.get("id")),
        "announce_type": kind,
        "title": text_of(entry.get("title")),
        "creator": text_of(entry.get("author")),
        "doi": text_of(extension(feed, entry, ARXIV, "DOI")),
        "categories": [text_of(tag.get("term")) for tag in entry.get("tags", [])],
        "description": description,
    }


def read(raw: Any, day: date) -> Fetched:
    """One kept item as a record announced on ``day``, or as Rejected with the reason. Never raises."""
    if not isinstance(raw, dict):
        return Rejected("not an object", raw)
    name = _GUID.fullmatch(text_of(raw.get("guid")))
    arxiv_id = bare_id(name[1]) if name else None
    title, authors = text_of(raw.get("title")), split_authors(text_of(raw.get("creator")))
    if name is None or arxiv_id is None:
        return Rejected("the guid holds no arXiv id", raw)
    if (kind := text_of(raw.get("announce_type"))) not in WANTED:
        return Rejected(f"unknown announce type {kind!r}", raw)
    if not title:
        return Rejected("no title", raw)
    if not authors:
        return Rejected("no authors", raw)
    return PaperRecord(
        source=NAME,
        source_key=arxiv_id,
        arxiv_id=arxiv_id,
        title=title,
        authors=authors,
        abstract=_DESCRIPTION.sub("", text_of(raw.get("description")), count=1),
        doi=first_of(text_of(raw.get("doi"))),
        categories=texts_of(raw.get("categories")),
        announced_on=day,
        version=version_of(name[1]),
        raw=raw,
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
