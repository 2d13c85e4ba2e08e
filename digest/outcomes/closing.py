"""The end of a local day: its sum is stored, and who was sent what is kept by paper."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from pyroaring import BitMap64

from digest import follow_ups, ledger, sent
from digest.models import DayTotal, Digest, Edition
from digest.models.digests import DigestQuerySet, PickedPapers
from digest.outcomes.sums import Sum, counted, sum_of
from digest.outcomes.uncertain import UNKNOWN_AFTER, in_doubt
from subscriptions.models import Subscriber
from subscriptions.models.readers import SubscriberQuerySet

State = Digest.State
# The last zone of the world to end a date is UTC-12, the first UTC+14.
LAST_ZONE = timedelta(hours=12)


def closes_at(day: date) -> datetime:
    """When a local day has ended everywhere on earth and nothing of it can be sent any more (UTC)."""
    return _ends_everywhere_at(day) + timedelta(hours=settings.LATE_AFTER_HOURS)


def _ends_everywhere_at(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), UTC) + LAST_ZONE


def days_to_close(now: datetime) -> list[date]:
    """Local days with digests that have ended everywhere and are not closed, the oldest first.

    Without those that wait for word of uncertain digests, or for planning.
    """
    days = Digest.objects.filter(folded=False).order_by("day").values_list("day", flat=True).distinct()
    ended = (day for day in days if now >= closes_at(day))
    return [day for day in ended if not (_waits_for(day, now).exists() or _unplanned(day, now).exists())]


class TooEarly(Exception):  # noqa: N818 - a refusal with its reason
    """The day cannot be closed yet; the text says until when."""


def close_day(day: date, now: datetime) -> Sum:
    """Store the sum of a local day and fold its digests into the Sent bitmaps. Closing twice changes nothing.

    Raises TooEarly while the day has not ended everywhere, digests of it are still on their way, or one is uncertain
    for less than a day: word of it would change a stored sum.
    """
    if now < closes_at(day):
        raise TooEarly(f"{day} ends everywhere at {closes_at(day):%Y-%m-%d %H:%M} UTC, lateness included.")
    with transaction.atomic():
        rows = Digest.objects.filter(day=day)
        ledger.move(rows, State.PLANNED, State.SKIPPED, ledger.TOO_LATE)
        if rows.open().exists():
            raise TooEarly(
                f"{rows.open().count()} digests of {day} are in a worker's hands; try again in some minutes."
            )
        if waits := _waits_for(day, now).count():
            raise TooEarly(
                f"{waits} digests of {day} are uncertain for less than a day. Wait, or say in the admin, Digests, "
                "what became of them."
            )
        if unplanned := _unplanned(day, now).count():
            raise TooEarly(f"{unplanned} readers who were due on {day} are not planned yet: is planning behind?")
        _store_totals(day, now)
        _fold(rows)
        Edition.objects.filter(day=day, state=Edition.State.APPROVED).update(state=Edition.State.CLOSED)
    return sum_of(day)


def _waits_for(day: date, now: datetime) -> DigestQuerySet:
    """Uncertain digests of which word may still come. Nothing is handed over after ``closes_at``."""
    rows = in_doubt(Digest.objects.filter(day=day), later_than=now - UNKNOWN_AFTER)
    return rows if now < closes_at(day) + UNKNOWN_AFTER else rows.none()


def _unplanned(day: date, now: datetime) -> SubscriberQuerySet:
    """Readers of whom planning will still write that it was too late: after an outage, or where it is behind."""
    planned = Digest.objects.filter(subscriber=OuterRef("pk"), day=day)
    return Subscriber.objects.reached(now).filter(~Exists(planned), next_due_at__lt=_ends_everywhere_at(day))


def _store_totals(day: date, now: datetime) -> None:
    counts: dict[str, list[dict[str, object]]] = defaultdict(list)
    for cadence, state, reason, number in counted(day):
        counts[cadence].append({"state": state, "reason": reason, "number": number})
    DayTotal.objects.bulk_create(
        [DayTotal(day=day, cadence=cadence, counts=own, closed_at=now) for cadence, own in counts.items()],
        ignore_conflicts=True,
    )


def _fold(rows: DigestQuerySet) -> None:
    """Keep who was sent what by paper, and who was told what. A skipped or refused digest leaves both to come again."""
    readers: dict[int, BitMap64] = defaultdict(BitMap64)
    told: dict[tuple[int, str], BitMap64] = defaultdict(BitMap64)
    counting = rows.counting_as_sent().filter(folded=False, subscriber__isnull=False)
    values = counting.annotate(papers=PickedPapers("picks")).values_list("subscriber_id", "papers", "follow_ups")
    for reader, papers, news in values.iterator():
        for paper in papers:
            readers[paper].add(reader)
        for one in news:
            told[one["paper"], one["what"]].add(reader)
    sent.add(readers)
    follow_ups.told(told)
    rows.update(folded=True)
