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

_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)
_DOI_ADDRESS = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_DOI = re.compile(r"10\.[0-9]{4,9}/\S{1,240}")  # https://www.doi.org/doi_handbook/2_Numbering.html
# Titles that many works have: they say nothing, whoever wrote them.
_GENERIC = re.compile(
    r"(?:comments?|reply|response|rejoinder|answer) (?:on|to)\b"
    r"|(?:author |publisher )?(?:correction|corrigendum|erratum|addendum|retraction)\b"
    r"|(?:editorial|preface|foreword|introduction|proceedings|book review|obituary)\b"
)
FEWEST_WORDS = 3
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)", re.IGNORECASE)


def bare_doi(text: str) -> str:
    """The DOI in ``text`` without "https://doi.org/", as it is written; empty where it is none."""
    doi = _DOI_ADDRESS.sub("", text.strip(), count=1)
    return doi if _DOI.fullmatch(doi) else ""


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
        found = _ARXIV_DOI.fullmatch(bare_doi(self.record.doi or ""))
        return self.record.arxiv_id or (bare_id(found[1]) if found else None)

    @cached_property
    def doi(self) -> str | None:
        """The journal's DOI in lower case: DOIs do not tell cases apart."""
        doi = bare_doi(self.record.doi or "").lower()
        return None if not doi or (_ARXIV_DOI.fullmatch(doi) and self.arxiv_id) else doi

    @cached_property
    def fingerprint(self) -> str:
        """Of the title and the first author; empty where the title could be anybody's."""
        words = _words(self.title)
        if not self.record.authors or len(words.split()) < FEWEST_WORDS or _GENERIC.match(words):
            return ""
        author = short_name(readable(self.record.authors[0]))
        return hashlib.blake2b(f"{words}|{author}".encode(), digest_size=16).hexdigest() if author else ""

    @cached_property
    def year(self) -> int | None:
        """The year that the record places the work in."""
        day = self.record.submitted_at or self.record.announced_on or self.record.featured_on
        return day.year if day else None

    @cached_property
    def key(self) -> str:
        """The arXiv id, else DOI, else title with first author and year, else the source's own name of it."""
        if self.arxiv_id:
            return f"arxiv:{self.arxiv_id}"
        if self.doi:
            return f"doi:{self.doi}"
        if self.fingerprint and self.year:
            return f"title:{self.fingerprint}:{self.year}"
        own = self.record.source_key
        if not own:  # an editor's
            said = f"{_words(self.title)}|{'|'.join(self.record.authors)}"
            own = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).hexdigest()
        return f"{self.record.source}:{own}"[:330]


def short_name(name: str) -> str:
    """Initial and family name, bare of accents and case: "Ana Ünal, Jr.", "Unal, A." and "A. Unal" are one."""
    first, _, rest = name.partition(",")
    given_last = rest and not _SUFFIX.fullmatch(rest.strip(" ."))
    family, given = (_words(first).split(), _words(rest).split()) if given_last else ([], _words(first).split())
    while len(given) > 1 and _SUFFIX.fullmatch(given[-1]):
        given.pop()
    if not given_last and given:
        family = [given.pop()]
    return " ".join([*(word[0] for word in given[:1]), *family])


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
            self._add(paper)

    def _add(self, paper: Paper) -> None:
        if paper.pk:
            self.by_pk[paper.pk] = paper
        self._by_key[paper.key] = paper
        if paper.arxiv_id:
            self._by_arxiv[paper.arxiv_id] = paper
        for name, bearers in ((paper.doi, self._by_doi), (paper.fingerprint, self._by_fingerprint)):
            if name and paper not in bearers[name]:
                bearers[name].append(paper)

    def find(self, wanted: Identity) -> Paper | None:
        """The paper of the record's work: by its key, which holds the arXiv id, by DOI, by title with first author
        and year.

        Two arXiv ids are never one work, nor two DOIs: only a person can say so. Nor is a title alone ever enough.
        """
        if paper := self._by_key.get(wanted.key):
            return paper
        for paper in self._by_doi.get(wanted.doi or "", ()):
            if self._may_be(paper, wanted):
                return paper
        for paper in self._by_fingerprint.get(wanted.fingerprint, ()):
            if self._may_be(paper, wanted) and _years_fit(paper, wanted):
                return paper
        return None

    def name(self, paper: Paper, named: Identity) -> None:
        """Give the paper the names that its record says, as far as it has none and no other row bears them.

        A row that was merged gets no arXiv id: its work may have one, and this could be another's.
        """
        free = named.arxiv_id and named.arxiv_id not in self._by_arxiv
        if free and not paper.arxiv_id and not paper.merged_into_id:
            paper.arxiv_id, paper.key = named.arxiv_id, named.key
        paper.doi = paper.doi or named.doi
        paper.fingerprint = paper.fingerprint or named.fingerprint
        self._add(paper)

    def doubles(self, paper: Paper, named: Identity) -> list[tuple[Paper, Paper]]:
        """Rows that the record proves to be one work: (twin, survivor), of which the survivor has the arXiv id.

        The proof is a DOI that two rows bear, or an arXiv id that the record says of a row and another row has. Not for
        rows that have two arXiv ids, that are merged, or that an editor took apart.
        """
        others = [*self._by_doi.get(named.doi or "", ()), *filter(None, [self._by_arxiv.get(named.arxiv_id or "")])]
        pairs = []
        for other in {id(row): row for row in others}.values():
            settled = any(row.stands_alone or row.merged_into_id for row in (paper, other))
            if other is not paper and not settled and not (paper.arxiv_id and other.arxiv_id):
                pairs.append((paper, other) if other.arxiv_id else (other, paper))
        return pairs

    def _may_be(self, paper: Paper, wanted: Identity) -> bool:
        if paper.stands_alone:  # an editor said that it is nobody's twin: only its own names lead to it
            return not wanted.arxiv_id and wanted.doi == paper.doi is not None
        work = self.by_pk.get(paper.merged_into_id or 0, paper)
        other_arxiv = any(row.arxiv_id and wanted.arxiv_id not in (None, row.arxiv_id) for row in (paper, work))
        return not other_arxiv and not (paper.doi and wanted.doi not in (None, paper.doi))


def _years_fit(paper: Paper, wanted: Identity) -> bool:
    day = paper.submitted_at or paper.announced_on or paper.featured_on
    return bool(day and wanted.year and abs(day.year - wanted.year) <= 1)
