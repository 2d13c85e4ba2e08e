"""Has each mail that came twice its cause, and no cause more of them than it may have?"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

ON_ITS_WAY = 8.0  # seconds in which a mail that was taken is recorded, unless something happens


@dataclass(frozen=True, slots=True)
class Event:
    """Something was done to the installation that may leave mails taken but not recorded."""

    at: float  # time.time()
    what: str
    copies: int  # mails that may come twice because of it: one for each thread of a process that is killed
    seconds: float = 0.0  # that it lasted

    def may_explain(self, taken: float, patience: int) -> bool:
        """Whether a mail that the server took then may have been on its way; longer on a busy machine."""
        return self.at - ON_ITS_WAY * patience < taken < self.at + self.seconds + ON_ITS_WAY * patience


@dataclass(slots=True)
class Causes:
    """Gives each copy a cause that has room for it, and moves others to other causes where that helps.

    (Kuhn's algorithm: with it no copy stays without a cause while there is any way to give one to each.)
    """

    events: Sequence[Event]
    patience: int = 1
    taken: dict[str, float] = field(default_factory=dict)
    held: defaultdict[Event, list[str]] = field(default_factory=lambda: defaultdict(list))

    def explain(self, copy: str, taken: float) -> bool:
        """Whether there is a cause for the mail ``copy`` (a name of its own each) that was first taken at ``taken``."""
        self.taken[copy] = taken
        return self._place(copy, set())

    def _place(self, copy: str, tried: set[Event]) -> bool:
        for event in self.events:
            if event in tried or not event.may_explain(self.taken[copy], self.patience):
                continue
            tried.add(event)
            held = self.held[event]
            if len(held) < event.copies:
                held.append(copy)
                return True
            for other in held:
                if self._place(other, tried):
                    held[held.index(other)] = copy
                    return True
        return False
