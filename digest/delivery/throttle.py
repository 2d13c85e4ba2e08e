"""How fast the transport may be used, by all workers together: one row, changed by compare-and-swap UPDATEs."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from digest.models import Throttle

# The first answer that asks for patience closes the transport for so long, each further one in a row for twice that.
PATIENCE, LONGEST = timedelta(seconds=15), timedelta(minutes=30)
# What a server asks for is believed so far: one that says the year 9999 is tried tomorrow.
LONGEST_ASKED = timedelta(days=1)
TELL_AGAIN = timedelta(hours=6)  # after the operators were told that we may not send
TRIES = 5  # at the row, when several workers take tokens at the same moment


def take(wanted: int, now: datetime) -> int:
    """How many of ``wanted`` mails may leave now: all without MAIL_RATE, none while the transport is closed.

    With MAIL_RATE a token bucket that holds one second's worth, so that no window of any length sees more than its
    share and one second's more. Tokens that are not used come back by ``put_back``.
    """
    for _ in range(TRIES):
        row = _row(now)
        if row.closed_until and row.closed_until > now:
            return 0
        if not settings.MAIL_RATE:
            return wanted
        full = max(settings.MAIL_RATE, 1.0)
        elapsed = max((now - row.refilled_at).total_seconds(), 0.0)
        tokens = min(row.tokens + elapsed * settings.MAIL_RATE, full)
        granted = min(wanted, math.floor(tokens))
        same = Throttle.objects.filter(pk=row.pk, tokens=row.tokens, refilled_at=row.refilled_at)
        if not granted or same.update(tokens=tokens - granted, refilled_at=max(now, row.refilled_at)):
            return granted
    return 0


def put_back(unused: int) -> None:
    """Return tokens that no mail needed."""
    if unused and settings.MAIL_RATE:
        Throttle.objects.filter(pk=_name()).update(tokens=F("tokens") + unused)


def opens_in(now: datetime) -> timedelta:
    """How long until the next mail may leave; zero where one may leave now."""
    row = _row(now)
    wait = max(row.closed_until - now, timedelta(0)) if row.closed_until else timedelta(0)
    if not settings.MAIL_RATE:
        return wait
    missing = 1.0 - row.tokens - max((now - row.refilled_at).total_seconds(), 0.0) * settings.MAIL_RATE
    return max(wait, timedelta(seconds=max(missing, 0.0) / settings.MAIL_RATE))


def close(now: datetime, reason: str, patience: float = 0.0, *, refused: bool = False) -> datetime:
    """The transport asked for patience: nobody uses it for so many seconds, or by back-off; until when.

    ``refused``: it did not ask, but said that we may not send at all. It is tried again all the same, by the back-off.
    """
    asked = timedelta(seconds=min(patience, LONGEST_ASKED.total_seconds()))
    with transaction.atomic():
        row = _row(now)
        until: datetime = now + max(asked, min(PATIENCE * 2 ** min(row.slow_answers, 10), LONGEST))
        if row.closed_until and row.closed_until > now:  # several threads heard the same at once: it counts once
            until = max(row.closed_until, now + asked)
        else:
            Throttle.objects.filter(pk=row.pk).update(slow_answers=F("slow_answers") + 1)
        Throttle.objects.filter(pk=row.pk).update(closed_until=until, reason=reason[:200])
        if refused:
            Throttle.objects.filter(pk=row.pk, refused_since=None).update(refused_since=now)
    return until


def works(now: datetime) -> None:
    """A mail was accepted: the next answer that asks for patience, or refuses, is a first one."""
    row = Throttle.objects.filter(pk=_name())
    open_again = Q(slow_answers__gt=0) | Q(refused_since__isnull=False)
    row.filter(open_again, closed_until__lte=now).update(slow_answers=0, reason="", refused_since=None)


def tell(now: datetime, alert: Callable[[str, str], None]) -> None:
    """Tell the operators that the transport refuses us: ``alert`` gets subject and text, at most once in six hours."""
    due = Q(told_at=None) | Q(told_at__lte=now - TELL_AGAIN)
    for row in Throttle.objects.filter(due, refused_since__isnull=False):
        # Unless another worker was faster.
        if Throttle.objects.filter(due, pk=row.pk, refused_since__isnull=False).update(told_at=now):
            alert(
                "The mail server refuses us, no mail is lost", _TOLD.format(reason=row.reason, since=row.refused_since)
            )


_TOLD = (
    "Since {since:%Y-%m-%d %H:%M} UTC it has taken no mail and says: {reason}.\n\n"
    "What was planned waits, is tried again at least every half an hour, and leaves once the server takes it. "
    "A limit passes with time or with a smaller MAIL_RATE. A login, an unpaid or unapproved account, a sender's domain "
    "and a blocklist do not: they need you."
)


def equal_refusals(now: datetime) -> dict[str, Any]:
    """What earlier runs left: the newest refusals, equal and in a row (``digest.delivery.refusals``)."""
    found: dict[str, Any] = _row(now).equal_refusals
    return found


def keep_equal_refusals(row: dict[str, Any]) -> None:
    """For the runs that come."""
    Throttle.objects.filter(pk=_name()).exclude(equal_refusals=row).update(equal_refusals=row)


def _row(now: datetime) -> Throttle:
    row, _made = Throttle.objects.get_or_create(
        pk=_name(), defaults={"tokens": max(settings.MAIL_RATE, 1.0), "refilled_at": now}
    )
    return row


def _name() -> str:
    host = f" {settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_HOST else ""
    return f"{settings.EMAIL_BACKEND.removesuffix('.EmailBackend')}{host}"[:100]
