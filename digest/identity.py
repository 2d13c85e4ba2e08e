"""One work, one paper: which records and rows are the same work."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from digest.dois import dois_in
from digest.models import Paper
from digest.sources.arxiv import bare_id
from digest.sources.base import PaperRecord
from digest.text import readable

_ARXIV_DOI = "10.48550/arxiv."
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
        own = self.record.arxiv_id
        return (bare_id(own) or own) if own else next(filter(None, map(_arxiv_id, self._dois)), None)

    @property
    def doi(self) -> str | None:
        """The journal's DOI; the first, where a work in two journals has two."""
        return self.dois[0] if self.dois else None

    @cached_property
    def dois(self) -> tuple[str, ...]:
        """All DOIs that journals gave the work, as ``dois_in`` writes them."""
        return tuple(doi for doi in self._dois if not (self.arxiv_id and doi.startswith(_ARXIV_DOI)))

    @cached_property
    def _dois(self) -> tuple[str, ...]:
        return dois_in(self.record.doi or "")

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


def _arxiv_id(doi: str) -> str | None:
    """The arXiv id that a DOI of arXiv's own holds."""
    return bare_id(doi) if doi.startswith(_ARXIV_DOI) else None


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
        for paper in self._bearers(wanted):
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
        others = [*self._bearers(named), *filter(None, [self._by_arxiv.get(named.arxiv_id or "")])]
        pairs = []
        for other in {id(row): row for row in others}.values():
            settled = any(row.stands_alone or row.merged_into_id for row in (paper, other))
            if other is not paper and not settled and not (paper.arxiv_id and other.arxiv_id):
                pairs.append((paper, other) if other.arxiv_id else (other, paper))
        return pairs

    def _bearers(self, named: Identity) -> list[Paper]:
        return [paper for doi in named.dois for paper in self._by_doi.get(doi, ())]

    def _may_be(self, paper: Paper, wanted: Identity) -> bool:
        if paper.stands_alone:  # an editor said that it is nobody's twin: only its own names lead to it
            return not wanted.arxiv_id and paper.doi in wanted.dois
        work = self.by_pk.get(paper.merged_into_id or 0, paper)
        other_arxiv = any(row.arxiv_id and wanted.arxiv_id not in (None, row.arxiv_id) for row in (paper, work))
        return not other_arxiv and not (paper.doi and wanted.dois and paper.doi not in wanted.dois)


def _years_fit(paper: Paper, wanted: Identity) -> bool:
    day = paper.submitted_at or paper.announced_on or paper.featured_on
    return bool(day and wanted.year and abs(day.year - wanted.year) <= 1)
