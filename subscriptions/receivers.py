"""What mail servers say of our mails becomes MailEvent rows: Anymail's tracking signal, and refusals at sending.

Nothing is decided here: ``subscriptions.suppression`` reads the rows.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from smtplib import SMTPRecipientsRefused
from typing import Any

from anymail.exceptions import AnymailRecipientsRefused
from django.db import InterfaceError, OperationalError, transaction

from subscriptions import clock, redaction
from subscriptions.addresses import address_hash, keyed_hash
from subscriptions.models import MailEvent, Subscriber
from subscriptions.redaction import Recipient, redacted

log = logging.getLogger(__name__)
SMTP = "smtp"
# RFC 3463 section 2: class.subject.detail; not a part of an IP address.
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_BASIC = re.compile(r"(?:^|[\s;])([245]\d\d)(?=[\s-]|$)")  # RFC 5321 section 4.2
# Where each provider says more than Anymail's event does, mostly whether a bounce is for ever. "*" is any one key.
_OWN_WORDS: dict[str, tuple[str, ...]] = {
    "amazon ses": ("bounce.bounceType", "bounce.bounceSubType", "complaint.complaintFeedbackType"),
    "brevo": ("event",),
    "mailersend": ("data.type",),
    "mailgun": ("event-data.severity", "event-data.reason", "event-data.delivery-status.enhanced-code", "code"),
    "mailjet": ("hard_bounce", "error"),
    "mailtrap": ("event", "bounce_category"),
    "mandrill": ("event", "msg.bounce_description", "msg.reject.reason"),
    "postal": ("payload.status",),
    "postmark": ("Type", "SuppressionReason"),
    "resend": ("data.bounce.type", "data.bounce.subType", "data.bounce.message"),
    "sendgrid": ("type", "status", "reason"),
    "sparkpost": ("msys.*.bounce_class", "msys.*.fbtype"),
    "unisender go": ("delivery_info.delivery_status",),
}
# A relay that does not know us says 5yz to every recipient: that is our set-up, not the reader's mailbox.
_ABOUT_US = re.compile(r"relay|authenti|log ?in|sender|not permitted", re.IGNORECASE)
_ABOUT_US_CODES = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 555})
_POLICY = re.compile(r"spam|polic|block|blacklist|listed|reputation|spf|dkim|dmarc|abuse|ptr|banned", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal at the hand-over says against the recipient: codes only, never the server's text."""

    esp: str
    detail: str
    reject_reason: str = ""


def store_event(sender: object, event: Any, esp_name: Any, **_: Any) -> None:
    """Keep one event of Anymail's tracking signal, once. Never raises for anything that an event may hold.

    Only a database that is away is passed on (OperationalError, InterfaceError): the provider then posts again.
    """
    try:
        row = _row_of(event, _text(esp_name), clock.now())
        with transaction.atomic():
            MailEvent.objects.bulk_create([row], ignore_conflicts=True)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a provider sends, the other events of its post must be kept
        log.warning("an event by %s was not kept: %s", type(sender).__name__, type(error).__name__)


def refusal_of(error: Exception) -> Refusal | None:
    """What a failed hand-over says against the recipient, if anything.

    4yz is not for ever (RFC 5321 section 4.2.1). The sender, the content and our account are not the reader's fault.
    """
    if isinstance(error, AnymailRecipientsRefused):
        status = getattr(getattr(error.email_message, "anymail_status", None), "status", None) or set()
        reason = "invalid" if status == {"invalid"} else "blocked"
        return Refusal(_text(error.esp_name) or "provider", "at the hand-over", reason)
    if not isinstance(error, SMTPRecipientsRefused) or not error.recipients:
        return None
    code, answer = max(error.recipients.values())
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    if not 500 <= code < 600:
        return None
    found = ENHANCED.search(text)
    if found and found[2] in {"1", "2"} and found[0] not in {"5.1.7", "5.1.8"}:
        return Refusal(SMTP, f"{code} {found[0]}")
    if code in _ABOUT_US_CODES or _ABOUT_US.search(text) or (found and found[2] in {"1", "5"}):
        return None
    detail = f"{code} {found[0]}" if found else str(code)
    return Refusal(SMTP, detail, "blocked" if _POLICY.search(text) else "")


