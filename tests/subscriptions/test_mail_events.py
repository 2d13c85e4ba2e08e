"""What is kept of a provider's event, and that nothing of it can raise or carry an address."""

import hashlib
import json
import logging
import smtplib
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from aiosmtpd.controller import Controller
from anymail.exceptions import AnymailRecipientsRefused
from anymail.message import AnymailRecipientStatus, AnymailStatus
from anymail.signals import AnymailTrackingEvent, tracking
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from digest import delivery
from digest.demo.processes import free_port
from subscriptions import letters, receivers, suppression
from subscriptions.addresses import address_hash
from subscriptions.models import MailEvent, SignupRequest, Subscriber, Suppression
from subscriptions.tasks import handle_signup
from tests.conftest import NOW, make_reader

pytestmark = pytest.mark.django_db
EMAIL = "maria.lopez+papers@example.org"


def report(esp="Postmark", **fields):
    """Anymail's signal, as its webhook views send it."""
    values = {"event_type": "bounced", "reject_reason": "bounced", "recipient": EMAIL, "timestamp": NOW}
    tracking.send(sender=object, event=AnymailTrackingEvent(**{**values, **fields}), esp_name=esp)


def everything_kept():
    """All text of all rows, whatever the column."""
    return json.dumps(list(MailEvent.objects.values()), default=str, ensure_ascii=False)


def test_an_event_becomes_one_row_with_reader_mail_and_code():
    reader = Subscriber.objects.create(email=EMAIL, created_at=NOW, state="active")
    report(
        event_id="17",
        metadata={"mail": "digest-17"},
        message_id="<digest-17@example.org>",
        mta_response=f"smtp;550 5.1.1 <{EMAIL}> unknown",
        esp_event={"Type": "HardBounce", "Email": EMAIL},
    )
    event = MailEvent.objects.get()
    assert (event.esp, event.kind, event.reject_reason) == ("Postmark", "bounced", "bounced")
    assert (event.reader, event.email_hash, event.mail) == (reader.pk, address_hash(EMAIL), "digest-17")
    assert (event.message_id, event.detail) == ("<digest-17@example.org>", "Type=HardBounce; 550 5.1.1")
    assert (event.at, event.applied_at) == (NOW, None)
    assert event.payload == {"Type": "HardBounce", "Email": f"reader {reader.pk}"}


@pytest.mark.parametrize("name", ["bounced", "postmark", "hardbounce", "digest", "address", "reader"])
def test_a_reader_may_be_called_like_a_providers_word(name):
    reader = make_reader(name)
    report(recipient=reader.email, metadata={"mail": "digest-17"}, esp_event={"Type": "HardBounce", "to": reader.email})
    event = MailEvent.objects.get()
    assert (event.esp, event.kind, event.reject_reason) == ("Postmark", "bounced", "bounced")
    assert (event.mail, event.detail) == ("digest-17", "Type=HardBounce")
    assert event.payload["to"] == f"reader {reader.pk}"


def test_an_unknown_recipient_is_named_by_a_part_of_the_hash():
    report(esp_event={"to": [EMAIL.upper()]})
    assert MailEvent.objects.get().payload == {"to": [f"address {address_hash(EMAIL)[:12]}"]}


@pytest.mark.parametrize("same", [{"event_id": "1"}, {"event_id": None, "message_id": "m", "click_url": "https://x"}])
def test_a_doubled_event_is_one_row(same):
    for _ in range(3):
        report(**same)
    assert MailEvent.objects.count() == 1


def test_one_event_id_for_two_recipients_is_two_rows():
    report(event_id="sns-1")
    report(event_id="sns-1", recipient="other@example.org")
    assert MailEvent.objects.count() == 2


def test_events_without_an_id_differ_by_mail_time_click_and_kind():
    for fields in ({}, {"message_id": "m"}, {"timestamp": NOW - timedelta(1)}, {"click_url": "u"}, {"event_type": "x"}):
        report(**{"event_id": None, **fields})
    assert MailEvent.objects.count() == 5


