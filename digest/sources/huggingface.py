"""Hugging Face Daily Papers: what people put forward and voted for on a day."""

import json
from collections.abc import Iterator
from datetime import date, time
from typing import Any

from django.conf import settings

from digest.sources import client
from digest.sources.arxiv import bare_id, version_of
from digest.sources.base import Fetched, Incomplete, OtherDay, PaperRecord, Rejected, SourceError
from digest.sources.payload import count_of, moment_of, read_json, text_of, texts_of, url_of

NAME = "huggingface"
LIMIT = 100  # the API refuses more
FULL_PAGE = 50  # the API's own page length: a server that ignores the limit sends that many
MAX_PAGES = 20
MOST_BYTES = 4_000_000  # of a page: a hundred papers have 700,000
# 500 requests in 300 s per address: https://huggingface.co/docs/hub/rate-limits
SECONDS_BETWEEN_REQUESTS = 0.6


def fetch(day: date) -> Iterator[Fetched]:
    """The papers featured on ``day`` (a date in UTC), most upvotes first, each once.

    A day without papers, as weekends are, yields nothing. A record that cannot be read comes out as Rejected.
    Raises SourceError while iterating: OtherDay for a day that has not begun on the server's clock.
    """
    seen: set[str] = set()
    for page in range(MAX_PAGES):
        elements = _page(day, page)
        new = _new(elements, seen)
        for element in new:
            yield read(element, day)
        if len(elements) < FULL_PAGE:
            return
        if not new:
            raise Incomplete(f"{NAME} repeats its page {page}: of the list of {day} the rest may be missing")
    raise Incomplete(f"{NAME}: the list of {day} goes on after {MAX_PAGES} pages", transient=False)


def _page(day: date, page: int) -> list[Any]:
    params: client.Params = {"date": day.isoformat(), "p": page, "limit": LIMIT}
    url = f"{settings.HUGGINGFACE_URL}/api/daily_papers"
    try:
        body = client.get(
            url,
            params,
            source=NAME,
            accept="application/json",
            min_interval=SECONDS_BETWEEN_REQUESTS,
            most=MOST_BYTES,
        )
    except client.Refused as error:
        today = error.server_time.date() if error.server_time else day
        if error.status == 400 and day > today:  # it refuses the future, and our clock may be ahead of its
            raise OtherDay(f"{NAME} has {today} still; {day} was asked for", shows=today) from error
        raise
    elements = read_json(body, source=NAME)
    if not isinstance(elements, list):
        kind = type(elements).__name__
        raise SourceError(f"{NAME} answered with a JSON {kind} instead of a list", transient=True)
    return elements


def _new(elements: list[Any], seen: set[str]) -> list[Any]:
    """The elements of a page that no earlier one was, of each paper the first. Those that name no paper all count."""
    new: list[Any] = []
    odd: set[str] = set()
    for element in elements:
        paper = element.get("paper") if isinstance(element, dict) else None
        arxiv_id = bare_id(paper.get("id")) if isinstance(paper, dict) else None
        key = arxiv_id or json.dumps(element, sort_keys=True)
        if key not in seen:
            new.append(element)
            (seen if arxiv_id else odd).add(key)
    seen |= odd
    return new


def read(element: Any, day: date) -> Fetched:
    """One element of the list as a record, or as Rejected with the reason. Never raises.

    The list gains and renames keys every few months. So only the id, title, authors, upvotes and publishedAt
    of the paper must be there and readable; everything else counts as unknown when it is not as expected.
    """
    paper = element.get("paper") if isinstance(element, dict) else None
    if not isinstance(paper, dict):
        return Rejected("no paper in the element", element)
    arxiv_id = bare_id(paper.get("id"))
    title = text_of(paper.get("title"))
    authors = _names(paper.get("authors"))
    upvotes = count_of(paper.get("upvotes"))
    # Of two dates named publishedAt the outer one is hours off and falls on the day before.
    submitted_at = moment_of(paper.get("publishedAt"))
    if arxiv_id is None:
        return Rejected("paper.id is not an arXiv id", element)
    if not title:
        return Rejected("paper.title is missing or empty", element)
    if not authors:
        return Rejected("paper.authors is missing or names nobody", element)
    if upvotes is None:
        return Rejected("paper.upvotes is not a count", element)
    if submitted_at is None:
        return Rejected("paper.publishedAt is not a time", element)
    featured_at = moment_of(paper.get("submittedOnDailyAt"))
    # A midnight is a date: newer answers, and older days read again, have lost the hour.
    has_hour = featured_at is not None and featured_at.time() != time(0)
    return PaperRecord(
        source=NAME,
        source_key=arxiv_id,
        arxiv_id=arxiv_id,
        title=title,
        authors=authors,
        abstract=text_of(paper.get("summary")) or text_of(element.get("summary")),
        summary=text_of(paper.get("ai_summary")),
        keywords=texts_of(paper.get("ai_keywords")),
        submitted_at=submitted_at,
        featured_on=featured_at.date() if featured_at else day,
        featured_at=featured_at if has_hour else None,
        upvotes=upvotes,
        comments=count_of(element.get("numComments")),
        stars=count_of(paper.get("githubStars")),
        code_url=url_of(paper.get("githubRepo")),
        project_url=url_of(paper.get("projectPage")),
        version=version_of(paper.get("id")),
        withdrawn_at=moment_of(paper.get("withdrawnAt")),
        is_withdrawal_known=paper.get("withdrawnAt") is None,
        raw=element,
    )


def _names(authors: Any) -> tuple[str, ...]:
    """All names: an author whose account is hidden there has still written the paper."""
    items = authors if isinstance(authors, list) else []
    return texts_of([item.get("name") if isinstance(item, dict) else item for item in items])
