"""Everything we hold of a reader, to take along or to erase. Each room adds its part: ``register``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext

from subscriptions import consent
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, MailEvent, SignupRequest, Subscriber, Suppression, Topic


class NotYet(Exception):  # noqa: N818 - a fact about the moment, not about us
    """A mail of this reader is being handed over this second. It ends first."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one room holds of a reader: how it is exported (JSON values) and how it is erased (may raise NotYet)."""

    export: Callable[[Subscriber], Any]
    erase: Callable[[Subscriber, datetime], None]


_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    """Add a room's part under its name in the export. Called once, from ``apps.ready()``."""
    _parts[name] = part


def export(subscriber: Subscriber, now: datetime) -> dict[str, Any]:
    """All that is kept of a reader, as JSON values (GDPR Art. 15 and 20). Times are UTC, ISO 8601."""
    return {
        "about": gettext("Everything that Daily Papers keeps about one reader. Times are UTC."),
        "exported_at": now.isoformat(),
        "reader": _reader(subscriber),
        "interests": _interests(subscriber),
        "consent": [
            {
                "what": event.kind,
                "at": event.at.isoformat(),
                "where": event.where,
                "network_hash": event.network,
                "link": event.token,
                "you_were_told": event.wording.text if event.wording else "",
            }
            for event in subscriber.consent_events.select_related("wording")
        ],
        "letters_asked_for": [
            {
                "kind": request.kind,
                "to": request.email,
                "language": request.language,
                "at": request.created_at.isoformat(),
                # Not of letters to other addresses: it would tell who reads there.
                "outcome": request.outcome if request.email_hash == subscriber.email_hash else "",
                "chosen_with_it": _choice(request.choice) if request.email_hash == subscriber.email_hash else {},
            }
            for request in SignupRequest.objects.filter(
                Q(subscriber=subscriber) | Q(email_hash=subscriber.email_hash)
            ).order_by("pk")
        ],
        "stopped": [
            {
                "reason": stop.reason,
                "at": stop.created_at.isoformat(),
                "lifted_at": stop.lifted_at and stop.lifted_at.isoformat(),
            }
            for stop in Suppression.objects.filter(email_hash=subscriber.email_hash).order_by("pk")
        ],
        "reports_of_mail_servers": [
            {
                "what": event.kind,
                "by": event.esp,
                "mail": event.mail,
                "at": event.at.isoformat(),
                "detail": event.detail,
            }
            for event in _events(subscriber).order_by("at", "pk")
        ],
        **{name: part.export(subscriber) for name, part in _parts.items()},
    }


def erase_waiting(now: datetime) -> int:
    """Erase the readers whose last mail was on the wire when they asked; how many."""
    done = 0
    for pk in Subscriber.objects.exclude(erase_asked_at=None).values_list("pk", flat=True)[:500]:
        try:
            done += erase(pk, now)
        except NotYet:
            continue
    return done


def erase(pk: int, now: datetime) -> bool:
    """Forget a reader in one transaction; False where there is none. Raises NotYet, and then nothing has changed.

    What stays: consent events without anything but hash, kind and time, and the keyed hash in Suppression, so that
    no import brings the address back. A new sign-up by its owner lifts it.
    """
    with transaction.atomic():
        _hold_requests(pk)
        try:
            reader = Subscriber.objects.to_change(pk)
        except Subscriber.DoesNotExist:
            return False
        Suppression.objects.get_or_create(
            email_hash=reader.email_hash,
            reason=Suppression.Reason.ERASED,
            lifted_at=None,
            defaults={"created_at": now},
        )
        consent.note(reader, ConsentEvent.Kind.ERASED, now, Origin(""))
        forget(reader, now)
    return True


def _hold_requests(pk: int) -> None:
    """Take the requests before their reader, in the order of letters and of expiry: nobody waits in a circle."""
    if connection.vendor == "postgresql":
        reader = Subscriber.objects.filter(pk=pk).values("email_hash")
        rows = SignupRequest.objects.filter(Q(subscriber=pk) | Q(email_hash__in=reader)).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))


def forget(reader: Subscriber, now: datetime, keep: SignupRequest | None = None) -> None:
    """Take a reader out of every table, within the caller's transaction. Raises NotYet.

    ``keep`` is another reader's request, by which the address goes over to that one.
    """
    for part in _parts.values():
        part.erase(reader, now)
    before = list(reader.consent_events.values_list("email_hash", flat=True).distinct().order_by())
    # Also what was done for an address that the reader had before, and was never tied to a reader: refused letters.
    old = Q(email_hash__in=before, subscriber=None, handled_at__isnull=False)
    reader.consent_events.all().forget()
    _events(reader).delete()
    # Who looked at or changed the reader in the admin. That somebody erased them stays, by number.
    noted = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Subscriber), object_id=str(reader.pk)
    )
    noted.exclude(action_flag=DELETION).delete()
    SignupRequest.objects.filter(Q(email_hash=reader.email_hash) | old).exclude(pk=keep.pk if keep else 0).delete()
    reader.delete()


def _events(reader: Subscriber) -> Any:
    return MailEvent.objects.filter(Q(reader=reader.pk) | Q(email_hash=reader.email_hash))


def _reader(reader: Subscriber) -> dict[str, Any]:
    shown = ("email", "state", "zone", "paper_limit", "only_my_topics", "text_only", "language")
    digests = ("last_due_at", "asked_at", "next_due_at")
    instants = ("paused_until", "created_at", "confirmed_at", "left_at", "moved_at", *digests)
    moments = {name: getattr(reader, name) for name in instants}
    return {
        "number": reader.pk,
        **{name: getattr(reader, name) for name in shown},
        "hour": reader.hour.isoformat("minutes"),
        "weekdays": [day for day in range(7) if reader.weekdays >> day & 1],
        **{name: value.isoformat() if value else None for name, value in moments.items()},
    }


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    """What came with a sign-up, the topics by name."""
    names = Topic.objects.filter(pk__in=choice.get("topics", ())).values_list("name", flat=True)
    return {**choice, "topics": list(names)} if choice else {}


def _interests(reader: Subscriber) -> dict[str, list[str]]:
    own = Interests.of(reader)
    names = dict(Topic.objects.values_list("pk", "name"))
    return {
        "topics": [names[pk] for pk in own.topics],
        "phrases": list(own.phrases),
        "authors": list(own.authors),
        "muted_topics": [names[pk] for pk in own.muted_topics],
        "muted_words": list(own.muted_words),
    }
