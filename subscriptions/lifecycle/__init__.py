"""What happens to a reader, and the only place where a state changes: docs/readers.md has the table.

Each change takes the row as it is now, under its lock, and leaves a ConsentEvent in the same transaction.
"""

from subscriptions.lifecycle.choosing import LIMITS, choose, fewer, go_weekly, mute, pause, resume
from subscriptions.lifecycle.joining import confirm, expire, is_disowned, lift, move, why_not
from subscriptions.lifecycle.leaving import (
    BY_BUTTON,
    BY_MAIL,
    BY_ONE_CLICK,
    ask_erase,
    can_undo,
    give_reason,
    not_me,
    undo,
    unsubscribe,
)

__all__ = [
    "BY_BUTTON",
    "BY_MAIL",
    "BY_ONE_CLICK",
    "LIMITS",
    "ask_erase",
    "can_undo",
    "choose",
    "confirm",
    "expire",
    "fewer",
    "give_reason",
    "go_weekly",
    "is_disowned",
    "lift",
    "move",
    "mute",
    "not_me",
    "pause",
    "resume",
    "undo",
    "unsubscribe",
    "why_not",
]
