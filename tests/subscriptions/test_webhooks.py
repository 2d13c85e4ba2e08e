"""The provider's post, through the real address, to the reader who gets no more mail."""

import base64
import hashlib
import hmac
import importlib
import json

import pytest
from anymail.exceptions import AnymailNotSupportedWarning
from django.db import OperationalError, connection
from django.test import Client
from django.urls import clear_url_caches

from config import urls as config_urls
from config.mail_url import ESPS, PLAIN
from subscriptions import webhooks
from subscriptions.esps import backend_of
from subscriptions.models import MailEvent, Subscriber, Suppression
from subscriptions.tasks import read_mail_events
from tests.conftest import NOW, make_reader

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings(f"ignore::{AnymailNotSupportedWarning.__module__}.AnymailNotSupportedWarning"),
]
SECRET = "papers:a-long-random-password"
KEY = "mailgun-signing-key"


@pytest.fixture
def provider(settings):
    """Use this provider as MAIL_URL would, and read the URLs anew."""

    def use(esp, secrets=(SECRET,), **anymail):
        settings.EMAIL_BACKEND = backend_of(esp)
        settings.MAIL_WEBHOOK_SECRET = list(secrets)
        settings.ANYMAIL = {"WEBHOOK_SECRET": list(secrets), **anymail}
        importlib.reload(config_urls)
        clear_url_caches()

    yield use
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAIL_WEBHOOK_SECRET = []
    importlib.reload(config_urls)
    clear_url_caches()


def authorization(secret=SECRET):
    return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def post(esp, body, secret=SECRET, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body)
    sent = {**(authorization(secret) if secret else {}), **headers}
    return Client().post(f"/anymail/{esp}/tracking/", data, content_type="application/json", headers=sent)


