"""How fresh each source is, day by day: one word and its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.conf import settings

from digest.models import SourceRun
from digest.sources import SOURCES
from digest.sources.base import Incomplete, OtherDay, SourceError
from digest.sources.calendar import Batch

State = SourceRun.State
EMPTY, NOT_READ = "empty list", "not read"
# A day is not whole when this share of its records was refused. Of the recorded answers none has an unreadable record,
# and lists have 15 to 50 papers: one odd record is below it, while a key that was renamed refuses far more.
# A single one is that record's fault, however short the list.
REFUSED_SHARE, FEWEST_REFUSED = 0.1, 2
READ = (State.FRESH, State.PARTIAL)  # papers of the day came


def judge(
    batch: Batch,
    day: date,
    now: datetime,
    *,
    received: int,
    refused: int = 0,
    error: SourceError | None = None,
    stale: Sequence[str] = (),
) -> tuple[str, str]:
    """The state of a reading that has ended, and its reason for people.

    ``error`` is what the source raised; ``stale`` names the parts of the list that still are an earlier day's.
    """
    # A later day is shown: a failure to serve this one, unless there never was one of it.
    if isinstance(error, OtherDay) and (error.shows < day or batch.quiet):
        return _not_in(batch, now, str(error))
    if isinstance(error, Incomplete) and received:
        return State.PARTIAL, str(error)
    if error:
        return State.FAILED, str(error)
    if refused and not received:  # the source writes what nobody here can read: no quiet day
        return State.FAILED, f"all {refused} records were refused"
    if stale:
        return _not_in(batch, now, f"{', '.join(stale)}: still the papers of an earlier day")
    if refused >= FEWEST_REFUSED and refused >= REFUSED_SHARE * (received + refused):
        return State.PARTIAL, f"{refused} of {received + refused} records were refused"
    if received:
        return State.FRESH, ""
    if not batch.quiet and now >= batch.due_at:
        return State.QUIET, EMPTY
    return _not_in(batch, now, "nothing yet")


def _not_in(batch: Batch, now: datetime, why: str) -> tuple[str, str]:
    """The batch of the day is not there: there is none, it is not due yet, or it is late."""
    if batch.quiet:
        return State.QUIET, batch.quiet
    due = f"due by {batch.due_at:%d %b %H:%M} UTC"
    return (State.WAITING, f"{why}; {due}") if now < batch.due_at else (State.STALLED, f"{why}; was {due}")


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's day as far as it was read: a word, the newest run, and the numbers of all of them."""

    state: str
    reason: str
    run: SourceRun  # the newest
    runs: int
    received: int  # the most that one run gave
    created: int  # of all runs
    refused: int  # the most that one run refused

    @property
    def word(self) -> str:
        """The state, and of a quiet day its kind: a weekend, a holiday and an empty list are three things."""
        if self.state != State.QUIET:
            return self.state
        kind = "holiday" if self.reason.startswith("arXiv holiday") else self.reason.split()[0]
        return f"{self.state}: {kind}"


def readings(days: Iterable[date], now: datetime | None = None) -> dict[tuple[str, date], Reading]:
    """What is known of each source and day, by (source, day); the sources in the order of the setting SOURCES first.

    A day of which papers came stays fresh or partial, as the newest such reading found it, whatever a later one met;
    with ``now``, one that waited for a batch which is due by then stands still. Reads no rejected records: they can
    be long.
    """
    found: dict[tuple[str, date], Reading] = {}
    came: dict[tuple[str, date], SourceRun] = {}
    runs = SourceRun.objects.filter(day__in=list(days)).exclude(state=State.RUNNING).without_rejected()
    for run in runs.order_by("started_at", "pk"):
        last = found.get((run.source, run.day))
        state, reason = run.state, run.reason
        if run.state in READ:
            came[run.source, run.day] = run
        elif before := came.get((run.source, run.day)):
            said = (before.reason, f"last reading {run.state}: {run.reason}")
            state, reason = before.state, "; ".join(filter(None, said))
        found[run.source, run.day] = Reading(
            state,
            reason,
            run,
            runs=1 + (last.runs if last else 0),
            received=max(run.received, last.received if last else 0),
            created=run.created + (last.created if last else 0),
            refused=max(run.refused, last.refused if last else 0),  # type: ignore[attr-defined]  # annotated
        )
    for name, known in found.items():
        due_at = SOURCES[name[0]].batch(name[1]).due_at if name[0] in SOURCES else None
        if known.state == State.WAITING and now and due_at and due_at <= now:
            found[name] = replace(known, state=State.STALLED, reason=f"not read since it was due: {known.reason}")
    order = {name: place for place, name in enumerate(settings.SOURCES)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0][0], item[0][1])))


def last_days(now: datetime, number: int) -> list[date]:
    """The last ``number`` UTC days, today last."""
    return [now.date() - timedelta(days=back) for back in reversed(range(number))]


def standing_on(day: date) -> list[dict[str, str]]:
    """The sources of a day in words: an edition keeps them, pages and mails say them."""
    found = readings([day])
    said = []
    for source in settings.SOURCES:
        known = found.get((source, day))
        state, reason, papers = (known.state, known.reason, known.received) if known else (NOT_READ, "", 0)
        said.append({"source": source, "state": state, "reason": reason, "papers": str(papers)})
    return said
