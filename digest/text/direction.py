"""Texts of one direction in lines of the other: Unicode Standard Annex 9, the Bidirectional Algorithm. Pure."""

import re
from unicodedata import bidirectional

# FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: what is between them is set by its own first letter, and neither
# moves what stands around it nor is moved (section 2.4.2).
ISOLATE, END = "\u2068", "\u2069"
_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def undirected(text: str) -> str:
    """The text without any control of direction: one that is not ended would turn the rest of a line round."""
    return _CONTROLS.sub("", text)


def needs_isolation(text: str, *, rtl: bool) -> bool:
    """Whether a text has letters of the other direction than the line's: ``rtl`` says that this is right to left."""
    other = ("L",) if rtl else ("R", "AL")
    return (rtl or not text.isascii()) and any(bidirectional(sign) in other for sign in text)


def isolated(text: str, *, rtl: bool) -> str:
    """The text for a line of other words, between isolates where it needs them."""
    text = undirected(text)
    return f"{ISOLATE}{text}{END}" if needs_isolation(text, rtl=rtl) else text
