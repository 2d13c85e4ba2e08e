"""Records in, rows out. What a record says again costs one comparison; what is new is written in bulk."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from digest.bulk import insert
from digest.identity import Identity, Works
from digest.models import Paper, Sighting, Signal
from digest.sources import SOURCES
from digest.sources.base import PaperRecord
from digest.sources.payload import storable
from digest.text import readable, shorten

# Part of every record's hash: raise it when ``absorb`` or ``digest.text`` learns something, and each record that comes
# again is read once more.
RULES = 1
NO_TRUST = -1
COUNTS = ("upvotes", "comments", "stars")
ABSORBED = [
    "key",
    "arxiv_id",
    "doi",
    "fingerprint",
    "title",
    "authors",
    "abstract",
    "texts_from",
    "blurb",
    "blurb_origin",
    "categories",
    "keywords",
    "code_url",
    "project_url",
    "submitted_at",
    "announced_on",
    "featured_on",
    "featured_at",
    "withdrawn_at",
    *COUNTS,
]


Name = tuple[str, str]  # source and the source's key: of a record, and of its sighting
Batch = dict[Name, PaperRecord]


class Known(NamedTuple):
    """What is to be known of a sighting to tell whether its record says anything new."""

    pk: int
    paper_id: int
    source_key: str
    content_hash: str
    day: date | None


@dataclass(slots=True)
class Stored:
    """What became of the records.

    ``doubles`` are pairs of rows that turned out to be one work: (twin, survivor). ``earlier`` are the source's keys of
    records that came for an earlier day before.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    doubles: list[tuple[int, int]] = field(default_factory=list)
    earlier: set[str] = field(default_factory=set)


def store(records: Iterable[PaperRecord], day: date, now: datetime) -> Stored:
    """Upsert papers, sightings and signals of records that came for ``day``, in one transaction.

    Eight queries at most, whatever the number of records (SQLite splits long ones); two where they say nothing new.
    Raises IntegrityError where another worker was first with a paper: then the same call again finds its rows.
    """
    batch = {(record.source, record.source_key): record for record in records}
    hashes = {name: content_hash(record) for name, record in batch.items()}
    with transaction.atomic():
        known = _known_sightings(batch)
        same = {name for name, sighting in known.items() if sighting.content_hash == hashes[name]}
        if same:
            Sighting.objects.filter(pk__in=[known[name].pk for name in same]).update(last_seen_at=now)
        stored = Stored(unchanged=len(same))
        stored.earlier = {s.source_key for s in known.values() if s.day and s.day < day}
        told = [record for name, record in batch.items() if name not in same]
        if told:
            _tell(sorted(told, key=trust_of), known, hashes, stored, day, now)
    return stored


def known_as(record: PaperRecord) -> Paper | None:
    """The row that has the record's work already; the one that readers see, where it was merged into another."""
    named = Identity(record)
    paper = Works(_papers_named_by([named], [], lock=False)).find(named)
    return paper and (paper.merged_into or paper)


def content_hash(record: PaperRecord) -> str:
    """Equal for records that say the same. ``raw`` is left out: what of it matters is in the other fields."""
    values = (RULES, *(getattr(record, name) for name in _HASHED))
    return hashlib.blake2b(repr(values).encode("utf-8", "replace"), digest_size=16).hexdigest()


_HASHED = [name for name in PaperRecord.__dataclass_fields__ if name != "raw"]


def trust_of(record: PaperRecord) -> int:
    """How much the record's source is trusted with texts."""
    return _trust(record.source)


def _trust(source: str) -> int:
    return SOURCES[source].trust if source in SOURCES else NO_TRUST


def _known_sightings(batch: Batch) -> dict[Name, Known]:
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in batch:
        keys[source].append(key)
    return {
        (source, known.source_key): known
        for source, own in keys.items()
        for known in map(
            Known._make,
            Sighting.objects.filter(source=source, source_key__in=own).values_list(*Known._fields),
        )
    }


def _tell(
    records: Sequence[PaperRecord],
    known: dict[Name, Known],
    hashes: dict[Name, str],
    stored: Stored,
    day: date,
    now: datetime,
) -> None:
    """Let records that are new, or say something new, change papers; write what changed."""
    named = [Identity(record) for record in records]
    works = Works(_papers_named_by(named, [sighting.paper_id for sighting in known.values()]))
    new: dict[int, Paper] = {}
    before = {paper.pk: _state(paper) for paper in works.by_pk.values()}
    counted: dict[int, Paper] = {}
    doubles: list[tuple[Paper, Paper]] = []
    of_record: list[tuple[PaperRecord, Paper]] = []
    for identity in named:
        record = identity.record
        sighting = known.get((record.source, record.source_key))
        paper = works.by_pk[sighting.paper_id] if sighting else works.find(identity)
        if paper is None:
            paper = Paper(key=identity.key, first_seen_at=now)
            new[id(paper)] = paper
        if double := works.name(paper, identity):
            doubles.append(double)
        for row in _rows_of(paper, works):
            if record.featured_on == now.date() and not record.featured_at:
                row.featured_at = row.featured_at or now  # the hour at which we saw it is the best that is known
            if absorb(row, identity):
                counted[id(row)] = row
        of_record.append((record, paper))
    changed = [paper for paper in works.by_pk.values() if _state(paper) != before[paper.pk]]
    insert(list(new.values()))
    if changed:
        Paper.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=ABSORBED)
    stored.created, stored.changed = len(new), len(changed)
    stored.doubles = [(twin.pk, survivor.pk) for twin, survivor in doubles]
    _keep_sightings(of_record, known, hashes, day, now)
    _keep_signals(counted.values(), now)


