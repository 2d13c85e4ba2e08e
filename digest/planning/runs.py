"""What is read once for all readers of a run."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings

from digest import ledger, punctuality
from digest.board import Board, read_board
from digest.follow_ups import News
from digest.likes import Likes
from digest.menu import Menu
from digest.models import Digest
from digest.profiles import Learning

NO_EDITION, LATE, HELD = "no new papers", ledger.TOO_LATE, "held by the editors"
Content = tuple[date, ...] | str | None


@dataclass(slots=True)
class Run:
    """The board, its menus by days, the news of papers that were sent, and when and by whom it is planned."""

    board: Board
    now: datetime
    by: str = ""
    since: date | None = None  # the oldest day that is not folded
    news: News = field(default_factory=News)
    learning: Learning = field(init=False)
    late_before: datetime = field(init=False)  # what was due earlier is not sent any more
    _menus: dict[tuple[date, ...], Menu] = field(default_factory=dict, init=False)
    _likes: dict[tuple[date, ...], Likes] = field(default_factory=dict, init=False)
    _contents: dict[tuple[date | None, bool, datetime], Content] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.learning = Learning(self.board.reading.model)
        self.late_before = punctuality.late_before(self.now)

    @classmethod
    def begin(cls, now: datetime, by: str = "") -> "Run":
        """Read it as it stands. A handful of queries."""
        # Before any bitmap: a day that is folded after this look is looked at digest by digest all the same.
        since = Digest.objects.oldest_open_day()
        return cls(read_board(now), now, by, since, News.read(now))

    def content(self, seen_to: date | None, *, weekly: bool, due_at: datetime) -> Content:
        """The days that a digest draws on; or why there is none; or None: wait for an edition.

        ``seen_to`` is the newest day that was looked at for the reader.
        """
        key = seen_to, weekly, due_at
        if key not in self._contents:
            self._contents[key] = self._content(*key)
        return self._contents[key]

    def _content(self, seen_to: date | None, weekly: bool, due_at: datetime) -> Content:
        if due_at < self.late_before:
            return LATE
        days = self.board.window(seen_to, weekly=weekly)
        deadline = due_at + timedelta(hours=settings.EDITION_WAIT_HOURS)
        newest_is_held = bool(days) and days[-1] in self.board.held
        if self.board.expects_more(self.now, deadline) or (self.now < deadline and (newest_is_held or not days)):
            return None
        return self.free(days)

    def free(self, days: tuple[date, ...]) -> tuple[date, ...] | str:
        """Those of ``days`` that no hold keeps back, or why there is none."""
        return self.board.not_held(days) or (HELD if days else NO_EDITION)

    def likes(self, menu: Menu) -> Likes:
        """What readers said of papers, on a menu of this run."""
        if menu.days not in self._likes:
            self._likes[menu.days] = Likes(self.learning, menu)
        return self._likes[menu.days]

    def menu(self, days: tuple[date, ...]) -> Menu:
        """What is to be chosen from, of these days of the board."""
        if days not in self._menus:
            self._menus[days] = Menu(self.board, days)
        return self._menus[days]
