"""Tables for people at a terminal: the sum of a day, and the whole day."""

from collections import Counter
from datetime import date, datetime

from rich.table import Table

from digest import outcomes
from digest.models import Digest, Edition, SourceRun
from subscriptions.models import Subscriber


def sum_table(day: date, total: outcomes.Sum) -> Table:
    """Planned = accepted + ... + to go, with the reasons under each."""
    table = Table("digests", "number", "why", title=f"Local day {day}")
    table.add_row("planned", str(total.planned), "the sum of the rows below" if total.adds_up else "DOES NOT ADD UP")
    for state in outcomes.ENDED:
        reasons = [f"{number} {why}" for (s, why), number in sorted(total.reasons.items()) if s == state]
        table.add_row(f"  {state}", str(total[state]), "; ".join(reasons))
    table.add_row("  to go", str(total.to_go), "")
    return table


def day_table(day: date, now: datetime) -> Table:
    """A day from the sources to the mails, with who did it."""
    total = outcomes.sum_of(day)
    table = sum_table(day, total)
    table.title = f"Daily Papers on {day}, at {now:%Y-%m-%d %H:%M} UTC"
    rows: list[tuple[str, str, str]] = []
    for run in _last_runs(day):
        rows.append(
            (
                f"source {run.source}",
                str(run.received),
                f"{run.state} {run.reason} by {run.by}".replace("  ", " "),
            )
        )
    edition = Edition.objects.filter(day=day).first()
    if edition:
        by = f"{edition.state} by {edition.approved_by}" if edition.approved_by else edition.state
        rows.append(("papers in the edition", str(edition.entries.shown().count()), by))
    readers = Counter(Subscriber.objects.values_list("state", flat=True))
    active = Subscriber.objects.active(now).count()
    apart = readers["active"] - active
    rows += [
        (
            "readers",
            str(sum(readers.values())),
            ", ".join(f"{n} {state}" for state, n in sorted(readers.items())),
        ),
        ("  getting mail", str(active), f"{apart} paused or suppressed" if apart else ""),
        ("due by now", str(total.planned + Subscriber.objects.due(now).count()), _later(now)),
    ]
    whole = Table("", "number", "", title=table.title)
    for row in rows:
        whole.add_row(*row)
    whole.add_section()
    planners = Counter(Digest.objects.filter(day=day).values_list("planned_by", flat=True))
    whole.add_row("planned", str(total.planned), _by(planners))
    for state in outcomes.ENDED:
        reasons = "; ".join(f"{n} {why}" for (s, why), n in sorted(total.reasons.items()) if s == state)
        whole.add_row(f"  {state}", str(total[state]), _senders(day) if state == "accepted" else reasons)
    whole.add_row("  to go", str(total.to_go), "" if total.adds_up else "THE SUM DOES NOT ADD UP")
    return whole


def _later(now: datetime) -> str:
    later = Subscriber.objects.active(now).filter(next_due_at__gt=now).order_by("next_due_at")
    first = later.first()
    if first is None or first.next_due_at is None:
        return ""
    return f"{later.count()} later, the next at {first.next_due_at:%a %H:%M} UTC"


def _senders(day: date) -> str:
    names = Digest.objects.filter(day=day, state=Digest.State.ACCEPTED).values_list("claimed_by", flat=True)
    return _by(Counter(name.rpartition("/")[0] for name in names))


def _by(names: Counter[str]) -> str:
    return ", ".join(f"{number} by {name}" for name, number in sorted(names.items()) if name)


def _last_runs(day: date) -> list[SourceRun]:
    runs = {run.source: run for run in SourceRun.objects.filter(day=day).order_by("started_at")}
    return [runs[name] for name in sorted(runs)]
