"""The contract of every source: ``fetch(day)`` yields what that day offers, as the source says it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from digest.sources.calendar import Batch, any_day


@dataclass(frozen=True, slots=True)
class PaperRecord:
    """One paper as one source gives it. Text is untouched: ``digest.text`` makes it readable later.

    ``arxiv_id`` is without version ("2604.14268", "hep-th/9901001"); datetimes are aware and in UTC; counts that
    the source does not give are None, not 0. ``doi`` is as the source writes it, and may hold two:
    ``digest.dois`` reads it.
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
    featured_at: datetime | None = None  # only where the hour is known: a midnight is a date
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    code_url: str = ""
    project_url: str = ""
    comment: str = ""  # the authors' own, where arXiv's withdrawals are said
    version: int | None = None
    withdrawn_at: datetime | None = None  # only where the source itself says so
    # Whether no withdrawn_at says that it is not withdrawn, or no more. How much is known is no part of what is said.
    is_withdrawal_known: bool = field(default=False, compare=False)
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read: kept aside with its reason, and the rest goes on."""

    reason: str
    raw: Any
    is_lost: bool = True  # False for what is no paper of the list by the source's own word


class SourceError(Exception):
    """A source gave nothing usable. ``transient`` says whether asking again later can help.

    ``busy`` says that the source asks to be left alone, for ``wait`` seconds where it says how long.
    """

    def __init__(self, message: str, *, transient: bool, busy: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.transient = transient
        self.busy = busy
        self.wait = wait


class OtherDay(SourceError):  # noqa: N818 - no fault: the day that was asked for is not on offer
    """The source shows the day ``shows`` and not the one asked for: an earlier one until the new batch is in."""

    def __init__(self, message: str, *, shows: date) -> None:
        super().__init__(message, transient=True)
        self.shows = shows


class Incomplete(SourceError):  # noqa: N818 - as OtherDay
    """The source gave less than it says it has. What came before is good; the rest may come with the next reading."""

    def __init__(self, message: str, *, transient: bool = True) -> None:
        super().__init__(message, transient=transient)


Fetched = PaperRecord | Rejected
Fetch = Callable[[date], Iterable[Fetched]]
FillIn = Callable[[Iterable[str]], Iterable[Fetched]]
Confirm = Callable[[str], bool]  # of an arXiv id; raises SourceError


@dataclass(frozen=True, slots=True)
class Source:
    """One line of the registry.

    ``read(raw, day)`` makes a record again from the ``raw`` that was kept of it and the day it first came for.
    ``batch(day)`` says what is expected. ``days`` is how many days, from today (UTC) back, are worth asking for again:
    lists fill up late. Sources of one ``group`` are asked by the same rules: if one asks to be left alone, all are.
    Of two sources that differ on title, authors and abstract the one with more ``trust`` is right.
    """

    fetch: Fetch
    read: Callable[[Any, date], Fetched]
    batch: Callable[[date], Batch] = any_day
    days: int = 3
    trust: int = 2
    group: str = ""
    stale_by: str = ""  # "list" or "category": papers of an earlier day once more are a fault of the whole, or of it
