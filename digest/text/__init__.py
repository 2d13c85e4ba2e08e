"""Titles, abstracts and names as their sources give them -> readable Unicode on one line. Pure."""

import re
from unicodedata import category

from digest.text.clean import clean
from digest.text.direction import isolated, needs_isolation, undirected
from digest.text.markup import decoded, untagged
from digest.text.prose import typeset
from digest.text.tex import untexed

__all__ = ["isolated", "needs_isolation", "readable", "shorten", "undirected"]

_SENTENCE_END = re.compile(r"[.!?](?=\s)")


def readable(text: str) -> str:
    r"""One line of NFC text: TeX, HTML and JATS become what they stand for, controls and invisible characters go.

    ``$O(n^2)$`` -> ``O(n²)``, ``Andr\'e`` -> ``André``, ``H<sub>2</sub>O`` -> ``H₂O``, ``costs \$5`` -> ``costs $5``.
    Angle brackets that are no known tag are text ("Let's <think> about reasoning") and stay: templates escape them.
    Entities are decoded last, so that what an author quoted is not taken for markup. Reasons: docs/decisions/0009.
    """
    line = text = clean(text)
    if "<" in text:
        text = untagged(text)
    text = typeset(untexed(text))
    if "&" in text:
        text = decoded(text)
    return text if text is line else clean(text)


def shorten(text: str, limit: int = 300) -> str:
    """At most ``limit`` characters, cut after a sentence where one ends in the second half, else after a word."""
    if len(text) <= limit:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text[: limit + 1]) if match.end() > limit // 2]
    if ends:
        return text[: ends[-1]]
    head = text[: limit - 1]
    return (head.rsplit(None, 1)[0] if " " in head.strip() else _whole(text, limit - 1)).rstrip(",;:") + "…"


def _whole(text: str, end: int) -> str:
    """``text`` up to ``end``, or to where the last whole grapheme before it ends."""
    while end and (_extends(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end]


def _extends(sign: str) -> bool:
    """Whether ``sign`` belongs to the one before it: marks, joiners, the skin tones of emoji."""
    return category(sign)[0] == "M" or sign in "\u200c\u200d" or "\U0001f3fb" <= sign <= "\U0001f3ff"
