"""What choices would have brought in the last days: computed from one board, remembered for a while, and counted."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db.models import Subquery

from digest.board import read_board
from digest.models import Digest, Edition, EditionPaper, Instance
from digest.planning import HELD, History, propose
from digest.preview import Profile
from subscriptions import guard, schedule

log = logging.getLogger(__name__)
T = TypeVar("T")
EDITIONS = 5
REMEMBERED = timedelta(minutes=10)
_SHOWN = ("day", "state", "reason", "content_from", "content_to", "picks")


def last_digests(profile: Profile, now: datetime, editions: int = EDITIONS) -> list[Digest]:
    """What a reader of this profile would have got of the last published editions, day by day, the newest first.

    Unsaved; one without picks says the reason. No paper comes twice. Editions that are more than eight days older than
    the newest are not looked at: no board holds them.
    """
    board = read_board(now, topics={*profile.topics, *profile.muted_topics})
    digests: list[Digest] = []
    shown: set[int] = set()
    for day in board.days[-editions:]:
        reader = profile.reader(now, day)
        as_of = replace(board, days=tuple(earlier for earlier in board.days if earlier <= day))
        history = History(profile.interests, seen_to=day - timedelta(days=1), sent=frozenset(shown))
        due_at = schedule.local_instant(day, reader.hour, reader.zone)
        digests.append(propose(reader, history, as_of, now, due_at=due_at))
        shown |= {pick["paper"] for pick in digests[-1].picks}
    return digests[::-1]


def a_day(digests: Sequence[Digest]) -> tuple[float, int]:
    """How many papers a day are there for a reason of the reader's own, and on how many days that was counted.

    Days whose list is held back say nothing of it. (0.0, 0) where no day is left.
    """
    counted = [digest for digest in digests if digest.reason != HELD]
    papers = sum(bool(pick["why"]) for digest in counted for pick in digest.picks)
    return (papers / len(counted) if counted else 0.0), len(counted)


def key_of(profile: Profile, editions: int = EDITIONS) -> str:
    """Names the answer to these choices by the lists as they are now: approved, held, hidden, withdrawn, reordered.

    It is made of nothing else, so that readers who chose the same share it. Two queries.
    """
    # In a database that was restored and adopted the same numbers may name other topics and papers.
    adopted_at = Instance.objects.order_by("pk").values("adopted_at")[:1]
    rows = Edition.objects.published().annotate(adopted_at=Subquery(adopted_at))
    lists = list(rows.values_list("pk", "held", "approved_at", "relevance_model", "adopted_at")[:editions])
    shown = EditionPaper.objects.shown().filter(edition__in=[pk for pk, *_ in lists])
    papers = list(shown.order_by("edition", "position", "pk").values_list("edition", "paper"))
    said = json.dumps([asdict(profile), lists, papers], default=str)
    return f"tryout:{hashlib.sha256(said.encode()).hexdigest()}"


def recall(key: str) -> list[Digest] | None:
    """The digests that were remembered under this key, or None."""
    rows = _unless_away(lambda: cache.get(key), None)
    return None if rows is None else [Digest(**row) for row in rows]


def remember(key: str, digests: Sequence[Digest]) -> None:
    """Keep the digests for ten minutes: picks and dates, no words and no links."""
    rows = [{name: getattr(digest, name) for name in _SHOWN} for digest in digests]
    _unless_away(lambda: cache.set(key, rows, timeout=REMEMBERED.total_seconds()), None)


def admit_look(ip: str, now: datetime) -> bool:
    """Count one preview that a GET asks for against the address's network; False where it is one too many.

    In the cache, where all else that is limited is counted in rows: a GET writes no row, and what a lost count costs
    is a moment of computing, not a letter in somebody's mailbox. A window begins by the clock, so that over the turn of
    one twice as many can pass.
    """
    return _unless_away(lambda: _has_room(guard.network_hash(ip), now), True)


def _has_room(network: str, now: datetime) -> bool:
    for window, most in settings.PREVIEWS_PER_NETWORK:
        seconds = int(window.total_seconds())
        key = f"previews:{seconds}:{int(now.timestamp()) // seconds}:{network}"
        cache.add(key, 0, timeout=seconds)
        if cache.incr(key) > most:
            return False
    return True


def _unless_away(ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except Exception:  # every cache backend has its own; without it each preview is computed
        log.warning("the cache does not answer: previews are neither remembered nor counted")
        return otherwise
