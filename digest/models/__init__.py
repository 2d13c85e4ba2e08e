"""Papers, editions and digests. A row is the hand-over between two stages."""

from digest.models.digests import DayTotal, Digest, Sent
from digest.models.editions import CATCH_UP_DAYS, Edition, EditionPaper, work_is_hidden
from digest.models.feedback import Feedback
from digest.models.follow_ups import FollowUp
from digest.models.papers import Paper, Sighting, Signal, SourceRun, work_is_gone
from digest.models.relevance import RelevanceModel
from digest.models.sending import Instance, Throttle

__all__ = [
    "CATCH_UP_DAYS",
    "DayTotal",
    "Digest",
    "Edition",
    "EditionPaper",
    "Feedback",
    "FollowUp",
    "Instance",
    "Paper",
    "RelevanceModel",
    "Sent",
    "Sighting",
    "Signal",
    "SourceRun",
    "Throttle",
    "work_is_gone",
    "work_is_hidden",
]
