"""The product broken on purpose, in the workers of one run: a proof that cannot fail proves nothing.

Each is a defect that a real sender had. ``python -m tests.chaos --fault NAME`` must end with exit code 1.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from digest import ledger
from digest.models import Digest
from subscriptions.models.readers import SubscriberQuerySet

State = Digest.State


def _records_first() -> None:
    """Accepted is written before the hand-over: whoever is killed in between loses a mail for ever."""
    advance = ledger.advance

    def first(ended: Sequence[Any], coming: Sequence[Digest], now: datetime, **more: Any) -> Any:
        with transaction.atomic():
            marked = advance(ended, coming, now, **more)
            Digest.objects.filter(pk__in=marked, state=State.SENDING).update(state=State.ACCEPTED, accepted_at=now)
        return marked

    ledger.advance = first


def _does_not_mark() -> None:
    """A digest stays claimed while it is handed over: a lapsed claim is sent again as if nothing had left."""
    advance = ledger.advance

    def unmarked(ended: Sequence[Any], coming: Sequence[Digest], now: datetime, **more: Any) -> Any:
        with transaction.atomic():
            own = Digest.objects.filter(pk__in=[end.digest.pk for end in ended], state=State.CLAIMED)
            own.filter(claimed_by__in={end.digest.claimed_by for end in ended}).update(state=State.SENDING)
            marked = advance(ended, coming, now, **more)
            Digest.objects.filter(pk__in=marked, state=State.SENDING).update(state=State.CLAIMED)
        return marked

    ledger.advance = unmarked


def _forgets_claims() -> None:
    """A claim of a killed worker is nobody's any more."""
    recover = ledger.recover

    def forgetful(now: datetime) -> Any:
        with transaction.atomic():
            lapsed = Digest.objects.filter(state=State.CLAIMED, free_at__lte=now)
            claimed = list(lapsed.values_list("pk", flat=True))
            Digest.objects.filter(pk__in=claimed).update(free_at=None)
        return recover(now)

    ledger.recover = forgetful


def _takes_uncertain_for_unsent() -> None:
    """What lapsed during the hand-over is simply sent again, whatever the policy says."""
    recover = ledger.recover

    def hasty(now: datetime) -> Any:
        lapsed = Digest.objects.filter(state=State.SENDING, free_at__lte=now)
        lapsed.update(state=State.PLANNED, free_at=None, claimed_by="")
        return recover(now)

    ledger.recover = hasty


def _asks_nobody() -> None:
    """Whether a reader still wants mail is asked when it is planned, and not again."""
    advance = ledger.advance

    def deaf(*args: Any, **more: Any) -> Any:
        active = SubscriberQuerySet.active
        SubscriberQuerySet.active = lambda readers, _at: readers
        try:
            return advance(*args, **more)
        finally:
            SubscriberQuerySet.active = active

    ledger.advance = deaf


FAULTS: dict[str, Callable[[], None]] = {
    "records-first": _records_first,
    "does-not-mark": _does_not_mark,
    "forgets-claims": _forgets_claims,
    "takes-uncertain-for-unsent": _takes_uncertain_for_unsent,
    "asks-nobody": _asks_nobody,
}
