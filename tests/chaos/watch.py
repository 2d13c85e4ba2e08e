"""Time as it passes while this machine runs: a virtual one may stand still for half a minute, with all that is on it."""

import time
from dataclasses import dataclass, field

STANDSTILL = 3.0  # seconds between two looks at the watch that are not explained by anything we do


@dataclass(slots=True)
class Watch:
    """A stopwatch that is looked at several times a second, and leaves out the time in which nobody could."""

    last: float = field(default_factory=time.monotonic)
    lost: float = 0.0
    standstills: list[tuple[float, float]] = field(default_factory=list)  # (time.time() at its beginning, seconds)

    def now(self) -> float:
        """Seconds from anywhere, for differences."""
        now = time.monotonic()
        gap, self.last = now - self.last, now
        if gap > STANDSTILL:
            self.lost += gap
            self.standstills.append((time.time() - gap, gap))
        return now - self.lost
