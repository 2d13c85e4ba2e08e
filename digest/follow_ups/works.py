"""A work in all its rows, and what became of it by any of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from digest.addresses import linkable
from digest.models import Digest, Paper
from digest.sent import twins_of

WITHDRAWN, CODE = Digest.FollowUp.WITHDRAWN, Digest.FollowUp.CODE


@dataclass(frozen=True, slots=True)
class Work:
    """All rows of a work, and what became of it by any of them."""

    row: int  # the one that readers see
    rows: frozenset[int]
    withdrawn_at: datetime | None
    code_seen_at: datetime | None  # the first of them
    has_code: bool
    is_hidden: bool

    def still(self, what: str) -> bool:
        """Whether it may be told. Of the code of a paper that was withdrawn nobody wants to hear."""
        if self.is_hidden:
            return False
        return bool(self.withdrawn_at) if what == WITHDRAWN else self.has_code and not self.withdrawn_at


def works_of(papers: Iterable[int]) -> dict[int, Work]:
    """The work of each of these papers, by the row of the paper."""
    papers = set(papers)
    if not papers:
        return {}
    twins = twins_of(papers)
    every = papers.union(*twins.values())
    names = ("pk", "merged_into", "withdrawn_at", "code_seen_at", "code_url", "hidden_at")
    rows = {row[0]: row for row in Paper.objects.filter(pk__in=every).values_list(*names)}
    works = {}
    for paper in papers & rows.keys():
        seen = rows[paper][1] or paper
        own = [rows[row] for row in {paper, *twins.get(paper, ())} if row in rows]
        _, _, withdrawn, code_seen, _, hidden = zip(*own, strict=True)
        works[paper] = Work(
            row=seen,
            rows=frozenset(row[0] for row in own),
            withdrawn_at=min(filter(None, withdrawn), default=None),
            code_seen_at=min(filter(None, code_seen), default=None),
            has_code=bool(linkable(rows[seen][4])),
            is_hidden=any(hidden),
        )
    return works
