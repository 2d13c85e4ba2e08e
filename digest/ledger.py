"""The states of a digest, and the only place where they change.

Each change is one UPDATE that repeats the state it found (and the lease, where there is one) in its WHERE: of two
that race, one changes a row and the other changes none. So no lock is held while a mail is on the wire.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from digest.compiled import CompiledUpdate, RowsOwn
from digest.models import Digest, Edition
from subscriptions.models import Subscriber

State = Digest.State
MAX_ATTEMPTS = 5
TOO_LATE, UNKNOWN = "too late", Digest.OUTCOME_UNKNOWN
ALLOWED: dict[str, frozenset[str]] = {
    # Straight to accepted: the provider reports a mail that was to be sent again.
    State.PLANNED: frozenset(
        {State.CLAIMED, State.SUPPRESSED, State.SKIPPED, State.CANCELLED, State.FAILED, State.ACCEPTED}
    ),
    State.CLAIMED: frozenset(
        {State.SENDING, State.PLANNED, State.SUPPRESSED, State.SKIPPED, State.CANCELLED, State.FAILED}
    ),
    # Back to planned only where the server said "not now" (4xx): then it surely did not take the mail.
    State.SENDING: frozenset(
        {State.ACCEPTED, State.REJECTED, State.FAILED, State.UNCERTAIN, State.PLANNED, State.SKIPPED}
    ),
    # Only where equal refusals in a row show that they were about us: nobody has the mail.
    State.REJECTED: frozenset({State.PLANNED}),
    # Resolved later by the provider's event, a key, an editor or time.
    State.UNCERTAIN: frozenset({State.ACCEPTED, State.REJECTED, State.FAILED, State.PLANNED}),
}


class IllegalTransition(Exception):  # noqa: N818 - names what happened
    """A change that the table above does not have: a defect of the caller."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What one hand-over came to, as its row will say it."""

    digest: Digest
    state: str
    reason: str = ""
    provider_id: str = ""
    free_at: datetime | None = None  # planned again: not before
    counts: bool = True  # False: the answer was about us, and costs the digest no attempt


def move(rows: QuerySet[Digest], start: str, end: str, reason: str = "", **values: object) -> int:
    """Move those of ``rows`` that are in ``start`` to ``end``; how many moved. Raises IllegalTransition."""
    if end not in ALLOWED.get(start, frozenset()):
        raise IllegalTransition(f"{start} -> {end}")
    if end == State.UNCERTAIN:
        values["perhaps_taken"] = True
    return rows.filter(state=start).update(state=end, reason=reason[:200], **values)


def claim(limit: int, by: str, now: datetime) -> list[int]:
    """Take up to ``limit`` planned digests for SEND_LEASE_SECONDS; their ids. Safe with any number of claimers."""
    name = f"{by[:80]}/{token_hex(4)}"
    # Asked first: most days nothing is held, and no digest has to be compared with editions one by one.
    free = _claimable(now, list(Edition.objects.filter(held=True).values_list("day", flat=True)))
    # The atomic block is for PostgreSQL's row locks; on SQLite it makes the claim one write transaction.
    with transaction.atomic():
        ids = free.order_by("pk")
        if connection.vendor == "postgresql":
            ids = ids.select_for_update(skip_locked=True, of=("self",))
        found = list(ids.values_list("pk", flat=True)[:limit])
        taken = move(
            free.filter(pk__in=found),
            State.PLANNED,
            State.CLAIMED,
            claimed_by=name,
            free_at=_lease(now),
            attempt=F("attempt") + 1,
        )
    if taken == len(found):
        return found
    mine = Digest.objects.filter(pk__in=found, state=State.CLAIMED, claimed_by=name)
    return list(mine.order_by("pk").values_list("pk", flat=True))


def _claimable(now: datetime, held: Iterable[object]) -> QuerySet[Digest]:
    rows = Digest.objects.filter(Q(free_at=None) | Q(free_at__lte=now), state=State.PLANNED)
    for day in held:
        rows = rows.exclude(content_from__lt=day, content_to__gte=day)
    return rows


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.SEND_LEASE_SECONDS)


def _held_edition() -> QuerySet[Edition]:
    """A held edition among those that the digest of the outer query draws on."""
    return Edition.objects.filter(held=True, day__gt=OuterRef("content_from"), day__lte=OuterRef("content_to"))


