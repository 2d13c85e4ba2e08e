"""Which keywords are the same word, by the data alone: it must not lean on the list that is being measured."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

OFTEN = 3  # so often "long form (short form)" must be a keyword
_BOTH = re.compile(r"(.+?)\s*\(([^()]{2,10})\)")


def plain(keyword: str) -> str:
    """Lower case, no brackets, hyphens as spaces, each word without the s of a plural."""
    words = re.sub(r"[-‐‑–]", " ", re.sub(r"\(.*?\)", "", keyword.lower())).split()
    return " ".join(map(_singular, words))


def short_forms(keywords: Iterable[str]) -> Mapping[str, str]:
    """{short form: the long form that most often has it in brackets}, such as {"rl": "reinforcement learning"}."""
    long: dict[str, Counter[str]] = defaultdict(Counter)
    for keyword in keywords:
        if both := _BOTH.fullmatch(keyword.strip()):
            long[plain(both[2])][plain(both[1])] += 1
    commonest = {short: forms.most_common(1)[0] for short, forms in long.items()}
    return {short: form for short, (form, times) in commonest.items() if times >= OFTEN}


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word
