"""Rows that were found good -> readers with interests and evidence, and requests for a confirmation mail."""

from datetime import datetime

from django.conf import settings

from subscriptions import addresses, consent
from subscriptions.models import ConsentEvent, Interest, SignupRequest, Subscriber, Wording
from subscriptions.transfer.rows import IMPORT_BY, Row

WORDINGS_KEPT = 1000


class Scribe:
    """Writes rows within the caller's transaction, a few statements a chunk. ``by`` is kept with each consent."""

    def __init__(self, now: datetime, by: str) -> None:
        self.now, self.by = now, f"{IMPORT_BY}{by}"[:80]
        self.wordings: dict[str, Wording | None] = {}

    def write(self, rows: list[Row], asked: list[Row]) -> None:
        """Readers with interests and evidence; requests, which the guard lets through one by one."""
        readers = Subscriber.objects.bulk_create([self._reader(row) for row in rows])
        pairs = list(zip(readers, rows, strict=True))
        Interest.objects.bulk_create([own for reader, row in pairs for own in row.interests.rows(reader)])
        ConsentEvent.objects.bulk_create([event for reader, row in pairs for event in self._events(reader, row)])
        SignupRequest.objects.bulk_create(
            SignupRequest(
                kind=SignupRequest.Kind.IMPORT,
                email=row.email,
                email_hash=addresses.address_hash(row.email),
                language=row.choices.get("language", settings.LANGUAGE_CODE),
                created_at=self.now,
            )
            for row in asked
        )

    def _reader(self, row: Row) -> Subscriber:
        assert row.consent
        reader = Subscriber(
            email=row.email,
            email_hash=addresses.address_hash(row.email),
            state=Subscriber.State.ACTIVE,
            created_at=self.now,
            confirmed_at=row.consent.at,
            **row.choices,
        )
        reader.reschedule(self.now)
        return reader

    def _events(self, reader: Subscriber, row: Row) -> list[ConsentEvent]:
        """The reader's consent as it was given, and who brought it here and when."""
        assert row.consent
        common = {"subscriber": reader, "email_hash": reader.email_hash, "kind": ConsentEvent.Kind.IMPORTED}
        wording = self._wording(row.consent.wording)
        return [
            ConsentEvent(**common, at=row.consent.at, where=row.consent.where, wording=wording),
            ConsentEvent(**common, at=self.now, where=self.by),
        ]

    def _wording(self, text: str) -> Wording | None:
        """One query for each text that was not met lately: a list was mostly told the same."""
        if len(self.wordings) > WORDINGS_KEPT:
            self.wordings.clear()
        if text not in self.wordings:
            self.wordings[text] = consent.kept(text)
        return self.wordings[text]
