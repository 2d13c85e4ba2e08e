"""Papers as words with an index, so that a phrase is looked for in few of them. Pure."""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from digest.relevance.matching import NAMED_WEIGHT, SPELLED_WEIGHT, TITLE_WEIGHT, PaperText
from digest.relevance.vectors import parts_of
from digest.relevance.words import END, Words


class Found(NamedTuple):
    """A paper, by its index, that names some words: in which form, and what that weighs."""

    at: int
    written: str
    weight: float


class Pages:
    """The words of papers. A page costs some 8 KB: its words as one text, and where each stands in the paper."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._papers: list[PaperText] = []
        self._flat: list[str] = []  # words with spaces around; each part ends with END
        self._title_ends: list[int] = []
        self._starts: list[array[int]] = []  # of each word in its part
        self._ends: list[array[int]] = []
        self._naming: dict[str, array[int]] = defaultdict(lambda: array("i"))

    def add(self, paper: PaperText) -> tuple[list[str], list[str]]:
        """Take a paper in; the words of its title, and of the rest."""
        title: list[str] = []
        rest: list[str] = []
        starts, ends = array("I"), array("I")
        for part in parts_of(paper):
            tokens = self.words.tokens(part)
            said = rest if title else title
            said += tokens.words
            said.append(END)
            starts.extend(tokens.starts)
            ends.extend(tokens.ends)
            starts.append(0)
            ends.append(0)
        for word in {*title, *rest}:
            self._naming[word].append(len(self._papers))
        flat = f" {' '.join(title + rest)} "
        self._papers.append(paper)
        self._flat.append(flat)
        self._title_ends.append(flat.index(END))
        self._starts.append(starts)
        self._ends.append(ends)
        return title, rest

    def find(self, text: str) -> list[Found]:
        """The papers that name ``text``, in order. Only those that have its rarest word are searched."""
        flat = self.words.flat(text)
        if not flat:
            return []
        words, wanted, as_asked = flat.split(" "), f" {flat} ", _spelling(text)
        found = []
        for at in min((self._naming.get(word, ()) for word in words), key=len):
            place = self._flat[at].find(wanted)
            if place >= 0:
                found.append(self._found(at, place, wanted, len(words), as_asked))
        return found

    def written(self, at: int, term: str) -> str:
        """A term of a vector in the form that the paper has it first; "" where it has it nowhere."""
        place = self._flat[at].find(f" {term} ")
        return self._written(at, place, term.count(" ") + 1) if place >= 0 else ""

    def _found(self, at: int, place: int, wanted: str, words: int, as_asked: str) -> Found:
        written = self._written(at, place, words)
        weight, end = NAMED_WEIGHT, self._title_ends[at]
        spelled = _spelling(written) == as_asked
        if place < end:
            weight += TITLE_WEIGHT
            place = -1 if spelled else self._flat[at].find(wanted, end)
            spelled = spelled or (place >= 0 and _spelling(self._written(at, place, words)) == as_asked)
        return Found(at, written, weight + SPELLED_WEIGHT * spelled)

    def _written(self, at: int, place: int, words: int) -> str:
        """The paper's own text of so many words at a place of its flat text."""
        flat = self._flat[at]
        first = flat.count(" ", 0, place)
        part = parts_of(self._papers[at])[flat.count(END, 0, place)]
        return " ".join(part[self._starts[at][first] : self._ends[at][first + words - 1]].split())


def _spelling(text: str) -> str:
    return " ".join(text.casefold().split())


def forms(found: Sequence[tuple[str, str]]) -> list[str]:
    """Of (term, its form in a paper) the forms to show: none that a longer one contains, each once, in their order.

    Where only the case differs a term is shown as the interest says it: a title's capitals say nothing.
    """
    shown: dict[str, str] = {}
    for term, written in found:
        said = _between_spaces(written)
        if not any(said in longer and said != longer for longer in (_between_spaces(other) for _, other in found)):
            shown.setdefault(said, term if written.casefold() == term.casefold() else written)
    return [*shown.values()]


def _between_spaces(text: str) -> str:
    return f" {_spelling(text.replace('-', ' '))} "
