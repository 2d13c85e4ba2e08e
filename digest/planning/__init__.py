"""Due readers -> claim -> select -> Digest rows, or a named skip. Sends nothing."""

from digest.planning.chunks import ASKED_FOR, NOT_YET, UNREADABLE, plan_due, plan_one
from digest.planning.histories import CALLED_OFF, History
from digest.planning.proposals import NO_MATCH, propose
from digest.planning.runs import HELD, LATE, NO_EDITION, Run

__all__ = [
    "ASKED_FOR",
    "CALLED_OFF",
    "HELD",
    "LATE",
    "NOT_YET",
    "NO_EDITION",
    "NO_MATCH",
    "UNREADABLE",
    "History",
    "Run",
    "plan_due",
    "plan_one",
    "propose",
]
