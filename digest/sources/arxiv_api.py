"""arXiv's query API: the facts of papers by id, and the papers submitted on a day."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.conf import settings

from digest.sources import client
from digest.sources.arxiv import ask, bare_id, version_of
from digest.sources.base import Fetched, Incomplete, PaperRecord, Rejected, SourceError
from digest.sources.payload import (
    ARXIV,
    OPENSEARCH,
    extension,
    first_of,
    moment_of,
    read_feed,
    text_of,
    texts_of,
)

NAME = "arxiv_api"
# Not arXiv's: the time at which we had the withdrawal confirmed, put beside what the entry said.
WITHDRAWN_AT = "withdrawal_confirmed_at"
IDS_PER_REQUEST = 50
PAGE = 200
MAX_PAGES = 50  # the whole of arXiv submits about 1,500 papers on a working day

_ABSTRACT_PAGE = re.compile(r"https?://(?:www\.)?arxiv\.org/abs/(\S+)")


def fill_in(ids: Iterable[str]) -> Iterator[Fetched]:
    """The papers with these arXiv ids, in any order; a paper that arXiv does not know (yet) is left out.

    Something that is not an arXiv id comes out as Rejected and is not asked for: arXiv would refuse the whole
    request for it. Raises SourceError while iterating; what came before it is good: Incomplete where arXiv says that it
    has more of the papers than it gave, also when those that are missing are asked for once more.
    """
    known: dict[str, None] = {}
    for text in ids:
        arxiv_id = bare_id(text)
        if arxiv_id is None:
            yield Rejected("not an arXiv id", text)
        else:
            known[arxiv_id] = None
    wanted = list(known)
    for start in range(0, len(wanted), IDS_PER_REQUEST):
        yield from _with_ids(wanted[start : start + IDS_PER_REQUEST])


def _with_ids(chunk: list[str]) -> Iterator[Fetched]:
    """The papers with these ids. ``totalResults`` is the number of those that arXiv knows: fewer must not come."""
    missing, expected = dict.fromkeys(chunk), 0
    given: set[str] = set()
    for _ in range(2):
        feed = _ask({"id_list": ",".join(missing), "max_results": len(missing)})
        total = min(_total(feed), len(missing))
        expected = max(expected, total + len(chunk) - len(missing))
        for key, record in _keyed(feed):
            if key not in given:
                given.add(key)
                missing.pop(key, None)
                yield record
        # A record that could not be read is here, though nobody can tell which paper it is.
        if len(given) >= expected or not missing:
            return
    raise Incomplete(f"{NAME} gave {len(given)} of {expected} papers that were asked for, not {', '.join(missing)}")


def fetch(day: date) -> Iterator[Fetched]:
    """The papers first submitted on ``day`` (UTC) in ARXIV_CATEGORIES, each once, in the order of submission.

    Submission is not announcement: a paper shows here one to four days later, once it is announced, and
    ``announced_on`` stays unknown. Raises SourceError while iterating.
    """
    categories = " OR ".join(f"cat:{name}" for name in dict.fromkeys(settings.ARXIV_CATEGORIES))
    window = f"submittedDate:[{day:%Y%m%d}0000 TO {day:%Y%m%d}2359]"
    query = {
        "search_query": f"({categories}) AND {window}",
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
    }
    seen: set[str] = set()
    total = 0
    for start in range(0, PAGE * MAX_PAGES, PAGE):
        page, counted = _page(query, start, seen)
        total = max(total, counted)  # one that shrinks is a fault too: papers do not leave their day
        for key, record in page.items():
            if key not in seen:  # the pages move when a paper is added while they are read
                seen.add(key)
                yield record
        if start + PAGE >= total:
            break
    else:
        raise Incomplete(f"{NAME} has {total} papers of {day}: more than {PAGE * MAX_PAGES} are not read")
    if len(seen) < total:
        raise Incomplete(f"{NAME} gave {len(seen)} of {total} papers of {day}")


def _page(query: dict[str, str], start: int, seen: set[str]) -> tuple[dict[str, Fetched], int]:
    """One page, by what names its papers, and how many results there are in all.

    A page that is short before the end, or that was given before, is asked for once more: the API is known for them
    (https://github.com/lukasschwab/arxiv.py/issues/43). What either answer holds counts.
    """
    page: dict[str, Fetched] = {}
    total = 0
    for _ in range(2):
        feed = _ask({**query, "start": start, "max_results": PAGE})
        total = max(total, _total(feed))
        page.update(_keyed(feed))
        if len(page) >= min(PAGE, total - start) and (total <= start or page.keys() - seen):
            return page, total
    if not page:
        raise Incomplete(f"{NAME} answered twice with an empty page at {start} of {total}")
    if not page.keys() - seen:
        raise Incomplete(f"{NAME} repeats its page at {start} of {total}")
    return page, total


def _keyed(feed: Any) -> Iterator[tuple[str, Fetched]]:
    """The entries as records, with what tells each from the others."""
    for entry in feed.entries:
        record = read(_raw(feed, entry))
        yield (record.source_key if isinstance(record, PaperRecord) else repr(record.raw)), record


def _total(feed: Any) -> int:
    try:
        return max(0, int(text_of(extension(feed, feed.feed, OPENSEARCH, "totalResults"))))
    except ValueError:
        raise SourceError(f"{NAME} does not say how many results there are", transient=True) from None


def _ask(params: client.Params) -> Any:
    accept = "application/atom+xml, application/xml;q=0.9"
    body = ask(f"{settings.ARXIV_API_URL}/api/query", params, source=NAME, accept=accept)
    feed = read_feed(body, source=NAME)
    if len(feed.entries) == 1 and text_of(feed.entries[0].get("title")) == "Error":
        text = f"{NAME}: {text_of(feed.entries[0].get('summary')) or 'an error without a reason'}"
        raise SourceError(text, transient=False)
    return feed


def _raw(feed: Any, entry: Any) -> dict[str, Any]:
    """All of an entry that is kept, as JSON."""
    raw = {name: text_of(entry.get(name)) for name in ("id", "title", "summary", "published")}
    raw |= {name: text_of(extension(feed, entry, ARXIV, name)) for name in ("doi", "comment", "journal_ref")}
    names = [text_of(author.get("name")) for author in entry.get("authors", [])]
    return {**raw, "authors": names, "categories": _categories(feed, entry)}


def read(raw: Any, _day: date | None = None) -> Fetched:
    """One kept entry as a record, or as Rejected with the reason. Never raises.

    The day does not matter: an entry says when its paper was submitted, and not when it was announced.
    """
    if not isinstance(raw, dict):
        return Rejected("not an object", raw)
    name = _ABSTRACT_PAGE.fullmatch(text_of(raw.get("id")))
    arxiv_id = bare_id(name[1]) if name else None
    title, authors = text_of(raw.get("title")), texts_of(raw.get("authors"))
    submitted_at = moment_of(raw.get("published"))  # of version 1; "updated" is that of the latest version
    if name is None or arxiv_id is None:
        return Rejected("the entry's id is not an arXiv paper", raw)
    if not title:
        return Rejected("no title", raw)
    if not authors:
        return Rejected("no authors", raw)
    if submitted_at is None:
        return Rejected("no readable time of submission", raw)
    return PaperRecord(
        source=NAME,
        source_key=arxiv_id,
        arxiv_id=arxiv_id,
        title=title,
        authors=authors,
        abstract=text_of(raw.get("summary")),
        doi=first_of(text_of(raw.get("doi"))),
        categories=texts_of(raw.get("categories")),
        submitted_at=submitted_at,
        comment=text_of(raw.get("comment")),
        version=version_of(name[1]),
        withdrawn_at=moment_of(raw.get(WITHDRAWN_AT)),
        raw=raw,
    )


def _categories(feed: Any, entry: Any) -> list[str]:
    """All categories, primary first. Other classifications (ACM, MSC) come as tags with another scheme."""
    primary = extension(feed, entry, ARXIV, "primary_category")
    first = text_of(primary.get("term")) if isinstance(primary, dict) else ""
    tags = entry.get("tags", [])
    own = [text_of(tag.get("term")) for tag in tags if tag.get("scheme") in (None, "http://arxiv.org/schemas/atom")]
    return list(dict.fromkeys(filter(None, [first, *own])))
