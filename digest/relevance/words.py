"""Text -> words that can be compared: bare of case, accents, hyphens, plurals and short forms. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, pairwise
from operator import and_
from typing import NamedTuple

# Chinese, Japanese and Korean: each sign is a word, since spaces say little (or nothing) about where words end.
_SIGNS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
# What is a word, or a character that is none, is in the group; a hyphen and a possessive "'s" are only passed over.
_TOKEN = re.compile(
    rf"['’]s\b|[-‐‑–−]|([{_SIGNS}]|\b[a-z](?:\+\+|\#)|(?:[^\W{_SIGNS}]|[\u0300-\u036f])+|[^\w\s])", re.IGNORECASE
)
_ACCENTS = re.compile("[\u0300-\u036f]")
WITHOUT_ACCENT = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
END = "\n"  # of a part of a text, among words: no word is equal to it
KEPT_FORMS = 1 << 15  # words whose plain form is remembered: 97 of 100 looked up, for some 6 MB


class Tokens(NamedTuple):
    """The words of a text in order, and where in the text each came from. A short form's words share its place."""

    words: list[str]
    starts: list[int]
    ends: list[int]


class Words:
    """Reads texts with a list of words that are the same."""

    def __init__(self, same: Mapping[str, str]) -> None:
        """``same`` is {short or other form: the form that stands for both}, such as {"llm": "large language model"}.

        Both are read as any text, so plurals of both are the same too. A value is not looked up again.
        """
        self._same: dict[str, list[tuple[list[str], list[str]]]] = {}
        for form, stands_for in same.items():
            words, meant = _tokens(composed(form)).words, _tokens(composed(stands_for)).words
            if words and meant and words != meant:
                self._same.setdefault(words[0], []).append((words, meant))
        for forms in self._same.values():
            forms.sort(key=lambda form: -len(form[0]))  # the longest that fits

    def tokens(self, text: str) -> Tokens:
        """The words of ``text``, which is in NFC: "LLMs" are three words where ``same`` says so."""
        found = _tokens(text)
        if self._same.keys().isdisjoint(found.words):
            return found
        read, at = Tokens([], [], []), 0
        for at, size, meant in self._replacements(found.words):
            for word in meant:
                read.words.append(word)
                read.starts.append(found.starts[at])
                read.ends.append(found.ends[at + size - 1])
        return read

    def _replacements(self, words: list[str]) -> Iterator[tuple[int, int, Sequence[str]]]:
        """(where, how many words, what stands for them), in order and without a gap."""
        at = 0
        while at < len(words):
            size, meant = 1, words[at : at + 1]
            for form, stands_for in self._same.get(words[at], ()):
                if words[at : at + len(form)] == form:
                    size, meant = len(form), stands_for
                    break
            yield at, size, meant
            at += size

    def flat(self, text: str) -> str:
        """The words with a space between each two; equal for texts that say the same words."""
        return " ".join(self.tokens(composed(text)).words)


def composed(text: str) -> str:
    """``text`` in NFC: a letter and its accent are one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _tokens(text: str) -> Tokens:
    words, starts, ends = [], [], []
    for found in _TOKEN.finditer(text):
        if found[1]:
            words.append(plain(found[1]))
            starts.append(found.start())
            ends.append(found.end())
    return Tokens(words, starts, ends)


@lru_cache(KEPT_FORMS)
def plain(word: str) -> str:
    """A word bare and in the singular: "Models" is "model", "studies" is "study"."""
    return singular(bare(word))


def bare(word: str) -> str:
    """A word without case and accents, compatible forms as one: "Ünal" is "unal", "ﬁne" is "fine"."""
    if word.isascii():
        return word.lower()
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", word.casefold())).casefold().translate(WITHOUT_ACCENT)
    return "".join(unicodedata.normalize("NFKC", text).split()) or word


_NO_PLURAL = ("ss", "is", "ias", "tics", "mics", "sics")
_ES = ("sses", "xes", "shes", "ches")


def singular(word: str) -> str:
    """The regular English singular of a word in lower case; irregular ones are for the list of same words.

    Rules after D. Harman, "How effective is suffixing?" (1991), with "es" split off after a hiss.
    """
    if len(word) < 4 or word[-1] != "s" or word.endswith(_NO_PLURAL):
        return word
    if word.endswith("us") and len(word) > 4:  # corpus, but gpus
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(_ES) else word[:-1]


# Words that say how a sentence is built and nothing about its subject.
_FUNCTION_WORDS = """
a about above across after again against all almost along already also although always am among an and another any are
around as at away back be became because become been before being below between both but by can cannot could did do
does doing done down due during each either else enough etc even ever every few for from further get gets give given
had has have having he hence her here hers herself him himself his how however i if in indeed instead into is it its
itself just latter least less made make many may me might mine more moreover most mostly much must my myself namely
neither never nevertheless next no nor not nothing now of off often on once one only onto or other others otherwise our
ours ourselves out over own per perhaps quite rather really same several shall she should since so some still such than
that the their theirs them themselves then there thereby therefore these they this those though three through
throughout thus to together too toward towards two under until up upon us very via was we well were what whatever when
where whereas whether which while who whole whom whose why will with within without would yet you your yours
""".split()  # noqa: SIM905 - words are read as words
STOP_WORDS = frozenset(map(plain, _FUNCTION_WORDS))


def terms(words: Sequence[str]) -> list[str]:
    """What TF-IDF counts: words that say something, and pairs of such that stand side by side."""
    says = [word not in STOP_WORDS and (len(word) > 1 or word >= "\u3040") for word in words]
    pairs = (f"{one} {other}" for one, other in compress(pairwise(words), map(and_, says, says[1:])))
    return [*compress(words, says), *pairs]
