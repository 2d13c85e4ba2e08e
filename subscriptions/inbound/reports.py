"""Delivery status notifications (RFC 3464) and feedback reports (RFC 5965) -> MailEvents, by their fields alone.

Anybody can write a report about anybody. So one counts only with a proof that it returns a mail of ours: the code in
the envelope sender that it came back to (VERP), or the genuine unsubscribe token in the returned mail's headers. The
first names the mail. The second names the reader, and counts against no other address than the reader's own.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from anymail.signals import AnymailTrackingEvent, EventType

from subscriptions import envelopes, links, redaction
from subscriptions.addresses import address_hash
from subscriptions.answers import ENHANCED
from subscriptions.inbound.reading import Part, fields
from subscriptions.models import Subscriber
from subscriptions.receivers import ARF, DSN, store_event
from subscriptions.tokens import LENGTH, Purpose

MOST_RECIPIENTS = 10  # of one report: our mails have one
_ACTIONS = {  # RFC 3464 section 2.3.3; "relayed" and "expanded" end what can be known
    "failed": EventType.BOUNCED,
    "delayed": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
}
_FEEDBACK = {  # https://www.iana.org/assignments/marf-parameters; the others are no reader's complaint
    "abuse": EventType.COMPLAINED,
    "fraud": EventType.COMPLAINED,
    "opt-out": EventType.UNSUBSCRIBED,
}
_KINDS = {
    "message/delivery-status": DSN,
    "message/global-delivery-status": DSN,  # RFC 6533
    "message/feedback-report": ARF,
}
_BASIC = re.compile(r"\b([245]\d\d)(?![\d.])")
_TOKEN = re.compile(rf"/u/([0-9A-Za-z]{{{LENGTH}}})(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Proof:
    """That a report returns a mail of ours: the mail's name, or its reader, or neither."""

    mail: str = ""
    reader: Subscriber | None = None


def is_report(mail: Part) -> bool:
    """Whether a mail is a report for programs."""
    return any(_kind(part) for part in mail.leaves())


def store(mail: Part, raw: bytes, now: datetime) -> int:
    """Keep what a report says, as events that ``suppression`` reads; of how many recipients. Twice is once."""
    parts = mail.leaves()
    recipients = list(_said(parts))
    proof, digest = _proof(mail, parts, recipients, now), hashlib.sha256(raw).hexdigest()[:40]
    for number, (kind, said) in enumerate(recipients):
        store_event(None, _event(kind, said, proof, f"{digest}/{number}", now), kind)
    return len(recipients)


def _kind(part: Part) -> str:
    return _KINDS.get(part.content_type, "")


def _said(parts: list[Part]) -> Iterator[tuple[str, Message]]:
    """Each recipient's fields. A status notification has a group for itself before them (RFC 3464 section 2.1)."""
    for part in parts:
        kind = _kind(part)
        if kind == ARF:
            yield kind, fields(part.text())
        elif kind == DSN:
            groups = re.split(r"\n[ \t]*\n", part.text().replace("\r\n", "\n").strip())
            for group in groups[:MOST_RECIPIENTS]:
                if (found := fields(group)).get("Action"):
                    yield kind, found


def _event(kind: str, said: Message, proof: Proof, event_id: str, now: datetime) -> AnymailTrackingEvent:
    recipient, mail = _about(said, proof)
    if kind == ARF:
        event_type = _FEEDBACK.get(_word(said, "Feedback-Type"), EventType.UNKNOWN)
    else:
        event_type = _ACTIONS.get(_word(said, "Action"), EventType.UNKNOWN)
    if not recipient and not mail:  # whose word it is, nobody knows: it is kept, and decides nothing
        event_type = EventType.UNKNOWN
    return AnymailTrackingEvent(
        event_type=event_type,
        timestamp=now,  # a date in a mail is anybody's; this one cannot outlive a later confirmation
        event_id=event_id,
        recipient=recipient or None,
        metadata={"mail": mail} if mail else {},
        mta_response=_codes(said),
        esp_event={name: _word(said, name) for name in ("Action", "Status", "Feedback-Type") if said.get(name)},
    )


def _about(said: Message, proof: Proof) -> tuple[str, str]:
    """The address that a report is about, and our mail's name, each "" where it is not proved."""
    named = [address for name in _RECIPIENTS if (address := _address(str(said.get(name, ""))))]
    if proof.mail:
        return (named[0] if named else ""), proof.mail
    if proof.reader is None:
        return "", ""
    # Feedback reports often leave the address out (RFC 6590): the token says whose mail it was.
    own = not named or proof.reader.email_hash in map(address_hash, named)
    return (proof.reader.email if own else ""), ""


# The address that the mail was sent to comes first: the final one may be where it was forwarded to.
_RECIPIENTS = ("Original-Recipient", "Original-Rcpt-To", "Final-Recipient")


# Where a mail server writes the address that a mail came to; a notification's To is it as well (RFC 3464 section 2).
_ARRIVED_AT = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")


def _address(field: str) -> str:
    """The address of "rfc822; a@example.org" (RFC 3464 section 2.3.1)."""
    return redaction.recipient_address(field.rpartition(";")[2].strip())


def _proof(mail: Part, parts: list[Part], recipients: list[tuple[str, Message]], now: datetime) -> Proof:
    returned = [fields(part.body) for part in parts if part.content_type in _RETURNED]
    senders = [str(value) for name in _ARRIVED_AT for value in mail.headers.get_all(name, [])]
    senders += [str(block.get("Return-Path", "")) for block in returned]
    senders += [str(said.get("Original-Mail-From", "")) for _, said in recipients]
    if named := envelopes.mail_of(" ".join(senders)):
        return Proof(mail=named)
    for block in returned:
        for found in _TOKEN.findall("".join(str(block.get("List-Unsubscribe", "")).split())):
            _, reader = links.read_reader(Purpose.UNSUBSCRIBE, found, now)
            if reader:
                return Proof(reader=reader)
    return Proof()


_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


def _word(said: Mapping[str, str] | Message, name: str) -> str:
    return " ".join(str(said.get(name, "")).lower().split())[:40]


def _codes(said: Message) -> str:
    """The server's code and the more exact of two enhanced ones: "550 5.1.1" (RFC 3464 sections 2.3.4 and 2.3.6)."""
    diagnostic, status = str(said.get("Diagnostic-Code", "")), str(said.get("Status", ""))
    basic = _BASIC.search(diagnostic.rpartition("smtp;")[2])
    found = [code[0] for text in (diagnostic, status) if (code := ENHANCED.search(text))]
    exact = next((code for code in found if not code.endswith(".0.0")), found[0] if found else "")
    return " ".join(filter(None, [basic[1] if basic else "", exact]))
