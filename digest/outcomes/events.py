"""MailEvents -> facts on Digest rows, and the end of some uncertain ones.

Each step is the earliest instant of its kind, or a compare-and-swap of ``ledger``: order, repetition and a second
reader of the same events make no difference.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Model, QuerySet

from digest import ledger
from digest.models import Digest
from digest.outcomes.matching import Match, digests_of
from subscriptions import suppression
from subscriptions.models import MailEvent

log = logging.getLogger(__name__)
State = Digest.State
CHUNK = 500
# Anymail's event types (anymail.signals.EventType). Only a provider that has the mail can bounce it.
TAKEN = frozenset(
    {
        *("queued", "sent", "deferred", "delivered", "bounced"),
        *("opened", "clicked", "complained", "unsubscribed", "autoresponded"),
    }
)
REFUSED = frozenset({"rejected", "failed"})
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What reading stored events again came to."""

    events: int
    facts: Counter[str]  # what changed in digests
    stops: Counter[str]  # what they led to for addresses


@dataclass(slots=True)
class _Report:
    """What the events of one digest say together."""

    facts: dict[str, datetime] = field(default_factory=dict)
    taken_at: datetime | None = None
    refused: tuple[datetime, str] | None = None

    def hear(self, event: MailEvent, *, guessed: bool) -> None:
        said = suppression.verdict(event)
        for fact, true in (
            ("delivered_at", event.kind == "delivered" and not guessed),
            ("bounced_at", said is suppression.Verdict.HARD),
            ("complained_at", event.kind == "complained" and said is suppression.Verdict.COMPLAINT),
        ):
            if true:
                self.facts[fact] = min(event.at, self.facts.get(fact, event.at))
        if guessed:  # it may be about the mail of the day before: nothing is settled by it
            return
        if event.kind in TAKEN:
            self.taken_at = min(event.at, self.taken_at or event.at)
        elif event.kind in REFUSED:
            why = f"{event.kind} by {event.esp.lower()}" + (f" ({event.reject_reason})" if event.reject_reason else "")
            self.refused = min((event.at, why), self.refused or (event.at, why))


def read_events(now: datetime) -> Counter[str]:
    """Tell digests of the events that they have not learnt of; how many changed how.

    An event that names a digest in a worker's hands waits until the worker has written what came of it. Safe at any
    time by any number of workers. Raises where the database is away, for the next try.
    """
    ledger.recover(now)
    untold = MailEvent.objects.filter(told_at=None)
    return sum((_tell(events, now) for events in _chunks(untold)), Counter())


def replay(now: datetime, since: datetime | None = None, day: date | None = None) -> Replayed:
    """Read stored events again, for digests and for the suppressions. Doing it twice changes nothing more.

    ``since``: those received then or later (UTC); ``day``: those of the digests of that local day. The suppressions
    may be read again at any time: an event not later than the newest lift or confirmation leads to nothing there.
    """
    ledger.recover(now)
    rows = MailEvent.objects.filter(received_at__gte=since) if since else MailEvent.objects.all()
    number, facts = 0, Counter[str]()
    for events in _chunks(rows):
        chosen = _of_day(events, day) if day else events
        MailEvent.objects.filter(pk__in=[event.pk for event in chosen]).update(applied_at=None)
        number += len(chosen)
        facts += _tell(chosen, now)
    return Replayed(number, facts, suppression.apply(now))


def _chunks(rows: QuerySet[MailEvent]) -> Iterator[list[MailEvent]]:
    """By number, so that those which have to wait are met once."""
    last = 0
    while events := list(rows.filter(pk__gt=last).order_by("pk").defer("payload")[:CHUNK]):
        last = events[-1].pk
        yield events


def _of_day(events: Sequence[MailEvent], day: date) -> list[MailEvent]:
    matches = digests_of(events)
    numbers = {match.digest for match in matches if match}
    wanted = set(Digest.objects.filter(pk__in=numbers, day=day).values_list("pk", flat=True))
    return [event for event, match in zip(events, matches, strict=True) if match and match.digest in wanted]


