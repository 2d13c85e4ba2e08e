"""A reader's page, erasing, and what the guard counted."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from subscriptions import clock, consent, privacy
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import (
    Breaker,
    Budget,
    ConsentEvent,
    Interest,
    MailEvent,
    SignupRequest,
    Subscriber,
    Suppression,
)
from tests.conftest import NOW, make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def path_of(model, view="changelist", *args):
    return reverse(f"admin:subscriptions_{model}_{view}", args=args)


def page_of(client, model, pk):
    answer = client.get(path_of(model, "change", pk))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def staff(client, *codenames):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


# --- The page -----------------------------------------------------------------------------------


def test_all_kinds_of_interests_are_shown(admin_client, robotics, speech):
    reader = make_reader("a")
    own = Interests((robotics.pk,), ("protein folding",), ("Ana Exemplar",), (speech.pk,), ("crypto",))
    Interest.objects.bulk_create(own.rows(reader))
    page = page_of(admin_client, "subscriber", reader.pk)
    for words in ("protein folding", "Ana Exemplar", "Muted topics: Speech", "crypto"):
        assert words in page


def saved(client, reader, **values):
    shown = {"hour": "06:30", "zone": reader.zone, "days": range(7), "paper_limit": 10}
    assert client.post(path_of("subscriber", "change", reader.pk), {**shown, **values}).status_code == 302
    reader.refresh_from_db()


def test_saving_the_page_leaves_a_muted_topic_muted_and_other_interests_alone(admin_client, robotics, speech):
    reader = make_reader("a")
    own = Interests((robotics.pk,), ("protein folding",), ("Ana Exemplar",), (speech.pk,), ("crypto",))
    Interest.objects.bulk_create(own.rows(reader))
    ticked = admin_client.get(path_of("subscriber", "change", reader.pk)).context["adminform"].form.initial["topics"]
    assert ticked == [robotics.pk]
    saved(admin_client, reader, topics=ticked)
    assert Interests.of(reader) == own


def test_plain_text_and_language_are_an_operators_to_set(admin_client):
    reader = make_reader("a")
    saved(admin_client, reader, text_only="on", language="en")
    assert (reader.text_only, reader.language) == (True, "en")
    saved(admin_client, reader)
    assert (reader.text_only, reader.language) == (False, "en")


def test_the_page_says_why_an_address_is_stopped_and_what_was_reported(admin_client, suppressed):
    MailEvent.objects.create(
        esp="Mailgun",
        dedupe_key="1",
        kind="complained",
        mail="digest-17",
        reader=suppressed.pk,
        at=NOW,
        received_at=NOW,
    )
    page = page_of(admin_client, "subscriber", suppressed.pk)
    assert "This address gets no mail" in page
    for words in ("complaint", "Mailgun", "digest-17", "never by itself"):
        assert words in page


def test_what_was_lifted_or_has_ended_stops_nothing(admin_client):
    reader = make_reader("a")
    values = {"email_hash": reader.email_hash, "created_at": NOW - timedelta(days=9)}
    Suppression.objects.create(**values, reason="bounce", lifted_at=NOW)
    Suppression.objects.create(**values, reason="it was not me", ends_at=NOW)
    page = page_of(admin_client, "subscriber", reader.pk)
    assert "Nothing stops mails to this address" in page
    assert "it was not me" in page


def test_who_left_has_a_link_to_the_record_of_how(admin_client):
    reader = make_reader("a", state="unsubscribed", left_at=NOW)
    consent.note(reader, ConsentEvent.Kind.REASON, NOW, Origin("too many"))
    record = path_of("consentevent") + f"?q=reader+{reader.pk}"
    assert record in page_of(admin_client, "subscriber", reader.pk)
    assert "too many" in admin_client.get(record).content.decode()


def test_the_page_of_a_consent_shows_the_words_that_were_agreed_to(admin_client):
    event = consent.note(make_reader("a"), ConsentEvent.Kind.CONFIRMED, NOW, Origin("form"), "One <b>mail</b> a day.")
    assert "One &lt;b&gt;mail&lt;/b&gt; a day." in page_of(admin_client, "consentevent", event.pk)


def test_the_page_of_a_report_lays_out_its_payload(admin_client):
    event = MailEvent.objects.create(
        esp="smtp", dedupe_key="1", kind="bounced", at=NOW, received_at=NOW, payload={"why": ["<script>", "é"]}
    )
    assert "&lt;script&gt;" in page_of(admin_client, "mailevent", event.pk)
    assert "é" in page_of(admin_client, "mailevent", event.pk)


# --- Erasing ------------------------------------------------------------------------------------


def test_erasing_asks_first_and_leaves_a_trace_without_the_address(admin_client):
    readers = [make_reader("secret1"), make_reader("secret2"), make_reader("stays")]
    act = {"action": "erase", "_selected_action": [reader.pk for reader in readers[:2]]}
    page = admin_client.post(path_of("subscriber"), act).content.decode()
    assert "Erase 2" in page
    assert "secret" not in page
    assert Subscriber.objects.count() == 3
    admin_client.post(path_of("subscriber"), {**act, "sure": "yes"})
    assert Subscriber.objects.get().email == "stays@example.org"
    assert Suppression.objects.filter(reason="erased").count() == 2
    assert sorted(LogEntry.objects.values_list("object_repr", "change_message")) == sorted(
        (f"reader {reader.pk}", "Erased.") for reader in readers[:2]
    )
    assert "secret" not in str(LogEntry.objects.values_list())


def test_a_reader_whose_mail_is_on_the_wire_is_said_to_follow(admin_client, confirmed, monkeypatch):
    def on_the_wire(*_):
        raise privacy.NotYet

    monkeypatch.setattr("subscriptions.privacy.erase", on_the_wire)
    act = {"action": "erase", "_selected_action": [confirmed.pk], "sure": "yes"}
    page = admin_client.post(path_of("subscriber"), act, follow=True).content.decode()
    assert "1 follow within minutes" in page
    confirmed.refresh_from_db()
    assert confirmed.erase_asked_at == NOW


def test_erasing_needs_its_own_permission(client, confirmed):
    staff(client, "view_subscriber", "change_subscriber")
    client.post(path_of("subscriber"), {"action": "erase", "_selected_action": [confirmed.pk], "sure": "yes"})
    confirmed.refresh_from_db()
    assert confirmed.state == "active"


# --- The guard's counts, requests ------------------------------------------------------------------


def test_counts_show_the_beginning_of_a_key_and_can_be_narrowed_to_refusals(admin_client):
    for minute, (kind, refused) in enumerate([("address", 0), ("network", 3), ("network", 0), ("site", 1)]):
        Budget.objects.create(kind=kind, key="abcdef0123456789" if kind != "site" else "",
                              minute=NOW + timedelta(minutes=minute), refused=refused)  # fmt: skip

    def kinds(**query):
        return [row.kind for row in admin_client.get(path_of("budget"), query).context["cl"].result_list]

    assert kinds() == ["site", "network", "network", "address"]
    assert kinds(refused="yes") == ["site", "network"]
    assert kinds(refused="yes", kind__exact="network") == ["network"]
    for page in (
        admin_client.get(path_of("budget")).content.decode(),
        page_of(admin_client, "budget", Budget.objects.first().pk),
    ):
        assert "abcdef01" in page
        assert "abcdef012" not in page


def test_a_breaker_is_closed_by_whom_and_once(admin_client, admin_user):
    breaker = Breaker.objects.create(opened_at=NOW, reason="1 of 50 confirmation mails were confirmed")
    act = {"action": "close", "_selected_action": [breaker.pk]}
    for words in ("leave within ten minutes", "None of the selected is open"):
        assert words in admin_client.post(path_of("breaker"), act, follow=True).content.decode()
    breaker.refresh_from_db()
    assert (breaker.is_open, breaker.closed_at, breaker.closed_by) == (False, NOW, admin_user.username)
    assert LogEntry.objects.get().change_message == "Closed: confirmation mails leave."


def test_closing_needs_the_permission_to_change_breakers(client):
    breaker = Breaker.objects.create(opened_at=NOW, reason="few confirmed")
    staff(client, "view_breaker")
    client.post(path_of("breaker"), {"action": "close", "_selected_action": [breaker.pk]})
    breaker.refresh_from_db()
    assert breaker.is_open


def test_requests_are_narrowed_by_kind_and_outcome(admin_client):
    for kind, outcome in (("import", "over budget"), ("sign-up", "over budget"), ("import", "")):
        SignupRequest.objects.create(kind=kind, outcome=outcome, reason="address: 3 in 24 h", email="a@example.org",
                                     created_at=NOW)  # fmt: skip
    query = {"kind__exact": "import", "outcome__exact": "over budget"}
    page = admin_client.get(path_of("signuprequest"), query)
    assert page.context["cl"].result_count == 1
    assert "address: 3 in 24 h" in page.content.decode()


def test_an_address_suppressed_by_hand_is_the_one_that_is_kept(admin_client):
    reader = Subscriber.objects.create(email="a@xn--bcher-kva.example", state="active", created_at=NOW)
    admin_client.post(path_of("suppression", "add"), {"address": "A@bücher.example", "detail": ""})
    assert Suppression.objects.get().email_hash == reader.email_hash


def test_reports_are_narrowed_by_what_happened_and_why(admin_client):
    for number, (kind, reason) in enumerate([("bounced", "bounced"), ("bounced", "invalid"), ("delivered", "")]):
        MailEvent.objects.create(
            esp="smtp", dedupe_key=str(number), kind=kind, reject_reason=reason, at=NOW, received_at=NOW
        )
    for query, number in (({"kind": "bounced"}, 2), ({"reject_reason": "invalid"}, 1), ({"kind": "complained"}, 0)):
        assert admin_client.get(path_of("mailevent"), query).context["cl"].result_count == number
