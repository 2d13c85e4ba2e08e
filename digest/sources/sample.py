"""Real papers of three days that come with this project, so that it can be tried without the network."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from digest.sources.arxiv import bare_id
from digest.sources.base import Fetched, PaperRecord, Rejected, SourceError
from digest.sources.payload import count_of, moment_of, text_of, texts_of, url_of

NAME = "sample"
PATH = Path(__file__).with_name("sample.json")


def days() -> list[date]:
    """The days that the sample has papers for, earliest first."""
    return sorted(_load())


def fetch(day: date) -> Iterator[Fetched]:
    """The sample's papers of ``day``; none for a day not in ``days()``. SourceError without the file."""
    for element in _load().get(day, []):
        yield read(element)


def _load() -> dict[date, list[Any]]:
    try:
        content = json.loads(PATH.read_bytes())
        return {date.fromisoformat(day["date"]): day["papers"] for day in content["days"]}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SourceError(f"{NAME}: {PATH.name} cannot be read: {error}", transient=False) from error


def read(element: Any, _day: date | None = None) -> Fetched:
    """One paper of the file as a record, or as Rejected with the reason. Never raises: it says its days itself."""
    try:
        arxiv_id = bare_id(element["id"])
        title, authors = text_of(element["title"]), texts_of(element["authors"])
        if not (arxiv_id and title and authors):
            return Rejected("id is not an arXiv id, or title or authors are missing", element)
        return PaperRecord(
            source=NAME,
            source_key=arxiv_id,
            arxiv_id=arxiv_id,
            title=title,
            authors=authors,
            summary=text_of(element.get("summary")),
            categories=texts_of(element["categories"]),
            submitted_at=moment_of(element.get("submitted_at")),
            announced_on=_date(element.get("announced_on")),
            featured_on=_date(element.get("featured_on")),
            upvotes=count_of(element.get("upvotes")),
            comments=count_of(element.get("comments")),
            stars=count_of(element.get("stars")),
            code_url=url_of(element.get("code_url")),
            project_url=url_of(element.get("project_url")),
            raw=element,
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Rejected(f"{type(error).__name__}: {error}", element)


def _date(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
