"""Due readers -> claim -> select -> Digest rows, or a named skip. Sends nothing."""

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from digest import ledger, punctuality
from digest.board import Board, read_board
from digest.models import Digest
from digest.relevance import Match
from digest.selection import Pick, pick
from subscriptions import schedule
from subscriptions.interests import Interests
from subscriptions.models import Interest, Subscriber

NO_EDITION, NO_MATCH, LATE, HELD = (
    "no new papers",
    "no match in your topics",
    ledger.TOO_LATE,
    "held by the editors",
)
ASKED_FOR, NOT_YET = "asked for before", "not yet"
# Their readers have not had what they were made of: stopped by the reader's own doing, or never handed over in time.
CALLED_OFF = (
    Q(state=Digest.State.CANCELLED)
    | Q(state=Digest.State.SKIPPED, reason="paused")
    | Q(state=Digest.State.SKIPPED, reason=LATE, perhaps_taken=False)
)


def plan_due(now: datetime, by: str = "", progress: Callable[[int], None] = lambda _: None) -> Counter[str]:
    """Plan every reader whose local hour has come; how many were planned, waiting or skipped (by reason).

    Decided from rows: at any instant, in any order and by any number of planners, a reader has one digest a local day.
    """
    outcome: Counter[str] = Counter()
    if not Subscriber.objects.reached(now).exists():
        return outcome
    board = read_board(now)
    last: punctuality.Place | None = None
    while True:
        with transaction.atomic():
            readers = punctuality.next_chunk(now, last)
            if not readers:
                return outcome
            last = punctuality.place_of(readers[-1])
            outcome.update(_plan_chunk(readers, board, now, by))
        progress(len(readers))


def plan_one(subscriber: Subscriber, now: datetime, by: str = "") -> Digest | None:
    """The reader's digest of today, planned now because it was asked for, by the same path as every other.

    The existing one, if today has one. A skip is returned with its reason but not stored: it must not take the place
    of the digest that is due later today. None where there is nothing new, or the reader is not active.
    """
    with transaction.atomic():
        punctuality.call_off_late([subscriber.pk], now)
        existing = punctuality.todays(subscriber, now).last()
        reader = Subscriber.objects.active(now).filter(pk=subscriber.pk).first()
        if existing or not reader:
            return existing
        digest = _digest_for(reader, read_board(now), _Histories.of([reader.pk]), now, due_at=now, by=by)
        if digest is None or digest.state == Digest.State.SKIPPED:
            return digest
        digest.cadence = Digest.Cadence.NOW
        Digest.objects.bulk_create([digest], ignore_conflicts=True)
        reader = Subscriber.objects.to_change(reader.pk)
        reader.asked_at = now
        reader.reschedule(now)
        reader.save(update_fields=["asked_at", "next_due_at"])
        return Digest.objects.get(subscriber=subscriber, day=digest.day, zone=digest.zone)


@dataclass(frozen=True, slots=True)
class History:
    """What one reader chose and got."""

    interests: Interests = field(default_factory=Interests)
    seen_to: date | None = None  # the newest edition that was looked at for this reader
    sent: Set[int] = frozenset()  # papers of days that are not folded

    @classmethod
    def of(cls, reader: Subscriber, before: date | None = None) -> "History":
        """A reader's; ``before`` leaves out what came of the edition of that day and of later ones."""
        return _Histories.of([reader.pk], before).of_reader(reader.pk)


@dataclass(frozen=True, slots=True)
class _Histories:
    """What a chunk of readers chose and got, in four queries."""

    interests: dict[int, Interests]
    days: set[tuple[int, date, str]]  # that have a digest already, and their zones
    seen_to: dict[int, date]
    sent: dict[int, set[int]]

    def of_reader(self, reader: int) -> History:
        return History(
            self.interests.get(reader, Interests()), self.seen_to.get(reader), self.sent.get(reader, frozenset())
        )

    @classmethod
    def of(cls, readers: Sequence[int], before: date | None = None) -> "_Histories":
        own = Digest.objects.filter(subscriber__in=readers)
        if before:
            own = own.exclude(content_to__gte=before)
        days = set(own.filter(folded=False).values_list("subscriber_id", "day", "zone"))
        seen_to = dict(
            own.exclude(content_to=None)
            .exclude(CALLED_OFF)
            .values_list("subscriber_id")
            .annotate(to=Max("content_to"))
            .order_by()
        )
        sent: dict[int, set[int]] = {}
        for reader, picks in own.counting_as_sent().filter(folded=False).values_list("subscriber_id", "picks"):
            sent.setdefault(reader or 0, set()).update(p["paper"] for p in picks)
        return cls(_interests_of(readers), days, seen_to, sent)


def _interests_of(readers: Sequence[int]) -> dict[int, Interests]:
    rows = Interest.objects.filter(subscriber__in=readers).order_by("pk")
    found: dict[int, dict[str, list[Any]]] = {}
    for reader, kind, topic, text in rows.values_list("subscriber_id", "kind", "topic_id", "text"):
        found.setdefault(reader, {name: [] for name in Interest.Kind.values})[kind].append(topic or text)
    return {reader: Interests(*map(tuple, kinds.values())) for reader, kinds in found.items()}


