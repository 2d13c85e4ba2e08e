"""The sum of a day: planned is each of the lines in ENDED, and what is still to go."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db.models import Count

from digest import ledger
from digest.models import DayTotal, Digest

State = Digest.State
# The states that digests end in. Those of which nobody will ever know more have a line of their own: a reader may have
# the mail, so they are no failures like the others.
ENDED: tuple[str, ...] = (
    State.ACCEPTED,
    State.REJECTED,
    State.FAILED,
    State.SUPPRESSED,
    State.SKIPPED,
    State.CANCELLED,
    State.UNCERTAIN,
    ledger.UNKNOWN,
)


class Entry(NamedTuple):
    """How many digests of a day have one cadence, state and reason."""

    cadence: str
    state: str
    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class Sum:
    """How many digests of one local day ended how: by line, and by line and reason."""

    counts: dict[str, int]
    reasons: dict[tuple[str, str], int]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Sum":
        """The sum of these."""
        counts: dict[str, int] = defaultdict(int)
        reasons: dict[tuple[str, str], int] = defaultdict(int)
        for entry in entries:
            line = line_of(entry.state, entry.reason)
            counts[line] += entry.number
            if entry.reason and line != ledger.UNKNOWN:  # the line says it
                reasons[line, entry.reason] += entry.number
        return cls(dict(counts), dict(reasons))

    @property
    def planned(self) -> int:
        """All rows of the day."""
        return sum(self.counts.values())

    @property
    def to_go(self) -> int:
        """Those that have not ended."""
        return sum(number for state, number in self.counts.items() if state in Digest.OPEN)

    def __getitem__(self, line: str) -> int:
        return self.counts.get(line, 0)

    @property
    def adds_up(self) -> bool:
        """Whether every row is in exactly one known state."""
        return self.planned == sum(self[line] for line in ENDED) + self.to_go


def line_of(state: str, reason: str) -> str:
    """The line of the sum that a digest is counted on: its state, but for those of which nobody knows."""
    return ledger.UNKNOWN if (state, reason) == (State.FAILED, ledger.UNKNOWN) else state


def sum_of(day: date) -> Sum:
    """The sum at this moment, from the stored totals of a closed day, else from the rows."""
    return Sum.of(entries_of(day))


def sums_of(day: date) -> dict[str, Sum]:
    """The same by cadence: "daily", "weekly", "now"; those that the day has."""
    return by_cadence(entries_of(day))


def by_cadence(entries: Iterable[Entry]) -> dict[str, Sum]:
    """The sum of each cadence."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.cadence].append(entry)
    return {cadence: Sum.of(found[cadence]) for cadence in sorted(found)}


def entries_of(day: date) -> list[Entry]:
    """From the stored totals of a closed day, else from the rows."""
    return stored(day) or counted(day)


def stored(day: date) -> list[Entry]:
    """What was stored when the day was closed; empty for an open one."""
    return [
        Entry(total.cadence, entry["state"], entry["reason"], entry["number"])
        for total in DayTotal.objects.filter(day=day)
        for entry in total.counts
    ]


def counted(day: date) -> list[Entry]:
    """What the rows say, counted by the database: there may be a million."""
    rows = Digest.objects.filter(day=day).values_list("cadence", "state", "reason").annotate(Count("pk")).order_by()
    return [Entry(*row) for row in rows]
