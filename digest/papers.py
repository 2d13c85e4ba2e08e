"""Records in, rows out. What a record says again costs one comparison; what is new is written in bulk."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from digest.bulk import create, insert
from digest.facts import ABSORBED, COUNTS, absorb, trust_of
from digest.identity import Identity, Works
from digest.models import Paper, Sighting, Signal
from digest.sources.base import PaperRecord

# Part of every record's hash: raise it when ``absorb`` or ``digest.text`` learns something, and each record that comes
# again is read once more.
RULES = 2
Name = tuple[str, str]  # source and the source's key: of a record, and of its sighting
Batch = dict[Name, PaperRecord]


class Known(NamedTuple):
    """What is to be known of a sighting to tell whether its record says anything new."""

    pk: int
    paper_id: int
    source_key: str
    content_hash: str
    day: date | None
    first_seen_at: datetime


@dataclass(slots=True)
class Stored:
    """What became of the records.

    ``earlier`` are the source's keys of records that came for an earlier day before. ``doubles`` are pairs of rows that
    a record proves to be one work, and ``told`` the rows that learnt something: both for ``merging.settle``.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    earlier: set[str] = field(default_factory=set)
    doubles: list[tuple[int, int]] = field(default_factory=list)
    told: list[int] = field(default_factory=list)


def store(records: Iterable[PaperRecord], day: date, now: datetime) -> Stored:
    """Upsert papers, sightings and signals of records that came for ``day``, in one transaction.

    Eight queries at most, whatever the number of records (SQLite splits long ones); two where they say nothing new.
    Raises IntegrityError or OperationalError where another worker was first with a paper: then the same call again
    finds its rows. Raises DataError or ValueError where a record holds what the database cannot keep. Then none is
    stored.
    """
    batch = {(record.source, record.source_key): record for record in records}
    hashes = {name: content_hash(record) for name, record in batch.items()}
    with transaction.atomic():
        known = _known_sightings(batch)
        same = {name for name, sighting in known.items() if sighting.content_hash == hashes[name]}
        if same:
            Sighting.objects.filter(pk__any_of=sorted(known[name].pk for name in same)).update(last_seen_at=now)
        stored = Stored(unchanged=len(same))
        stored.earlier = {s.source_key for s in known.values() if s.day and s.day < day}
        told = [Identity(record) for name, record in batch.items() if name not in same]
        if told:
            told.sort(key=lambda named: trust_of(named.record.source))
            paper_of = _tell(told, known, stored, now)
            _keep_sightings(paper_of, batch, known, hashes, day, now)
    return stored


def content_hash(record: PaperRecord) -> str:
    """Equal for records that say the same. ``raw`` is left out: what of it matters is in the other fields."""
    said = f"{RULES}{_said(record)!r}"
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).hexdigest()


_said = attrgetter(*(name for name in PaperRecord.__dataclass_fields__ if name != "raw"))


def known_as(record: PaperRecord) -> Paper | None:
    """The row that has the record's work already; the one that readers see, where it was merged into another."""
    named = Identity(record)
    paper = Works(_rows_named_by([named], [])).find(named)
    return paper and (paper.merged_into or paper)


def _known_sightings(batch: Batch) -> dict[Name, Known]:
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in batch:
        keys[source].append(key)
    return {
        (source, known.source_key): known
        for source, own in keys.items()
        for known in map(
            Known._make,
            Sighting.objects.filter(source=source, source_key__any_of=own).values_list(*Known._fields),
        )
    }


