"""Papers, editions and digests. A row is the hand-over between two stages."""

from digest.models.digests import DayTotal, Digest, Sent
from digest.models.editions import Edition, EditionPaper
from digest.models.papers import Paper, Sighting, Signal, SourceRun

__all__ = [
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
