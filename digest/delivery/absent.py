"""Papers that are in picks but not to be sent any more: hidden, withdrawn, or the same work as one before them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Coalesce

from digest.ledger import Unless
from digest.models import Digest, Paper, work_is_gone, work_is_hidden


class Fact(NamedTuple):
    """What was known of a paper when it was last looked at."""

    work: int
    left_out: bool


Range = tuple[date | None, date | None]


def _range(digest: Digest) -> Range:
    return digest.content_from, digest.content_to


@dataclass
class Absent:
    """What one run of sending knows of the papers in its digests, and how the database is asked whether it holds."""

    facts: dict[Range, dict[int, Fact]] = field(default_factory=dict)

    def look_up(self, digests: Iterable[Digest], *, again: bool = False) -> None:
        """Read what is not known yet, or all of it again: a query for each range of editions, mostly one."""
        wanted: dict[Range, set[int]] = {}
        for digest in digests:
            known = {} if again else self.facts.get(_range(digest), {})
            wanted.setdefault(_range(digest), set()).update({p["paper"] for p in digest.picks} - known.keys())
        for range_, papers in wanted.items():
            known = self.facts.setdefault(range_, {})
            if papers:
                known.update(_read(papers, range_))

    def of(self, digest: Digest) -> frozenset[int]:
        """The papers of a digest that the mail leaves out."""
        facts, gone, works = self.facts[_range(digest)], set(), set()
        for paper in (p["paper"] for p in digest.picks):
            work, left_out = facts.get(paper, Fact(paper, True))
            if left_out or work in works:
                gone.add(paper)
            else:
                works.add(work)
        return frozenset(gone)

    def changed(self, digests: Sequence[Digest]) -> Unless | None:
        """Whether anything that is known of these digests' papers is not so any more; None where nothing can."""
        there: set[int] = set()
        merged: set[int] = set()
        for digest in digests:
            facts = self.facts[_range(digest)]
            for paper in (p["paper"] for p in digest.picks):
                fact = facts.get(paper)
                if fact and not fact.left_out:
                    (there if fact.work == paper else merged).add(paper)
        days = [day for digest in digests for day in _range(digest) if day]
        watched = {"papers": sorted(there | merged), "first": min(days), "last": max(days)} if there or merged else {}
        if merged:  # what was merged may be merged no further, and what was not may not be at all
            watched["unmerged"] = sorted(there) or [0]
        return Unless(_changed, watched) if watched else None


def _changed(papers: list[int], first: date, last: date, unmerged: list[int] | None = None) -> Exists:
    rows = _annotated(papers, (first, last))
    moved = Q(merged_into__isnull=False)
    return Exists(rows.filter(Q(left_out=True) | (moved if unmerged is None else moved & Q(pk__any_of=unmerged))))


def _annotated(papers: list[int], range_: Range) -> QuerySet[Any]:
    rows = Paper.objects.filter(pk__any_of=papers).annotate(work=Coalesce("merged_into", "pk"))
    hidden = work_is_hidden(edition__day__gt=range_[0], edition__day__lte=range_[1]) if all(range_) else Q(pk=None)
    return rows.annotate(left_out=work_is_gone("work") | hidden)


def _read(papers: Iterable[int], range_: Range) -> dict[int, Fact]:
    rows = _annotated(list(papers), range_).values_list("pk", "work", "left_out")
    return {pk: Fact(work, left_out) for pk, work, left_out in rows}