SPELLINGS = [
    EMAIL,
    EMAIL.upper(),
    "maria.lopez%2Bpapers%40example.org",
    "maria.lopez+papers%40example%2Eorg",
    "maria%252Elopez%252Bpapers%2540example.org",
    "maria.lopez+papers=example.org",
    "bounce+maria.lopez+papers=example.org@mail.example.net",
    "maria.lopez=2Bpapers=40example.org",
    "maria.lopez+papers at example.org",
    "maria.lopez+papers [at] example.org",
    "maria.lopez&#43;papers&#64;example.org",
    "%6Daria.lopez+papers@example.org",
    "bounce-%6Daria.%6Copez+papers=example.org",
    "bounce-maria.lopez=2Bpapers=example.org",
    "550 5.1.1 maria.lopez+papers: user unknown",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("known", [True, False])
def test_no_field_carries_the_address_in_any_spelling(spelling, known):
    if known:
        Subscriber.objects.create(email=EMAIL, created_at=NOW)
    said = f"https://x.example/?e={spelling}&t=1 said <{spelling}>; no"
    report(
        recipient=EMAIL,
        event_type=spelling,
        reject_reason=spelling,
        message_id=f"<{spelling}>",
        metadata={"mail": said},
        mta_response=f"550 5.1.1 {said}",
        description=said,
        click_url=said,
        tags=[said],
        user_agent=said,
        esp_event={said: said, "deep": [{"in": {spelling: [f"<{spelling}>"]}}], "Type": said},
        esp=f"Postmark {spelling}",
    )
    kept = unquote(everything_kept()).lower()
    assert MailEvent.objects.count() == 1
    assert "lopez" not in kept
    assert "@" not in kept


@pytest.mark.parametrize(
    "other", ["somebody@else.example", "some%40else.example", '"some body"@else.example', "ü@é.example"]
)
def test_the_address_of_anybody_else_goes_too(other):
    report(esp_event={"From": f"A <{other}>", other: 1})
    payload = MailEvent.objects.get().payload
    assert payload == {"From": "A <<address>>", "<address>": 1}


def test_only_our_own_message_ids_stay():
    report(esp_event=["digest-17@example.org", "digest-17@example.net", "Digest-17@example.org", "x@example.org"])
    assert MailEvent.objects.get().payload == ["digest-17@example.org", "<address>", "<address>", "<address>"]


def test_a_foreign_message_id_is_kept_as_a_hash_that_tells_mails_apart():
    report(message_id="<a1@mx.example.net>")
    report(message_id="<a2@mx.example.net>")
    ids = set(MailEvent.objects.values_list("message_id", flat=True))
    assert len(ids) == 2
    assert not any("@" in id_ for id_ in ids)


class Odd:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class OddMapping(dict):
    def items(self):
        raise RuntimeError("no")


def nested(depth):
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "text \x00 with null",
        b"bytes \xff",
        {"null\x00key": "\x00", 1: 2, None: 3, (1, 2): float("nan"), "half": "\ud800", "inf": [float("inf")]},
        QueryDict(f"recipient={EMAIL}&recipient=b&event=bounced"),
        Odd(),
        {"a": Odd(), Odd(): 1},
        OddMapping(a=1),
        nested(5000),
        {"list": list(range(10**6))},
        {"x" * 50_000: "é" * 50_000},
        [f"reader{n}@example.org" for n in range(100_000)],
        {"number": 10**3000},
    ],
    ids=lambda payload: type(payload).__name__,
)
def test_any_payload_is_kept_small_or_left_out(payload):
    report(esp_event=payload)
    event = MailEvent.objects.get()
    assert len(json.dumps(event.payload)) <= 16 * 1024
    assert "\\u0000" not in json.dumps(event.payload)
    assert "@" not in json.dumps(event.payload)


def test_a_payload_that_contains_itself_ends():
    loop: dict = {}
    loop["again"] = loop
    report(esp_event=loop)
    assert MailEvent.objects.count() == 1


@pytest.mark.parametrize("name", ["event_type", "event_id", "message_id", "metadata", "recipient", "timestamp", "tags"])
@pytest.mark.parametrize(
    "value", [None, "\x00", "\ud800", 17, 1.5, [], ["a"], {"mail": Odd()}, Odd(), "x" * 10_000, b"x"]
)
def test_no_value_of_any_attribute_raises(name, value):
    report(**{name: value})
    assert MailEvent.objects.count() == 1