def _tell(events: Sequence[MailEvent], now: datetime) -> Counter[str]:
    """One transaction for all; each alone where one of them is poisoned."""
    try:
        with transaction.atomic():
            return _tell_together(events, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # one poisoned event must not stop the others
        if len(events) > 1:
            return sum((_tell([event], now) for event in events), Counter())
        log.error("mail event %s cannot be told: %s", events[0].pk, type(error).__name__)
        MailEvent.objects.filter(pk=events[0].pk).update(told_at=now)
        return Counter(failed=1)


def _tell_together(events: Sequence[MailEvent], now: datetime) -> Counter[str]:
    mine = set(_held(MailEvent.objects.filter(pk__in=[event.pk for event in events])).values_list("pk", flat=True))
    held = [event for event in events if event.pk in mine]
    matched: dict[MailEvent, Match | None] = dict(zip(held, digests_of(held), strict=True))
    # An erased reader's digest holds nothing of the reader, and learns nothing more.
    numbers = {match.digest for match in matched.values() if match}
    there = Digest.objects.filter(pk__in=numbers, subscriber__isnull=False)
    known = set(there.values_list("pk", flat=True))
    rows = {row.pk: row for row in _held(there).defer("picks", "follow_ups") if row.state != State.SENDING}
    reports: dict[int, _Report] = defaultdict(_Report)
    waiting = []
    for event, match in matched.items():
        if match and match.digest in rows:
            reports[match.digest].hear(event, guessed=match.guessed)
        elif match and match.digest in known:
            waiting.append(event.pk)
    told = _write(rows, reports)
    MailEvent.objects.filter(pk__in=mine.difference(waiting), told_at=None).update(told_at=now)
    MailEvent.objects.filter(pk__in=waiting).update(told_at=None)
    return told + Counter({"waiting": len(waiting)})


def _held(rows: QuerySet[Row]) -> QuerySet[Row]:
    """These rows, unchanged by others until the end of the transaction; one that another changes now is left out.

    Nobody waits here, so readers of events and workers cannot wait in a circle. SQLite's writers wait anyway.
    """
    rows = rows.order_by("pk")
    return rows.select_for_update(skip_locked=True, of=("self",)) if connection.vendor == "postgresql" else rows


def _write(rows: dict[int, Digest], reports: dict[int, _Report]) -> Counter[str]:
    """With the rows held: what was found in them is still so."""
    told: Counter[str] = Counter()
    changed: dict[Digest, set[str]] = defaultdict(set)
    taken, refused = [], []
    for pk, report in reports.items():
        row = rows[pk]
        for fact, at in report.facts.items():
            before: datetime | None = getattr(row, fact)
            if before is None or at < before:
                setattr(row, fact, at)
                changed[row].add(fact)
                told[fact.removesuffix("_at")] += before is None
        if row.folded:  # its day's sum is stored
            continue
        if report.taken_at and _in_question(row):
            row.accepted_at = report.taken_at
            changed[row].add("accepted_at")
            taken.append(pk)
        elif report.refused and row.state == State.UNCERTAIN:
            refused.append((report.refused[1], pk))
    if changed:
        Digest.objects.bulk_update(changed, sorted(set().union(*changed.values())))
    return told + _settle(taken, refused)


def _in_question(row: Digest) -> bool:
    """Whether a report that the provider has the mail settles it: uncertain, or about to be handed over once more."""
    again = row.state in {State.PLANNED, State.CLAIMED} and row.perhaps_taken
    return again or row.state == State.UNCERTAIN


def _settle(taken: list[int], refused: list[tuple[str, int]]) -> Counter[str]:
    settled: Counter[str] = Counter()
    rows = Digest.objects.filter(pk__in=taken)
    if taken:
        # Out of the hands of a worker that has not begun: it was counted as a try.
        ledger.move(rows, State.CLAIMED, State.PLANNED, claimed_by="", free_at=None, attempt=F("attempt") - 1)
        for state in (State.PLANNED, State.UNCERTAIN):
            settled["accepted"] += ledger.move(rows, state, State.ACCEPTED, free_at=None)
    not_taken = {"free_at": None, "perhaps_taken": False}
    for reason, pairs in groupby(sorted(refused), key=lambda pair: pair[0]):
        same = Digest.objects.filter(pk__in=[pk for _, pk in pairs])
        settled["rejected"] += ledger.move(same, State.UNCERTAIN, State.REJECTED, reason, **not_taken)
    return settled
