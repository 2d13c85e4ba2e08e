"""Planning, measured; and what it wrote, checked and kept for the floor."""

import cProfile
import json
import os
import pickle
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks.delivery.measured import Progress, cpu_of, peak_memory
from benchmarks.planning.databases import connect, is_sqlite
from benchmarks.planning.papers import NOW
from benchmarks.planning.watch import Watch
from digest import planning
from digest.models import Digest, Sent
from digest.sent import readers_of

BY, AT_ONCE = "benchmark", 5000
COLUMNS = [str(field.column) for field in Digest._meta.concrete_fields if not field.primary_key]


def plan(*, rows: str, profile: str = "") -> dict[str, Any]:
    """Plan all readers; ``rows`` is the file that what was written is kept in, unless it is there.

    ``profile`` names a file for a cProfile, which takes time of its own.
    """
    imported, watch, progress, ends = peak_memory(os.getpid()), Watch(), Progress(), [(0.0, 0)]

    def planned(readers: int) -> None:
        ends.append((time.perf_counter(), watch.queries))
        progress(readers)

    profiler = cProfile.Profile()
    connection.ensure_connection()
    server = 0 if is_sqlite(os.environ["DATABASE_URL"]) else connection.connection.info.backend_pid
    cpu, begun = time.process_time() + cpu_of(server), time.perf_counter()
    with watch.watching():
        if profile:
            profiler.enable()
        outcome = planning.plan_due(NOW, by=BY, progress=planned)
        profiler.disable()
    seconds, cpu = time.perf_counter() - begun, time.process_time() + cpu_of(server) - cpu
    if profile:
        profiler.dump_stats(profile)
    memory = peak_memory(os.getpid())
    return {
        "seconds": seconds,
        "cpu": cpu,
        "first": ends[1][0] - begun,
        "outcome": dict(outcome),
        "readers": progress.done,
        "chunks": len(ends) - 1,
        "queries": sorted({late - early for (_, early), (_, late) in pairwise(ends[1:])}),  # of a chunk but the first
        "parts": watch.seconds,
        "memory": memory,
        "imported": imported,
        "columns": COLUMNS,
        "kept": {} if Path(rows).exists() else _keep(rows),
    }


def _keep(file: str) -> dict[str, Any]:
    """Write the rows that planning made to ``file``, and count what may not be.

    A row as the floor inserts it: the values of COLUMNS, JSON as text.
    """
    as_text = "" if connection.vendor == "sqlite" else "::text"
    columns = ", ".join(f"{name}{as_text}" if name in ("picks", "follow_ups") else name for name in COLUMNS)
    which = {name: at for at, name in enumerate(COLUMNS)}
    bitmaps = {row.paper_id: readers_of(row) for row in Sent.objects.all()}
    written = planned = empty = twice = octets = 0
    with Path(file).open("wb") as kept:
        for rows in _batches(columns):
            pickle.dump(rows, kept, pickle.HIGHEST_PROTOCOL)
            readers = [row[which["subscriber_id"]] for row in rows]
            earlier = _earlier(readers)
            for reader, row in zip(readers, rows, strict=True):
                papers = [pick["paper"] for pick in json.loads(row[which["picks"]])]
                is_planned = row[which["state"]] == Digest.State.PLANNED
                planned += is_planned
                empty += is_planned and not papers
                had = [paper for paper in papers if reader in bitmaps.get(paper, ())]
                twice += len(set(papers)) < len(papers) or bool(had) or not earlier[reader].isdisjoint(papers)
                octets += len(row[which["picks"]])
            written += len(rows)
    return {"rows": written, "planned": planned, "empty": empty, "twice": twice, "octets": octets / max(planned, 1)}


def _batches(columns: str) -> Iterator[Sequence[Any]]:
    """The rows that planning made, in the order in which it did, as the plain driver reads them."""
    url, last = os.environ["DATABASE_URL"], 0
    mark = "?" if is_sqlite(url) else "%s"
    statement = (
        f"SELECT id, {columns} FROM digest_digest WHERE planned_by = '{BY}' AND id > {mark} ORDER BY id LIMIT {AT_ONCE}"
    )
    with closing(connect(url)) as plain:
        while rows := plain.execute(statement, [last]).fetchall():
            last = rows[-1][0]
            yield [row[1:] for row in rows]


def _earlier(readers: Sequence[int]) -> dict[int, set[int]]:
    """The papers of these readers' other digests."""
    found: dict[int, set[int]] = defaultdict(set)
    rows = Digest.objects.filter(subscriber__in=readers).exclude(planned_by=BY)
    for reader, picks in rows.values_list("subscriber_id", "picks"):
        found[reader] |= {pick["paper"] for pick in picks}
    return found
