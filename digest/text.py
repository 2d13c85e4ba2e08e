"""Titles, abstracts and names as they come -> readable Unicode on one line. Pure."""

import re
import unicodedata

# Bidirectional controls can make a line read as something else (Unicode TR 36, section 3.1); zero-width characters
# hide words from search. ZWJ and ZWNJ stay: scripts and emoji need them.
_INVISIBLE = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0x200B, 0xFEFF])
_SENTENCE_END = re.compile(r"[.!?](?=\s)")


def readable(text: str) -> str:
    """One line of NFC text: controls become spaces, invisible characters go, runs of white space shrink to one.

    Angle brackets are text ("Let's <think> about reasoning") and stay: templates escape them.
    """
    text = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
    # Cc are controls, Cs are lone surrogates (a JSON source can carry them, no database or mail can),
    # Zl and Zp are line and paragraph separators.
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return " ".join(text.split())


def shorten(text: str, limit: int = 300) -> str:
    """At most ``limit`` characters, cut after a sentence where one ends in the second half, else after a word."""
    if len(text) <= limit:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text[: limit + 1]) if match.end() > limit // 2]
    if ends:
        return text[: ends[-1]]
    head = text[: limit - 1]
    return (head.rsplit(None, 1)[0] if " " in head else head).rstrip(",;:") + "…"
