"""Every word that a provider's webhook may say has a meaning here, and one that has none is seen."""

import importlib
import json
import re

import pytest
from anymail.exceptions import AnymailNotSupportedWarning
from django.urls import clear_url_caches
from hypothesis import given
from hypothesis import strategies as st

from config import urls as config_urls
from config.mail_url import ESPS
from digest.health import reports
from subscriptions import suppression
from subscriptions.addresses import address_hash
from subscriptions.esp_events import EVENTS, IGNORED, UNREADABLE, recipient_of, word_of
from subscriptions.esps import backend_of
from subscriptions.models import MailEvent, Subscriber, Suppression
from subscriptions.webhooks import tracking_view
from tests.conftest import NOW, make_reader
from tests.fakes import posts
from tests.profiles import fewer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings(f"ignore::{AnymailNotSupportedWarning.__module__}.AnymailNotSupportedWarning"),
]
POSTING = sorted(ESPS - {"scaleway"})
# Anymail reads the bounce's own kind where there is one, and a bare "Bounce" with a reason.
KNOWN = [(esp, word) for esp in POSTING for word in sorted(EVENTS[esp.replace("_", " ")])]
INBOUND = {("mandrill", "inbound")}  # Anymail has another signal for it: see below


@pytest.fixture
def provider(settings, nudges):
    """Use this provider as MAIL_URL would, and read the URLs anew."""

    def use(esp):
        settings.EMAIL_BACKEND = backend_of(esp)
        settings.MAIL_WEBHOOK_SECRET = [posts.SECRET]
        settings.ANYMAIL = {"WEBHOOK_SECRET": [posts.SECRET], **posts.SETTINGS}
        importlib.reload(config_urls)
        clear_url_caches()

    yield use
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAIL_WEBHOOK_SECRET = []
    importlib.reload(config_urls)
    clear_url_caches()


def test_every_provider_has_a_table_with_a_source_and_a_reason_for_what_is_ignored():
    assert set(EVENTS) == {esp.replace("_", " ") for esp in ESPS}
    for words in EVENTS.values():
        assert all(meaning.why for meaning in words.values() if meaning.kind == IGNORED)


@pytest.mark.parametrize("esp", POSTING)
def test_every_word_that_anymail_knows_is_in_the_table(esp):
    view = tracking_view(backend_of(esp))
    known = EVENTS[esp.replace("_", " ")]
    words = {*getattr(view, "event_types", {}), *getattr(view, "legacy_event_types", {})}
    if esp == "postmark":
        words = {"Bounce/" + word for word in words if word != "ManualSuppression"}
        words |= set(view.event_record_types) - {"Inbound"}
    if esp == "mailersend":
        words |= {"activity." + word for word in words}
    assert words <= set(known)


@pytest.mark.parametrize(("esp", "word"), [pair for pair in KNOWN if pair not in INBOUND])
def test_every_word_of_the_table_leads_to_what_the_table_says(provider, esp, word):
    provider(esp)
    make_reader()
    answer = posts.post(esp, [posts.event(esp, word, mail="digest-17")])
    assert answer is None or answer.status_code == 200
    event = MailEvent.objects.get()
    meaning = EVENTS[esp.replace("_", " ")][word]
    assert (event.native, event.known, event.kind) == (word, True, meaning.kind)
    assert "reader@" not in json.dumps(list(MailEvent.objects.values()), default=str)
    assert reports.not_understood().state == "ok"


@pytest.mark.parametrize(
    ("esp", "word", "led"),
    [
        ("resend", "email.suppressed", "bounce"),
        ("resend", "suppression.added", "bounce"),
        ("resend", "email.failed", "nothing"),
        ("resend", "email.scheduled", "nothing"),
        ("resend", "email.delivery_delayed", "nothing"),
        ("resend", "suppression.removed", "nothing"),
        ("brevo", "unsubscribed", "left"),
        ("brevo", "unsubscribe", "left"),
        ("brevo", "invalid", "bounce"),
        ("brevo", "invalid_email", "bounce"),
        ("brevo", "hardBounce", "bounce"),
        ("brevo", "softBounce", "counted"),
        ("brevo", "soft_bounce", "counted"),
        ("brevo", "blocked", "counted"),
        ("brevo", "error", "nothing"),
        ("amazon_ses", "Subscription", "left"),
        ("amazon_ses", "DeliveryDelay", "nothing"),
        ("amazon_ses", "Rendering Failure", "nothing"),
        ("amazon_ses", "Reject", "nothing"),
        ("sparkpost", "generation_failure", "nothing"),
        ("mailersend", "activity.deferred", "nothing"),
        ("mandrill", "delivered", "nothing"),
        ("sendgrid", "dropped", "bounce"),
    ],
)
def test_what_a_word_leads_to_for_the_reader(provider, esp, word, led):
    provider(esp)
    reader = make_reader()
    posts.post(esp, [posts.event(esp, word)])
    assert suppression.apply(NOW) == {led: 1}
    stopped = led in {"bounce", "complaint", "left"}
    assert (reader in Subscriber.objects.active(NOW)) != stopped


