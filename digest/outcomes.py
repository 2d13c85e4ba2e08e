"""The sum of a day: planned = accepted + rejected + failed + suppressed + skipped + cancelled + uncertain + to go."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from digest import ledger, sent
from digest.models import DayTotal, Digest, Edition
from digest.models.digests import DigestQuerySet

State = Digest.State
# The last zone of the world to end a date is UTC-12, the first UTC+14.
LAST_ZONE = timedelta(hours=12)
ENDED = (
    State.ACCEPTED,
    State.REJECTED,
    State.FAILED,
    State.SUPPRESSED,
    State.SKIPPED,
    State.CANCELLED,
    State.UNCERTAIN,
)


@dataclass(frozen=True, slots=True)
class Sum:
    """How many digests of one local day ended how."""

    counts: dict[str, int]
    reasons: dict[tuple[str, str], int]

    @property
    def planned(self) -> int:
        """All rows of the day."""
        return sum(self.counts.values())

    @property
    def to_go(self) -> int:
        """Those that have not ended."""
        return sum(number for state, number in self.counts.items() if state in Digest.OPEN)

    def __getitem__(self, state: str) -> int:
        return self.counts.get(state, 0)

    @property
    def adds_up(self) -> bool:
        """Whether every row is in exactly one known state."""
        return self.planned == sum(self[state] for state in ENDED) + self.to_go


def sum_of(day: date) -> Sum:
    """The sum at this moment, from the stored totals of a closed day, else from the rows."""
    totals = DayTotal.objects.filter(day=day)
    counts: dict[str, int] = defaultdict(int)
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    if totals:
        for total in totals:
            for entry in total.counts:
                counts[entry["state"]] += entry["number"]
                reasons[entry["state"], entry["reason"]] += entry["number"]
    else:
        rows = Digest.objects.filter(day=day).values_list("state", "reason").annotate(Count("pk")).order_by()
        for state, reason, number in rows:
            counts[state] += number
            reasons[state, reason] += number
    return Sum(dict(counts), {key: number for key, number in reasons.items() if key[1]})


def closes_at(day: date) -> datetime:
    """When a local day has ended everywhere on earth and nothing of it can be sent any more (UTC)."""
    end = datetime.combine(day + timedelta(days=1), time(0), UTC)
    return end + LAST_ZONE + timedelta(hours=settings.LATE_AFTER_HOURS)


def days_to_close(now: datetime) -> list[date]:
    """Local days with digests that have ended everywhere and are not closed, the oldest first."""
    days = Digest.objects.filter(folded=False).order_by("day").values_list("day", flat=True).distinct()
    return [day for day in days if now >= closes_at(day)]


class TooEarly(Exception):  # noqa: N818 - a refusal with its reason
    """The day cannot be closed yet; the text says until when."""


def close_day(day: date, now: datetime) -> Sum:
    """Store the sum of a local day and fold its digests into the Sent bitmaps. Closing twice changes nothing.

    Raises TooEarly while the day has not ended everywhere, or digests of it are still on their way.
    """
    if now < closes_at(day):
        raise TooEarly(f"{day} ends everywhere at {closes_at(day):%Y-%m-%d %H:%M} UTC, lateness included.")
    with transaction.atomic():
        rows = Digest.objects.filter(day=day)
        ledger.move(rows, State.PLANNED, State.SKIPPED, "too late")
        if rows.open().exists():
            raise TooEarly(
                f"{rows.open().count()} digests of {day} are in a worker's hands; try again in some minutes."
            )
        _store_totals(day, now)
        _fold(rows)
        Edition.objects.filter(day=day, state=Edition.State.APPROVED).update(state=Edition.State.CLOSED)
    return sum_of(day)


def _store_totals(day: date, now: datetime) -> None:
    counts: dict[str, list[dict[str, object]]] = defaultdict(list)
    rows = Digest.objects.filter(day=day).values_list("cadence", "state", "reason").annotate(Count("pk")).order_by()
    for cadence, state, reason, number in rows:
        counts[cadence].append({"state": state, "reason": reason, "number": number})
    DayTotal.objects.bulk_create(
        [DayTotal(day=day, cadence=cadence, counts=own, closed_at=now) for cadence, own in counts.items()],
        ignore_conflicts=True,
    )


def _fold(rows: DigestQuerySet) -> None:
    """Keep who was sent what by paper. A skipped or refused digest leaves its papers free to come again."""
    readers: dict[int, list[int]] = defaultdict(list)
    counting = rows.counting_as_sent().filter(folded=False, subscriber__isnull=False)
    for reader, picks in counting.values_list("subscriber_id", "picks").iterator():
        for chosen in picks:
            readers[chosen["paper"]].append(reader)
    sent.add(readers)
    rows.update(folded=True)
