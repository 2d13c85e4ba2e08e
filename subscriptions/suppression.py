"""MailEvents -> Suppressions. Reads rows, so that order, repetition and a second worker make no difference."""

import logging
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase
from itertools import count

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Max

from subscriptions import attribution, lifecycle
from subscriptions.answers import ENHANCED, is_gone
from subscriptions.attribution import About, Effect
from subscriptions.consent import Origin
from subscriptions.models import ConsentEvent, MailEvent, Subscriber, Suppression
from subscriptions.receivers import SMTP, UNEXPLAINED

log = logging.getLogger(__name__)
Reason = Suppression.Reason
CHUNK = 500
SWEPT = 5_000
KEEP_PAYLOAD = timedelta(days=7)
KEEP_ROW = timedelta(days=90)
NEVER = datetime.min.replace(tzinfo=UTC)


class Verdict(Enum):
    """What one event says of an address."""

    NOTHING = "nothing"
    SOFT = "soft bounce"
    HARD = "hard bounce"
    COMPLAINT = "complaint"
    LEAVE = "unsubscribed"


NOTHING, SOFT, HARD, COMPLAINT, LEAVE = Verdict
# Anymail's event type and reject reason (anymail.signals.EventType, RejectReason); the empty reason is any other.
# "rejected" for reasons of the provider's own is about our account or content as often as about the reader.
RULES: dict[str, dict[str, Verdict]] = {
    "complained": {"": COMPLAINT},
    "unsubscribed": {"": LEAVE},
    "bounced": {"invalid": HARD, "bounced": HARD, "unsubscribed": LEAVE, "": SOFT},
    "rejected": {
        "invalid": HARD,
        "bounced": HARD,
        "spam": COMPLAINT,
        "unsubscribed": LEAVE,
        "blocked": SOFT,
        "timed_out": SOFT,
        "": NOTHING,
    },
    "failed": {"account": NOTHING, "": SOFT},  # our template, quota or set-up: subscriptions.esp_events
}
# Where a provider's own word is more exact than Anymail's event: what anymail/webhooks/<esp>.py folds together, read
# beside the provider's documentation. The first match counts. Patterns are of ``MailEvent.detail``'s parts.
WORDS: dict[str, dict[str, Verdict]] = {
    "amazon ses": {  # every bounce is "bounced"; docs.aws.amazon.com/ses: notification-contents
        "bouncetype=permanent": HARD,
        "bouncetype=transient": SOFT,
        "bouncetype=undetermined": SOFT,
        "subscriptionstatus=optin": NOTHING,
    },
    "brevo": {"event=soft_bounce": SOFT},  # folded with hard_bounce
    "mailersend": {"type=soft_bounced": SOFT, "type=hard_bounced": HARD},  # folded
    "mailgun": {"reason=suppress-complaint": COMPLAINT, "reason=suppress-unsubscribe": LEAVE},  # "other"
    "mailjet": {"hard_bounce=true": HARD, "hard_bounce=false": SOFT},  # quota and DNS are "bounced" too
    "mandrill": {  # no reasons at all
        "event=hard_bounce": HARD,
        "event=soft_bounce": SOFT,
        "reason=hard-bounce": HARD,
        "reason=spam": COMPLAINT,
        "reason=unsub": LEAVE,
    },
    "postmark": {"type=softbounce": SOFT},  # folded with HardBounce
    "resend": {  # told apart by text, before "type" came
        "origin=complaint": COMPLAINT,
        "origin=manual": SOFT,  # by a person at the provider: it refuses, and the mails show it
        "reason=*complain*": COMPLAINT,
        "reason=*recipient*": SOFT,
        "type=permanent": HARD,
        "type=transient": SOFT,
        "type=undetermined": SOFT,
        "message=*inbox was full*": SOFT,
        "message=*general bounce*": SOFT,
    },
    "sendgrid": {  # "bounced" has no reason; "dropped" for a complaint is "other"
        "type=blocked": SOFT,
        "type=expired": SOFT,
        "type=bounce": HARD,
        "reason=spam reporting address": COMPLAINT,
    },
    "sparkpost": {  # only these classes are hard; 20-24, 40 and 70 are "bounced" too
        "bounce_class=[13]0": HARD,
        "bounce_class=2?": SOFT,
        "bounce_class=[47]0": SOFT,
    },
    "unisender go": {  # all are "bounced"
        "delivery_status=err_mailbox_full": SOFT,
        "delivery_status=err_too_large": SOFT,
        "delivery_status=err_unreachable": SOFT,
        "delivery_status=err_skip_letter": SOFT,
        "delivery_status=err_destination_misconfigured": SOFT,
    },
}
# Complaints that no reader made: a filter's notice, "not spam" (RFC 6430), a failed signature (RFC 6591).
NOT_COMPLAINTS: dict[str, dict[str, Verdict]] = {
    "amazon ses": {"complaintfeedbacktype=not-spam": NOTHING, "complaintfeedbacktype=auth-failure": NOTHING},
    "postmark": {"type=spamnotification": SOFT},
    "sparkpost": {"fbtype=not-spam": NOTHING, "fbtype=auth-failure": NOTHING},
}


