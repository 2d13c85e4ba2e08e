"""Papers x interests -> matches that say why. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

CATEGORY_WEIGHT, TITLE_WEIGHT, TEXT_WEIGHT, AUTHOR_WEIGHT = 1.0, 2.0, 1.0, 4.0
# So many distinct phrases, and authors, are kept with what they found. It bounds the memory of a run, nothing else.
KEPT_WORDS = 4096


@dataclass(frozen=True)
class PaperText:
    """What matching reads of a paper."""

    id: int
    title: str
    text: str = ""
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    @cached_property
    def flat_title(self) -> str:
        """The title as terms are looked for in it."""
        return _flat(self.title)

    @cached_property
    def flat_text(self) -> str:
        """Everything but the title, likewise."""
        return _flat(" . ".join((self.text, *self.keywords)))


@dataclass(frozen=True, slots=True)
class TopicTerms:
    """What matching reads of a topic. Terms are lower case; a category or one term is enough."""

    id: int
    name: str
    categories: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """Why a paper belongs to an interest: the words found, the category shared, and how much that weighs (> 0).

    ``name`` is a topic's name, or the reader's own words; then ``topic`` is 0 and ``kind`` says what they are.
    """

    topic: int
    name: str
    score: float
    terms: tuple[str, ...] = ()
    category: str = ""
    kind: str = "topic"  # or "phrase", "author"

    @property
    def why(self) -> str:
        """The evidence in words: 'names "diffusion model"' or 'is listed in cs.RO'."""
        if self.terms:
            return "names " + ", ".join(f'"{term}"' for term in self.terms[:3])
        return f"is listed in {self.category}"


def match(paper: PaperText, topic: TopicTerms) -> Match | None:
    """The match of one paper with one topic, or None. Costs two regular expression searches."""
    category = next((c for c in paper.categories if c in topic.categories), "")
    in_title = _found(topic.terms, paper.flat_title)
    in_text = _found(topic.terms, paper.flat_text)
    score = CATEGORY_WEIGHT * bool(category) + TITLE_WEIGHT * bool(in_title) + TEXT_WEIGHT * bool(in_text)
    if not score:
        return None
    terms = tuple(dict.fromkeys((*in_title, *in_text)))
    return Match(topic.id, topic.name, score, terms, category)


def match_all(papers: Sequence[PaperText], topics: Iterable[TopicTerms]) -> dict[int, dict[int, Match]]:
    """All matches as {topic id: {paper id: match}}; topics without one are left out."""
    found = {topic.id: {p.id: m for p in papers if (m := match(p, topic))} for topic in topics}
    return {topic: matches for topic, matches in found.items() if matches}


class OwnWords:
    """Papers made ready for readers' own words. The same words of many readers are looked up once."""

    def __init__(self, papers: Sequence[PaperText] = ()) -> None:
        self._papers = papers
        self._by_family: dict[str, dict[tuple[str, ...], set[int]]] = defaultdict(lambda: defaultdict(set))
        for paper in papers:
            for name in filter(None, map(name_words, paper.authors)):
                self._by_family[name[-1]][name].add(paper.id)
        self.phrase = lru_cache(KEPT_WORDS)(self._phrase)
        self.author = lru_cache(KEPT_WORDS)(self._author)

    def _phrase(self, text: str) -> Mapping[int, Match]:
        """The papers that name ``text``, as whole words like a topic's term."""
        flat, found = _flat(text), {}
        for paper in self._papers if flat else ():
            # "in" first: it is a hundred times faster than the pattern, and almost always says no.
            in_title = flat in paper.flat_title and bool(_found((text,), paper.flat_title))
            in_text = flat in paper.flat_text and bool(_found((text,), paper.flat_text))
            if score := TITLE_WEIGHT * in_title + TEXT_WEIGHT * in_text:
                found[paper.id] = Match(0, text, score, kind="phrase")
        return found

    def _author(self, wanted: str) -> Mapping[int, Match]:
        """The papers of the author ``wanted``."""
        words = name_words(wanted)
        bearers = self._by_family.get(words[-1], {}) if words else {}
        return {
            paper: Match(0, wanted, AUTHOR_WEIGHT, kind="author")
            for name, papers in bearers.items()
            if same_name(words, name)
            for paper in sorted(papers)
        }


_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)", re.IGNORECASE)
_WITHOUT_ACCENT = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})


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
    return re.findall(r"\w+", text.casefold().translate(_WITHOUT_ACCENT))


def _found(terms: tuple[str, ...], flat: str) -> tuple[str, ...]:
    pattern = _pattern(terms)
    if pattern is None or not flat:
        return ()
    hits = (m.lastgroup for m in pattern.finditer(flat))
    return tuple(dict.fromkeys(terms[int(hit[1:])] for hit in hits if hit))


def _flat(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").split())


@lru_cache(maxsize=4096)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str] | None:
    """Whole words, a plural allowed, hyphen = space. Terms are escaped: a reader's "c++" is text, not a pattern."""
    flat = {f"t{i}": _flat(term) for i, term in enumerate(terms) if _flat(term)}
    if not flat:
        return None
    longest_first = sorted(flat.items(), key=lambda item: -len(item[1]))
    words = "|".join(f"(?P<{name}>{re.escape(term)})" for name, term in longest_first)
    return re.compile(rf"(?<!\w)(?:{words})(?:e?s)?(?!\w)")
