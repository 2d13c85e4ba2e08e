"""What a digest would hold: readers, histories and a board in, rows out. Stores nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np

from digest.board import Board
from digest.likes import AT_ONCE, Likes
from digest.menu import Found, Menu
from digest.models import Digest
from digest.planning.histories import History
from digest.planning.runs import NO_EDITION, Run
from digest.selection import Wish, choose
from subscriptions import schedule
from subscriptions.interests import Interests
from subscriptions.models import Subscriber

NO_MATCH = "no match in your topics"
State = Digest.State
# Values and not members: a million rows ask for them.
PLANNED, SKIPPED = State.PLANNED.value, State.SKIPPED.value
DAILY, WEEKLY = Digest.Cadence.DAILY.value, Digest.Cadence.WEEKLY.value
# A paper that is so similar (cosine) to one the reader wants less of is not filled in as popular.
LESS_LIKE = 0.35
NOTHING: Set[int] = frozenset()


class Reader(Protocol):
    """What planning knows of a reader."""

    @property
    def pk(self) -> int: ...  # noqa: D102
    @property
    def zone(self) -> str: ...  # noqa: D102
    @property
    def paper_limit(self) -> int: ...  # noqa: D102
    @property
    def only_my_topics(self) -> bool: ...  # noqa: D102
    @property
    def is_weekly(self) -> bool: ...  # noqa: D102


class Ask(NamedTuple):
    """A reader whose digest of ``due_at`` (UTC) is to be proposed, and what the reader chose, said and got."""

    reader: Reader
    history: History
    due_at: datetime
    day: date  # the local one


class Row(NamedTuple):
    """A Digest row by its columns; the two lists as JSON text. Columns that are not here have their defaults."""

    subscriber_id: int
    day: date
    zone: str
    cadence: str
    state: str
    reason: str
    due_at: datetime
    content_from: date | None
    content_to: date | None
    picks: str
    follow_ups: str
    planned_at: datetime
    planned_by: str

    def digest(self, reader: Subscriber) -> Digest:
        """As an unsaved Digest of ``reader``, who may be unsaved too."""
        values = self._asdict() | {"picks": json.loads(self.picks), "follow_ups": json.loads(self.follow_ups)}
        del values["subscriber_id"]
        return Digest(subscriber=reader, **values)


def propose(
    reader: Subscriber, history: History, board: Board, now: datetime, *, due_at: datetime, by: str = ""
) -> Digest:
    """The digest of this reader from what the board holds, or a skip with its reason. Unsaved.

    ``due_at`` (UTC) gives the local day. The reader may be an unsaved one, with a history that was made up.
    """
    run = Run(board, now, by)
    content = run.free(board.window(history.seen_to, weekly=reader.is_weekly))
    return row_of(run, content, Ask(reader, history, due_at, schedule.local_day(due_at, reader.zone))).digest(reader)


def row_of(run: Run, content: tuple[date, ...] | str, ask: Ask) -> Row:
    """One reader's digest of some days, or the skip for a reason."""
    return next(rows_of(run, content, [ask]))


def rows_of(run: Run, content: tuple[date, ...] | str, asks: Sequence[Ask]) -> Iterator[Row]:
    """The digests of readers who get papers of the same days; skips where none is for them, or for a reason."""
    if isinstance(content, str):
        yield from (_row(run, ask, SKIPPED, content) for ask in asks)
        return
    days, menu = content, run.menu(content)
    news = run.news.for_readers([ask.reader.pk for ask in asks])
    begin, end = days[0] - timedelta(days=1), days[-1]
    for ask, picks in zip(asks, picks_of(run, menu, asks), strict=True):
        state, reason = PLANNED, ""
        if picks == "[]":
            no_match = ask.reader.only_my_topics and wants_something(ask.history.interests)
            state, reason = SKIPPED, NO_MATCH if no_match else NO_EDITION
        told = json.dumps(news[ask.reader.pk]) if state == PLANNED and ask.reader.pk in news else "[]"
        yield _row(run, ask, state, reason, begin, end, picks, told)


def _row(
    run: Run,
    ask: Ask,
    state: str,
    reason: str,
    content_from: date | None = None,
    content_to: date | None = None,
    picks: str = "[]",
    follow_ups: str = "[]",
) -> Row:
    return Row(
        ask.reader.pk,
        ask.day,
        ask.reader.zone,
        WEEKLY if ask.reader.is_weekly else DAILY,
        state,
        reason,
        ask.due_at,
        content_from,
        content_to,
        picks,
        follow_ups,
        run.now,
        run.by,
    )


def picks_of(run: Run, menu: Menu, asks: Sequence[Ask]) -> list[str]:
    """Each reader's picks with their reasons, as the row keeps them (JSON)."""
    found, wishes = wished(run, menu, asks)
    return [menu.picks(numbers, own) for numbers, own in zip(choose(menu.slate, wishes), found, strict=True)]


def wished(run: Run, menu: Menu, asks: Sequence[Ask]) -> tuple[list[list[Found]], list[Wish]]:
    """What each reader's interests find on the menu, in the order of their turns, and what selection takes of it."""
    closed = menu.sent_to(ask.reader.pk for ask in asks)
    found, wishes = [], []
    for some, likes in _with_likes(run, menu, asks):
        for ask in some:
            own, wish = _wished(menu, ask, closed, likes)
            found.append(own)
            wishes.append(wish)
    return found, wishes


def _with_likes(run: Run, menu: Menu, asks: Sequence[Ask]) -> Iterator[tuple[list[Ask], Likes]]:
    """The readers in their order, in parts that spoke of not too many papers together."""
    likes = run.likes(menu)
    some: list[Ask] = []
    papers: set[int] = set()
    for ask in asks:
        if said := ask.history.said:
            own = {*said.liked, *said.disliked}
            if papers and len(papers | own) > AT_ONCE:
                likes.know(papers)
                yield some, likes
                some, papers = [], set()
            papers |= own
        some.append(ask)
    likes.know(papers)
    yield some, likes


def wants_something(own: Interests) -> bool:
    """Whether a reader chose anything to read about."""
    return bool(own.topics or own.phrases or own.authors)


def _wished(menu: Menu, ask: Ask, closed: Mapping[int, Set[int]], likes: Likes) -> tuple[list[Found], Wish]:
    """``closed`` has what readers were sent on closed days: {reader: numbers}. What was learned has the last turns."""
    reader, history, own = ask.reader, ask.history, ask.history.interests
    barred = closed.get(reader.pk, NOTHING)
    if history.sent:
        barred |= menu.numbers_of(history.sent)
    for text in own.muted_words:
        barred |= menu.naming(text)
    muted = menu.in_topics(own.muted_topics) if own.muted_topics else NOTHING
    found = menu.found_by(own)
    if history.said and history.said.liked:
        found.append(likes.found(history.said.liked, without=muted))
    queues = [one.queue for one in found]
    if history.said and (likeness := likes.likeness(history.said.disliked)) is not None:
        queues = [menu.slate.reordered(queue, 1 - likeness) for queue in queues]
        muted |= set(np.flatnonzero(likeness >= LESS_LIKE).tolist())
    chose = wants_something(own)
    only = reader.only_my_topics and chose
    return found, Wish(queues, reader.paper_limit, only, tuple(barred), tuple(muted), everything=not chose)
