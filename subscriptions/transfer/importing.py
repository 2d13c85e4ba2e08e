"""Rows -> readers and requests, all or nothing. Nobody is brought back: known and suppressed addresses stay.

Rows are read, judged and written CHUNK at a time, so memory holds one chunk, a hash of each address and the report.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import BinaryIO

from django.db import IntegrityError, transaction

from subscriptions import addresses
from subscriptions.models import SignupRequest, Subscriber, Suppression, Topic
from subscriptions.transfer.reading import read
from subscriptions.transfer.rows import Fault, Known, Row
from subscriptions.transfer.writing import Scribe

CHUNK = 1000
log = logging.getLogger(__name__)


class Collided(Exception):  # noqa: N818 - about the moment, not about us
    """Somebody signed up with one of the addresses at this very moment. Nothing was imported; again will do."""


class Outcome(StrEnum):
    """What becomes of a row."""

    READER = "new reader"
    REQUEST = "asked to confirm"
    KNOWN = "known already"
    ASKED = "asked already"
    SUPPRESSED = "suppressed"
    ROLE = "no reader's address"
    LEFT_OUT = "not active in the file"
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True)
class Line:
    """Why a row was not taken. Holds the address as it was typed: for the operator's eyes, never for a log."""

    number: int
    outcome: Outcome
    message: str
    column: str = ""
    typed: str = ""


@dataclass(slots=True)
class Report:
    """How many rows became what, and a line for each that did not become anything. ``done``: it was written."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    lines: list[Line] = field(default_factory=list)
    done: bool = False

    @property
    def taken(self) -> int:
        """Rows that became, or would become, a reader or a request."""
        return self.counts[Outcome.READER] + self.counts[Outcome.REQUEST]

    @property
    def faulty(self) -> int:
        """Rows with a fault."""
        return self.counts[Outcome.FAULTY]

    def __str__(self) -> str:
        """Every count in words, zeros left out."""
        return ", ".join(f"{self.counts[what]:,} {what}" for what in Outcome if self.counts[what]) or "no rows"


Progress = Callable[[str, int], None]


def import_file(
    file: BinaryIO,
    now: datetime,
    by: str,
    *,
    dry_run: bool = False,
    skip_faulty: bool = False,
    progress: Progress = lambda _what, _number: None,
) -> Report:
    """Check the whole file, then import it in one transaction: nothing where a row is faulty, unless those are skipped.

    Checked first and outside of the transaction: on SQLite nobody else can write while that one is open. ``progress``
    is told "Checking" or "Importing" and how many rows more. Raises Unreadable or Collided; then nothing was written.
    """
    known = Known(dict(Topic.objects.values_list("slug", "pk")), now)
    report = plan(read(file, known), now, lambda number: progress("Checking", number))
    if dry_run or (report.faulty and not skip_faulty):
        return report
    return import_rows(
        read(file, known), now, by, skip_faulty=skip_faulty, progress=lambda number: progress("Importing", number)
    )


def plan(rows: Iterable[Row], now: datetime, progress: Callable[[int], None] = lambda _: None) -> Report:
    """What importing these rows would do. Writes nothing."""
    report = Report()
    for number, _, _ in _judged(rows, now, report):
        progress(number)
    return report


def import_rows(
    rows: Iterable[Row],
    now: datetime,
    by: str,
    *,
    dry_run: bool = False,
    skip_faulty: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Import in one transaction; where a row is faulty, nothing, unless ``skip_faulty``. Raises Collided."""
    if dry_run:
        return plan(rows, now, progress)
    report = Report()
    scribe = Scribe(now, by)
    try:
        with transaction.atomic():
            for number, readers, asked in _judged(rows, now, report):
                if skip_faulty or not report.faulty:
                    scribe.write(readers, asked)
                progress(number)
            report.done = skip_faulty or not report.faulty
            if not report.done:
                transaction.set_rollback(True)
    except IntegrityError as error:
        raise Collided(
            "Somebody signed up with one of these addresses at this moment. Import the file again."
        ) from error
    if report.done:
        log.info("import by %s: %s", by, report)
    return report


def _judged(rows: Iterable[Row], now: datetime, report: Report) -> Iterator[tuple[int, list[Row], list[Row]]]:
    """Chunk by chunk: how many rows, who becomes a reader, who is asked. Everything is counted in the report."""
    seen: dict[str, int] = {}
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        hashes = {row.number: addresses.address_hash(row.email) for row in chunk if row.email}
        known, asked_already, stopped = _in_database(list(hashes.values()), now)
        taken: dict[Outcome, list[Row]] = {Outcome.READER: [], Outcome.REQUEST: []}
        for row in chunk:
            key = hashes.get(row.number, "")
            faults = list(row.faults)
            if key and seen.setdefault(key, row.number) != row.number:
                faults.append(Fault("email", f"The same address is in row {seen[key]}. Keep one of the two"))
            if faults:
                report.counts[Outcome.FAULTY] += 1
                report.lines += [_line(row, Outcome.FAULTY, fault.message, fault.column) for fault in faults]
                continue
            outcome, why = _outcome(row, stopped.get(key, []), key in known, key in asked_already)
            report.counts[outcome] += 1
            if outcome in taken:
                taken[outcome].append(row)
            else:
                report.lines.append(_line(row, outcome, why))
        yield len(chunk), taken[Outcome.READER], taken[Outcome.REQUEST]


def _line(row: Row, outcome: Outcome, message: str, column: str = "") -> Line:
    return Line(row.number, outcome, message, column, row.typed)


def _in_database(hashes: list[str], now: datetime) -> tuple[set[str], set[str], dict[str, list[str]]]:
    """Of these addresses: who is known in any state, who is asked at this time, and what stops which."""
    known = Subscriber.objects.filter(email_hash__in=hashes).values_list("email_hash", flat=True)
    asked = SignupRequest.objects.filter(email_hash__in=hashes, kind=SignupRequest.Kind.IMPORT, handled_at=None)
    stopped: dict[str, list[str]] = {}
    live = Suppression.objects.live(now).filter(email_hash__in=hashes).order_by("pk")
    for key, reason in live.values_list("email_hash", "reason"):
        stopped.setdefault(key, []).append(reason)
    return set(known), set(asked.values_list("email_hash", flat=True)), stopped


def _outcome(row: Row, reasons: list[str], known: bool, asked: bool) -> tuple[Outcome, str]:
    """What becomes of a row without a fault, and why where that is nothing. A No comes first: it is to be seen."""
    if reasons:
        return Outcome.SUPPRESSED, f"suppressed: {', '.join(reasons)}"
    if known:
        return Outcome.KNOWN, "known already: stays as it is"
    if row.state != "active":
        return Outcome.LEFT_OUT, f"{row.state} in the file: nobody is brought back"
    if addresses.is_role(row.email):
        return Outcome.ROLE, "belongs to a function such as postmaster, not to a reader"
    if row.consent:
        return Outcome.READER, ""
    if asked:
        return Outcome.ASKED, "asked already: its confirmation mail waits to be sent"
    return Outcome.REQUEST, ""
