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
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException, SMTPSenderRefused
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.db import InterfaceError, OperationalError, transaction

from subscriptions import attribution, clock, esp_events, redaction
from subscriptions.addresses import address_hash
from subscriptions.answers import ENHANCED, READ, About, Answer, Meaning, Stage, classify
from subscriptions.esp_events import UNREADABLE
from subscriptions.models import MailEvent, Subscriber
from subscriptions.redaction import Recipient, redacted

log = logging.getLogger(__name__)
SMTP = "smtp"
DSN, ARF = "dsn", "arf"  # in a provider's place: reports that came as mails (subscriptions.inbound.reports)
UNEXPLAINED = "other"  # Anymail's word: the mailbox may be there
EPOCH = 1970
_BASIC = re.compile(r"(?:^|[\s;])([245]\d\d)(?=[\s-]|$)")  # RFC 5321 section 4.2
# Where each provider says more than Anymail's event does, mostly whether a bounce is for ever. "*" is any one key.
_OWN_WORDS: dict[str, tuple[str, ...]] = {
    "amazon ses": (
        *("bounce.bounceType", "bounce.bounceSubType", "complaint.complaintFeedbackType"),
        "subscription.newTopicPreferences.topicSubscriptionStatus.0.subscriptionStatus",
    ),
    "brevo": ("event",),
    "mailersend": ("data.type",),
    "mailgun": ("event-data.severity", "event-data.reason", "event-data.delivery-status.enhanced-code", "code"),
    "mailjet": ("hard_bounce", "error"),
    "mailtrap": ("event", "bounce_category"),
    "mandrill": ("event", "msg.bounce_description", "msg.reject.reason"),
    "postal": ("payload.status",),
    "postmark": ("Type", "SuppressionReason"),
    "resend": (
        *("data.bounce.type", "data.bounce.subType", "data.bounce.message"),
        *("data.suppressed.type", "data.suppressed.reason", "data.failed.reason", "data.origin"),
    ),
    "sendgrid": ("type", "status", "reason"),
    "sparkpost": ("msys.*.bounce_class", "msys.*.fbtype"),
    "unisender go": ("delivery_info.delivery_status",),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal at the hand-over says against the recipient: codes only, never the server's text.

    ``reject_reason`` is Anymail's: "invalid" where there is no such mailbox, else "blocked" or "other".
    """

    esp: str
    detail: str
    reject_reason: str = ""


def store_event(sender: object, event: Any, esp_name: Any, **_: Any) -> None:
    """Keep one event of Anymail's tracking signal, once. Never raises for anything that an event may hold.

    Only a database that is away is passed on (OperationalError, InterfaceError): the provider then posts again.
    """
    try:
        _store(_row_of(event, _text(esp_name), clock.now()))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a provider sends, the other events of its post must be kept
        log.warning("an event by %s cannot be read: %s", type(sender).__name__, type(error).__name__)
        if (said := _of(event, "esp_event")) is not None:
            keep_aside(said, esp_name, type(error).__name__)


def keep_aside(esp_event: Any, esp_name: Any, reason: str) -> None:
    """Keep what a provider reported and nobody can read, with the reason; the doctor counts it. Raises as above.

    What the table ignores on purpose is kept as that: nobody has to read it.
    """
    try:
        _store(_unreadable(esp_event, _text(esp_name), reason, clock.now()))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("an event of a provider was not kept: %s", type(error).__name__)


def kind_of(event: Any, esp_name: Any) -> str:
    """Anymail's event type, filled in by our table of the provider's words."""
    esp = _text(esp_name).lower()
    kind = _text(_of(event, "event_type"))
    return esp_events.read_as(esp, esp_events.word_of(esp, _of(event, "esp_event")), kind, "")[0]


def _store(row: MailEvent) -> None:
    with transaction.atomic():
        MailEvent.objects.bulk_create([row], ignore_conflicts=True)


def answer_of(error: Exception) -> Answer | None:
    """The answer that a failed hand-over came to; None where there was none, or nobody can read it.

    An error of the connection's opening is one, too: the greeting, EHLO, STARTTLS and the login.
    """
    if isinstance(error, SMTPSenderRefused):
        return _smtp(Stage.MAIL, error.smtp_code, error.smtp_error)
    if isinstance(error, SMTPRecipientsRefused):
        code, text = max(error.recipients.values(), key=lambda answer: answer[0], default=(0, ""))
        return _smtp(Stage.RCPT, code, text) if code else None
    if isinstance(error, SMTPResponseException):
        stage = Stage.DATA if isinstance(error, SMTPDataError) else Stage.CONNECT
        return _smtp(stage, error.smtp_code, error.smtp_error)
    if isinstance(error, AnymailRecipientsRefused):
        said = getattr(getattr(error.email_message, "anymail_status", None), "esp_response", None)
        return Answer(Stage.API, getattr(said, "status_code", None) or 400, _body(said))
    if isinstance(error, AnymailAPIError):
        response: Any = error.response
        if isinstance(response, Mapping):  # boto3's, of Amazon SES
            fault, meta = response.get("Error") or {}, response.get("ResponseMetadata") or {}
            text = f"{fault.get('Code', '')}: {fault.get('Message', '')}"
            return Answer(Stage.API, int(meta.get("HTTPStatusCode") or 0), text[:READ])
        return Answer(Stage.API, error.status_code or 0, _body(response))
    return None


def refusal_of(error: Exception) -> Refusal | None:
    """What a failed hand-over says against the recipient, if anything.

    4yz is not for ever (RFC 5321 section 4.2.1). The sender, the content and our account are not the reader's fault.
    """
    answer = answer_of(error)
    if answer is None:
        return None
    meaning = classify(answer)
    if isinstance(error, AnymailRecipientsRefused) and meaning.about is not About.US:
        status = getattr(getattr(error.email_message, "anymail_status", None), "status", None) or set()
        reason = "invalid" if status == {"invalid"} else "blocked"
        return Refusal(_text(error.esp_name) or "provider", "at the hand-over", reason)
    esp = SMTP if answer.stage is not Stage.API else _text(getattr(error, "esp_name", "")) or "provider"
    return refusal_by(meaning, esp)


def refusal_by(meaning: Meaning, esp: str = SMTP) -> Refusal | None:
    """What an answer says against the recipient, if it does: it is about the reader, and for this mail for ever."""
    if meaning.about is not About.READER or not meaning.for_ever:
        return None
    policy = esp != SMTP or "policy" in meaning.why
    return Refusal(esp, meaning.detail, "invalid" if meaning.gone else "blocked" if policy else UNEXPLAINED)


def _smtp(stage: Stage, code: int, text: bytes | str) -> Answer:
    said = text[: 4 * READ].decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return Answer(stage, code, said[:READ])


def _body(response: Any) -> str:
    """The beginning of a provider's answer, whatever it is."""
    body = getattr(response, "content", b"")
    return body[: 4 * READ].decode("utf-8", "replace")[:READ] if isinstance(body, bytes) else ""


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
    said, table = _of(event, "esp_event"), esp.lower()
    email = redaction.recipient_address(_of(event, "recipient") or esp_events.recipient_of(table, said))
    hashed, reader, recipient = _recipient(email)
    word = esp_events.word_of(table, said)
    kind, reject_reason = esp_events.read_as(
        table, word, _text(_of(event, "event_type")) or "unknown", _text(_of(event, "reject_reason"))
    )
    metadata = _of(event, "metadata")
    mail = _text(metadata.get("mail")) if isinstance(metadata, Mapping) else ""
    timestamp, message_id = _instant(_of(event, "timestamp")), _text(_of(event, "message_id"))
    happening: list[Any] = [_text(_of(event, "event_id"))]
    if not happening[0]:
        happening = [message_id, timestamp and timestamp.isoformat(), _text(_of(event, "click_url"))]
    row = MailEvent(
        esp=_word(esp, recipient)[:40],
        dedupe_key=_dedupe_key(esp, happening, hashed, kind),
        kind=_word(kind, recipient)[:20],
        native=word,
        known=_is_known(table, word, kind),
        reject_reason=_word(reject_reason, recipient)[:20],
        detail=_detail(event, table, recipient)[:200],
        mail=redacted(mail, recipient)[:60],
        message_id=_message_id(esp_events.id_of(table, said, message_id), recipient),
        email_hash=hashed,
        reader=reader,
        at=min(timestamp or now, now),  # a provider's clock ahead of ours must not outlive a lift
        received_at=now,
        payload=_payload(said, recipient),
    )
    row.mail = row.mail or _mail_by_ids([message_id, *esp_events.ids_of(table, said)], row)
    if row.mail:
        row.reader = attribution.about([row])[0].reader
    return row


def _unreadable(esp_event: Any, esp: str, reason: str, now: datetime) -> MailEvent:
    table = esp.lower()
    hashed, reader, recipient = _recipient(redaction.recipient_address(esp_events.recipient_of(table, esp_event)))
    word, kept = esp_events.word_of(table, esp_event), _payload(esp_event, recipient)
    meaning = esp_events.meaning_of(table, word)
    ignored = meaning is not None and meaning.kind == esp_events.IGNORED
    kind = esp_events.IGNORED if ignored else UNREADABLE
    return MailEvent(
        esp=_word(esp, recipient)[:40],
        dedupe_key=_dedupe_key(esp, [_spelt(esp_event)], hashed, kind),
        kind=kind,
        native=word,
        known=ignored,
        detail=f"cannot be read: {reason}"[:200] if not ignored else "",
        email_hash=hashed,
        reader=reader,
        at=now,
        received_at=now,
        payload=kept,
    )


def _spelt(esp_event: Any) -> str:
    """An event that may hold anything, to tell it from its repetition."""
    try:
        return repr(esp_event)[: redaction.MAX_BYTES]
    except Exception as error:  # nested without end, or an odd object
        return type(error).__name__


def _recipient(email: str) -> tuple[str, int | None, Recipient]:
    """The keyed hash of an address, its reader, and what stands for it in what is kept."""
    hashed = address_hash(email) if email else ""
    reader = Subscriber.objects.filter(email_hash=hashed).values_list("pk", flat=True).first() if hashed else None
    return hashed, reader, Recipient(email, f"reader {reader}" if reader else f"address {hashed[:12]}")


def _is_known(esp: str, word: str, kind: str) -> bool:
    """Whether the table has the provider's word. Without a word, or a table, Anymail's is all there is.

    A report that came as a mail is understood by its fields, also where nothing proves whom it is about.
    """
    if esp in {DSN, ARF}:
        return True
    if word and esp in esp_events.EVENTS:
        return esp_events.meaning_of(esp, word) is not None
    return kind != esp_events.UNKNOWN


def _mail_by_ids(ids: list[str], row: MailEvent) -> str:
    """The mail of a report that brings no name back: our Message-ID has it, or the provider's id leads to it."""
    ids = [text for text in ids if text]
    named = next(filter(None, map(redaction.mail_of_message_id, ids)), "")
    return named or attribution.name_by_ids(ids, row.email_hash, row.at)


def _of(event: Any, name: str) -> Any:
    return getattr(event, name, None)


def _text(value: Any) -> str:
    return redaction.legible(str(value)) if isinstance(value, str | int | float) else ""


def _word(text: str, recipient: Recipient) -> str:
    """A provider's own term stays as it is, though a reader may be called bounced@example.org."""
    return text if re.fullmatch(r"[A-Za-z_ -]*", text) else redacted(text, recipient)


def _instant(value: Any) -> datetime | None:
    """An aware instant in UTC; what has no zone is UTC. None for the first year of Unix: it was 0, or true."""
    if not isinstance(value, datetime):
        return None
    try:
        instant = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None
    return instant if instant.year != EPOCH else None


def _dedupe_key(esp: str, happening: list[Any], hashed: str, kind: str) -> str:
    """SHA-256, hex. Some providers give one id to all recipients of a mail, some give none."""
    return hashlib.sha256(json.dumps([esp, happening, hashed, kind]).encode()).hexdigest()


def _message_id(text: str, recipient: Recipient) -> str:
    """A Message-ID looks like an address. One that is not ours is kept as a hash, to tell mails apart."""
    shown = redacted(text, recipient)[:255]
    return shown if shown == text[:255] else attribution.hidden(text)


def _payload(esp_event: Any, recipient: Recipient) -> Any:
    try:
        kept = redaction.payload(esp_event, recipient)
    except Exception as error:  # odd objects: the event counts without its payload
        kept = {"unreadable": type(error).__name__}
    return {} if kept is None else kept  # SQLite's INSERT OR IGNORE would swallow a missing value without a word


def _detail(event: Any, esp: str, recipient: Recipient) -> str:
    """The provider's own words and the mail server's code: "bounceType=Permanent; 550 5.1.1"."""
    words = []
    for path in _OWN_WORDS.get(esp, ()):
        value = esp_events.at(_of(event, "esp_event"), path.split("."))
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
