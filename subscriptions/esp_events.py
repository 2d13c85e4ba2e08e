"""What each provider's webhook can report, as data: its own word for the event, and what becomes of it here.

Anymail reads most of it. The table says what Anymail is expected to make of a word, fills in what it does not know
(``unknown``) or leaves out (a reason), and names what is ignored on purpose. A word that is in no table is stored, and
``doctor`` counts it. Pure: what an event leads to for an address is said in ``subscriptions.suppression``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNKNOWN, IGNORED, UNREADABLE = "unknown", "ignored", "unreadable"
ACCOUNT = "account"  # a reason of our own beside Anymail's
NATIVE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one word of a provider means: Anymail's event type and reject reason (anymail.signals), or why nothing."""

    kind: str
    reject_reason: str = ""
    why: str = ""  # of what is ignored


def _is(kind: str, *words: str, reason: str = "") -> dict[str, Meaning]:
    return {word: Meaning(kind, reason) for word in words}


def _ignored(why: str, *words: str) -> dict[str, Meaning]:
    return {word: Meaning(IGNORED, why=why) for word in words}


_OTHER_GOODS = "about contacts, lists, domains or another product: not about a mail of ours"
_ACCOUNT = "about the account, not about a mail; the provider tells its operators too"
_INBOUND = "about mail that comes in, which has another address"
_TEST = "the provider tries the address out"
_AGAIN = "it may be sent again: nothing follows, the next mail shows it"

