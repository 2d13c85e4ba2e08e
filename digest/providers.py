"""What each mail provider can carry, as data. Pure: delivery chooses by it, the doctor says it.

A batch is one call for many readers. Ours needs each reader's own link twice: in the header List-Unsubscribe
(RFC 8058) and in the body. Most columns are Anymail's feature matrix (https://anymail.dev/en/stable/esps/) and its
page of the provider; ``source`` names the page for what is not in there.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from subscriptions.esps import esp_of


class Reports(StrEnum):
    """How a provider's webhook proves who it is, as Anymail checks it."""

    SIGNED = "signed"
    PASSWORD = "password only"  # noqa: S105 - the name of a way, not a password
    NONE = "no reports"


@dataclass(frozen=True, slots=True)
class Key:
    """A header by which a provider knows a repeated call and sends once."""

    header: str
    lifetime: timedelta
    known: str = ""  # in the refusal of a call that was made before; "" where the first answer is given again

    def of(self, mail: str) -> str:
        """The key of one mail ("digest-17"): the same at each try, a UUID, as providers want it."""
        return str(uuid5(NAMESPACE_URL, mail))


@dataclass(frozen=True, slots=True)
class Provider:
    """One transport. None means that no public page says so: look at a received copy."""

    name: str
    reports: Reports
    batch_limit: int = 1  # readers in one call; 1 where there is no batch
    header_in_batch: bool = False  # each reader's own List-Unsubscribe
    link_in_batch: bool = False  # each reader's own link in our own HTML, without a template stored there
    event_ids: bool = False  # a report can be told from its repetition by an id
    idempotency: str = ""  # how the same call twice sends once; "" where nothing does
    idempotency_key: Key | None = None  # where we use it
    placeholder: str = ""  # how a reader's own value is named in a batch; batches are used only where we know it
    keeps_message_id: bool | None = None
    one_click: bool = True  # our own two list headers can be sent at all
    note: str = ""
    source: str = ""
    selectors: tuple[str, ...] = ()  # under which it publishes DKIM keys; guesses to try, nothing more
    leaves: bool = True  # mails leave this machine

    @property
    def carries_batches(self) -> bool:
        """Whether one call may hold digests for many readers."""
        return self.batch_limit > 1 and self.header_in_batch and self.link_in_batch and self.one_click

    @property
    def uses_batches(self) -> bool:
        """Whether ours are sent so."""
        return self.carries_batches and bool(self.placeholder)


def provider_of(backend: str) -> Provider:
    """The provider behind Django's EMAIL_BACKEND. One nobody described here can nothing but single mails."""
    name = esp_of(backend) or backend
    return PROVIDERS.get(name) or Provider(name, Reports.NONE, note="It is not in the table of providers.")


_NOTHING_LEAVES = "Mails stay on this machine."