@pytest.mark.parametrize("esp", [None, "", "Pigeon Post", "\x00", 17, Odd(), "x" * 300])
def test_an_unknown_provider_is_kept_like_the_others(esp):
    report(esp=esp, esp_event={"Type": "HardBounce"})
    assert MailEvent.objects.get().kind == "bounced"


def test_an_event_without_anything_does_not_raise():
    tracking.send(sender=object, event=None, esp_name=None)
    tracking.send(sender=object, event=Odd(), esp_name=None)
    assert MailEvent.objects.count() == 1, "the same nothing, once"


@pytest.mark.parametrize("recipient", [None, "", "not an address", "<>", 17])
def test_an_event_without_recipient_stops_nobody(recipient):
    report(recipient=recipient)
    suppression.apply(NOW)
    assert MailEvent.objects.get().applied_at == NOW
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("recipient", ["Maria <Reader@Example.org>", " READER@example.org ", "<reader@example.org>"])
def test_the_recipient_is_found_however_it_is_written(recipient):
    reader = make_reader()
    report(recipient=recipient)
    assert MailEvent.objects.get().reader == reader.pk


def test_a_time_ahead_of_ours_or_without_a_zone_is_mended():
    report(event_id="1", timestamp=datetime(2999, 1, 1, tzinfo=UTC))
    report(event_id="2", timestamp=datetime(2026, 3, 1))
    report(event_id="3", timestamp=datetime.min)
    ahead, naive, first = MailEvent.objects.order_by("pk")
    assert ahead.at == ahead.received_at
    assert naive.at == datetime(2026, 3, 1, tzinfo=UTC)
    assert first.at.year == 1


def test_the_log_of_an_event_that_could_not_be_kept_has_no_address(caplog):
    class Broken:
        recipient = EMAIL

        @property
        def event_type(self):
            raise RuntimeError(EMAIL)

    with caplog.at_level(logging.WARNING):
        receivers.store_event(object, Broken(), EMAIL)
    assert "RuntimeError" in caplog.text
    assert "lopez" not in caplog.text
    assert not MailEvent.objects.exists()


def test_a_database_that_is_away_is_passed_on_so_that_the_provider_posts_again():
    def away(*_):
        raise OperationalError("away")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        report()


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(EMAIL),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
        max_leaves=20,
    ),
    texts=st.lists(st.text() | st.just(EMAIL), min_size=4, max_size=4),
)
def test_whatever_comes_is_kept(db, payload, texts):
    MailEvent.objects.all().delete()
    report(
        esp_event=payload, event_type=texts[0], message_id=texts[1], metadata={"mail": texts[2]}, description=texts[3]
    )
    assert MailEvent.objects.count() == 1
    assert "lopez" not in everything_kept()


# --- Refusals at the hand-over ---------------------------------------------------------------------------------------


class Door:
    """A real SMTP server that answers as it is told, at RCPT or after DATA."""

    def __init__(self):
        self.rcpt, self.data = "250 OK", "250 OK"
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        return self.data