# By Anymail's name of the provider in lower case. "failed" with the reason ACCOUNT is a fault of our template, quota or
# set-up, which says nothing of the reader.
EVENTS: dict[str, dict[str, Meaning]] = {
    # https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    "amazon ses": {
        **_is("bounced", "Bounce", reason="bounced"),
        **_is("complained", "Complaint", reason="spam"),
        **_is("delivered", "Delivery"),
        **_is("sent", "Send"),
        **_is("rejected", "Reject", reason="other"),  # a virus in our mail; Anymail's "blocked" would blame the reader
        **_is("opened", "Open"),
        **_is("clicked", "Click"),
        **_is("failed", "Rendering Failure", "RenderingFailure", reason=ACCOUNT),
        **_is("deferred", "DeliveryDelay"),
        **_is("unsubscribed", "Subscription", reason="unsubscribed"),  # its own subscription management
        **_ignored(_TEST, "AmazonSnsSubscriptionSucceeded"),
    },
    # https://developers.brevo.com/docs/transactional-webhooks; the second spelling is that of the webhook's settings
    # (https://developers.brevo.com/reference/createwebhook), and of older posts.
    "brevo": {
        **_is("queued", "request", "sent"),
        **_is("delivered", "delivered"),
        **_is("bounced", "hard_bounce", "hardBounce", reason="bounced"),
        **_is("bounced", "soft_bounce", "softBounce", reason="timed_out"),
        **_is("bounced", "invalid_email", "invalid", reason="invalid"),
        **_is("rejected", "blocked", reason="blocked"),
        **_is("complained", "spam", "complaint", reason="spam"),
        **_is("deferred", "deferred"),
        **_is("opened", "opened", "unique_opened", "uniqueOpened", "proxy_open", "proxyOpen"),
        **_is("opened", "unique_proxy_open", "unique_proxy_opened", "uniqueProxyOpen", "loadedByProxy"),
        **_is("clicked", "click", "clicked"),
        **_is("unsubscribed", "unsubscribe", "unsubscribed", reason="unsubscribed"),
        **_is("failed", "error", reason=ACCOUNT),
        **_is("subscribed", "list_addition", "listAddition"),
        **_ignored(_OTHER_GOODS, "contact_updated", "contactUpdated", "contact_deleted", "contactDeleted"),
        **_ignored(_INBOUND, "inboundEmailProcessed", "reply"),
    },
    # https://developers.mailersend.com/api/v1/account/webhooks; also without "activity.", as data.type has it
    "mailersend": {
        **_is("sent", "activity.sent", "sent"),
        **_is("delivered", "activity.delivered", "delivered"),
        **_is("bounced", "activity.soft_bounced", "soft_bounced"),
        **_is("bounced", "activity.hard_bounced", "hard_bounced", reason="bounced"),
        **_is("deferred", "activity.deferred", "deferred"),
        **_is("opened", "activity.opened", "activity.opened_unique", "opened", "opened_unique"),
        **_is("clicked", "activity.clicked", "activity.clicked_unique", "clicked", "clicked_unique"),
        **_is("unsubscribed", "activity.unsubscribed", "unsubscribed", reason="unsubscribed"),
        **_is("complained", "activity.spam_complaint", "spam_complaint", reason="spam"),
        **_ignored("our mails have no surveys", "activity.survey_opened", "activity.survey_submitted"),
        **_ignored(
            _ACCOUNT, "sender_identity.verified", "maintenance.start", "maintenance.end", "bulk_email.completed"
        ),
        **_ignored(_INBOUND, "inbound_forward.failed", "inbound_message.rejected"),
        **_ignored(_OTHER_GOODS, "email_single.verified", "email_list.verified"),
        **_ignored(_AGAIN, "recipient.on_hold_added", "recipient.on_hold_removed"),
        **_ignored(_TEST, "webhook.test"),
    },
    # https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-types; "dropped" and "bounced" until 2018
    "mailgun": {
        **_is("queued", "accepted"),
        **_is("rejected", "rejected", reason="other"),
        **_is("rejected", "dropped"),
        **_is("delivered", "delivered"),
        **_is("bounced", "failed", "bounced"),  # of severity "temporary": deferred
        **_is("opened", "opened"),
        **_is("clicked", "clicked"),
        **_is("unsubscribed", "unsubscribed", reason="unsubscribed"),
        **_is("complained", "complained", reason="spam"),
        **_ignored(_INBOUND, "stored"),
        **_ignored(_OTHER_GOODS, "list_member_uploaded", "list_member_upload_error", "list_uploaded"),
        **_ignored(_OTHER_GOODS, "email_validation"),
    },
    # https://dev.mailjet.com/email/guides/webhooks/
    "mailjet": {
        **_is("delivered", "sent"),
        **_is("opened", "open"),
        **_is("clicked", "click"),
        **_is("bounced", "bounce"),
        **_is("rejected", "blocked"),
        **_is("complained", "spam", reason="spam"),
        **_is("unsubscribed", "unsub", reason="unsubscribed"),
    },
    # https://docs.mailtrap.io/email-api-smtp/advanced/webhooks
    "mailtrap": {
        **_is("delivered", "delivery"),
        **_is("opened", "open"),
        **_is("clicked", "click"),
        **_is("unsubscribed", "unsubscribe", reason="unsubscribed"),
        **_is("complained", "spam", reason="spam"),
        **_is("deferred", "soft bounce", "suspension", reason="other"),
        **_is("bounced", "bounce", reason="bounced"),
        **_is("rejected", "reject", reason="blocked"),
    },
    # https://mailchimp.com/developer/transactional/docs/webhooks/
    "mandrill": {
        **_is("sent", "send"),
        **_is("delivered", "delivered"),
        **_is("deferred", "deferral"),
        **_is("bounced", "hard_bounce", "soft_bounce"),
        **_is("opened", "open"),
        **_is("clicked", "click"),
        **_is("complained", "spam", reason="spam"),
        **_is("unsubscribed", "unsub", reason="unsubscribed"),
        **_is("rejected", "reject"),
        **_ignored("the mail that caused it was reported on its own", "blacklist", "whitelist", "allowlist"),
        **_ignored(_INBOUND, "inbound"),
    },
    # https://docs.postalserver.io/developer/webhooks
    "postal": {
        **_is("delivered", "MessageSent"),
        **_is("deferred", "MessageDelayed"),
        **_is("failed", "MessageDeliveryFailed"),
        **_is("queued", "MessageHeld"),
        **_is("bounced", "MessageBounced", reason="bounced"),
        **_is("clicked", "MessageLinkClicked"),
        **_is("opened", "MessageLoaded"),
        **_ignored(_ACCOUNT, "DomainDNSError", "SendLimitApproaching", "SendLimitExceeded"),
    },
    # https://postmarkapp.com/developer/webhooks/webhooks-overview, and for the bounces' types
    # https://postmarkapp.com/developer/api/bounce-api#bounce-types
    "postmark": {
        **_is("delivered", "Delivery"),
        **_is("opened", "Open"),
        **_is("clicked", "Click"),
        **_is("bounced", "Bounce", "Bounce/HardBounce", "Bounce/SoftBounce", reason="bounced"),
        **_is("deferred", "Bounce/Transient", "Bounce/DnsError", "Bounce/OpenRelayTest"),
        **_is("unsubscribed", "Bounce/Unsubscribe", reason="unsubscribed"),
        **_is("subscribed", "Bounce/Subscribe"),
        **_is("autoresponded", "Bounce/AutoResponder", "Bounce/AddressChange", "Bounce/ChallengeVerification"),
        **_is("complained", "Bounce/SpamNotification", "Bounce/SpamComplaint", reason="spam"),
        **_is("complained", "SpamComplaint", "SpamComplaint/SpamComplaint", reason="spam"),
        **_is("complained", "SpamComplaint/SpamNotification", reason="spam"),
        **_is("bounced", "Bounce/VirusNotification", reason="other"),
        **_is("rejected", "Bounce/BadEmailAddress", reason="invalid"),
        **_is("rejected", "Bounce/ManuallyDeactivated", "Bounce/Blocked", "Bounce/DMARCPolicy", reason="blocked"),
        **_is("rejected", "Bounce/Unconfirmed", reason="other"),
        **_is("failed", "Bounce/SMTPApiError", "Bounce/TemplateRenderingFailed", reason=ACCOUNT),
        **_is("bounced", "SubscriptionChange/HardBounce", reason="bounced"),
        **_is("complained", "SubscriptionChange/SpamComplaint", reason="spam"),
        **_is("unsubscribed", "SubscriptionChange/ManualSuppression", reason="unsubscribed"),
        **_is("unsubscribed", "SubscriptionChange", reason="unsubscribed"),  # or "subscribed", where it was lifted
        **_is("failed", "SMTPApiError", reason=ACCOUNT),
        **_ignored("it says itself that it cannot tell what came back", "Bounce/Unknown"),
        **_ignored(_INBOUND, "Bounce/InboundError"),
    },
    # https://resend.com/docs/webhooks/event-types
    "resend": {
        **_is("sent", "email.sent"),
        **_is("delivered", "email.delivered"),
        **_is("deferred", "email.delivery_delayed"),
        **_is("complained", "email.complained", reason="spam"),
        **_is("bounced", "email.bounced"),
        **_is("opened", "email.opened"),
        **_is("clicked", "email.clicked"),
        **_is("queued", "email.scheduled"),
        # It sends nothing to this address any more: after a hard bounce, or a complaint, which the detail says.
        **_is("rejected", "email.suppressed", "suppression.added", reason="bounced"),
        **_is("failed", "email.failed", reason=ACCOUNT),
        **_ignored("the next mail shows that the address is open again", "suppression.removed"),
        **_ignored(_INBOUND, "email.received"),
        **_ignored(_OTHER_GOODS, "contact.created", "contact.updated", "contact.deleted"),
        **_ignored(_OTHER_GOODS, "domain.created", "domain.updated", "domain.deleted"),
    },
    # https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads/; Anymail has no
    # webhook for it, so that these come by no way yet.
    "scaleway": {
        **_is("queued", "email_queued"),
        **_is("delivered", "email_delivered"),
        **_is("deferred", "email_deferred"),
        **_is("bounced", "email_dropped"),
        **_is("bounced", "email_mailbox_not_found", reason="invalid"),
        **_is("complained", "email_spam", reason="spam"),
        **_is("rejected", "email_blocklisted", reason="blocked"),
        **_ignored("the mail that caused it was reported on its own", "blocklist_created"),
        **_ignored("it says itself that it cannot tell", "unknown_type"),
    },
    # https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
    "sendgrid": {
        **_is("queued", "processed"),
        **_is("deferred", "deferred"),
        **_is("delivered", "delivered"),
        **_is("bounced", "bounce"),
        **_is("bounced", "blocked", reason="blocked"),  # the older word for a bounce of the type "blocked"
        **_is("rejected", "dropped"),
        **_is("opened", "open"),
        **_is("clicked", "click"),
        **_is("complained", "spamreport", reason="spam"),
        **_is("unsubscribed", "unsubscribe", "group_unsubscribe", reason="unsubscribed"),
        **_is("subscribed", "group_resubscribe"),
        **_ignored(_ACCOUNT, "account_status_change"),
    },
    # https://developers.sparkpost.com/api/events/ and https://support.sparkpost.com/docs/tech-resources/webhook-event-reference
    "sparkpost": {
        **_is("bounced", "bounce", "out_of_band"),
        **_is("delivered", "delivery"),
        **_is("queued", "injection"),
        **_is("complained", "spam_complaint", reason="spam"),
        **_is("rejected", "policy_rejection", "generation_rejection"),
        **_is("deferred", "delay"),
        **_is("clicked", "click", "amp_click"),
        **_is("opened", "open", "amp_open", "initial_open", "amp_initial_open"),
        **_is("failed", "generation_failure", reason=ACCOUNT),
        **_is("unsubscribed", "list_unsubscribe", "link_unsubscribe", reason="unsubscribed"),
        **_ignored(_INBOUND, "relay_injection", "relay_rejection", "relay_delivery"),
        **_ignored(_INBOUND, "relay_tempfail", "relay_permfail"),
        **_ignored(_OTHER_GOODS, "ab_test_completed", "ab_test_cancelled", "sms_status"),
        **_ignored(_OTHER_GOODS, "success", "error"),  # of uploaded events (ingest)
    },
    # https://godocs.unisender.ru/email-statuses
    "unisender go": {
        **_is("sent", "sent"),
        **_is("delivered", "delivered"),
        **_is("opened", "opened"),
        **_is("clicked", "clicked"),
        **_is("unsubscribed", "unsubscribed", reason="unsubscribed"),
        **_is("subscribed", "subscribed"),
        **_is("complained", "spam", reason="spam"),
        **_is("deferred", "soft_bounced"),
        **_is("bounced", "hard_bounced"),
    },
}
# Anymail's own reason would blame the reader where the word cannot.
NOT_THE_READERS = frozenset({("amazon ses", "Reject")})
# Where the word stands in the provider's own event; the first path that leads to a text. "*" is any one key.
_WORD: dict[str, tuple[str, ...]] = {
    "amazon ses": ("eventType", "notificationType"),
    "brevo": ("event",),
    "mailersend": ("type", "data.type"),
    "mailgun": ("event-data.event", "event"),
    "mailjet": ("event",),
    "mailtrap": ("event",),
    "mandrill": ("event", "type"),
    "postal": ("event",),
    "postmark": ("RecordType",),
    "resend": ("type",),
    "scaleway": ("type",),
    "sendgrid": ("event",),
    "sparkpost": ("msys.*.type",),
    "unisender go": ("status", "event_data.status"),
}
_KIND_OF_BOUNCE = ("Type", "SuppressionReason")  # Postmark's second word
# Where the recipient stands in events of which Anymail reads none, and in those that it could not read.
_RECIPIENT: dict[str, tuple[str, ...]] = {
    "mailersend": ("data.recipient.email", "data.email.recipient.email", "data.recipient", "data.email"),
    "mailgun": ("event-data.recipient", "recipient"),
    "mandrill": ("msg.email", "reject.email"),
    "postal": ("payload.message.to", "payload.original_message.to"),
    "postmark": ("Email", "Recipient"),
    "resend": ("data.email", "data.to.0"),
    "sparkpost": ("msys.*.rcpt_to",),
}
# Where ids of the mail stand beside the one that Anymail takes.
_IDS: dict[str, tuple[str, ...]] = {
    "amazon ses": ("mail.messageId", "mail.commonHeaders.messageId"),
    "brevo": ("message-id",),
    "mailersend": ("data.email.message.id", "data.message_id"),
    "mailgun": ("event-data.message.headers.message-id", "Message-Id"),
    "mailjet": ("MessageID",),
    "mailtrap": ("message_id",),
    "mandrill": ("_id", "msg._id"),
    "postal": ("payload.message.id", "payload.original_message.id", "payload.message.message_id"),
    "postmark": ("MessageID",),
    "resend": ("data.email_id", "data.source_id"),
    "sendgrid": ("sg_message_id", "smtp-id"),
    "sparkpost": ("msys.*.transmission_id",),
    "unisender go": ("job_id",),
}
# SendGrid answers with the first part of what it reports: "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0".
_TAIL = re.compile(r"\.(?:filter|recvd)[^@\s]{0,200}\Z")
_NATIVE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,59}")
ODD = "(no word)"  # what stands for a word that could be anything, an address too