PROVIDERS: dict[str, Provider] = {
    "subscriptions.smtp.EmailBackend": Provider("SMTP", Reports.NONE, keeps_message_id=True),
    "django.core.mail.backends.smtp.EmailBackend": Provider("SMTP", Reports.NONE, keeps_message_id=True),
    "subscriptions.mailfiles.EmlBackend": Provider("files", Reports.NONE, note=_NOTHING_LEAVES, leaves=False),
    "django.core.mail.backends.console.EmailBackend": Provider(
        "console", Reports.NONE, note=_NOTHING_LEAVES, leaves=False
    ),
    "django.core.mail.backends.locmem.EmailBackend": Provider(
        "memory", Reports.NONE, note=_NOTHING_LEAVES, leaves=False
    ),
    "django.core.mail.backends.dummy.EmailBackend": Provider(
        "dummy", Reports.NONE, note="Mails are thrown away.", leaves=False
    ),
    "amazon_ses": Provider(
        "Amazon SES",
        Reports.PASSWORD,
        batch_limit=50,
        event_ids=True,
        keeps_message_id=False,
        note="It writes its own Message-ID and Date. Batches need a template stored there.",
        source="https://docs.aws.amazon.com/ses/latest/dg/header-fields.html",
    ),
    "brevo": Provider(
        "Brevo",
        Reports.PASSWORD,
        batch_limit=1000,
        header_in_batch=True,
        idempotency="header idempotencyKey, 30 minutes",
        idempotency_key=Key("idempotencyKey", timedelta(minutes=30), known="duplicate_parameter"),
        note="Metadata can be read by the reader; reports come in any order.",
        source="https://developers.brevo.com/docs/batch-send-transactional-emails",
        selectors=("brevo1", "brevo2", "mail"),
    ),
    "mailersend": Provider(
        "MailerSend",
        Reports.SIGNED,
        batch_limit=500,
        link_in_batch=True,
        event_ids=True,
        one_click=False,
        note="Custom headers, so the one-click unsubscribe, are for Enterprise accounts only.",
        source="https://anymail.dev/en/stable/esps/mailersend/",
        selectors=("mlsend", "mlsend2"),
    ),
    "mailgun": Provider(
        "Mailgun",
        Reports.SIGNED,
        batch_limit=1000,
        placeholder="%recipient.{}%",
        header_in_batch=True,
        link_in_batch=True,
        event_ids=True,
        keeps_message_id=True,
        source="https://github.com/mailgun/mailgun.js/issues/394",
        selectors=("smtp", "mailo", "pic", "k1", "mx"),
    ),
    "mailjet": Provider(
        "Mailjet",
        Reports.PASSWORD,
        batch_limit=50,
        header_in_batch=True,
        link_in_batch=True,
        source="https://anymail.dev/en/stable/esps/mailjet/",
        selectors=("mailjet",),
    ),
    "mailtrap": Provider(
        "Mailtrap",
        Reports.PASSWORD,
        batch_limit=500,
        header_in_batch=True,
        event_ids=True,
        note="A batch is answered with success even where single mails of it fail.",
        source="https://docs.mailtrap.io/developers/sending/send-email-batch",
        selectors=("rwmt1", "rwmt2"),
    ),
    "mandrill": Provider(
        "Mandrill",
        Reports.SIGNED,
        batch_limit=1000,
        link_in_batch=True,
        source="https://anymail.dev/en/stable/esps/mandrill/",
        selectors=("mte1", "mte2", "mandrill"),
    ),
    "postal": Provider("Postal", Reports.SIGNED, event_ids=True, source="https://anymail.dev/en/stable/esps/postal/"),
    "postmark": Provider(
        "Postmark",
        Reports.PASSWORD,
        batch_limit=500,
        header_in_batch=True,
        note="Digests belong into a broadcast stream. Only bounces have an event id.",
        source="https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails",
        selectors=("pm",),
    ),
    "resend": Provider(
        "Resend",
        Reports.SIGNED,
        batch_limit=100,
        header_in_batch=True,
        event_ids=True,
        idempotency="HTTP header Idempotency-Key, 24 hours; Anymail cannot set it",
        note="Metadata can be read by the reader.",
        source="https://resend.com/docs/dashboard/emails/idempotency-keys",
        selectors=("resend",),
    ),
    "scaleway": Provider("Scaleway", Reports.NONE, source="https://anymail.dev/en/stable/esps/scaleway/"),
    "sendgrid": Provider(
        "SendGrid",
        Reports.SIGNED,
        batch_limit=1000,
        header_in_batch=True,
        link_in_batch=True,
        event_ids=True,
        note="Anymail has not tested it since June 2025.",
        source="https://anymail.dev/en/stable/esps/sendgrid/",
        selectors=("s1", "s2"),
    ),
    "sparkpost": Provider(
        "SparkPost",
        Reports.PASSWORD,
        batch_limit=1000,
        link_in_batch=True,
        event_ids=True,
        one_click=False,
        note="It may put a List-Unsubscribe of its own in place of ours.",
        source="https://anymail.dev/en/stable/esps/sparkpost/",
    ),
    "unisender_go": Provider(
        "Unisender Go",
        Reports.SIGNED,
        batch_limit=500,
        header_in_batch=True,
        link_in_batch=True,
        note="A List-Unsubscribe of your own needs an approved account.",
        source="https://anymail.dev/en/stable/esps/unisender_go/",
        selectors=("us",),
    ),
}
