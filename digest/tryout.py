"""What choices would have brought in the last days: computed from one board, remembered for a while, and counted."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Subquery

from digest.board import read_board
from digest.models import Digest, Edition, EditionPaper, Instance
from digest.planning import HELD, History, propose
from digest.preview import Profile
from subscriptions import schedule
from subscriptions.page_limits import unless_away

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
    rows = unless_away(lambda: cache.get(key), None)
    return None if rows is None else [Digest(**row) for row in rows]


def remember(key: str, digests: Sequence[Digest]) -> None:
    """Keep the digests for ten minutes: picks and dates, no words and no links."""
    rows = [{name: getattr(digest, name) for name in _SHOWN} for digest in digests]
    unless_away(lambda: cache.set(key, rows, timeout=REMEMBERED.total_seconds()), None)