def _stale_before(now: datetime) -> datetime:
    return now - timedelta(hours=settings.LATE_AFTER_HOURS)


class Unless(NamedTuple):
    """A condition that must not hold when digests are marked: how it is built, and of what."""

    condition: Callable[..., Exists]
    arguments: Mapping[str, Any]


def advance(
    ended: Sequence[Ended],
    coming: Sequence[Digest],
    now: datetime,
    *,
    unless: Unless | None = None,
    in_batch: bool = False,
) -> set[int]:
    """One commit: write what hand-overs came to, and mark the next digests ``sending``; the ids of those marked.

    A digest is marked if its lease lives, its reader still wants it and at the address that was read, nothing that it
    draws on is held, it is not too late, and ``unless`` does not hold: all is read again by the UPDATE itself. In the
    usual case two statements. ``subscriber`` of those that come is loaded.
    Doing it again after a lost answer of the database is safe: what was marked then counts as marked.
    """
    with transaction.atomic():
        for ending, alike in _grouped(ended).items():
            _write(alike, ending, now)
        if not coming:
            return set()
        ids, names = _ids_and_names(coming)
        marked = _MARK.execute(
            unless and unless.condition,
            in_batch,
            ids=ids,
            names=names,
            addresses=[digest.subscriber.email_hash for digest in coming if digest.subscriber] or [""],
            now=now,
            lease=_lease(now),
            stale=_stale_before(now),
            **(unless.arguments if unless else {}),
        )
        if marked == len(coming):
            return {digest.pk for digest in coming}
        return set(_mine(coming).filter(state=State.SENDING).values_list("pk", flat=True))


def _mark(
    condition: Callable[..., Exists] | None,
    in_batch: bool,
    *,
    ids: list[int],
    names: list[str],
    addresses: list[str],
    now: datetime,
    lease: datetime,
    stale: datetime,
    **watched: Any,
) -> tuple[QuerySet[Digest], Mapping[str, Any]]:
    assert State.SENDING in ALLOWED[State.CLAIMED]
    rows = Digest.objects.filter(
        ~Exists(_held_edition()),
        Exists(Subscriber.objects.active(now).filter(pk=OuterRef("subscriber"), email_hash__any_of=addresses)),
        pk__any_of=ids,
        claimed_by__any_of=names,
        state=State.CLAIMED,
        free_at__gt=now,
        due_at__gte=stale,
    )
    if condition:
        rows = rows.filter(~condition(**watched))
    return rows, {"state": State.SENDING, "reason": "", "free_at": lease, "handed_at": now, "in_batch": in_batch}


_MARK = CompiledUpdate(_mark)


def _accept(
    *, ids: list[int], names: list[str], now: datetime, provider_ids: str = ""
) -> tuple[QuerySet[Digest], Mapping[str, Any]]:
    """What nearly every mail ends with."""
    assert State.ACCEPTED in ALLOWED[State.SENDING]
    rows = Digest.objects.filter(pk__any_of=ids, claimed_by__any_of=names, state=State.SENDING)
    own: Any = RowsOwn(Value(provider_ids), Cast("pk", TextField())) if provider_ids else ""
    return rows, {"state": State.ACCEPTED, "reason": "", "free_at": None, "accepted_at": now, "provider_id": own}


_ACCEPT = CompiledUpdate(_accept)


def _mine(digests: Sequence[Digest]) -> QuerySet[Digest]:
    """These rows, unless another has claimed them meanwhile: each claim has a name of its own."""
    ids, names = _ids_and_names(digests)
    return Digest.objects.filter(pk__in=ids, claimed_by__in=names)


def _ids_and_names(digests: Sequence[Digest]) -> tuple[list[int], list[str]]:
    return [digest.pk for digest in digests], sorted({digest.claimed_by for digest in digests})


Ending = tuple[str, str, datetime | None, bool, bool]  # state, reason, free_at, counts, has a provider's id


def _grouped(ended: Iterable[Ended]) -> dict[Ending, list[Ended]]:
    """Nearly all mails of a round end alike, so that one UPDATE writes them."""
    groups: dict[Ending, list[Ended]] = defaultdict(list)
    for end in ended:
        state, free_at = end.state, end.free_at
        if state == State.PLANNED and end.counts and end.digest.attempt >= MAX_ATTEMPTS:
            state, free_at = State.FAILED, None
        groups[state, end.reason, free_at, end.counts, bool(end.provider_id)].append(end)
    return groups