def word_of(esp: str, esp_event: Any) -> str:
    """The provider's own word for an event, "" where it has none; ``esp`` in lower case. Never raises."""
    found = first(esp_event, _WORD.get(esp, ()))
    if found is None or found == "":
        return ""
    text = found if isinstance(found, str) else ""
    if esp == "postmark":
        more = first(esp_event, _KIND_OF_BOUNCE)
        text = f"{text}/{more}" if text in {"Bounce", "SpamComplaint", "SubscriptionChange"} and more else text
    return text if _NATIVE.fullmatch(text) else ODD


def meaning_of(esp: str, word: str) -> Meaning | None:
    """What a provider's word means; None where it is in no table."""
    return EVENTS.get(esp, {}).get(word)


def read_as(esp: str, word: str, kind: str, reject_reason: str) -> tuple[str, str]:
    """Kind and reject reason of an event: Anymail's, filled in or corrected by the table."""
    meaning = meaning_of(esp, word)
    if meaning is None:
        return kind, reject_reason
    if kind in {"", UNKNOWN} or meaning.kind == IGNORED:
        return meaning.kind, meaning.reject_reason
    if meaning.reject_reason and (not reject_reason or (esp, word) in NOT_THE_READERS):
        return kind, meaning.reject_reason
    return kind, reject_reason


