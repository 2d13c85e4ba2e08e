"""What became of the mails: providers' events, uncertain digests, bursts, the sum of a day, its audit and closing."""

from digest.outcomes.audit import Audit, Outcome, audit
from digest.outcomes.bursts import hold_bursts
from digest.outcomes.closing import LAST_ZONE, TooEarly, close_day, closes_at, days_to_close
from digest.outcomes.events import Replayed, read_events, replay
from digest.outcomes.sums import ENDED, Sum, line_of, sum_of, sums_of
from digest.outcomes.uncertain import (
    SINCE,
    UNKNOWN_AFTER,
    NotAgain,
    are_sent_again,
    arrived,
    in_doubt,
    resolve_uncertain,
    send_again,
)

__all__ = [
    "ENDED",
    "LAST_ZONE",
    "SINCE",
    "UNKNOWN_AFTER",
    "Audit",
    "NotAgain",
    "Outcome",
    "Replayed",
    "Sum",
    "TooEarly",
    "are_sent_again",
    "arrived",
    "audit",
    "close_day",
    "closes_at",
    "days_to_close",
    "hold_bursts",
    "in_doubt",
    "line_of",
    "read_events",
    "replay",
    "resolve_uncertain",
    "send_again",
    "sum_of",
    "sums_of",
]