def _write(alike: list[Ended], ending: Ending, now: datetime) -> None:
    state, reason, free_at, counts, has_id = ending
    digests = [end.digest for end in alike]
    values: dict[str, object] = {"free_at": free_at}
    if state == State.ACCEPTED:
        ids, names = _ids_and_names(digests)
        own = {"provider_ids": json.dumps({end.digest.pk: end.provider_id for end in alike})} if has_id else {}
        if _ACCEPT.execute(ids=ids, names=names, now=now, **own) == len(digests):
            return
        _, accepted = _accept(ids=ids, names=names, now=now, **own)
        values = {name: value for name, value in accepted.items() if name not in {"state", "reason"}}
    elif state == State.PLANNED:
        values["claimed_by"] = ""
        if not counts:
            values["attempt"] = F("attempt") - 1
    rows = _mine(digests)
    if move(rows, State.SENDING, state, reason, **values) < len(digests) and state != State.UNCERTAIN:
        # Recovery took the worker for dead and declared it uncertain; here is the answer after all.
        move(rows, State.UNCERTAIN, state, reason, **values)


def refuse(digests: Sequence[Digest], now: datetime) -> Counter[str]:
    """End, each with its reason, or give back the claimed digests that ``advance`` did not mark; the states after."""
    mine = _mine(digests).filter(free_at__gt=now)
    reader = Subscriber.objects.filter(pk=OuterRef("subscriber"))
    free: dict[str, Any] = {"free_at": None, "claimed_by": ""}
    move(mine.filter(subscriber=None), State.CLAIMED, State.CANCELLED, "erased", **free)
    for state in (Subscriber.State.UNSUBSCRIBED, Subscriber.State.PENDING):
        move(mine.filter(Exists(reader.filter(state=state))), State.CLAIMED, State.CANCELLED, state, **free)
    paused = reader.filter(paused_until__gt=now)
    move(mine.filter(Exists(paused)), State.CLAIMED, State.SKIPPED, "paused", **free)
    stopped = ~Exists(Subscriber.objects.active(now).filter(pk=OuterRef("subscriber")))
    move(mine.filter(stopped), State.CLAIMED, State.SUPPRESSED, "suppressed", **free)
    move(mine.filter(due_at__lt=_stale_before(now)), State.CLAIMED, State.SKIPPED, TOO_LATE, **free)
    # Held, or an editor changed the papers at this very moment: the next claim sees.
    move(mine, State.CLAIMED, State.PLANNED, attempt=F("attempt") - 1, **free)
    after = Digest.objects.filter(pk__in=[digest.pk for digest in digests])
    return Counter(after.values_list("state", flat=True))


def take_back(ids: Iterable[int], reason: str, free_at: datetime) -> int:
    """Plan again what was refused for a reason that turned out to be ours, as if it had not been tried; how many.

    Not those of closed days, whose sum is stored, nor of readers who are gone.
    """
    rows = Digest.objects.filter(pk__in=list(ids), folded=False, subscriber__isnull=False, attempt__gt=0)
    again: dict[str, Any] = {"attempt": F("attempt") - 1, "free_at": free_at, "claimed_by": "", "bounced_at": None}
    return move(rows, State.REJECTED, State.PLANNED, reason, **again)


def give_back(digests: Sequence[Digest]) -> int:
    """Return claimed digests that nobody tried to send, as if they had not been claimed."""
    if not digests:
        return 0
    return move(_mine(digests), State.CLAIMED, State.PLANNED, attempt=F("attempt") - 1, free_at=None, claimed_by="")


def recover(now: datetime) -> dict[str, int]:
    """What a killed worker left: lapsed claims are planned again as they were, lapsed hand-overs are uncertain."""
    lapsed = Digest.objects.filter(free_at__lte=now)
    return {
        "planned again": move(
            lapsed, State.CLAIMED, State.PLANNED, attempt=F("attempt") - 1, free_at=None, claimed_by=""
        ),
        "uncertain": move(lapsed, State.SENDING, State.UNCERTAIN, "the worker ended during the hand-over"),
    }