def signed(event):
    """Mailgun's signature block."""
    token, timestamp = hashlib.sha256(json.dumps(event).encode()).hexdigest(), "1774000000"
    signature = hmac.new(KEY.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": {"token": token, "timestamp": timestamp, "signature": signature}, "event-data": event}


POSTMARK_BOUNCE = {
    "RecordType": "Bounce",
    "ID": 901542550,
    "Type": "HardBounce",
    "TypeCode": 1,
    "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
    "Metadata": {"mail": "digest-17"},
    "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist. reader@example.org",
    "Email": "reader@example.org",
    "From": "papers@example.org",
    "BouncedAt": "2026-03-20T08:25:00Z",
    "Inactive": True,
}
POSTMARK_COMPLAINT = {
    "RecordType": "SpamComplaint",
    "ID": 901542551,
    "Type": "SpamComplaint",
    "MessageID": "m-2",
    "Email": "Reader@example.org",
    "BouncedAt": "2026-03-20T08:25:00Z",
}
MAILGUN_BOUNCE = {
    "event": "failed",
    "severity": "permanent",
    "reason": "bounce",
    "id": "pl271FzxTTmGRW8Uj3dUWw",
    "timestamp": 1774000000.5,
    "recipient": "reader@example.org",
    "user-variables": {"mail": "digest-17"},
    "message": {"headers": {"to": "reader@example.org", "message-id": "digest-17@example.org"}},
    "delivery-status": {"code": 550, "message": "5.1.1 <reader@example.org> does not exist", "description": ""},
}
MAILGUN_COMPLAINT = {**MAILGUN_BOUNCE, "event": "complained", "severity": "", "reason": "", "delivery-status": None}
SENDGRID = {
    "email": "reader@example.org",
    "timestamp": 1774000000,
    "smtp-id": "<digest-17@example.org>",
    "event": "bounce",
    "type": "bounce",
    "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
    "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    "reason": "550 5.1.1 The email account <reader@example.org> does not exist",
    "status": "5.1.1",
    "anymail_id": "b4d0-uuid",
    "mail": "digest-17",
}
BREVO = {
    "event": "hard_bounce",
    "email": "reader@example.org",
    "ts_epoch": 1774000000000,
    "message-id": "<digest-17@example.org>",
    "X-Mailin-custom": '{"mail": "digest-17"}',
    "reason": "550 5.1.1 unknown: reader@example.org",
}
SPARKPOST = {
    "msys": {
        "message_event": {
            "type": "bounce",
            "bounce_class": "10",
            "event_id": "92356927693813856",
            "raw_rcpt_to": "Reader@example.org",
            "rcpt_to": "reader@example.org",
            "raw_reason": "MAIL REFUSED - reader@example.org",
            "rcpt_meta": {"mail": "digest-17"},
            "timestamp": "1774000000",
            "transmission_id": "65832150921904138",
        }
    }
}
POSTS = [
    ("postmark", POSTMARK_BOUNCE, "bounce"),
    ("postmark", POSTMARK_COMPLAINT, "complaint"),
    ("mailgun", signed(MAILGUN_BOUNCE), "bounce"),
    ("mailgun", signed(MAILGUN_COMPLAINT), "complaint"),
    ("sendgrid", [SENDGRID], "bounce"),
    ("sendgrid", [{**SENDGRID, "event": "spamreport"}], "complaint"),
    ("brevo", BREVO, "bounce"),
    ("brevo", {**BREVO, "event": "complaint"}, "complaint"),
    ("sparkpost", [SPARKPOST], "bounce"),
]


@pytest.mark.parametrize(("esp", "body", "reason"), POSTS)
def test_a_providers_report_stops_the_reader(provider, nudges, esp, body, reason):
    provider(esp, MAILGUN_WEBHOOK_SIGNING_KEY=KEY)
    reader = make_reader()
    assert post(esp, body).status_code == 200
    assert post(esp, body).status_code == 200, "posted again"
    assert nudges == [("subscriptions.tasks.read_mail_events",)] * 2
    event = MailEvent.objects.get()
    assert event.reader == reader.pk
    assert event.mail in {"digest-17", ""}
    assert "reader@" not in json.dumps(list(MailEvent.objects.values()), default=str).lower()
    assert reader in Subscriber.objects.active(NOW)
    read_mail_events()
    assert [stop.reason for stop in Suppression.objects.all()] == [reason]
    assert reader not in Subscriber.objects.active(NOW)


def test_a_delivery_is_kept_and_nobody_is_nudged(provider, nudges):
    provider("postmark")
    delivered = {"RecordType": "Delivery", "Recipient": "reader@example.org", "DeliveredAt": "2026-03-20T08:25:00Z"}
    assert post("postmark", delivered).status_code == 200
    assert MailEvent.objects.get().kind == "delivered"
    assert nudges == []


def test_a_big_post_is_one_nudge_and_each_event_is_kept(provider, nudges):
    provider("sendgrid")
    assert post("sendgrid", [{**SENDGRID, "sg_event_id": str(n)} for n in range(200)]).status_code == 200
    assert MailEvent.objects.count() == 200
    assert len(nudges) == 1


def test_a_broker_that_is_away_costs_no_event(provider, settings):
    provider("postmark")
    assert post("postmark", POSTMARK_BOUNCE).status_code == 200
    assert MailEvent.objects.count() == 1


@pytest.mark.parametrize(
    "secret", ["", "papers:wrong", ":", "a-long-random-password", "papers:a-long-random-passwordx"]
)
def test_a_wrong_secret_is_refused_and_nothing_is_stored(provider, nudges, secret):
    provider("postmark")
    assert post("postmark", POSTMARK_BOUNCE, secret).status_code == 400
    assert not MailEvent.objects.exists()
    assert nudges == []


def test_two_secrets_are_valid_while_one_replaces_the_other(provider, nudges):
    provider("postmark", [SECRET, "papers:the-next-random-password"])
    assert post("postmark", POSTMARK_BOUNCE).status_code == 200
    assert post("postmark", POSTMARK_COMPLAINT, "papers:the-next-random-password").status_code == 200


def test_a_wrong_signature_is_refused(provider):
    provider("mailgun", MAILGUN_WEBHOOK_SIGNING_KEY="another")
    assert post("mailgun", signed(MAILGUN_BOUNCE)).status_code == 400
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options", "patch"])
@pytest.mark.parametrize("esp", ["postmark", "mailgun", "unisender_go"])
def test_only_post_changes_anything(provider, method, esp):
    provider(esp, MAILGUN_WEBHOOK_SIGNING_KEY=KEY, UNISENDER_GO_API_KEY="k")
    answer = getattr(Client(), method)(f"/anymail/{esp}/tracking/", headers=authorization())
    assert answer.status_code in {200, 405}
    assert not MailEvent.objects.exists()


BROKEN = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"17",
    b'"text"',
    b"{}",
    b"[null]",
    b"[[]]",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"RecordType": 1, "Type": []}',
    b'{"event": {}}',
    b'{"RecordType": "Inbound"}',
    b'{"msys": 1}',
    b'{"data": 1, "type": 1, "event": "bounce"}',
    b'{"RecordType":"Bounce","Email":"' + b"x" * 10_000_000 + b'"}',
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:20].decode("latin-1"))
@pytest.mark.parametrize("esp", sorted(ESPS - {"amazon_ses", "scaleway"}))
def test_what_cannot_be_read_is_no_server_error(provider, nudges, esp, body):
    provider(
        esp,
        MAILGUN_WEBHOOK_SIGNING_KEY=KEY,
        MAILERSEND_SIGNING_SECRET=KEY,
        MANDRILL_WEBHOOK_KEY=KEY,
        POSTAL_WEBHOOK_KEY=KEY,
        UNISENDER_GO_API_KEY=KEY,
    )
    assert post(esp, body).status_code < 500
    assert post(esp, body, "papers:wrong").status_code == 400
    if len(body) > 1_000_000:
        assert not MailEvent.objects.exists()


def test_a_huge_body_is_refused(provider):
    provider("postmark")
    assert post("postmark", BROKEN[-1]).status_code in {400, 413}


def test_a_database_that_is_away_is_a_server_error_so_that_the_provider_posts_again(provider):
    provider("postmark")

    def away(*_):
        raise OperationalError("away")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        post("postmark", POSTMARK_BOUNCE)


@pytest.mark.parametrize("path", ["mailgun/tracking/", "postmark/inbound/", "mandrill/", "sendgrid/tracking/", ""])
def test_other_providers_and_inbound_mail_have_no_address(provider, path):
    provider("postmark")
    assert Client().post(f"/anymail/{path}").status_code == 404


def test_without_a_secret_there_is_no_address(provider):
    provider("postmark", [])
    assert post("postmark", POSTMARK_BOUNCE, "").status_code == 404
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize("esp", sorted(ESPS))
def test_every_provider_that_reports_has_exactly_its_own_address(esp):
    found = webhooks.urls(backend_of(esp), [SECRET])
    expected = [] if esp == "scaleway" else [f"{esp}_tracking_webhook"]  # Anymail knows no reports of Scaleway
    assert [url.name for url in found] == expected


@pytest.mark.parametrize("backend", sorted({*PLAIN.values(), "anymail.backends.test.EmailBackend"}))
def test_a_plain_transport_has_none(backend):
    assert webhooks.urls(backend, [SECRET]) == []