@pytest.fixture
def door(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    door = Door()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", door.controller.port
    door.controller.start()
    yield door
    door.controller.stop()


def send():
    return dict(delivery.send_digests(lambda: NOW, "test"))


RCPT = [
    ("550 5.1.1 <reader@example.org>: User unknown in relay recipient table", "550 5.1.1", "bounce"),
    ("550 no such user", "550", "bounce"),
    ("551 user not local", "551", "bounce"),
    ("550 5.2.1 disabled", "550 5.2.1", "bounce"),
    ("550 5.1.10 null MX", "550 5.1.10", "bounce"),
    ("552 5.2.2 mailbox full", "552 5.2.2", ""),
    ("550 5.7.1 spam", "550 5.7.1", ""),
    ("550 blocked as spam", "550", ""),
    ("554 no", "554", ""),
]


@pytest.mark.parametrize(("answer", "code", "stopped"), RCPT)
def test_a_refused_recipient_is_an_event_with_the_code_only(door, digest, answer, code, stopped):
    door.rcpt = answer
    assert send() == {"rejected": 1}
    event = MailEvent.objects.get()
    assert (event.esp, event.kind, event.detail) == ("smtp", "rejected", code)
    assert (event.mail, event.reader) == (f"digest-{digest.pk}", digest.subscriber_id)
    assert "@" not in everything_kept()
    suppression.apply(NOW)
    assert "".join(Suppression.objects.values_list("reason", flat=True)) == stopped
    assert Subscriber.objects.active(NOW).exists() is not bool(stopped)


@pytest.mark.parametrize("answer", ["451 4.7.1 later", "450 4.2.2 full", "421 4.3.2 closing"])
def test_not_now_is_no_event(door, digest, answer):
    door.rcpt = answer
    assert send() == {"planned": 1}
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        "550 relay not permitted",
        "554 5.7.1 <reader@example.org>: Relay access denied",
        "530 5.7.0 Must issue a STARTTLS command first",
        "550 5.7.1 Authentication required",
        "550 5.1.8 Sender domain unknown",
        "503 5.5.1 bad sequence",
    ],
)
def test_a_server_that_does_not_know_us_stops_no_reader(door, digest, answer):
    door.rcpt = answer
    assert send() == {"planned": 1}  # held, and sent when it opens
    digest.refresh_from_db()
    assert digest.attempt == 0
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize("answer", ["554 5.7.1 spam", "552 5.3.4 too big"])
def test_a_refusal_of_the_content_is_not_the_readers(door, digest, answer):
    door.data = answer
    assert send() == {"rejected": 1}
    assert not MailEvent.objects.exists()


def test_a_mailbox_that_is_gone_is_so_after_data_too(door, digest):
    door.data = "550 5.1.1 no"
    assert send() == {"rejected": 1}
    assert (MailEvent.objects.get().detail, MailEvent.objects.get().reject_reason) == ("550 5.1.1", "invalid")
    suppression.apply(NOW)
    assert Suppression.objects.get().reason == "bounce"


def test_a_letter_refused_for_ever_is_given_up_and_counted(door):
    door.rcpt = "550 5.1.1 unknown"
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, "new@example.org", NOW)
    handle_signup(asked.pk)
    asked.refresh_from_db()
    assert (asked.outcome, asked.attempts) == ("failed", 1)
    assert asked.reason == "SMTPRecipientsRefused 550 5.1.1"
    event = MailEvent.objects.get()
    assert (event.mail, event.email_hash) == (f"confirm-{asked.pk}", address_hash("new@example.org"))


@pytest.mark.parametrize("answer", ["451 4.7.1 greylisted", "554 5.7.1 Relay access denied"])
def test_a_letter_refused_for_now_or_for_our_set_up_is_tried_again(door, answer):
    door.rcpt = answer
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, "new@example.org", NOW)
    handle_signup(asked.pk)
    asked.refresh_from_db()
    assert (asked.outcome, asked.handled_at) == ("", None)
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize(("status", "verdict"), [("invalid", "hard bounce"), ("rejected", "soft bounce")])
def test_a_providers_refusal_of_the_recipient_counts(status, verdict):
    message = EmailMessage(to=[EMAIL])
    message.anymail_status = AnymailStatus()
    message.anymail_status.set_recipient_status({EMAIL: AnymailRecipientStatus(None, status)})
    refusal = receivers.refusal_of(AnymailRecipientsRefused(email_message=message, esp_name="Postmark"))
    for _ in range(2):
        receivers.refused(refusal, EMAIL, "digest-1", NOW)
    event = MailEvent.objects.get()
    assert (event.esp, suppression.verdict(event).value) == ("Postmark", verdict)


def test_other_errors_say_nothing_of_the_recipient():
    for error in (
        smtplib.SMTPSenderRefused(550, b"5.1.1 no", "papers@example.org"),
        smtplib.SMTPDataError(554, b"5.7.1 spam"),
        smtplib.SMTPServerDisconnected(),
        smtplib.SMTPRecipientsRefused({}),
        OSError(),
    ):
        assert receivers.refusal_of(error) is None


def test_the_dedupe_key_is_sha256():
    report()
    assert len(MailEvent.objects.get().dedupe_key) == len(hashlib.sha256().hexdigest())
