"""Who is to be told what next, and who was told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.db import transaction
from pyroaring import BitMap64

from digest.follow_ups.works import Work, works_of
from digest.models import Digest, FollowUp
from digest.sent import twins_of

TOLD_FOR = timedelta(days=14)
AT_MOST = 3  # in one digest
NOBODY = BitMap64().serialize()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of news with those who may not know it yet."""

    work: Work
    what: str
    to_tell: BitMap64


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, read once for all readers of a run."""

    pieces: tuple[Piece, ...] = ()  # the newest first
    since: date = date.min  # of digests of earlier days ``to_tell`` knows

    @classmethod
    def read(cls, now: datetime) -> Self:
        """News of the last 14 days that are still so, as they are at ``now``. Four queries, whatever the readers."""
        # Before the bitmaps: a day that is folded after this look is looked at digest by digest all the same.
        unfolded = Digest.objects.oldest_open_day()
        yesterday = now.date() - timedelta(days=1)  # where no day is open yet, the first digests may come of this run
        live = FollowUp.objects.filter(found_at__gt=now - TOLD_FOR).exclude(to_tell=NOBODY)
        found = list(live.order_by("-found_at", "-pk"))
        works = works_of(row.paper_id for row in found)
        merged: dict[tuple[int, str], Piece] = {}
        for row in found:
            work = works[row.paper_id]
            if work.still(row.what):
                known = merged.setdefault((work.row, row.what), Piece(work, row.what, BitMap64()))
                known.to_tell.update(readers_of(row))
        return cls(tuple(merged.values()), min(unfolded or yesterday, yesterday))

    def for_readers(self, readers: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """What each of these readers' next digest tells, as ``Digest.follow_ups`` keeps it: {reader: news}.

        At most three, the newest first; what a digest that counts as sent has already is not told again. One query
        where one of the readers is to be told anything, else none.
        """
        chunk = BitMap64(readers)
        concerned = [(piece, own) for piece in self.pieces if (own := piece.to_tell & chunk)]
        if not concerned:
            return {}
        told = self._told(BitMap64.union(*(own for _, own in concerned)))
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for piece, own in concerned:
            for reader in own - BitMap64.union(*(told[row, piece.what] for row in piece.work.rows)):
                if len(found[reader]) < AT_MOST:
                    found[reader].append({"paper": piece.work.row, "what": piece.what})
        return dict(found)

    def _told(self, readers: Iterable[int]) -> dict[tuple[int, str], BitMap64]:
        """By what the digests of these readers say: {(paper, what): readers}."""
        own = Digest.objects.counting_as_sent().filter(subscriber_id__any_of=list(readers), day__gte=self.since)
        told: dict[tuple[int, str], BitMap64] = defaultdict(BitMap64)
        for reader, news in own.exclude(follow_ups=[]).values_list("subscriber_id", "follow_ups"):
            for one in news:
                told[one["paper"], one["what"]].add(reader)
        return told


def readers_of(row: FollowUp) -> BitMap64:
    """The ids of the readers who are to be told."""
    return BitMap64.deserialize(bytes(row.to_tell))


def told(readers: Mapping[tuple[int, str], Iterable[int]]) -> None:
    """Take these readers out of news that they were told: {(paper, what): subscriber ids}, by any row of the work."""
    papers = {paper for paper, _ in readers}
    if not papers:
        return
    works = {paper: {paper, *others} for paper, others in {**dict.fromkeys(papers, ()), **twins_of(papers)}.items()}
    gone: dict[tuple[int, str], BitMap64] = defaultdict(BitMap64)
    for (paper, what), own in readers.items():
        for row in works[paper]:
            gone[row, what].update(own)
    with transaction.atomic():
        rows = FollowUp.objects.filter(paper__in={row for row, _ in gone}).exclude(to_tell=NOBODY)
        _take_out(list(rows.order_by("pk").select_for_update()), gone)


def forget(reader: int) -> None:
    """Take a reader out of all news."""
    with transaction.atomic():
        live = FollowUp.objects.exclude(to_tell=NOBODY)
        pks = [row.pk for row in live.iterator(100) if reader in readers_of(row)]
        rows = list(FollowUp.objects.filter(pk__in=pks).order_by("pk").select_for_update())
        _take_out(rows, {(row.paper_id, row.what): BitMap64([reader]) for row in rows})


def _take_out(locked: Sequence[FollowUp], gone: Mapping[tuple[int, str], BitMap64]) -> None:
    changed = []
    for row in locked:
        left = readers_of(row) - gone.get((row.paper_id, row.what), BitMap64())
        if (serialized := left.serialize()) != bytes(row.to_tell):
            row.to_tell = serialized
            changed.append(row)
    FollowUp.objects.bulk_update(changed, ["to_tell"], batch_size=100)
