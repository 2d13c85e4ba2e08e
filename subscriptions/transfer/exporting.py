"""Readers -> the lines of a CSV file, a page of readers at a time, in the columns that the import reads."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from subscriptions.models import ConsentEvent, Interest, Subscriber, Suppression, Topic
from subscriptions.transfer import cells
from subscriptions.transfer.rows import COLUMNS, IMPORT_BY

PAGE = 1000
BOM = "\ufeff"  # without it spreadsheets take UTF-8 for something else; the import reads over it
_KINDS = {
    Interest.Kind.PHRASE: "phrases",
    Interest.Kind.AUTHOR: "authors",
    Interest.Kind.MUTED_WORD: "muted_words",
}


class _Line:
    """What csv.writer writes to: hands the line back."""

    def write(self, line: str) -> str:
        return line


def readers_for_export(now: datetime, *, everybody: bool = False) -> QuerySet[Subscriber]:
    """Who gets digests, those who pause included; or everybody. Never those who asked to be erased."""
    readers = Subscriber.objects.filter(erase_asked_at=None)
    stops = Suppression.objects.live(now).filter(email_hash=OuterRef("email_hash"))
    return readers if everybody else readers.filter(~Exists(stops), state=Subscriber.State.ACTIVE)


def export(now: datetime, *, everybody: bool = False) -> Iterator[str]:
    """The lines, the columns' names first. Four queries for each PAGE readers."""
    writer = csv.writer(_Line())
    yield str(writer.writerow(COLUMNS))
    slugs = dict(Topic.objects.values_list("pk", "slug"))
    readers, last = readers_for_export(now, everybody=everybody), 0
    while page := list(readers.filter(pk__gt=last).order_by("pk")[:PAGE]):
        last = page[-1].pk
        consents, interests = _consents(page), _interests(page, slugs)
        stopped = _stopped(page, now) if everybody else set()
        for reader in page:
            state = "suppressed" if reader.email_hash in stopped else reader.state
            record = {**_of_the_row(reader), "state": state, **interests.get(reader.pk, {})}
            if (event := consents.get(reader.pk)) is not None:
                record["consent_at"] = _instant(event.at)
                record["consent_where"] = event.where
                record["consent_wording"] = event.wording.text if event.wording else ""
            yield str(writer.writerow([cells.guarded(record.get(column, "")) for column in COLUMNS]))


def export_file(now: datetime, *, everybody: bool = False) -> Iterator[str]:
    """The same lines as a file that spreadsheets open as what it is, in UTF-8."""
    lines = export(now, everybody=everybody)
    yield BOM + next(lines)
    yield from lines


def _of_the_row(reader: Subscriber) -> dict[str, str]:
    return {
        "email": reader.email,
        "zone": reader.zone,
        "hour": cells.time_cell(reader.hour),
        "weekdays": cells.weekdays_cell(reader.weekdays),
        "paper_limit": str(reader.paper_limit),
        "language": reader.language,
        "paused_until": _instant(reader.paused_until) if reader.paused_until else "",
        **{name: "yes" if getattr(reader, name) else "no" for name in ("only_my_topics", "text_only")},
    }


def _consents(page: list[Subscriber]) -> dict[int | None, ConsentEvent]:
    """The newest evidence of each: a confirmation, or what an import brought along."""
    kinds = (ConsentEvent.Kind.CONFIRMED, ConsentEvent.Kind.IMPORTED)
    events = ConsentEvent.objects.filter(subscriber__in=[reader.pk for reader in page], kind__in=kinds)
    found = events.exclude(where="").exclude(where__startswith=IMPORT_BY).select_related("wording").order_by("at", "pk")
    return {event.subscriber_id: event for event in found}


def _interests(page: list[Subscriber], slugs: Mapping[int, str]) -> dict[int, dict[str, str]]:
    """The cells of each reader's interests."""
    own: dict[int, dict[str, list[str]]] = {}
    rows = Interest.objects.filter(subscriber__in=[reader.pk for reader in page]).order_by("pk")
    for reader, kind, topic, text in rows.values_list("subscriber_id", "kind", "topic_id", "text"):
        if topic:
            column, value = ("topics" if kind == Interest.Kind.TOPIC else "muted_topics"), slugs.get(topic, "")
        else:
            column, value = _KINDS[Interest.Kind(kind)], text
        own.setdefault(reader, {}).setdefault(column, []).append(value)
    return {
        reader: {
            column: " ".join(values) if column.endswith("topics") else cells.texts_cell(values)
            for column, values in columns.items()
        }
        for reader, columns in own.items()
    }


def _stopped(page: list[Subscriber], now: datetime) -> set[str]:
    hashes = [reader.email_hash for reader in page]
    return set(Suppression.objects.live(now).filter(email_hash__in=hashes).values_list("email_hash", flat=True))


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