def apply(now: datetime) -> Counter[str]:
    """Read the events that nobody has read; how many led to what. Raises where the database is away, for the next try.

    Safe at any time by any number of workers: what an event leads to follows from the rows alone.
    """
    led: Counter[str] = Counter()
    unread = MailEvent.objects.filter(applied_at=None).order_by("pk").defer("payload")
    while events := list(unread[:CHUNK]):
        for event, about in zip(events, attribution.about(events), strict=True):
            try:
                led[_apply(event, about, now)] += 1
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:  # one poisoned event must not stop the others
                log.error("mail event %s cannot be applied: %s", event.pk, type(error).__name__)
                led["failed"] += 1
        MailEvent.objects.filter(pk__in=[event.pk for event in events]).update(applied_at=now)
    return led


def verdict(event: MailEvent) -> Verdict:
    """By the provider's own word, which a code of policy or a passing fault softens; else the code; else the reason."""
    rules = RULES.get(event.kind)
    if rules is None:
        return NOTHING
    said = rules.get(event.reject_reason, rules[""])
    if event.kind == "unsubscribed":
        return said
    parts, code = event.detail.lower().split("; "), _by_code(event)
    if "bouncesubtype=general" in parts and "bouncetype=transient" in parts and code is None:
        return NOTHING  # Amazon SES reports out-of-office replies so (repost.aws: ses-understand-soft-bounces)
    words = (NOT_COMPLAINTS if event.kind == "complained" else WORDS).get(event.esp.lower(), {})
    own = next((words[word] for word in words if any(fnmatchcase(part, word) for part in parts)), None)
    if own is not None:
        return SOFT if own is HARD and code is SOFT else own
    counted = said in {HARD, SOFT} or event.esp == SMTP
    return code if code and counted else said


def take_back(mails: Collection[str], since: datetime, now: datetime) -> int:
    """Forget what hand-overs of these mails said against their readers: it was about us. How many refusals that were.

    ``since``: those received then or later. A stop that was made of one is lifted.
    """
    said = MailEvent.objects.filter(kind="rejected", mail__in=mails, received_at__gte=since)
    with transaction.atomic():
        hashes = set(said.values_list("email_hash", flat=True))
        stops = Suppression.objects.filter(email_hash__in=hashes, reason=Reason.BOUNCE, lifted_at=None)
        stops.filter(created_at__gte=since).update(lifted_at=now)
        return said.delete()[0]


def sweep(now: datetime) -> int:
    """Empty payloads after seven days and delete rows after ninety, by their receipt; how many rows of either."""
    changed = 0
    old = MailEvent.objects.filter(received_at__lte=now - KEEP_ROW).order_by("received_at")
    while pks := list(old.values_list("pk", flat=True)[:SWEPT]):
        changed += MailEvent.objects.filter(pk__in=pks).delete()[0]
    # Backwards from the limit by the index, until all is empty already: no walk over ninety days at each tick.
    rows = MailEvent.objects.filter(received_at__lte=now - KEEP_PAYLOAD).order_by("-received_at", "-pk")
    for start in count(0, SWEPT):
        pks = list(rows.values_list("pk", flat=True)[start : start + SWEPT])
        emptied = MailEvent.objects.filter(pk__in=pks).exclude(payload={}).update(payload={})
        changed += emptied
        if not emptied:
            break
    return changed


def _apply(event: MailEvent, about: About, now: datetime) -> str:
    said, targets = _targets(event, about)
    if said is LEAVE:
        return _leave(event, about) if targets or not event.email_hash else "disputed"
    if said is NOTHING:
        return "nothing"
    if not targets:
        return "disputed" if about.subject else "nothing"
    reason = Reason.COMPLAINT if said is COMPLAINT else Reason.BOUNCE
    return max((_count_against(email_hash, said, event, reason, now) for email_hash in targets), key=_WEIGHT.index)


# Of two addresses that one event counts against, the outcome that says more.
_WEIGHT = ("nothing", "stale", "counted", "known", str(Reason.BOUNCE), str(Reason.COMPLAINT))


def _targets(event: MailEvent, about: About) -> tuple[Verdict, list[str]]:
    """What an event says, and the keyed hashes of the addresses that it counts against: none where it is disputed."""
    said = verdict(event)
    bounce = said in {HARD, SOFT}
    effect = (attribution.BOUNCES if bounce else attribution.COMPLAINTS)[about.whose]
    said = SOFT if effect is Effect.SOFTLY else said
    against = {
        Effect.ADDRESS: [event.email_hash],
        Effect.READER: [about.subject],
        Effect.BOTH: [about.subject, event.email_hash],
        Effect.SOFTLY: [about.subject],
        Effect.NOBODY: [],
    }[effect]
    return said, list(filter(None, against))


