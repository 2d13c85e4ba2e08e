"""Papers x interests -> matches that say why. Pure: a fitted model is an argument."""

from digest.relevance.liking import Taste, tastes
from digest.relevance.matching import Match, PaperText, TopicTerms
from digest.relevance.names import name_words, same_name
from digest.relevance.reading import KEPT_WORDS, Reading
from digest.relevance.vectors import VERSION, Model
from digest.relevance.words import Words

__all__ = [
    "KEPT_WORDS",
    "VERSION",
    "Match",
    "Model",
    "PaperText",
    "Reading",
    "Taste",
    "TopicTerms",
    "Words",
    "name_words",
    "same_name",
    "tastes",
]
