"""Whether dollars enclose a formula or are money."""

import re

_NO_PROSE = re.compile(r"\\[A-Za-z]+|\{[^{}]*\}")
_WORD = re.compile(r"(?<![\w])[^\W\d_]{2,}")
_AMOUNT = re.compile(r"\s?\d")
_SIGN = re.compile(r"[\\^_=]")
_LONG = 12  # words without a sign of mathematics between them


def is_formula(inner: str, after: str) -> bool:
    """Whether the ``inner`` of ``$inner$after`` is a formula. "$5 to $10" and "US$5 or A$7" are money.

    Pandoc's rule for dollars in prose (no space inside, no digit behind), loosened for authors who put spaces inside
    and tightened for amounts with words between them.
    """
    if not inner.strip():
        return False
    words = len(_WORD.findall(_NO_PROSE.sub(" ", inner)))
    signs = _SIGN.search(inner) is not None
    amount = _AMOUNT.match(inner) is not None
    if inner[0].isspace() or inner[-1].isspace():
        if amount:
            return words == 0 and ("\\" in inner or "^" in inner) and not after[:1].isdigit()
        return words == 0 or (signs and words <= 3)
    if after[:1].isdigit():
        return not amount and (words == 0 or signs)
    return (signs and words < _LONG) or words < (2 if amount else _LONG)
