"""One work, one paper: which records and rows are the same work."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from digest.models import Paper
from digest.sources.arxiv import bare_id
from digest.sources.base import PaperRecord
from digest.text import readable

_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)")
_DOI_ADDRESS = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")  # https://www.doi.org/doi_handbook/2_Numbering.html
# Titles that many works have: they say nothing, whoever wrote them.
_GENERIC = re.compile(
    r"(?:comments?|reply|response|rejoinder|answer) (?:on|to)\b"
    r"|(?:author |publisher )?(?:correction|corrigendum|erratum|addendum|retraction)\b"
    r"|(?:editorial|preface|foreword|introduction|proceedings|book review|obituary)\b"
)
FEWEST_WORDS = 3
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)", re.IGNORECASE)


@dataclass(frozen=True)
class Identity:
    """What names the work of a record, computed once."""

    record: PaperRecord

    @cached_property
    def title(self) -> str:
        """The title as readers see it."""
        return readable(self.record.title)

    @cached_property
    def arxiv_id(self) -> str | None:
        """Without version. arXiv's own DOIs (10.48550) are arXiv ids."""
        found = _ARXIV_DOI.fullmatch(self._any_doi)
        return self.record.arxiv_id or (bare_id(found[1]) if found else None)

    @cached_property
    def doi(self) -> str | None:
        """The journal's DOI in lower case: DOIs do not tell cases apart."""
        return None if _ARXIV_DOI.fullmatch(self._any_doi) else self._any_doi or None

    @cached_property
    def _any_doi(self) -> str:
        doi = _DOI_ADDRESS.sub("", (self.record.doi or "").strip().lower(), count=1)
        return doi if _DOI.fullmatch(doi) and len(doi) <= 255 else ""

    @cached_property
    def fingerprint(self) -> str:
        """Of the title and the first author's family name; empty where the title could be anybody's."""
        words = _words(self.title)
        if not self.record.authors or len(words.split()) < FEWEST_WORDS or _GENERIC.match(words):
            return ""
        name = family_name(readable(self.record.authors[0]))
        return hashlib.blake2b(f"{words}|{name}".encode(), digest_size=16).hexdigest() if name else ""

    @cached_property
    def year(self) -> int | None:
        """The year that the record places the work in."""
        day = self.record.submitted_at or self.record.announced_on or self.record.featured_on
        return day.year if day else None

    @cached_property
    def key(self) -> str:
        """ArXiv id, else DOI, else title with first author and year, else the source's own name of it."""
        if self.arxiv_id:
            return f"arxiv:{self.arxiv_id}"
        if self.doi:
            return f"doi:{self.doi}"
        if self.fingerprint and self.year:
            return f"title:{self.fingerprint}:{self.year}"
        own = self.record.source_key or f"{_words(self.title)}|{'|'.join(self.record.authors)}"
        if not self.record.source_key:
            own = hashlib.blake2b(own.encode(), digest_size=16).hexdigest()
        return f"{self.record.source}:{own}"[:330]


def family_name(name: str) -> str:
    """The family name, bare of accents and case: "Ana Ünal, Jr." and "Unal, A." are one."""
    first, _, rest = name.partition(",")
    family_first = rest and not _SUFFIX.fullmatch(rest.strip(" ."))
    words = _words(first).split()
    while len(words) > 1 and _SUFFIX.fullmatch(words[-1]):
        words.pop()
    if not words:
        return ""
    return " ".join(words) if family_first else words[-1]


def _words(text: str) -> str:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", text.casefold()))


class Works:
    """Papers by all that names them, so that a record finds its work."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self.by_pk: dict[int, Paper] = {}
        self._by_key: dict[str, Paper] = {}
        self._by_arxiv: dict[str, Paper] = {}
        self._by_doi: dict[str, list[Paper]] = defaultdict(list)
        self._by_fingerprint: dict[str, list[Paper]] = defaultdict(list)
        for paper in papers:
            self.add(paper)

    def add(self, paper: Paper) -> None:
        """Put a paper, new or known, where later records find it."""
        if paper.pk:
            self.by_pk[paper.pk] = paper
        self._by_key[paper.key] = paper
        if paper.arxiv_id:
            self._by_arxiv[paper.arxiv_id] = paper
        for name, bearers in ((paper.doi, self._by_doi), (paper.fingerprint, self._by_fingerprint)):
            if name and paper not in bearers[name]:
                bearers[name].append(paper)

    def find(self, wanted: Identity) -> Paper | None:
        """The paper of the record's work: by its key, by arXiv id, by DOI, by title with first author and year.

        Two arXiv ids are never one work, nor two DOIs: only a person can say so. Nor is a title alone ever enough.
        """
        if paper := self._by_key.get(wanted.key):
            return paper
        if wanted.arxiv_id and (paper := self._by_arxiv.get(wanted.arxiv_id)):
            return paper
        for paper in self._by_doi.get(wanted.doi or "", ()):
            if _may_be(paper, wanted):
                return paper
        for paper in self._by_fingerprint.get(wanted.fingerprint, ()):
            if _may_be(paper, wanted) and _years_fit(paper, wanted):
                return paper
        return None

    def name(self, paper: Paper, named: Identity) -> tuple[Paper, Paper] | None:
        """Give the paper the names that its record says, as far as no other row bears them.

        Where the record proves that another row is the same work, this comes back as (twin, survivor): a row without
        arXiv id is the twin of the row that has it.
        """
        holder = self._by_arxiv.get(named.arxiv_id or "", paper)
        if named.arxiv_id and not paper.arxiv_id and holder is paper:
            paper.arxiv_id, paper.key = named.arxiv_id, named.key
        paper.doi = paper.doi or named.doi
        paper.fingerprint = paper.fingerprint or named.fingerprint
        others = [holder] if holder is not paper else self._by_doi.get(named.doi or "", [])
        self.add(paper)
        for other in others:
            if other is not paper and bool(other.arxiv_id) != bool(paper.arxiv_id):
                twin, survivor = (paper, other) if other.arxiv_id else (other, paper)
                if not (twin.stands_alone or twin.merged_into_id or survivor.merged_into_id):
                    return twin, survivor
        return None


def _may_be(paper: Paper, wanted: Identity) -> bool:
    if paper.stands_alone:  # an editor said that it is nobody's twin: only its own names lead to it
        return not wanted.arxiv_id and wanted.doi == paper.doi is not None
    other_arxiv = paper.arxiv_id and wanted.arxiv_id and paper.arxiv_id != wanted.arxiv_id
    other_doi = paper.doi and wanted.doi and paper.doi != wanted.doi
    return not (other_arxiv or other_doi)


def _years_fit(paper: Paper, wanted: Identity) -> bool:
    day = paper.submitted_at or paper.announced_on or paper.featured_on
    return bool(day and wanted.year and abs(day.year - wanted.year) <= 1)