def _plan_chunk(readers: list[Subscriber], board: Board, now: datetime, by: str) -> Counter[str]:
    readers = punctuality.pass_over_stopped(readers, now)
    punctuality.call_off_late([reader.pk for reader in readers], now)
    histories = _Histories.of([reader.pk for reader in readers])
    outcome: Counter[str] = Counter()
    digests, advanced = [], []
    for reader in readers:
        due_at = punctuality.due_at(reader)
        if due_at is None or due_at > now:
            reader.next_due_at = due_at
            outcome[NOT_YET] += 1
        elif (reader.pk, schedule.local_day(due_at, reader.zone), reader.zone) in histories.days:
            reader.next_due_at = punctuality.following(reader, due_at, now)
            outcome[ASKED_FOR] += 1
        elif digest := _digest_for(reader, board, histories, now, due_at=due_at, by=by):
            digest.free_at = punctuality.free_at(reader.pk, digest.day, due_at)
            reader.last_due_at = due_at if digest.reason == LATE else now
            reader.next_due_at = punctuality.following(reader, due_at, now)
            outcome[digest.reason or digest.state] += 1
            digests.append(digest)
        else:
            outcome["waiting"] += 1
            continue
        advanced.append(reader)
    # Another planner on SQLite, or a press of "send me today's now", may have been first: the first one stays.
    Digest.objects.bulk_create(digests, ignore_conflicts=True)
    Subscriber.objects.bulk_update(advanced, ["last_due_at", "next_due_at"])
    return outcome


def _digest_for(
    reader: Subscriber, board: Board, histories: _Histories, now: datetime, *, due_at: datetime, by: str
) -> Digest | None:
    """The reader's digest, a skip with its reason, or None: wait for an edition."""
    if due_at < punctuality.late_before(now):
        return _skip(reader, now, due_at=due_at, by=by, reason=LATE)
    history = histories.of_reader(reader.pk)
    days = board.window(history.seen_to, weekly=reader.is_weekly)
    deadline = due_at + timedelta(hours=settings.EDITION_WAIT_HOURS)
    newest_is_held = bool(days) and days[-1] in board.held
    if board.expects_more(now, deadline) or (now < deadline and (newest_is_held or not days)):
        return None
    return propose(reader, history, board, now, due_at=due_at, by=by)


def propose(
    reader: Subscriber, history: History, board: Board, now: datetime, *, due_at: datetime, by: str = ""
) -> Digest:
    """The digest of this reader from what the board holds, or a skip with its reason. Unsaved; reads no row.

    ``due_at`` (UTC) gives the local day. The reader may be an unsaved one, with a history that was made up.
    """
    days = board.window(history.seen_to, weekly=reader.is_weekly)
    free = board.not_held(days)
    if not free:
        return _skip(reader, now, due_at=due_at, by=by, reason=HELD if days else NO_EDITION)
    own = history.interests
    wanted = board.wanted(own)
    picks = pick(
        board.candidates(free),
        wanted,
        wanted,
        sent=board.had(reader.pk, history.sent) | board.with_muted_words(own),
        muted=board.in_muted_topics(own),
        limit=reader.paper_limit,
        only_topics=reader.only_my_topics,
    )
    digest = Digest(
        subscriber=reader,
        day=schedule.local_day(due_at, reader.zone),
        zone=reader.zone,
        cadence=_cadence(reader),
        due_at=due_at,
        content_from=free[0] - timedelta(days=1),
        content_to=free[-1],
        picks=[as_json(p) for p in picks],
        planned_at=now,
        planned_by=by,
    )
    if not picks:
        no_match = bool(wanted) and reader.only_my_topics
        digest.state, digest.reason = Digest.State.SKIPPED, NO_MATCH if no_match else NO_EDITION
    return digest


def _skip(reader: Subscriber, now: datetime, *, due_at: datetime, by: str, reason: str) -> Digest:
    return Digest(
        subscriber=reader,
        day=schedule.local_day(due_at, reader.zone),
        zone=reader.zone,
        cadence=_cadence(reader),
        state=Digest.State.SKIPPED,
        reason=reason,
        due_at=due_at,
        planned_at=now,
        planned_by=by,
    )


def _cadence(reader: Subscriber) -> str:
    return Digest.Cadence.WEEKLY if reader.is_weekly else Digest.Cadence.DAILY


def as_json(chosen: Pick) -> dict[str, Any]:
    """A pick as the row keeps it: topics by id with the evidence, the reader's own words as they are."""
    return {"paper": chosen.paper, "place": chosen.place, "why": [_why(found) for found in chosen.reasons[:3]]}


def _why(found: Match) -> dict[str, Any]:
    if found.kind != "topic":
        return {found.kind: found.name}
    return {"topic": found.topic, "terms": list(found.terms[:3]), "category": found.category}
