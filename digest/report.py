"""Tables for people at a terminal: the sum of a day, and the whole day."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet
from rich.table import Table

from digest import outcomes
from digest.models import Digest, Edition, SourceRun
from subscriptions.models import Subscriber


def sum_table(day: date, total: outcomes.Sum) -> Table:
    """Planned = accepted + ... + to go, with the reasons under each."""
    table = Table("digests", "number", "why", title=f"Local day {day}")
    _add_sum(table, total)
    return table


def audit_table(audit: outcomes.Audit) -> Table:
    """The sum of each cadence side by side, and of all of them with the reasons."""
    names = [Digest.Cadence(cadence).label.lower() for cadence in audit.sums]
    state = "closed" if audit.closed else "open"
    table = Table("digests", *names, "all", "why", title=f"Local day {audit.day}, {state}")
    sums = [*audit.sums.values(), audit.total]
    table.add_row("planned", *(str(own.planned) for own in sums), "")
    for line in outcomes.ENDED:
        table.add_row(f"  {line}", *(str(own[line]) for own in sums), _reasons(audit.total, line))
    table.add_row("  to go", *(str(own.to_go) for own in sums), _adds_up(audit.total))
    return table


def replay_table(replayed: outcomes.Replayed) -> Table:
    """What reading stored events again changed, for digests and for addresses."""
    table = Table("events read again", str(replayed.events))
    for title, counts in (("digests", replayed.facts), ("addresses", replayed.stops)):
        table.add_section()
        table.add_row(title, "" if counts else "nothing changed")
        for what, number in sorted(counts.items()):
            table.add_row(f"  {what}", str(number))
    return table


def _add_sum(table: Table, total: outcomes.Sum, planned_by: str = "", accepted_by: str = "") -> None:
    table.add_row("planned", str(total.planned), planned_by)
    for state in outcomes.ENDED:
        table.add_row(f"  {state}", str(total[state]), accepted_by if state == "accepted" else _reasons(total, state))
    table.add_row("  to go", str(total.to_go), _adds_up(total))


def _reasons(total: outcomes.Sum, line: str) -> str:
    return "; ".join(f"{number} {why}" for (own, why), number in sorted(total.reasons.items()) if own == line)


def _adds_up(total: outcomes.Sum) -> str:
    return "" if total.adds_up else "THE SUM DOES NOT ADD UP"


def day_table(day: date, now: datetime) -> Table:
    """A day from the sources to the mails, with who did it."""
    total = outcomes.sum_of(day)
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
    readers = _numbers(Subscriber.objects.all(), "state")
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
    whole = Table("", "number", "", title=f"Daily Papers on {day}, at {now:%Y-%m-%d %H:%M} UTC")
    for row in rows:
        whole.add_row(*row)
    whole.add_section()
    planners = _numbers(Digest.objects.filter(day=day), "planned_by")
    _add_sum(whole, total, planned_by=_by(planners), accepted_by=_senders(day))
    return whole


def _later(now: datetime) -> str:
    later = Subscriber.objects.active(now).filter(next_due_at__gt=now).order_by("next_due_at")
    first = later.first()
    if first is None or first.next_due_at is None:
        return ""
    return f"{later.count()} later, the next at {first.next_due_at:%a %H:%M} UTC"


def _numbers(rows: QuerySet[Any], name: str) -> Counter[str]:
    """How many rows have which value, counted by the database: there may be a million."""
    return Counter(dict(rows.order_by().values_list(name).annotate(Count("pk"))))


def _senders(day: date) -> str:
    senders: Counter[str] = Counter()
    for claim, number in _numbers(Digest.objects.filter(day=day, state=Digest.State.ACCEPTED), "claimed_by").items():
        senders[claim.rpartition("/")[0]] += number
    return _by(senders)


def _by(names: Counter[str]) -> str:
    return ", ".join(f"{number} by {name}" for name, number in sorted(names.items()) if name)


def _last_runs(day: date) -> list[SourceRun]:
    runs = {run.source: run for run in SourceRun.objects.filter(day=day).order_by("started_at")}
    return [runs[name] for name in sorted(runs)]
