"""Two rows that are one work, made one and two again. Who was sent which row stays as it was written."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from digest.identity import Identity
from digest.models import EditionPaper, Paper, Sighting
from digest.papers import ABSORBED, absorb, trust_of
from digest.sources import SOURCES
from digest.sources.base import PaperRecord

SAME_WORK = "the same work is in this edition"
KEPT = {"key", "arxiv_id", "doi", "fingerprint", "featured_at"}  # names, and what the clock said
_UNKNOWN = {f.name: f.get_default() for f in Paper._meta.concrete_fields if f.name in ABSORBED and f.name not in KEPT}


class CannotMerge(Exception):  # noqa: N818 - a refusal with its reason
    """These rows cannot be made one; the text says why."""


def merge(papers: Iterable[Paper], now: datetime, by: str) -> Paper:
    """Make these rows one work; the row that stays visible. Raises CannotMerge.

    It is the one with an arXiv id, else the oldest. Nothing is moved: the others point to it, are in no new edition,
    and count as sent where any of them was. So ``unmerge`` gives back what was.
    """
    with transaction.atomic():
        rows = list(Paper.objects.filter(pk__in=[p.pk for p in papers]))
        if len(rows) < 2:
            raise CannotMerge("Choose at least two papers that are one work.")
        if any(row.merged_into_id for row in rows):
            raise CannotMerge(
                "One of them is merged already: take it apart first, or choose the paper it is merged into."
            )
        survivor, *twins = sorted(rows, key=lambda row: (not row.arxiv_id, row.pk))
        ids = [twin.pk for twin in twins]
        Paper.objects.filter(merged_into__in=ids).update(merged_into=survivor)
        Paper.objects.filter(pk__in=ids).update(
            merged_into=survivor, merged_at=now, merged_by=by[:80], stands_alone=False
        )
        _hide_doubles(survivor)
        return rebuild(survivor)


def unmerge(twin: Paper) -> Paper:
    """Make the row a work of its own again, for good: no source may merge it again. Returns it."""
    with transaction.atomic():
        survivor = twin.merged_into
        if survivor is None:
            return twin
        Paper.objects.filter(pk=twin.pk).update(merged_into=None, merged_at=None, merged_by="", stands_alone=True)
        EditionPaper.objects.filter(paper=twin, hidden=True, hidden_reason=SAME_WORK).update(
            hidden=False, hidden_reason=""
        )
        _hide_doubles(survivor)
        rebuild(survivor)
        twin.refresh_from_db()
        return rebuild(twin)


def rebuild(paper: Paper) -> Paper:
    """The paper as its sources' own records tell it, those of its twins included; an editor's work stays. Saves it.

    A row without records of its own keeps what it has: it was made by hand, or its sources are gone.
    """
    if paper.sightings.exists():
        kept = {*paper.edited, *({"blurb", "blurb_origin"} if paper.blurb_origin == Paper.Origin.EDITOR else ())}
        for name, unknown in _UNKNOWN.items():
            if name not in kept:
                setattr(paper, name, unknown)
    for record in _records_of(paper):
        absorb(paper, Identity(record))
    paper.save(update_fields=ABSORBED)
    return paper


def _records_of(paper: Paper) -> list[PaperRecord]:
    """What the sources said of the work: the least trusted first, and of one source the oldest first."""
    sightings = Sighting.objects.filter(paper__in=[paper.pk, *paper.twins.values_list("pk", flat=True)])
    fetched = [
        SOURCES[s.source].read(s.raw, s.day or s.first_seen_at.date())
        for s in sightings.order_by("last_seen_at", "pk")
        if s.source in SOURCES
    ]
    return sorted((r for r in fetched if isinstance(r, PaperRecord)), key=trust_of)


def _hide_doubles(survivor: Paper) -> None:
    """In an edition that lists several rows of the work, the first stays. Delivery leaves out what is hidden."""
    family = [survivor.pk, *survivor.twins.values_list("pk", flat=True)]
    entries = EditionPaper.objects.filter(paper__in=family, hidden=False).order_by(
        "edition", F("paper__merged_into").asc(nulls_first=True), "position"
    )
    seen: set[int] = set()
    for entry in entries:
        if entry.edition_id in seen:
            EditionPaper.objects.filter(pk=entry.pk).update(hidden=True, hidden_reason=SAME_WORK)
        seen.add(entry.edition_id)
