"""Which digest a report is about: by the name it brings back, by the provider's id, or by its reader and the day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce

from digest.models import Digest
from subscriptions import attribution
from subscriptions.attribution import CLOCKS_APART, Mail, Room
from subscriptions.models import MailEvent

KIND = "digest"
# A server that gives up says so within five days (RFC 5321 section 4.5.4.1); people complain as late.
WITHIN = timedelta(days=7)
MOST = 20  # digests of one reader in that time
_LEFT_AT = Coalesce("handed_at", "accepted_at", "planned_at")


@dataclass(frozen=True, slots=True)
class Match:
    """The digest of a report. One that was only guessed, from reader and day, is told bad news and nothing else."""

    digest: int
    guessed: bool = False


def mails(numbers: Collection[int]) -> dict[int, Mail]:
    """The digests of these numbers whose reader is here."""
    rows = Digest.objects.filter(pk__in=numbers, subscriber__isnull=False)
    found = rows.values_list("pk", "subscriber_id", "planned_at", _LEFT_AT, "provider_id")
    return {pk: Mail(reader, made_at, left_at, "", known) for pk, reader, made_at, left_at, known in found}


def number_of(ids: Sequence[str], email_hash: str, happened_at: datetime) -> int | None:
    """The digest that the provider knows by one of these ids. Of a call for many readers the one to this address.

    None where there is none, and where there are several and the address does not tell.
    """
    bare = {text.strip().removeprefix("<").removesuffix(">")[:200] for text in ids}
    forms = [form[:200] for text in bare if text for form in (text, f"<{text}>")]
    # The second condition is the index's own.
    rows = Digest.objects.filter(~Q(provider_id=""), provider_id__in=forms, subscriber__isnull=False)
    rows = rows.filter(planned_at__lte=happened_at + CLOCKS_APART)
    own = list(rows.filter(subscriber__email_hash=email_hash).values_list("pk", flat=True)[:2]) if email_hash else []
    found = own or list(rows.values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def digests_of(events: Sequence[MailEvent]) -> list[Match | None]:
    """The digest of each of these reports, None where there is none or the report names another mail.

    For those with a name one query together; for each without one two, by the index of provider ids and by the
    reader's few digests of a week.
    """
    names = [attribution.numbered(event.mail) for event in events]
    numbers = {name[1] for name in names if name and name[0] == KIND}
    rows = Digest.objects.filter(pk__in=numbers).values_list("pk", "planned_at", "subscriber__email_hash")
    there = {pk: (planned_at, email_hash) for pk, planned_at, email_hash in rows}
    found: list[Match | None] = []
    for event, name in zip(events, names, strict=True):
        if name and name[0] == KIND:
            found.append(Match(name[1]) if name[1] in there and _fits(event, *there[name[1]]) else None)
        else:
            found.append(None if event.mail else _without_name(event))
    return found


def _fits(event: MailEvent, planned_at: datetime, email_hash: str | None) -> bool:
    """A number that came again after a restore is another digest's, unless its reader is the report's recipient."""
    return planned_at <= event.at + CLOCKS_APART or event.email_hash == email_hash


def _without_name(event: MailEvent) -> Match | None:
    if event.message_id and (number := number_of([event.message_id], event.email_hash, event.at)):
        return Match(number)
    if not event.reader:
        return None
    rows = Digest.objects.filter(subscriber=event.reader, handed_at__isnull=False)
    rows = rows.filter(handed_at__lte=event.at + CLOCKS_APART, handed_at__gt=event.at - WITHIN)
    last = list(rows.order_by("-handed_at", "-pk").values_list("pk", "provider_id")[:MOST])
    for pk, provider_id in last:
        if attribution.is_known_by(provider_id, event):
            return Match(pk)
    return Match(last[0][0], guessed=True) if last else None


ROOM = Room(mails, number_of)
