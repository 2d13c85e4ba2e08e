"""Superscripts and subscripts."""

import re
import unicodedata


def _letters(form: str) -> dict[str, str]:
    """Plain character -> its raised or lowered form, as the Unicode character database has them."""
    known = {}
    for code in range(0xB2, 0x2C7E):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0] == form:
            known[chr(int(parts[1], 16))] = chr(code)
    return known


SCRIPTS = {"^": _letters("<super>"), "_": _letters("<sub>")}
for _known in SCRIPTS.values():
    _known["-"] = _known["\N{MINUS SIGN}"]
SCRIPTS["^"]["⊤"] = SCRIPTS["^"]["T"]
SMALL = frozenset(small for known in SCRIPTS.values() for small in known.values())
LONE = re.compile("[^\\W\\d_][" + "".join(sorted(SMALL)) + "]*")  # one letter and what hangs on it
# Raised as they are.
_HIGH = {"∘": "°", "°": "°", "′": "′", "″": "″", "‴": "‴", "*": "*", "∗": "*", "⋆": "*", "★": "*", "†": "†", "‡": "‡"}
_HIGH |= {"**": "**", "®": "®", "™": "™"}
_WORD = re.compile(r"[^\W\d_]{3}")
_NUMBER = re.compile(r"\d+([.,]\d+)*%?")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^][]*\]")


def script(kind: str, content: str) -> str:
    """``content`` raised (``^``) or lowered (``_``): in Unicode where it has every character, else as ``x^(ab)``.

    Words of three letters and more are read as words, and few mail fonts have all of their small letters: ``x_max``.
    """
    content = content.strip()
    known = SCRIPTS[kind]
    tight = content.replace(" ", "")
    if kind == "^" and tight in _HIGH:
        return _HIGH[tight]
    if all(c in known for c in tight) and not _WORD.search(content):
        return "".join(known[c] for c in tight)
    plain = len(content) == 1 or _NUMBER.fullmatch(content) or (kind == "_" and content.isalnum())
    plain = plain and SMALL.isdisjoint(content)  # F_(qᵐ) is not the power of F_q
    return kind + content if plain or _BRACKETED.fullmatch(content) else f"{kind}({content})"
