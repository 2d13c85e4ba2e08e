"""Digests of which nobody knows whether they left, settled by the provider, a key, a policy, a person, or time."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, LessThanOrEqual

from digest import ledger
from digest.models import Digest, Edition
from digest.models.digests import DigestQuerySet
from digest.outcomes.events import read_events
from digest.providers import Provider, Reports, provider_of

State = Digest.State
UNKNOWN_AFTER = timedelta(hours=24)
# Reports of what happened at the hand-over mostly come within seconds.
REPORT_WAIT = timedelta(minutes=10)
SINCE = Coalesce("handed_at", "planned_at")  # rows from before hand-overs were dated have no other


class NotAgain(Exception):  # noqa: N818 - a refusal with its reason
    """A digest cannot be sent again; the text says why."""


def resolve_uncertain(now: datetime) -> Counter[str]:
    """Settle what can be settled; how many by which step ("accepted", "rejected", "sent again", "outcome unknown").

    First by the provider's events. Then it is sent again, with the same Message-ID, within half the lifetime of a key
    by which the provider sends once; else where UNCERTAIN_MAILS, or for "auto" the transport, allows it. What is left
    is given up after a day. Any number of these may run at once.
    """
    settled = read_events(now)
    for again in _to_send_again(now):
        for attempt in range(1, ledger.MAX_ATTEMPTS):  # at once, then after one lease, two, four
            wait = timedelta(seconds=settings.SEND_LEASE_SECONDS) * 2**attempt / 4 if attempt > 1 else None
            settled["sent again"] += ledger.move(
                again.filter(attempt=attempt),
                State.UNCERTAIN,
                State.PLANNED,
                free_at=now + wait if wait else None,
                claimed_by="",
            )
    old = in_doubt(Digest.objects.all(), not_later_than=now - UNKNOWN_AFTER)
    settled[ledger.UNKNOWN] += ledger.move(old, State.UNCERTAIN, State.FAILED, ledger.UNKNOWN, free_at=None)
    return +settled


def in_doubt(
    rows: DigestQuerySet, *, later_than: datetime | None = None, not_later_than: datetime | None = None
) -> DigestQuerySet:
    """The uncertain ones among ``rows`` whose hand-over began then (UTC). Of closed days none: their sum is stored."""
    found = rows.filter(state=State.UNCERTAIN, folded=False)
    if later_than:
        found = found.filter(GreaterThan(SINCE, later_than))
    return found.filter(LessThanOrEqual(SINCE, not_later_than)) if not_later_than else found


def arrived(digest: Digest) -> bool:
    """A person says that this uncertain digest arrived; False where it is not uncertain any more."""
    rows = Digest.objects.filter(pk=digest.pk, folded=False)
    return bool(ledger.move(rows, State.UNCERTAIN, State.ACCEPTED, free_at=None, accepted_at=SINCE))


def send_again(digest: Digest, now: datetime) -> None:
    """A person says that this uncertain digest did not arrive. Raises NotAgain.

    Also one of a batch, and one that was tried as often as is tried by itself.
    """
    if digest.due_at < _late(now):
        raise NotAgain(f"it was due at {digest.due_at:%Y-%m-%d %H:%M} UTC: too late.")
    rows = Digest.objects.filter(pk=digest.pk, folded=False, subscriber__isnull=False)
    if not ledger.move(rows, State.UNCERTAIN, State.PLANNED, free_at=None, claimed_by="", perhaps_taken=False):
        raise NotAgain("it is not uncertain any more, or its reader is erased.")


def are_sent_again() -> bool:
    """Whether they are, by themselves: by a key or by the policy."""
    provider = provider_of(settings.EMAIL_BACKEND)
    return bool(provider.idempotency_key) or _policy_allows(provider)


def _to_send_again(now: datetime) -> list[DigestQuerySet]:
    """Those that may be sent again by themselves: within a key's lifetime, and by policy."""
    provider = provider_of(settings.EMAIL_BACKEND)
    held = Edition.objects.filter(held=True, day__gt=OuterRef("content_from"), day__lte=OuterRef("content_to"))
    waited = now - REPORT_WAIT if provider.reports != Reports.NONE else now
    fit = in_doubt(Digest.objects.all(), not_later_than=waited).filter(
        ~Exists(held),
        subscriber__isnull=False,
        attempt__lt=ledger.MAX_ATTEMPTS,
        due_at__gte=_late(now),
        in_batch=False,  # a key names one call, and the next batch would be made of others
    )
    found: list[DigestQuerySet] = []
    if key := provider.idempotency_key:
        # The other half is for the queue.
        found.append(in_doubt(fit, later_than=now - key.lifetime / 2))
    if _policy_allows(provider):
        found.append(fit)
    return found


def _policy_allows(provider: Provider) -> bool:
    if settings.UNCERTAIN_MAILS == "auto":
        return provider.keeps_message_id is True
    return bool(settings.UNCERTAIN_MAILS == "resend")


def _late(now: datetime) -> datetime:
    return now - timedelta(hours=settings.LATE_AFTER_HOURS)