def _tell(told: Sequence[Identity], known: dict[Name, Known], stored: Stored, now: datetime) -> dict[Name, Paper]:
    """Let records that are new, or say something new, change papers, and write these; the paper of each record."""
    names = [(named.record.source, named.record.source_key) for named in told]
    works = Works(_rows_named_by(told, [known[name].paper_id for name in names if name in known]))
    before = {paper.pk: _state(paper) for paper in works.by_pk.values()}
    paper_of: dict[Name, Paper] = {}
    new: dict[int, Paper] = {}
    for name, named in zip(names, told, strict=True):
        sighting = known.get(name)
        paper = works.by_pk[sighting.paper_id] if sighting else works.find(named)
        if paper is None:
            paper = Paper(key=named.key, first_seen_at=now)
            new[id(paper)] = paper
        works.name(paper, named)
        absorb(paper, named, sighting.first_seen_at if sighting else now, now)
        paper_of[name] = paper
    pairs = [pair for name, named in zip(names, told, strict=True) for pair in works.doubles(paper_of[name], named)]
    changed = [paper for paper in works.by_pk.values() if _state(paper) != before[paper.pk]]
    # In one order everywhere, or two workers with the same new papers wait for each other.
    create(sorted(new.values(), key=attrgetter("key")))
    if changed:
        Paper.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=ABSORBED)
    _keep_signals(new.values(), [paper for paper in changed if _counts(paper) != before[paper.pk][-1]], now)
    stored.created, stored.changed = len(new), len(changed)
    stored.doubles = list(dict.fromkeys((one.pk, other.pk) for one, other in pairs))
    stored.told = [paper.pk for paper in changed]
    return paper_of


def _rows_named_by(named: Sequence[Identity], sighted: Sequence[int]) -> list[Paper]:
    """The rows that the records may mean, and those that they were merged into.

    Locked in one order where the database can, so that an editor's save at this moment is not overwritten.
    """
    rows = Paper.objects.order_by().values_list("pk", "merged_into")
    named_so = (
        rows.filter(pk__any_of=sighted),
        rows.filter(key__any_of=[i.key for i in named]),
        rows.filter(doi__any_of=[doi for i in named for doi in i.dois]),
        rows.filter(fingerprint__any_of=[i.fingerprint for i in named if i.fingerprint]),
    )
    # The key holds the arXiv id. A union and no OR: without statistics PostgreSQL would read the whole table for that.
    found = {pk for row in rows.none().union(*named_so, all=True) for pk in row if pk}
    return list(lock(Paper.objects.filter(pk__any_of=found))) if found else []


def lock(papers: QuerySet[Paper]) -> QuerySet[Paper]:
    """These rows until the transaction ends, in one order. SQLite has one writer at a time anyway."""
    papers = papers.order_by("pk")
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        return papers.select_for_update(of=("self",))
    return papers


def _counts(paper: Paper) -> list[int | None]:
    return [getattr(paper, name) for name in COUNTS]


def _state(paper: Paper) -> list[object]:
    """What a record can change, the counts last. Lists are replaced, never changed in place, so they are compared."""
    return [*(getattr(paper, name) for name in ABSORBED), _counts(paper)]


def _keep_sightings(
    paper_of: dict[Name, Paper],
    records: Batch,
    known: dict[Name, Known],
    hashes: dict[Name, str],
    day: date,
    now: datetime,
) -> None:
    told = sorted(paper_of.items(), key=lambda item: item[0])
    fresh = [
        (paper.pk, *name, records[name].raw, hashes[name], day, now, now) for name, paper in told if name not in known
    ]
    insert(Sighting, _SIGHTING, fresh)
    changed = [
        Sighting(
            pk=known[name].pk,
            paper_id=paper.pk,
            source=name[0],
            source_key=name[1],
            raw=records[name].raw,
            content_hash=hashes[name],
            first_seen_at=now,  # not updated
            last_seen_at=now,
        )
        for name, paper in told
        if name in known
    ]
    if changed:
        Sighting.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["raw", "content_hash", "last_seen_at"],
        )


_SIGHTING = ("paper_id", "source", "source_key", "raw", "content_hash", "day", "first_seen_at", "last_seen_at")


def _keep_signals(new: Collection[Paper], changed: Collection[Paper], now: datetime) -> None:
    """The counts of this hour: of new papers that have any, and of those whose counts are not what they were."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    insert(
        Signal, ("paper_id", "hour", *COUNTS), [(p.pk, hour, *_counts(p)) for p in new if p.featured_on or p.upvotes]
    )
    later = [Signal(paper_id=p.pk, hour=hour, **dict(zip(COUNTS, _counts(p), strict=True))) for p in changed]
    if later:
        Signal.objects.bulk_create(
            later,
            update_conflicts=True,
            unique_fields=["paper", "hour"],
            update_fields=list(COUNTS),
        )
