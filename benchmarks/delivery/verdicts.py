"""The targets, and whether a run met them. Rows that were not run say nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

OURS, BARE, UPDATES, DJANGO, FAR, SINGLE, BATCH = "c", "a", "a2", "b", "f", "g", "h"
FAR_RATE, BATCH_RATE, SHARE_OF_LATENCY, GROWTH = 500.0, 5000.0, 0.9, 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """One comparison."""

    words: str
    value: float
    target: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is as it should be."""
        return self.value <= self.target if self.at_most else self.value >= self.target

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        return f"{self.words}: {self.value:,.2f} (target {sign} {self.target:,.2f}): {'met' if self.met else 'missed'}"


def verdicts(rates: Mapping[str, float], memory: Mapping[int, float], *, threads: int, latency: float) -> list[Verdict]:
    """``rates``: messages/s by row, the peers by their names; ``memory``: peak megabytes by number of readers."""
    found = []
    ours = rates.get(OURS)
    if ours:
        ceilings = [rates[row] for row in (BARE, UPDATES) if row in rates]
        if ceilings:
            found.append(Verdict("(c) to the smaller of (a) and (a')", ours / min(ceilings), 0.55))
        factors = ((DJANGO, "(b) Django", 2), ("post_office", "django-post_office", 2))
        for row, name, factor in (*factors, ("newsletter", "django-newsletter", 7)):
            if row in rates:
                found.append(Verdict(f"(c) to {name}", ours / rates[row], factor))
    if FAR in rates:
        found.append(Verdict("(f) messages/s over a far connection", rates[FAR], FAR_RATE))
    if SINGLE in rates:
        share = rates[SINGLE] / (threads / latency)
        found.append(Verdict("(g) to threads/latency", share, SHARE_OF_LATENCY))
    if BATCH in rates:
        found.append(Verdict("(h) readers/s in batches", rates[BATCH], BATCH_RATE))
    if len(memory) > 1:
        few, many = min(memory), max(memory)
        words = f"peak memory at {many:,} readers to that at {few:,}"
        found.append(Verdict(words, memory[many] / memory[few], 1 + GROWTH, at_most=True))
    return found
