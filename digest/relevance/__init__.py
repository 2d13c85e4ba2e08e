"""Papers x interests -> matches that say why. Pure: a fitted model is an argument."""

from digest.relevance.liking import Taste, groups_of, in_proportion, strongest_terms, tastes
from digest.relevance.matching import Match, PaperText, TopicTerms
from digest.relevance.names import name_words, same_name
from digest.relevance.reading import KEPT_WORDS, LIKE_COSINE, Reading
from digest.relevance.vectors import VERSION, Model
from digest.relevance.words import Words

__all__ = [
    "KEPT_WORDS",
    "LIKE_COSINE",
    "VERSION",
    "Match",
    "Model",
    "PaperText",
    "Reading",
    "Taste",
    "TopicTerms",
    "Words",
    "groups_of",
    "in_proportion",
    "name_words",
    "same_name",
    "strongest_terms",
    "tastes",
]