def refused(refusal: Refusal, email: str, mail: str, now: datetime, reader: int | None = None) -> None:
    """Keep a refusal at the hand-over like a provider's event: one statement, one row per mail."""
    hashed = address_hash(email)
    row = MailEvent(
        esp=refusal.esp[:40],
        dedupe_key=_dedupe_key(refusal.esp, ["hand-over", mail], hashed, "rejected"),
        kind="rejected",
        reject_reason=refusal.reject_reason,
        detail=refusal.detail[:200],
        mail=mail[:60],
        email_hash=hashed,
        reader=reader,
        at=now,
        received_at=now,
    )
    MailEvent.objects.bulk_create([row], ignore_conflicts=True)


def _row_of(event: Any, esp: str, now: datetime) -> MailEvent:
    email = redaction.recipient_address(_of(event, "recipient"))
    hashed = address_hash(email) if email else ""
    reader = Subscriber.objects.filter(email_hash=hashed).values_list("pk", flat=True).first() if hashed else None
    recipient = Recipient(email, f"reader {reader}" if reader else f"address {hashed[:12]}")
    kind, timestamp = _text(_of(event, "event_type")) or "unknown", _instant(_of(event, "timestamp"))
    message_id = _text(_of(event, "message_id"))
    happening: list[Any] = [_text(_of(event, "event_id"))]
    if not happening[0]:
        happening = [message_id, timestamp and timestamp.isoformat(), _text(_of(event, "click_url"))]
    metadata = _of(event, "metadata")
    mail = _text(metadata.get("mail")) if isinstance(metadata, Mapping) else ""
    return MailEvent(
        esp=_word(esp, recipient)[:40],
        dedupe_key=_dedupe_key(esp, happening, hashed, kind),
        kind=_word(kind, recipient)[:20],
        reject_reason=_word(_text(_of(event, "reject_reason")), recipient)[:20],
        detail=_detail(event, esp.lower(), recipient)[:200],
        mail=redacted(mail, recipient)[:60],
        message_id=_message_id(message_id, recipient),
        email_hash=hashed,
        reader=reader,
        at=min(timestamp or now, now),  # a provider's clock ahead of ours must not outlive a lift
        received_at=now,
        payload=_payload(event, recipient),
    )


def _of(event: Any, name: str) -> Any:
    return getattr(event, name, None)


def _text(value: Any) -> str:
    return redaction.legible(str(value)) if isinstance(value, str | int | float) else ""


def _word(text: str, recipient: Recipient) -> str:
    """A provider's own term stays as it is, though a reader may be called bounced@example.org."""
    return text if re.fullmatch(r"[A-Za-z_ -]*", text) else redacted(text, recipient)


def _instant(value: Any) -> datetime | None:
    """An aware instant in UTC; what has no zone is UTC."""
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _dedupe_key(esp: str, happening: list[Any], hashed: str, kind: str) -> str:
    """SHA-256, hex. Some providers give one id to all recipients of a mail, some give none."""
    return hashlib.sha256(json.dumps([esp, happening, hashed, kind]).encode()).hexdigest()


def _message_id(text: str, recipient: Recipient) -> str:
    """A Message-ID looks like an address. One that is not ours is kept as a hash, to tell mails apart."""
    shown = redacted(text, recipient)[:255]
    return shown if shown == text[:255] else f"<{keyed_hash(text)[:32]}>"


def _payload(event: Any, recipient: Recipient) -> Any:
    try:
        kept = redaction.payload(_of(event, "esp_event"), recipient)
    except Exception as error:  # odd objects: the event counts without its payload
        kept = {"unreadable": type(error).__name__}
    return {} if kept is None else kept  # SQLite's INSERT OR IGNORE would swallow a missing value without a word


def _detail(event: Any, esp: str, recipient: Recipient) -> str:
    """The provider's own words and the mail server's code: "bounceType=Permanent; 550 5.1.1"."""
    words = []
    for path in _OWN_WORDS.get(esp, ()):
        value = _at(_of(event, "esp_event"), path.split("."))
        if isinstance(value, str | int) and value != "":
            text = _word(" ".join(str(value).split()), recipient).replace(";", ",")
            if _BASIC.match(text):
                continue  # the mail server's text, of which only the code is kept
            words.append(f"{path.rpartition('.')[2]}={text[:90]}")
    answer = f"{_text(_of(event, 'mta_response'))} {_text(_of(event, 'description'))}"
    return "; ".join([*words, *filter(None, [_code(answer)])])


def _code(answer: str) -> str:
    basic, enhanced = _BASIC.search(answer), ENHANCED.search(answer)
    return " ".join(filter(None, [basic and basic[1], enhanced and enhanced[0]]))


def _at(value: Any, path: list[str]) -> Any:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = next(iter(value.values()), None) if key == "*" else value.get(key)
    return value
