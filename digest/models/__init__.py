"""Papers, editions and digests. A row is the hand-over between two stages."""

from digest.models.digests import DayTotal, Digest, Sent
from digest.models.editions import CATCH_UP_DAYS, Edition, EditionPaper
from digest.models.papers import Paper, Sighting, Signal, SourceRun

__all__ = [
    "CATCH_UP_DAYS",
    "DayTotal",
    "Digest",
    "Edition",
    "EditionPaper",
    "Paper",
    "Sent",
    "Sighting",
    "Signal",
    "SourceRun",
]
