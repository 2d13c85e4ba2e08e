"""Why each paper is in a digest, and why the next ones are not: selection's own figures, told in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest import profiles
from digest.board import read_board
from digest.menu import Found, Menu
from digest.models import Digest, Edition, Paper
from digest.planning import History, Run
from digest.planning.proposals import Ask, wished
from digest.selection import NEVER, POPULAR, SAME_AGAIN, Wish, best, choose

OTHERS = 10


@dataclass(frozen=True, slots=True)
class Reason:
    """One interest that finds a paper: its name, how relevant it finds it, its rank in the interest's own queue."""

    interest: str
    relevance: float
    worth: float  # relevance x (1 + trend): what the queue is ordered by
    rank: int  # 1 is the first
    evidence: str


@dataclass(frozen=True, slots=True)
class Line:
    """A paper, its place and trend in the ranking, what finds it, and why it is in or not."""

    paper: int
    title: str
    place: int
    trend: float
    verdict: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A digest told: its picks, those that came next, and what to know about the telling."""

    digest: Digest
    picks: tuple[Line, ...]
    others: tuple[Line, ...]
    notes: tuple[str, ...]


def explain(digest: Digest, now: datetime, others: int = OTHERS) -> Explanation:
    """Work the digest out anew, by the same steps as planning, with what is known at ``now``.

    Raises ValueError where its reader was erased, or where it drew on no edition: then its reason says it all.
    """
    reader = digest.subscriber
    if reader is None:
        raise ValueError("Its reader was erased, and with the reader what it was made of.")
    edition = Edition.objects.filter(day=digest.content_to).first() if digest.content_to else None
    if edition is None or digest.content_from is None:
        raise ValueError(f"It drew on no edition: {digest.state} ({digest.reason or 'no reason is kept'}).")
    board = read_board(now, edition)
    days = tuple(day for day in board.days if digest.content_from < day <= edition.day)
    run = Run(board, now)
    menu = run.menu(days)
    ask = Ask(reader, History.of(reader, before=edition.day), digest.due_at, digest.day)
    own = menu.numbers_of({pick["paper"] for pick in digest.picks})
    found, (wish,) = wished(run, menu, [ask])
    # Where its day is closed its own papers are among those that were sent.
    own -= set[int]().union(*map(menu.naming, ask.history.interests.muted_words))
    wish = wish._replace(barred=tuple(set(wish.barred) - own))
    telling = _Telling(menu, ask.history, wish, found[0])
    picks = [telling.pick(at) for at in telling.chosen]
    notes = _notes(digest, [line.paper for line in picks], edition)
    return Explanation(digest, tuple(picks), tuple(telling.others(others)), notes)


def _notes(digest: Digest, papers: Sequence[int], edition: Edition) -> tuple[str, ...]:
    notes = []
    if papers != [pick["paper"] for pick in digest.picks]:
        notes.append(
            "The digest holds other papers than would be chosen now: the reader's choices, what the reader said, or "
            "the editions changed since it was planned."
        )
    if not profiles.model_of(edition).vocabulary:
        notes.append(
            f"The edition of {edition.day} has no relevance model that this version can read: interests were matched "
            "by phrases and categories alone."
        )
    return tuple(notes)


class _Telling:
    def __init__(self, menu: Menu, history: History, wish: Wish, found: Sequence[Found]) -> None:
        self.menu, self.history, self.wish, self.found = menu, history, wish, found
        size = len(menu.slate)
        order, keys = best(menu.slate, [wish], size)
        self.keys: Mapping[int, int] = dict(zip(order[0].tolist(), keys[0].tolist(), strict=True))
        self.chosen = choose(menu.slate, [wish])[0]
        self.takes_all = wish.everything or not wish.queues
        free = wish._replace(barred=(), muted=())
        self.by_wish: list[int] = best(menu.slate, [free], size)[0][0].tolist()
        self.names = dict(Paper.objects.filter(pk__in=menu.slate.number).values_list("pk", "title"))

    def pick(self, at: int) -> Line:
        """One that is in."""
        key = self.keys[at]
        if key >= POPULAR and self.takes_all:
            said = "trending: the reader chose nothing in particular"
        elif key >= POPULAR:
            said = "also popular: fills up, since the reader's interests find too few"
        else:
            turns = max(len(self.wish.queues), 1)
            key %= int(SAME_AGAIN)
            said = f"comes in round {key // turns + 1}, at the turn of interest {key % turns + 1} of {turns}"
        return self._line(at, said)

    def others(self, most: int) -> list[Line]:
        """The next ones, in the order in which they would have come if nothing had been left out."""
        chosen = set(self.chosen)
        return [self._line(at, self._why_not(at)) for at in [a for a in self.by_wish if a not in chosen][:most]]

    def _why_not(self, at: int) -> str:
        sent = self.menu.numbers_of(self.history.sent)
        words = [text for text in self.history.interests.muted_words if at in self.menu.naming(text)]
        if words:
            return f"it names “{words[0]}”, which the reader muted"
        if at in self.wish.barred:
            return "the reader has it from a day that is open" if at in sent else "the reader has it from a closed day"
        key = self.keys.get(at, int(NEVER))
        if key == NEVER and at in self.wish.muted:
            return "it is of a topic that the reader muted, or like a paper of which the reader wants less"
        if key % int(POPULAR) >= SAME_AGAIN and key != NEVER and (twin := self._same_as(at)) is not None:
            return f"it tells nearly the same as “{self._title(twin)[:60]}”, which is in"
        if key < POPULAR:
            return f"the limit of {self.wish.limit} papers is reached before its turn"
        if self.takes_all:
            return f"the limit of {self.wish.limit} papers is reached"
        if self.wish.only_topics:
            return "no interest finds it, and the reader wants only what they find"
        return "no interest finds it, and there are enough papers without it"

    def _same_as(self, at: int) -> int | None:
        groups = self.menu.slate.groups
        return next((other for other in self.chosen if groups[other] == groups[at]), None)

    def _title(self, at: int) -> str:
        return str(self.names.get(self.menu.slate.candidates[at].paper, ""))

    def _line(self, at: int, verdict: str) -> Line:
        candidate = self.menu.slate.candidates[at]
        reasons = tuple(_reason(found, at) for found in self.found if at in found.reasons)
        return Line(candidate.paper, self._title(at), candidate.place, candidate.trend, verdict, reasons)


def _reason(found: Found, at: int) -> Reason:
    match = found.match(at)
    rank = found.queue.order.tolist().index(at)
    name = f"like paper {match.paper}" if match.kind == "like" else f"{match.kind} “{match.name}”"
    return Reason(name, match.score, float(found.queue.worth[rank]), rank + 1, match.why)
