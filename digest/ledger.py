"""The states of a digest, and the only place where they change.

Each change is one UPDATE that repeats the state it found (and the lease, where there is one) in its WHERE: of two
that race, one changes a row and the other changes none. So no lock is held while a mail is on the wire.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_hex

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from digest.models import Digest, Edition
from subscriptions.models import Subscriber

State = Digest.State
MAX_ATTEMPTS = 5
ALLOWED: dict[str, frozenset[str]] = {
    State.PLANNED: frozenset({State.CLAIMED, State.SUPPRESSED, State.SKIPPED, State.CANCELLED, State.FAILED}),
    State.CLAIMED: frozenset(
        {State.SENDING, State.PLANNED, State.SUPPRESSED, State.SKIPPED, State.CANCELLED, State.FAILED}
    ),
    # Back to planned only where the server said "not now" (4xx): then it surely did not take the mail.
    State.SENDING: frozenset(
        {State.ACCEPTED, State.REJECTED, State.FAILED, State.UNCERTAIN, State.PLANNED, State.SKIPPED}
    ),
    # Resolved later by the provider's event, a key, an editor or time.
    State.UNCERTAIN: frozenset({State.ACCEPTED, State.REJECTED, State.FAILED, State.PLANNED}),
}


class IllegalTransition(Exception):  # noqa: N818 - names what happened
    """A change that the table above does not have: a defect of the caller."""


def move(rows: QuerySet[Digest], start: str, end: str, reason: str = "", **values: object) -> int:
    """Move those of ``rows`` that are in ``start`` to ``end``; how many moved. Raises IllegalTransition."""
    if end not in ALLOWED.get(start, frozenset()):
        raise IllegalTransition(f"{start} -> {end}")
    return rows.filter(state=start).update(state=end, reason=reason[:200], **values)


def claim(limit: int, by: str, now: datetime) -> list[int]:
    """Take up to ``limit`` planned digests for SEND_LEASE_SECONDS; their ids. Safe with any number of claimers."""
    name = f"{by[:80]}/{token_hex(4)}"
    free = _claimable(now).order_by("pk")
    # The atomic block is for PostgreSQL's row locks; on SQLite it makes the claim one write transaction.
    with transaction.atomic():
        if connection.vendor == "postgresql":
            free = free.select_for_update(skip_locked=True, of=("self",))
        ids = list(free.values_list("pk", flat=True)[:limit])
        if not ids:
            return []
        lease = now + timedelta(seconds=settings.SEND_LEASE_SECONDS)
        move(
            _claimable(now).filter(pk__in=ids),
            State.PLANNED,
            State.CLAIMED,
            claimed_by=name,
            free_at=lease,
            attempt=F("attempt") + 1,
        )
    mine = Digest.objects.filter(pk__in=ids, state=State.CLAIMED, claimed_by=name)
    return list(mine.order_by("pk").values_list("pk", flat=True))


def _claimable(now: datetime) -> QuerySet[Digest]:
    return Digest.objects.filter(Q(free_at=None) | Q(free_at__lte=now), ~Exists(_held_edition()), state=State.PLANNED)


def _held_edition() -> QuerySet[Edition]:
    """A held edition among those that the digest of the outer query draws on."""
    return Edition.objects.filter(held=True, day__gt=OuterRef("content_from"), day__lte=OuterRef("content_to"))


def begin(digest: Digest, now: datetime) -> bool:
    """Mark ``sending`` before the hand-over, if its reader still wants it, its lease lives and nothing is held."""
    rows = Digest.objects.filter(
        ~Exists(_held_edition()),
        Exists(Subscriber.objects.active(now).filter(pk=OuterRef("subscriber"))),
        pk=digest.pk,
        claimed_by=digest.claimed_by,
        free_at__gt=now,
    )
    lease = now + timedelta(seconds=settings.SEND_LEASE_SECONDS)
    return bool(move(rows, State.CLAIMED, State.SENDING, free_at=lease))


def why_not(digest: Digest, now: datetime) -> str:
    """End or give back a claimed digest that ``begin`` refused; the state it is in now."""
    mine = Digest.objects.filter(pk=digest.pk, claimed_by=digest.claimed_by, free_at__gt=now)
    reader = Subscriber.objects.filter(digests=digest).first()
    if Digest.objects.filter(Exists(_held_edition()), pk=digest.pk).exists():
        move(mine, State.CLAIMED, State.PLANNED, attempt=F("attempt") - 1, free_at=None, claimed_by="")
    elif reader is None:
        move(mine, State.CLAIMED, State.CANCELLED, "erased")
    elif reader.state != Subscriber.State.ACTIVE:
        move(mine, State.CLAIMED, State.CANCELLED, reader.state)
    elif reader.paused_until and reader.paused_until > now:
        move(mine, State.CLAIMED, State.SKIPPED, "paused")
    elif not Subscriber.objects.active(now).filter(pk=reader.pk).exists():
        move(mine, State.CLAIMED, State.SUPPRESSED, "suppressed")
    return Digest.objects.values_list("state", flat=True).get(pk=digest.pk)


def give_back(ids: Iterable[int], claimed_by: str) -> int:
    """Return claimed digests that nobody tried to send, as if they had not been claimed."""
    mine = Digest.objects.filter(pk__in=list(ids), claimed_by=claimed_by)
    return move(mine, State.CLAIMED, State.PLANNED, attempt=F("attempt") - 1, free_at=None, claimed_by="")


def recover(now: datetime) -> dict[str, int]:
    """What a killed worker left: lapsed claims are planned again, lapsed hand-overs uncertain; five tries is all."""
    lapsed = Digest.objects.filter(free_at__lte=now)
    poison = lapsed.filter(attempt__gte=MAX_ATTEMPTS)
    return {
        "poison": move(poison, State.CLAIMED, State.FAILED, "poison")
        + move(poison, State.PLANNED, State.FAILED, "poison"),
        "planned again": move(lapsed, State.CLAIMED, State.PLANNED, free_at=None, claimed_by=""),
        "uncertain": move(lapsed, State.SENDING, State.UNCERTAIN, "the worker ended during the hand-over"),
    }