def _count_against(email_hash: str, said: Verdict, event: MailEvent, reason: str, now: datetime) -> str:
    with transaction.atomic():
        since = _since(email_hash, reason)
        if event.at <= since:
            return "stale"
        detail = _soft_bounces(email_hash, since) if said is SOFT else _named(said, event)
        return _stop(email_hash, reason, detail, now) if detail else "counted"


def _by_code(event: MailEvent) -> Verdict | None:
    """By the enhanced code (``answers``); of our own RCPT TO without one by what its text was found to mean."""
    found = ENHANCED.search(event.detail)
    if found and (found[1], found[2]) != ("5", "0"):  # X.0.0: the server does not say
        unexplained = event.esp == SMTP and event.reject_reason == UNEXPLAINED  # "5.1.1 mailbox full"
        return HARD if is_gone(found[0]) and not unexplained else SOFT
    if event.esp == SMTP:  # with no reason at all it was stored before answers were read: RFC 5321 section 4.2.3
        plain = not event.reject_reason and event.detail[:3] in {"550", "551", "553"}
        return HARD if plain or event.reject_reason == "invalid" else SOFT
    return None


def _since(email_hash: str, reason: str) -> datetime:
    """From when on events count: the newest lift, and for bounces the newest confirmation. Locks the reader's row."""
    rows = Suppression.objects.filter(email_hash=email_hash, reason=reason)
    reader = Subscriber.objects.filter(email_hash=email_hash).first()
    confirmed = Subscriber.objects.to_change(reader.pk).confirmed_at if reader and reason == Reason.BOUNCE else None
    return max(rows.aggregate(at=Max("lifted_at"))["at"] or NEVER, confirmed or NEVER)


def _soft_bounces(email_hash: str, since: datetime) -> str:
    """The window that is full, in words; "" where none is. Reports of one mail count once."""
    soft = _soft_events(email_hash, since)
    for window, most in settings.SOFT_BOUNCES:
        for last in soft:
            inside = {
                event.mail or event.message_id or event.dedupe_key
                for event in soft
                if timedelta(0) <= last.at - event.at <= window
            }
            if len(inside) >= most:
                return f"{most} soft bounces in {_span(window)}"
    return ""


def _soft_events(email_hash: str, since: datetime) -> list[MailEvent]:
    """The soft bounces of an address, those of its reader's forwarded mails among them; the newest first."""
    rows = MailEvent.objects.filter(kind__in=RULES, at__gt=since).defer("payload").order_by("-at", "-pk")
    found = list(rows.filter(email_hash=email_hash)[:CHUNK])
    if reader := Subscriber.objects.filter(email_hash=email_hash).values_list("pk", flat=True).first():
        found += rows.filter(reader=reader).exclude(email_hash=email_hash)[:CHUNK]
    counted = [event for event in found if verdict(event) in {HARD, SOFT}]
    soft = [
        event
        for event, about in zip(counted, attribution.about(counted), strict=True)
        if _targets(event, about) == (SOFT, [email_hash])
    ]
    return sorted(soft, key=lambda event: (event.at, event.pk), reverse=True)


def _span(window: timedelta) -> str:
    hours = window.total_seconds() / 3600
    return f"{hours / 24:g} d" if hours % 24 == 0 else f"{hours:g} h"


def _named(said: Verdict, event: MailEvent) -> str:
    what = event.detail.rpartition("; ")[2] if said is HARD else ""
    return " ".join(filter(None, [said.value, what or event.reject_reason, "by", event.esp.lower()]))


def _stop(email_hash: str, reason: str, detail: str, now: datetime) -> str:
    row, made = Suppression.objects.get_or_create(
        email_hash=email_hash, reason=reason, lifted_at=None, defaults={"created_at": now, "detail": detail[:200]}
    )
    if row.ends_at:  # a stop for a while, by hand: this one has no end
        row.ends_at = None
        row.save(update_fields=["ends_at"])
    return str(reason) if made else "known"


def _leave(event: MailEvent, about: About) -> str:
    """The reader used the provider's own unsubscribe. Not counted before a later confirmation, or an undo."""
    number = about.reader or (None if about.subject else event.reader)
    who = {"pk": number} if number else {"email_hash": event.email_hash or None}
    with transaction.atomic():
        known = Subscriber.objects.filter(**who).first()
        if known is None:
            return "nothing"
        reader = Subscriber.objects.to_change(known.pk)
        undone = reader.consent_events.filter(kind=ConsentEvent.Kind.RESTORED).aggregate(at=Max("at"))["at"]
        if event.at <= max(reader.confirmed_at or NEVER, undone or NEVER):
            return "stale"
        return "left" if lifecycle.unsubscribe(reader, event.at, Origin(f"provider: {event.esp}")) else "known"
