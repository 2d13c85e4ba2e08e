"""The contract of every source: ``fetch(day)`` yields what that day offers, as the source says it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PaperRecord:
    """One paper as one source gives it. Text is untouched: ``digest.text`` makes it readable later.

    ``arxiv_id`` is without version ("2604.14268", "hep-th/9901001"); datetimes are aware and in UTC; counts that
    the source does not give are None, not 0.
    """

    source: str
    source_key: str  # the source's own name of this record, unique within the source
    title: str
    authors: tuple[str, ...]
    abstract: str = ""
    summary: str = ""
    arxiv_id: str | None = None
    doi: str | None = None
    categories: tuple[str, ...] = ()  # primary first, where the source knows it
    keywords: tuple[str, ...] = ()
    submitted_at: datetime | None = None
    announced_on: date | None = None
    featured_on: date | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    code_url: str = ""
    project_url: str = ""
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read: kept aside with its reason, and the rest goes on."""

    reason: str
    raw: Any


class SourceError(Exception):
    """A source gave nothing usable. ``transient`` says whether asking again later can help."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


Fetched = PaperRecord | Rejected
Fetch = Callable[[date], Iterable[Fetched]]
FillIn = Callable[[Iterable[str]], Iterable[Fetched]]
