"""What each provider posts to its webhook, in its documented shape, as Python values.

Sources: the pages that ``subscriptions/esp_events.py`` names beside each provider.
"""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from anymail.signals import tracking
from django.http import HttpRequest
from django.test import Client

from subscriptions.esps import backend_of
from subscriptions.webhooks import tracking_view

SECRET, KEY = "papers:a-long-random-password", "a-key-of-the-provider"
URL = "http://testserver/anymail/{}/tracking/"
EMAIL, WHEN, EPOCH = "reader@example.org", "2026-03-20T06:00:00+00:00", 1773986400
SETTINGS = {
    "MAILGUN_WEBHOOK_SIGNING_KEY": KEY,
    "MAILERSEND_SIGNING_SECRET": KEY,
    "MANDRILL_WEBHOOK_KEY": KEY,
    "MANDRILL_WEBHOOK_URL": URL.format("mandrill"),
    "UNISENDER_GO_API_KEY": KEY,
}
# Their views need libraries that are installed with these providers only: Anymail's parser is used without the view.
WITHOUT_A_VIEW = frozenset({"amazon_ses", "postal"})
BATCHES = ("sendgrid", "mandrill", "sparkpost", "mailjet", "mailtrap", "unisender_go")


def event(esp: str, word: str, *, email: str = EMAIL, mail: str = "", number: int = 1) -> dict[str, Any]:
    """One event of a provider, by the provider's own word for it. ``mail`` is the name that the metadata brings."""
    return _EVENTS[esp](word, email, {"mail": mail} if mail else {}, f"id-{number}")


def _postmark(word: str, email: str, metadata: dict[str, str], number: str) -> dict[str, Any]:
    record, _, kind = word.partition("/")
    own: dict[str, Any] = {"RecordType": record, "MessageID": number, "Metadata": metadata, "Recipient": email}
    if record in {"Bounce", "SpamComplaint"}:
        own |= {"ID": int(number[3:]), "BouncedAt": WHEN, "Email": email, **({"Type": kind} if kind else {})}
    if record == "SubscriptionChange":
        own |= {"SuppressSending": True, "SuppressionReason": kind or None, "ChangedAt": WHEN}
    return own


def _postal(word: str, email: str, _: dict[str, str], number: str) -> dict[str, Any]:
    message = {"id": int(number[3:]), "to": email, "direction": "outgoing", "tag": None}
    status = {
        "MessageSent": "Sent",
        "MessageDelayed": "SoftFail",
        "MessageDeliveryFailed": "HardFail",
        "MessageHeld": "Held",
    }
    payload: dict[str, Any] = {"message": message}
    if word in status:
        payload |= {"status": status[word], "output": "250 OK", "details": "said"}
    elif word == "MessageBounced":
        payload = {"original_message": message, "bounce": {"id": 9, "to": "psrp@example.org"}}
    elif word == "MessageLinkClicked":
        payload |= {"url": "https://example.org/"}
    elif not word.startswith("Message"):
        payload = {"domain": "example.org", "server": "papers"}
    return {"event": word, "timestamp": EPOCH, "payload": payload, "uuid": number}


def _resend(word: str, email: str, metadata: dict[str, str], number: str) -> dict[str, Any]:
    data: dict[str, Any] = {"email_id": number, "to": [email], "created_at": WHEN}
    data["headers"] = [{"name": "X-Metadata", "value": json.dumps(metadata)}]
    if word == "email.bounced":
        data["bounce"] = {"type": "Permanent", "subType": "General", "message": "a hard bounce message"}
    if word == "email.suppressed":
        data["suppressed"] = {"type": "OnAccountSuppressionList", "message": "on the suppression list"}
    if word == "email.failed":
        data["failed"] = {"reason": "reached_daily_quota"}
    if word.startswith("suppression."):
        data = {"id": number, "email": email, "origin": "bounce", "source_id": number, "created_at": WHEN}
    if word.startswith(("domain.", "contact.")):
        data = {"id": number, "name": "example.org"}
    return {"type": word, "created_at": WHEN, "data": data}


def _mailersend(word: str, email: str, _: dict[str, str], number: str) -> dict[str, Any]:
    kind, sign = word.removeprefix("activity."), word.startswith("activity.")
    if "." in kind and not sign:
        return {"type": word, "created_at": WHEN, "message": "no activity"}
    email_data = {"message": {"id": number}, "recipient": {"email": email}, "tags": []}
    data = {"type": kind, "created_at": WHEN, "email": email_data}
    return {**({"type": word} if sign else {}), "created_at": WHEN, "data": data}


def _amazon_ses(word: str, email: str, metadata: dict[str, str], number: str) -> dict[str, Any]:
    own: dict[str, dict] = {
        "Bounce": {
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [{"emailAddress": email, "diagnosticCode": "smtp; 550 5.1.1 unknown"}],
            }
        },
        "Complaint": {
            "complaint": {"complainedRecipients": [{"emailAddress": email}], "complaintFeedbackType": "abuse"}
        },
        "Delivery": {"delivery": {"recipients": [email], "smtpResponse": "250 ok"}},
        "Reject": {"reject": {"reason": "Bad content"}},
        "Rendering Failure": {"failure": {"errorMessage": "an attribute is missing", "templateName": "t"}},
    }
    headers = [{"name": "X-Metadata", "value": json.dumps(metadata)}]
    mail = {"messageId": number, "destination": [email], "headers": headers}
    return {"eventType": word, "mail": mail, **own.get(word, {})}


