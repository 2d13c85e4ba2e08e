"""Who was sent a paper, for ever, by paper: one compressed bitmap of subscriber ids each."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

from django.db import transaction
from pyroaring import BitMap64

from digest.models import Paper, Sent

AT_ONCE = 100  # bitmaps; one can be some hundred kilobytes
K = TypeVar("K", bound=Hashable)  # what names a paper


def readers_of(sent: Sent) -> BitMap64:
    """The ids of the readers whom the paper was sent to."""
    return BitMap64.deserialize(bytes(sent.readers))


def twins_of(papers: Collection[int]) -> dict[int, frozenset[int]]:
    """For each of these papers that was merged with others, the other rows of its work."""
    survivors = dict(Paper.objects.filter(pk__in=papers).exclude(merged_into=None).values_list("pk", "merged_into"))
    works: dict[int, set[int]] = defaultdict(set)
    rows = Paper.objects.filter(merged_into__in={*papers, *survivors.values()})
    for twin, survivor in rows.values_list("pk", "merged_into"):
        works[survivor or 0] |= {twin, survivor or 0}
    named = {paper: works.get(survivors.get(paper, paper) or 0, set()) - {paper} for paper in papers}
    return {paper: frozenset(others) for paper, others in named.items() if others}


def readers_of_works(papers: Collection[int], twins: Mapping[int, Collection[int]]) -> dict[int, BitMap64]:
    """Who was sent each of these papers, in whichever row of its work: {paper: readers}; no entry for nobody."""
    rows = {*papers, *(row for paper in papers for row in twins.get(paper, ()))}
    stored = Sent.objects.filter(paper_id__any_of=rows).values_list("paper_id", "readers").iterator(AT_ONCE)
    by_row = {row: BitMap64.deserialize(bytes(readers)) for row, readers in stored}
    found: dict[int, BitMap64] = {}
    for paper in papers:
        own = [by_row[row] for row in (paper, *twins.get(paper, ())) if row in by_row]
        if own:
            found[paper] = BitMap64.union(*own)
    return found


def papers_of(readers: Iterable[int], known: Mapping[K, BitMap64]) -> dict[int, set[K]]:
    """Which of the papers of ``known`` each of these readers was sent; those who were sent none are left out."""
    found: dict[int, set[K]] = {}
    asked = BitMap64(readers) if known else BitMap64()
    for paper, own in known.items():
        for reader in own & asked:
            found.setdefault(reader, set()).add(paper)
    return found


def add(readers: Mapping[int, Iterable[int]]) -> None:
    """Add readers to papers: {paper id: subscriber ids}. Adding again changes nothing."""
    with transaction.atomic():
        existing = set(Paper.objects.filter(pk__in=readers).values_list("pk", flat=True))
        # There first, then locked in one order: of two that add to the same papers neither forgets the other's readers.
        nobody = BitMap64().serialize()
        Sent.objects.bulk_create(
            [Sent(paper_id=paper, readers=nobody) for paper in existing], ignore_conflicts=True, batch_size=200
        )
        locked = Sent.objects.filter(pk__in=existing).order_by("pk").select_for_update()
        known = {sent.paper_id: sent for sent in locked}
        rows = []
        for paper, ids in ((paper, ids) for paper, ids in readers.items() if paper in existing):
            bitmap = readers_of(known[paper])
            bitmap.update(ids)
            rows.append(Sent(paper_id=paper, readers=bitmap.serialize()))
        Sent.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["paper"], update_fields=["readers"], batch_size=200
        )
