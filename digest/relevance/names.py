"""Names of authors, however they are written. Pure."""

import re
import unicodedata
from collections.abc import Sequence

from digest.relevance.words import WITHOUT_ACCENT

_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)", re.IGNORECASE)


def name_words(name: str) -> tuple[str, ...]:
    """A name bare of accents and case, the family name last: "Ünal, Ana, Jr." and "Ana Unal" are ("ana", "unal")."""
    first, *others = (_bare(part) for part in name.split(","))
    given = [part for part in others if not all(map(_SUFFIX.fullmatch, part))]
    words = [*(word for part in given for word in part), *first]
    while len(words) > 2 and _SUFFIX.fullmatch(words[-1]):
        words.pop()
    return tuple(words)


def same_name(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names can be one person's: the family name, and all given names that both say.

    An initial stands for any name that begins with it. A family name alone is nobody.
    """
    shorter, longer = sorted((tuple(one), tuple(other)), key=len)
    if shorter == longer:
        return bool(shorter)
    if len(shorter) < 2 or shorter[-1] != longer[-1] or not _agree(shorter[0], longer[0]):
        return False
    middle = iter(longer[1:-1])  # those that only one of them says are passed over
    return all(any(_agree(name, said) for said in middle) for name in shorter[1:-1])


def _agree(one: str, other: str) -> bool:
    return one == other or (1 in (len(one), len(other)) and one[0] == other[0])


def _bare(text: str) -> list[str]:
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.findall(r"\w+", text.casefold().translate(WITHOUT_ACCENT))