_EVENTS = {
    "amazon_ses": _amazon_ses,
    "brevo": lambda word, email, metadata, number: {
        "event": word,
        "email": email,
        "ts_epoch": EPOCH * 1000,
        "message-id": f"<{number}@smtp-relay.mailin.fr>",
        "X-Mailin-custom": json.dumps(metadata),
    },
    "mailersend": _mailersend,
    "mailgun": lambda word, email, metadata, number: {
        "event": word,
        "id": number,
        "timestamp": EPOCH,
        "recipient": email,
        "severity": "permanent",
        "reason": "bounce",
        "user-variables": metadata,
        "message": {"headers": {"message-id": f"{number}@mg.example.org", "to": email}},
        "delivery-status": {"code": 550, "message": "5.1.1 unknown"},
    },
    "mailjet": lambda word, email, metadata, number: {
        "event": word,
        "email": email,
        "time": EPOCH,
        "MessageID": int(number[3:]),
        "Payload": json.dumps(metadata),
        **({"hard_bounce": True, "error": "user unknown"} if word == "bounce" else {}),
    },
    "mailtrap": lambda word, email, metadata, number: {
        "event": word,
        "email": email,
        "timestamp": EPOCH,
        "message_id": number,
        "event_id": f"event-{number}",
        "custom_variables": metadata,
    },
    "mandrill": lambda word, email, metadata, number: {
        "event": word,
        "_id": number,
        "ts": EPOCH,
        "msg": {"email": email, "_id": number, "metadata": metadata, "tags": []},
    },
    "postal": _postal,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": lambda word, email, metadata, number: {
        "event": word,
        "email": email,
        "timestamp": EPOCH,
        "sg_event_id": f"event-{number}",
        "sg_message_id": f"{number}.filter0001.16648.5515E0B88.0",
        "smtp-id": f"<{number}@ismtpd-555>",
        **({"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 unknown"} if word == "bounce" else {}),
        **({"reason": "Bounced Address"} if word == "dropped" else {}),
        **({"anymail_id": number, **metadata} if metadata else {}),
    },
    "sparkpost": lambda word, email, metadata, number: {
        "msys": {
            "message_event": {
                "type": word,
                "event_id": f"event-{number}",
                "rcpt_to": email,
                "raw_rcpt_to": email,
                "timestamp": str(EPOCH),
                "transmission_id": number,
                "rcpt_meta": metadata,
                **({"bounce_class": "10"} if word in {"bounce", "out_of_band"} else {}),
            }
        }
    },
    "unisender_go": lambda word, email, metadata, number: {
        "status": word,
        "email": email,
        "event_time": WHEN[:19].replace("T", " "),
        "job_id": number,
        "metadata": metadata,
        "delivery_info": {"delivery_status": "err_user_unknown" if word == "hard_bounced" else "ok"},
    },
}


def post(esp: str, events: list[Any]) -> Any:
    """Post these events of one provider, signed as it signs; several only where it posts several. The answer."""
    if esp == "mandrill":
        return _form({"mandrill_events": json.dumps(events)})
    if esp in {"sendgrid", "sparkpost", "mailjet"}:
        return _json(esp, events)
    if esp == "mailtrap":
        return _json(esp, {"events": events})
    if esp == "unisender_go":
        inner = [{"event_name": "transactional_email_status", "event_data": own} for own in events]
        body = json.dumps({"auth": "AUTH", "events_by_user": [{"user_id": 1, "project_id": "p", "events": inner}]})
        auth = hashlib.md5(body.replace("AUTH", KEY).encode()).hexdigest()  # as the provider signs
        return _json(esp, body.replace("AUTH", auth))
    (own,) = events
    if esp == "mailgun":
        return _json(esp, _signed(own))
    if esp in WITHOUT_A_VIEW:
        return _parsed(esp, own)
    body = json.dumps(own)
    if esp == "mailersend":
        return _json(esp, body, Signature=hmac.new(KEY.encode(), body.encode(), hashlib.sha256).hexdigest())
    return _json(esp, body)


def _parsed(esp: str, own: Any) -> None:
    view = object.__new__(tracking_view(backend_of(esp)))
    if esp == "amazon_ses":
        events = view.esp_to_anymail_events(own, {"MessageId": "sns", "Timestamp": WHEN})
    else:
        request = HttpRequest()
        request._body = json.dumps(own).encode()
        events = view.parse_events(request)
    for each in events:
        tracking.send(sender=type(view), event=each, esp_name=view.esp_name)


def _signed(own: Any) -> dict[str, Any]:
    token = hashlib.sha256(json.dumps(own).encode()).hexdigest()
    signature = hmac.new(KEY.encode(), f"{EPOCH}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": {"token": token, "timestamp": str(EPOCH), "signature": signature}, "event-data": own}


def _json(esp: str, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    authorization = f"Basic {base64.b64encode(SECRET.encode()).decode()}"
    headers = {"Authorization": authorization, **headers}
    return Client().post(f"/anymail/{esp}/tracking/", text, content_type="application/json", headers=headers)


def _form(fields: dict[str, str]) -> Any:
    said = URL.format("mandrill") + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.new(KEY.encode(), said.encode(), hashlib.sha1).digest()).decode()
    headers = {
        "Authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}",
        "X-Mandrill-Signature": signature,
    }
    form = "application/x-www-form-urlencoded"
    return Client().post("/anymail/mandrill/tracking/", urlencode(fields), content_type=form, headers=headers)
