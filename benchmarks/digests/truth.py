"""Whether a reason is true, found out anew: with no code of the product but its list of same words.

A text is bare of case, accents and plural endings, hyphens are spaces, and other signs stay between words.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

SAME_WORDS = Path(__file__).resolve().parents[2] / "digest" / "same_words.json"
# https://arxiv.org/category_taxonomy: one category under two names.
SAME_CATEGORIES = (
    {"math-ph", "math.MP"},
    {"cs.IT", "math.IT"},
    {"math.NA", "cs.NA"},
    {"math.ST", "stat.TH"},
    {"econ.GN", "q-fin.EC"},
    {"eess.SY", "cs.SY"},
)


def falsehood(
    reason: Mapping[str, Any],
    paper: Any,
    wanted: Iterable[tuple[str, int | str]],
    topics: Mapping[int, Any],
    liked: Iterable[int],
) -> str:
    """What is not true of why ``paper`` (a row) is in a digest; "" where all is.

    ``wanted`` is what its reader wants, ``liked`` the papers that the reader liked before.
    """
    said = set(wanted)
    if "phrase" in reason:
        if ("phrase", reason["phrase"]) not in said:
            return f"the reader never asked for {reason['phrase']!r}"
        return "" if names(paper, reason["phrase"]) else f"it does not name {reason['phrase']!r}"
    if "author" in reason:
        if ("author", reason["author"]) not in said:
            return f"the reader does not follow {reason['author']}"
        return (
            "" if any(may_be(reason["author"], name) for name in paper.authors) else f"{reason['author']} is no author"
        )
    if "like" in reason and reason["like"] not in set(liked):
        return f"the reader never liked paper {reason['like']}"
    missing = [term for term in reason.get("terms", ()) if not names(paper, term)]
    if missing:
        return f"it does not name {missing}"
    return "" if "like" in reason else _of_topic(reason, paper, said, topics)


def _of_topic(
    reason: Mapping[str, Any], paper: Any, wanted: set[tuple[str, int | str]], topics: Mapping[int, Any]
) -> str:
    topic, category = topics.get(reason["topic"]), reason["category"]
    if topic is None or ("topic", reason["topic"]) not in wanted:
        return f"the reader did not choose topic {reason['topic']}"
    if not reason["terms"] and not category:
        return "it says nothing"
    if category and not (_same(category) & set(topic.categories) and _same(category) & set(paper.categories)):
        return f"{category} is not of both the topic and the paper"
    about = {word for text in (topic.name, *topic.terms, topic.description) for word in bare(text).split()}
    strange = [term for term in reason["terms"] if about.isdisjoint(bare(term).split())]
    return f"{strange} has no word of the topic {topic}" if strange else ""


def loose_terms(reason: Mapping[str, Any], topics: Mapping[int, Any]) -> list[str]:
    """The terms of a topic's reason that are not what the topic says, nor hold one of its terms.

    They are true, but a reader of the topic may wonder: "VLMs" for video understanding.
    """
    topic = topics.get(reason.get("topic", 0))
    if topic is None:
        return []
    said = (topic.name, *topic.terms, topic.description)
    return [
        term
        for term in reason["terms"]
        if not any(_says(text, term) for text in said) and not any(_says(term, own) for own in topic.terms)
    ]


def _same(category: str) -> set[str]:
    return next((names for names in SAME_CATEGORIES if category in names), {category})


def names(paper: Any, words: str) -> bool:
    """Whether a paper's title, abstract, blurb or keywords say these words."""
    return any(_says(part, words) for part in (paper.title, paper.abstract, paper.blurb, *paper.keywords))


def _says(text: str, words: str) -> bool:
    return f" {bare(words)} " in f" {bare(text)} "


def may_be(wanted: str, name: str) -> bool:
    """Whether two names have the same last word, and first words of which one can stand for the other."""
    one, other = (_without_accents(n).replace(".", " ").split() for n in (wanted, name))
    first, second = sorted((one[0], other[0]), key=len)
    return one[-1] == other[-1] and (first == second or (len(first) == 1 and second.startswith(first)))


@lru_cache(maxsize=20_000)
def bare(text: str) -> str:
    """The words of a text with single spaces between; short forms are said in full."""
    words = " ".join(map(_stem, _words(text)))
    for short, full in _same_words():
        if short in words:
            words = re.sub(rf"(?<!\S){re.escape(short)}(?!\S)", full, words)
    return words


def _words(text: str) -> Sequence[str]:
    plain = re.sub(r"['’]s\b", "", _without_accents(text))
    return re.findall(r"\w+|[^\w\s]", re.sub(r"[-‐‑–−]", " ", plain))


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in parts if not unicodedata.combining(character))


def _stem(word: str) -> str:
    """The same for a noun and its regular plural: "patch", "cach", "policy"."""
    if len(word) < 4:
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


@lru_cache(maxsize=1)
def _same_words() -> list[tuple[str, str]]:
    pairs = json.loads(SAME_WORDS.read_text("utf-8")).items()
    said = [(" ".join(map(_stem, _words(short))), " ".join(map(_stem, _words(full)))) for short, full in pairs]
    return sorted(said, key=lambda pair: -len(pair[0]))