@pytest.mark.parametrize(("origin", "reason"), [("complaint", ["complaint"]), ("bounce", ["bounce"]), ("manual", [])])
def test_why_resend_sends_nothing_any_more_is_heeded(provider, origin, reason):
    provider("resend")
    make_reader()
    event = posts.event("resend", "suppression.added")
    event["data"]["origin"] = origin
    posts.post("resend", [event])
    suppression.apply(NOW)
    assert [stop.reason for stop in Suppression.objects.all()] == reason


@pytest.mark.parametrize("esp", sorted(set(POSTING) - posts.WITHOUT_A_VIEW))
def test_what_stops_a_reader_is_read_at_once_although_anymail_does_not_know_the_word(provider, nudges, esp):
    provider(esp)
    stops = {"resend": "email.suppressed", "brevo": "unsubscribed"}
    if esp in stops:
        posts.post(esp, [posts.event(esp, stops[esp])])
        assert nudges == [("subscriptions.tasks.read_mail_events",)]


def test_a_mail_that_comes_in_by_the_wrong_address_costs_no_report_beside_it(provider):
    provider("mandrill")
    events = [posts.event("mandrill", "inbound"), posts.event("mandrill", "spam"), posts.event("mandrill", "inbound")]
    assert posts.post("mandrill", events).status_code == 200
    assert sorted(MailEvent.objects.values_list("kind", flat=True)) == ["complained", IGNORED]


NEW = st.from_regex(r"[a-z]{3,8}[._][a-z]{3,8}", fullmatch=True)
ODD = st.one_of(st.just("somebody@example.org"), st.text(min_size=1), st.just("x" * 61))


@pytest.mark.parametrize("esp", [esp for esp in POSTING if esp != "postal"])
@fewer(3)
@given(word=st.one_of(NEW, ODD), times=st.integers(1, 3))
def test_a_word_that_nobody_knows_is_kept_counted_and_shown_without_an_address(provider, esp, word, times):
    MailEvent.objects.all().delete()
    provider(esp)
    if word in EVENTS[esp.replace("_", " ")]:
        return
    word = f"activity.{word}" if esp == "mailersend" else word
    for number in range(1, times + 1):
        email = f"reader{number}@example.org"  # SES has one id for all
        posts.post(esp, [posts.event(esp, word, email=email, number=number)])
    assert MailEvent.objects.filter(known=False).count() == times
    shown = MailEvent.objects.first().native
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,59}|\(no word\)", shown)
    said = reports.not_understood()
    assert said.state == "warning"
    assert f"{times} are not understood" in said.said
    assert shown in said.said
    assert "@" not in said.said
    assert suppression.apply(NOW) == {"nothing": times}


def test_the_doctor_says_which_words_of_whom_how_many_and_since_when(provider):
    provider("resend")
    for number in range(1, 4):
        posts.post("resend", [posts.event("resend", "email.folded", number=number, email=f"a{number}@example.org")])
    MailEvent.objects.update(received_at=NOW)
    MailEvent.objects.create(esp="Brevo", dedupe_key="x", kind=UNREADABLE, known=False, at=NOW, received_at=NOW)
    said = reports.not_understood()
    assert said.said == (
        "4 are not understood: Resend email.folded (3, since 2026-03-20); Brevo no word, unreadable (1, since 2026-03-20)"
    )


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_value_has_a_word_and_a_recipient_or_none(value):
    for esp in (*EVENTS, "nobody"):
        for said in (value, {"event": value, "type": value, "msys": {"x": {"type": value}}, "data": value}):
            assert isinstance(word_of(esp, said), str)
            assert isinstance(recipient_of(esp, said), str)