def _papers_named_by(named: Sequence[Identity], sighted: Sequence[int], *, lock: bool = True) -> list[Paper]:
    """The rows that the records may mean, and those that they were merged into; locked where the database can."""
    names = Q(pk__in=sighted) | Q(key__in=[i.key for i in named])
    names |= Q(arxiv_id__in=[i.arxiv_id for i in named if i.arxiv_id])
    names |= Q(doi__in=[i.doi for i in named if i.doi])
    names |= Q(fingerprint__in=[i.fingerprint for i in named if i.fingerprint])
    rows = Paper.objects.order_by("pk")
    if lock and connection.vendor == "postgresql":
        rows = rows.select_for_update()
    found = list(rows.filter(names))
    known = {paper.pk for paper in found}
    survivors = {paper.merged_into_id for paper in found if paper.merged_into_id} - known
    return found + (list(rows.filter(pk__in=survivors)) if survivors else [])


def _rows_of(paper: Paper, works: Works) -> list[Paper]:
    """The row that the record names, and the one that it was merged into: both learn from it."""
    survivor = works.by_pk.get(paper.merged_into_id or 0)
    return [paper, survivor] if survivor else [paper]


def _state(paper: Paper) -> list[object]:
    """What a record can change, as values of their own: lists are replaced, never changed in place."""
    return [getattr(paper, name) for name in ABSORBED]


def absorb(paper: Paper, named: Identity) -> bool:
    """Let a record speak; whether a count is not what it was. Does not save.

    Counts are the newest, dates the first, texts by trust, gaps are filled. What an editor changed stays.
    """
    record = named.record
    edited = {name: getattr(paper, name) for name in paper.edited}
    counts = [getattr(paper, name) for name in COUNTS]
    _absorb_texts(paper, named)
    paper.keywords = [readable(word) for word in record.keywords] or paper.keywords
    paper.code_url = _web_address(record.code_url) or paper.code_url
    paper.project_url = _web_address(record.project_url) or paper.project_url
    paper.announced_on = min(filter(None, (paper.announced_on, record.announced_on)), default=None)
    paper.featured_on = min(filter(None, (paper.featured_on, record.featured_on)), default=None)
    paper.featured_at = paper.featured_at or record.featured_at
    paper.withdrawn_at = paper.withdrawn_at or record.withdrawn_at
    for name in COUNTS:
        if (count := getattr(record, name)) is not None:
            setattr(paper, name, count)
    for name, value in edited.items():
        setattr(paper, name, value)
    return record.upvotes is not None and (not paper.pk or counts != [getattr(paper, name) for name in COUNTS])


def _absorb_texts(paper: Paper, named: Identity) -> None:
    record = named.record
    overrules = not paper.title or trust_of(record) >= _trust(paper.texts_from)
    if overrules:
        paper.texts_from = record.source
        paper.title = shorten(named.title, 500)
        paper.authors = [name for name in map(readable, record.authors) if name] or paper.authors
    if record.abstract and (overrules or not paper.abstract):
        paper.abstract = readable(record.abstract)
    if record.categories and (overrules or not paper.categories):
        paper.categories = list(record.categories)
    if record.submitted_at and (overrules or not paper.submitted_at):
        paper.submitted_at = record.submitted_at
    if record.summary and paper.blurb_origin != Paper.Origin.EDITOR:
        paper.blurb = readable(record.summary)
        paper.blurb_origin = Paper.Origin.SUMMARY if record.source == "sample" else Paper.Origin.AI


def _web_address(url: str) -> str:
    """The address if it is one of the web's and fits, else nothing: "javascript:" never reaches a page."""
    return url if re.match(r"https?://[^\s\"<>]+\Z", url) and len(url) <= 500 else ""


def _keep_sightings(
    of_record: Iterable[tuple[PaperRecord, Paper]],
    known: dict[Name, Known],
    hashes: dict[Name, str],
    day: date,
    now: datetime,
) -> None:
    new: list[Sighting] = []
    changed: list[Sighting] = []
    for record, paper in of_record:
        name = record.source, record.source_key
        sighting = Sighting(
            paper_id=paper.pk,
            source=record.source,
            source_key=record.source_key,
            raw=_fit(record.raw),
            content_hash=hashes[name],
            day=day,
            first_seen_at=now,
            last_seen_at=now,
        )
        if name in known:
            sighting.pk = known[name].pk
        (changed if name in known else new).append(sighting)
    insert(new)
    if changed:
        Sighting.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["raw", "content_hash", "last_seen_at"],
        )


def _fit(raw: Any) -> Any:
    """``raw`` without what a database cannot keep. Looking for it in the JSON is ten times faster than walking."""
    return storable(raw) if _UNSTORABLE.search(json.dumps(raw)) else raw


# NUL, lone surrogates (whole pairs too: a false alarm costs a walk only), and numbers that JSON does not know.
_UNSTORABLE = re.compile(r"\\u(?:0000|d[89a-f])|NaN|Infinity")


def _keep_signals(papers: Iterable[Paper], now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    signals = [Signal(paper_id=p.pk, hour=hour, upvotes=p.upvotes, comments=p.comments, stars=p.stars) for p in papers]
    if signals:
        Signal.objects.bulk_create(
            signals,
            update_conflicts=True,
            unique_fields=["paper", "hour"],
            update_fields=["upvotes", "comments", "stars"],
        )
