"""Two rows that are one work, made one and two again. Who was sent which row stays as it was written."""

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from digest.facts import ABSORBED, TOLD, absorb, kept, trust_of
from digest.identity import Identity
from digest.models import EditionPaper, Paper, Sighting
from digest.papers import Stored, lock
from digest.sources import SOURCES
from digest.sources.base import PaperRecord

log = logging.getLogger(__name__)
BY_SOURCE = "source "  # how ``merged_by`` begins where no person said so
_UNKNOWN = {f.name: f.get_default() for f in Paper._meta.concrete_fields if f.name in TOLD}


class CannotMerge(Exception):  # noqa: N818 - a refusal with its reason
    """These rows cannot be made one; the text says why and what to do."""


def merge(papers: Collection[int], now: datetime, by: str) -> Paper:
    """Make the rows with these ids one work; the row that stays visible. Raises CannotMerge.

    It is the one with an arXiv id, else the oldest. Nothing is moved: the others point to it, are in no new edition,
    and count as sent where any of them was. So ``unmerge`` gives back what was.
    """
    with transaction.atomic():
        rows = list(lock(Paper.objects.filter(Q(pk__in=papers) | Q(merged_into__in=papers))))
        chosen = [row for row in rows if row.pk in papers]
        if len(chosen) < 2:
            raise CannotMerge("Choose at least two papers that are one work.")
        survivor, *twins = sorted(chosen, key=lambda row: (not row.arxiv_id, row.pk))
        bound = [row for row in rows if row.merged_into_id not in (None, survivor.pk)]
        if survivor.merged_into_id or any(row in chosen or not row.merged_by.startswith(BY_SOURCE) for row in bound):
            raise CannotMerge("One of them was merged with others before: take it apart first.")
        # What a source merged into one of the twins by proof comes along.
        Paper.objects.filter(pk__in=[row.pk for row in bound]).update(merged_into=survivor)
        Paper.objects.filter(pk__in=[twin.pk for twin in twins]).update(
            merged_into=survivor, merged_at=now, merged_by=by[:80], stands_alone=False
        )
        return rebuild(survivor.pk)


def unmerge(twin: Paper) -> Paper:
    """Make the row a work of its own again, for good: no source may merge it again. Returns it."""
    with transaction.atomic():
        pair = {row.pk: row for row in lock(Paper.objects.filter(Q(pk=twin.pk) | Q(twins=twin)))}
        row = pair[twin.pk]
        survivor = pair.get(row.merged_into_id or 0)
        if survivor is None:
            return row
        Paper.objects.filter(pk=row.pk).update(merged_into=None, merged_at=None, merged_by="", stands_alone=True)
        rebuild(survivor.pk)
        return rebuild(row.pk)


def settle(stored: Stored, now: datetime, by: str) -> None:
    """What follows from records that were stored: proven doubles become one work, works of several rows learn.

    Rows that an editor worked on are left to people: their page names the other one (``lookalikes``).
    """
    for pair in stored.doubles:
        if _edited(pair):
            log.info("papers %s and %s are one work, but an editor worked on them", *pair)
            continue
        try:
            merge(pair, now, by)
        except CannotMerge as refusal:
            log.info("papers %s and %s: %s", *pair, refusal)
    if stored.told:
        told = Q(pk__in=stored.told, twins__isnull=False) | Q(twins__in=stored.told)
        for pk in sorted(set(Paper.objects.filter(told).values_list("pk", flat=True))):  # in the order of all locks
            rebuild(pk)


def lookalikes(paper: Paper) -> list[Paper]:
    """Rows that may be the same work and are not merged with it: the same DOI, or title with first author."""
    same = Q(doi=paper.doi) if paper.doi else Q()
    same |= Q(fingerprint=paper.fingerprint) if paper.fingerprint else Q()
    own = [paper.pk, *([paper.merged_into_id] if paper.merged_into_id else [])]
    return list(Paper.objects.filter(same).exclude(pk__in=own).exclude(merged_into__in=own)[:20]) if same else []


def rebuild(pk: int) -> Paper:
    """The paper as its sources' own records tell it, those of its twins included; an editor's work stays. Saves it.

    A row some of whose records cannot be read any more, or that has none, keeps what it has: it was made by hand, or a
    source is gone. Whether it is withdrawn or hidden, and since when there is code, is of each row alone; what follows
    for the work is derived.
    """
    with transaction.atomic():
        paper = lock(Paper.objects.filter(pk=pk)).get()
        twins = list(paper.twins.order_by("pk"))
        records = _records_of(paper, twins)
        if records is None:
            return paper
        withdrawal, code_seen_at, own = (paper.withdrawn_at, paper.withdrawn_from), paper.code_seen_at, kept(paper)
        for name, unknown in _UNKNOWN.items():
            if name not in own:
                setattr(paper, name, unknown)
        for named, seen_at in records:
            absorb(paper, named, seen_at, seen_at)
        # What an editor corrected on a twin holds here too; what was typed of a row made by hand fills gaps only.
        corrected = set(Sighting.objects.filter(paper__in=twins).values_list("paper", flat=True))
        for twin in twins:
            for name in (kept(twin) & set(TOLD)) - own:
                if twin.pk in corrected or not getattr(paper, name) or name.startswith("blurb"):
                    setattr(paper, name, getattr(twin, name))
        (paper.withdrawn_at, paper.withdrawn_from), paper.code_seen_at = withdrawal, code_seen_at
        paper.save(update_fields=ABSORBED)
    return paper


def _records_of(paper: Paper, twins: list[Paper]) -> list[tuple[Identity, datetime]] | None:
    """What the sources said of the work and when each was first seen; None if not all that this row has can be read.

    The least trusted first, and of one source the oldest first.
    """
    told: list[tuple[Identity, datetime]] = []
    own = []
    sightings = Sighting.objects.filter(paper__in=[paper, *twins]).order_by("last_seen_at", "pk")
    for seen in sightings:
        day = seen.day or seen.first_seen_at.date()
        record = SOURCES[seen.source].read(seen.raw, day) if seen.source in SOURCES else None
        if isinstance(record, PaperRecord):
            first = min(record.featured_on, day) if record.featured_on else None  # featured again: the first day counts
            told.append((Identity(replace(record, featured_on=first)), seen.first_seen_at))
        if seen.paper_id == paper.pk:
            own.append(isinstance(record, PaperRecord))
    if not own or not all(own):
        return None
    return sorted(told, key=lambda item: trust_of(item[0].record.source))


_TOUCHED = Q(pinned=True) | Q(hidden=True) | ~Q(blurb="")


def _edited(papers: Collection[int]) -> bool:
    rows = Paper.objects.filter(pk__in=papers)
    touched = EditionPaper.objects.filter(_TOUCHED, paper__in=papers)
    by_hand = rows.exclude(edited=[]) | rows.exclude(hidden_at=None)
    return by_hand.exists() or touched.exists()
