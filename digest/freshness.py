"""How fresh each source is, day by day: one word and its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from digest.models import SourceRun
from digest.sources.base import OtherDay, SourceError
from digest.sources.calendar import Batch

State = SourceRun.State
EMPTY = "empty list"


def judge(
    batch: Batch,
    day: date,
    now: datetime,
    *,
    received: int,
    error: SourceError | None = None,
    stale: Sequence[str] = (),
) -> tuple[str, str]:
    """The state of a reading that has ended, and its reason for people.

    ``error`` is what the source raised; ``stale`` names the parts of the list that still are an earlier day's.
    """
    if isinstance(error, OtherDay) and error.shows < day:
        if batch.quiet and not received:
            return State.QUIET, batch.quiet
        return (State.WAITING if now < batch.due_at else State.STALLED), f"{error}; {_due(batch)}"
    if error:
        return State.FAILED, str(error)
    if stale:
        return State.STALLED, f"{', '.join(stale)}: still the papers of an earlier day"
    if received:
        return State.FRESH, ""
    if batch.quiet:
        return State.QUIET, batch.quiet
    if now < batch.due_at:
        return State.WAITING, f"nothing yet; {_due(batch)}"
    return State.QUIET, EMPTY


def _due(batch: Batch) -> str:
    return f"expected by {batch.due_at:%d %b %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's day as far as it was read: the newest run's word, and the numbers of all its runs."""

    run: SourceRun
    runs: int
    received: int  # the most that one run gave
    created: int  # of all runs
    refused: int  # by the newest run

    @property
    def word(self) -> str:
        """The state, and of a quiet day its kind: a weekend, a holiday and an empty list are three things."""
        return f"{self.run.state}: {self.run.reason}" if self.run.state == State.QUIET else self.run.state


def readings(days: Iterable[date]) -> dict[tuple[str, date], Reading]:
    """What is known of each source and day, by (source, day); the sources in the order of the setting SOURCES first.

    Reads no rejected records, which can be long.
    """
    found: dict[tuple[str, date], Reading] = {}
    runs = SourceRun.objects.filter(day__in=list(days)).exclude(state=State.RUNNING).without_rejected()
    for run in runs.order_by("started_at", "pk"):
        last = found.get((run.source, run.day))
        found[run.source, run.day] = Reading(
            run,
            runs=1 + (last.runs if last else 0),
            received=max(run.received, last.received if last else 0),
            created=run.created + (last.created if last else 0),
            refused=run.refused,  # type: ignore[attr-defined]  # annotated
        )
    order = {name: place for place, name in enumerate(settings.SOURCES)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0][0], item[0][1])))


def last_days(now: datetime, number: int) -> list[date]:
    """The last ``number`` UTC days, today last."""
    return [now.date() - timedelta(days=back) for back in reversed(range(number))]


def standing_on(day: date) -> list[dict[str, str]]:
    """The sources of a day in words: an edition keeps them, pages and mails say them."""
    return [
        {"source": source, "state": known.run.state, "reason": known.run.reason, "papers": str(known.received)}
        for (source, _), known in readings([day]).items()
    ]