# One event of a post is odd.
POISONS = ["1774000000x", [], None, {"deep": {"er": [1]}}, 1e400, True, -1e400, float("nan"), "", [None], 10**30]
FIELDS = {
    "sendgrid": ["timestamp", "event", "email", "sg_event_id", "category", "reason", "type", "url"],
    "mandrill": ["ts", "event", "msg", "_id", "msg.email", "msg.metadata", "msg.tags"],
    "sparkpost": ["msys", "msys.message_event", "msys.message_event.type", "msys.message_event.timestamp"],
    "mailjet": ["time", "event", "email", "MessageID", "Payload", "customcampaign"],
    "mailtrap": ["timestamp", "event", "email", "message_id", "custom_variables", "event_id"],
    "unisender_go": ["event_time", "status", "email", "metadata", "delivery_info", "job_id"],
}
PAIRS = [(esp, field) for esp in posts.BATCHES for field in [*FIELDS[esp], ""]]
WORDS = {
    "sendgrid": "bounce",
    "mandrill": "hard_bounce",
    "sparkpost": "bounce",
    "mailjet": "bounce",
    "mailtrap": "bounce",
    "unisender_go": "hard_bounced",
}


def poisoned(event, field, value):
    """The event with this value at the path; "" is the event itself."""
    if not field:
        return value
    inner = event
    *path, last = field.split(".")
    for key in path:
        inner = inner[key]
    inner[last] = value
    return event


@pytest.mark.parametrize(("esp", "field"), PAIRS)
@fewer(2)
@given(poison=st.sampled_from(POISONS), place=st.integers(0, 3), others=st.integers(1, 3))
def test_one_odd_event_of_a_post_loses_none_beside_it(provider, esp, field, poison, place, others):
    MailEvent.objects.all().delete()
    provider(esp)
    good = [
        posts.event(esp, WORDS[esp], email=f"good{number}@example.org", number=number)
        for number in range(1, others + 1)
    ]
    odd = poisoned(posts.event(esp, WORDS[esp], email="odd@example.org", number=9), field, poison)
    events = [*good[:place], odd, *good[place:]]
    assert posts.post(esp, events).status_code == 200
    expected = {address_hash(f"good{number}@example.org") for number in range(1, others + 1)}
    kept = MailEvent.objects.filter(email_hash__in=expected, kind="bounced")
    assert kept.count() == len(expected)
    for event in MailEvent.objects.filter(kind=UNREADABLE):
        assert event.detail.startswith("cannot be read: ")
        assert not event.known
    assert MailEvent.objects.count() == len(expected) + 1 or poison in ([], None, "") or not field
    assert "@example.org" not in json.dumps(list(MailEvent.objects.values()), default=str)


@pytest.mark.parametrize("esp", sorted(set(POSTING) - set(posts.BATCHES) - posts.WITHOUT_A_VIEW))
@pytest.mark.parametrize("poison", POISONS, ids=repr)
def test_a_single_event_that_is_odd_is_kept_aside_and_not_posted_for_ever(provider, esp, poison):
    provider(esp)
    word = {"mailgun": "complained", "postmark": "SpamComplaint", "mailersend": "activity.spam_complaint"}
    event = posts.event(esp, word.get(esp, "email.complained" if esp == "resend" else "complaint"))
    field = {"brevo": "ts_epoch", "mailgun": "timestamp", "postmark": "BouncedAt", "resend": "created_at"}
    answer = posts.post(esp, [poisoned(event, field.get(esp, "data.created_at"), poison)])
    assert answer.status_code == 200
    event = MailEvent.objects.get()
    assert event.kind in {"complained", UNREADABLE}
    assert event.kind == "complained" or event.detail.startswith("cannot be read: ")
    assert event.email_hash == address_hash(posts.EMAIL)


def test_a_provider_that_groups_single_events_is_read_too(provider):
    provider("brevo")
    events = [posts.event("brevo", "hard_bounce", email=f"a{number}@example.org", number=number) for number in (1, 2)]
    assert posts._json("brevo", events).status_code == 200
    assert list(MailEvent.objects.values_list("kind", flat=True)) == ["bounced", "bounced"]


def test_a_post_full_of_nonsense_keeps_a_hundred_of_it(provider, caplog):
    provider("sendgrid")
    assert posts.post(
        "sendgrid", [{"event": "bounce", "email": [number]} | {"timestamp": "x"} for number in range(300)]
    )
    assert MailEvent.objects.count() == 100
    assert "300 events of a post by SendGrid cannot be read" in caplog.text
