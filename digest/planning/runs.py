"""What is read once for all readers of a run."""

from dataclasses import dataclass, field
from datetime import date, datetime

from digest.board import Board, read_board
from digest.follow_ups import News
from digest.menu import Menu
from digest.planning.histories import oldest_open_day
from digest.profiles import Learning


@dataclass(slots=True)
class Run:
    """The board, its menus by days, the news of papers that were sent, and when and by whom it is planned."""

    board: Board
    now: datetime
    by: str = ""
    since: date | None = None  # the oldest day that is not folded
    news: News = field(default_factory=News)
    learning: Learning = field(init=False)
    _menus: dict[tuple[date, ...], Menu] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.learning = Learning(self.board.reading.model)

    @classmethod
    def begin(cls, now: datetime, by: str = "") -> "Run":
        """Read it as it stands. A handful of queries."""
        return cls(read_board(now), now, by, oldest_open_day(), News.read(now))

    def menu(self, days: tuple[date, ...]) -> Menu:
        """What is to be chosen from, of these days of the board."""
        if days not in self._menus:
            self._menus[days] = Menu(self.board, days)
        return self._menus[days]