def recipient_of(esp: str, esp_event: Any) -> str:
    """The recipient as the provider's own event has it, "" where it does not say."""
    found = first(esp_event, (*_RECIPIENT.get(esp, ()), "email", "recipient"))
    return found if isinstance(found, str) else ""


def ids_of(esp: str, esp_event: Any) -> list[str]:
    """The ids by which the provider knows the mail, as it may have answered at the hand-over."""
    found = [at(esp_event, path.split(".")) for path in _IDS.get(esp, ())]
    texts = [str(value) for value in found if isinstance(value, str | int) and not isinstance(value, bool)]
    return [_TAIL.sub("", text[:255]) for text in texts if text]


def id_of(esp: str, esp_event: Any, message_id: str) -> str:
    """The id by which the provider answered at the hand-over: Anymail's, but where SendGrid has none of Anymail's own.

    There Anymail takes the Message-ID, and the answer was the first part of sg_message_id.
    """
    if esp == "sendgrid" and not at(esp_event, ["anymail_id"]):
        found = at(esp_event, ["sg_message_id"])
        return _TAIL.sub("", found[:255]) if isinstance(found, str) and found else message_id
    return message_id


def first(value: Any, paths: tuple[str, ...]) -> Any:
    """What stands at the first of these paths that leads to anything."""
    return next((found for path in paths if (found := at(value, path.split("."))) not in (None, "")), None)


def at(value: Any, path: list[str]) -> Any:
    """What stands at a path of keys; "*" is any one key, a number a place in a list."""
    for key in path:
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        elif not isinstance(value, Mapping):
            return None
        else:
            value = next(iter(value.values()), None) if key == "*" else value.get(key)
    return value
