"""What the answer of a mail server or a provider means: about this reader, about us, or about this mail. Pure."""

from subscriptions.answers.meanings import (
    ENHANCED,
    EQUAL_ABOUT_READERS,
    EQUAL_UNEXPLAINED,
    About,
    Answer,
    Meaning,
    Stage,
    classify,
    is_gone,
    likeness,
)
from subscriptions.answers.words import ACCOUNT, CREDITS, LOGIN, READ

__all__ = [
    "ACCOUNT",
    "CREDITS",
    "ENHANCED",
    "EQUAL_ABOUT_READERS",
    "EQUAL_UNEXPLAINED",
    "LOGIN",
    "READ",
    "About",
    "Answer",
    "Meaning",
    "Stage",
    "classify",
    "is_gone",
    "likeness",
]
