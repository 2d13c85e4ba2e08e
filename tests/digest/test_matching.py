"""A report without our metadata finds its digest: by the provider's id, or by its reader and the day."""

from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.db import connection
from django.test.utils import CaptureQueriesContext

from digest import outcomes
from digest.models import Digest, Edition
from digest.outcomes import matching
from subscriptions import suppression
from subscriptions.models import MailEvent, Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How the provider named the mail at the hand-over, and how its reports name it, as Anymail reads them.
IDS = {
    "sendgrid without unique args": ("SendGrid", "14c5d75ce93.dfd", {"smtp-id": "<14c5d75ce93.dfd@ismtpd-555>"}),
    "amazon ses": ("Amazon SES", "0102018f-4a-000000", {"message_id": "0102018f-4a-000000"}),
    "amazon ses in brackets": ("Amazon SES", "0102018f-4a-000000", {"message_id": "<0102018f-4a-000000>"}),
    "mailgun": ("Mailgun", "<2026.1@mg.example.net>", {"message_id": "<2026.1@mg.example.net>"}),
    "mailgun without brackets": ("Mailgun", "<2026.1@mg.example.net>", {"message_id": "2026.1@mg.example.net"}),
    "brevo": ("Brevo", "<2026.1@smtp-relay.mailin.fr>", {"message_id": "<2026.1@smtp-relay.mailin.fr>"}),
    "mailjet": ("Mailjet", "19421777835146490", {"message_id": 19421777835146490}),
    "resend": ("Resend", "56761188-7520-42d8", {"message_id": "56761188-7520-42d8"}),
}


def handed(reader, at=NOW - HOUR, **fields):
    """A digest that this reader was sent then."""
    paper = make_paper(Digest.objects.count() + 1)
    digest = make_digest(reader, [paper], state="accepted", **{"day": at.date(), **fields})
    Digest.objects.filter(pk=digest.pk).update(planned_at=at, handed_at=at, accepted_at=at)
    digest.refresh_from_db()
    return digest


def report(recipient, kind="bounced", at=NOW, esp="Postmark", **fields):
    """One report without metadata, through Anymail's signal."""
    values = {"reject_reason": "bounced"} if kind == "bounced" else {}
    if "smtp-id" in fields:
        own = {"event": "bounce", "sg_message_id": "14c5d75ce93.dfd.filter0001.16648.5515E0B88.0", "type": "bounce"}
        fields = {"message_id": fields["smtp-id"], "esp_event": own}
    event = AnymailTrackingEvent(event_type=kind, recipient=recipient, timestamp=at, **{**values, **fields})
    tracking.send(sender=object, event=event, esp_name=esp)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("recipient", ["reader@example.org", "forwarded@elsewhere.example", None])
def test_the_providers_id_leads_to_the_digest_whatever_the_address(name, recipient):
    esp, provider_id, fields = IDS[name]
    reader = make_reader()
    digest = handed(reader, provider_id=provider_id)
    handed(reader, NOW - HOUR / 2, day=TODAY + DAY)  # a newer one, which it is not about
    report(recipient, esp=esp, **fields)
    event = MailEvent.objects.get()
    assert (event.mail, event.reader) == (f"digest-{digest.pk}", reader.pk)
    outcomes.read_events(NOW)
    digest.refresh_from_db()
    assert digest.bounced_at == NOW


@pytest.mark.parametrize("name", IDS)
def test_an_id_that_was_not_written_yet_is_found_when_the_report_is_read(name):
    esp, provider_id, fields = IDS[name]
    digest = handed(make_reader())
    newer = handed(digest.subscriber, NOW - HOUR / 2, day=TODAY + DAY)
    report("reader@example.org", esp=esp, **fields)
    assert MailEvent.objects.get().mail == ""
    Digest.objects.filter(pk=digest.pk).update(provider_id=provider_id)
    outcomes.read_events(NOW)
    digest.refresh_from_db()
    newer.refresh_from_db()
    assert (digest.bounced_at, newer.bounced_at) == (NOW, None)


def test_our_own_message_id_names_the_digest():
    digest = handed(make_reader())
    report("forwarded@elsewhere.example", message_id=f"<digest-{digest.pk}@example.org>")
    assert MailEvent.objects.get().mail == f"digest-{digest.pk}"


def test_a_complaint_without_metadata_after_a_change_of_address_stops_the_reader():
    reader = make_reader()
    handed(reader, provider_id="abc-1")
    Subscriber.objects.filter(pk=reader.pk).update(moved_at=NOW)
    reader.refresh_from_db()
    reader.email = "new@example.org"
    reader.save()
    report("reader@example.org", "complained", NOW + HOUR, message_id="abc-1")
    suppression.apply(NOW + HOUR)
    assert reader not in Subscriber.objects.active(NOW + HOUR)


def test_an_id_of_a_call_for_many_leads_to_the_digest_of_the_address_or_to_none():
    digests = [handed(make_reader(f"reader{number}"), provider_id="batch-1") for number in range(3)]
    report("reader1@example.org", message_id="batch-1")
    report("forwarded@elsewhere.example", message_id="batch-1")
    assert list(MailEvent.objects.order_by("pk").values_list("mail", flat=True)) == [f"digest-{digests[1].pk}", ""]


def test_without_any_id_it_is_the_last_digest_that_left_before_within_a_week():
    reader = make_reader()
    old, last, after = (
        handed(reader, NOW - 8 * DAY),
        handed(reader, NOW - 2 * DAY),
        handed(reader, NOW + DAY),
    )
    report(reader.email)
    outcomes.read_events(NOW)
    assert list(Digest.objects.order_by("pk").values_list("bounced_at", flat=True)) == [None, NOW, None]
    assert old.pk < last.pk < after.pk


@pytest.mark.parametrize(("days", "found"), [(1, True), (6, True), (8, False), (-1, False)])
def test_a_digest_of_another_week_is_not_meant(days, found):
    reader = make_reader()
    handed(reader, NOW - days * DAY)
    report(reader.email)
    outcomes.read_events(NOW)
    assert Digest.objects.exclude(bounced_at=None).exists() == found


@pytest.mark.parametrize("kind", ["delivered", "opened", "sent", "rejected", "failed"])
def test_a_guess_settles_nothing(kind):
    digest = handed(make_reader())
    Digest.objects.update(state="uncertain", accepted_at=None)
    report("reader@example.org", kind)
    outcomes.read_events(NOW)
    digest.refresh_from_db()
    assert (digest.state, digest.delivered_at, digest.bounced_at) == ("uncertain", None, None)


@pytest.mark.parametrize("mail", ["confirm-5", "of nobody", "digest-999999"])
def test_a_report_that_names_another_mail_is_not_guessed(mail):
    handed(make_reader())
    report("reader@example.org", metadata={"mail": mail})
    outcomes.read_events(NOW)
    assert not Digest.objects.exclude(bounced_at=None).exists()


@pytest.mark.parametrize("how", ["by id", "by address"])
def test_reports_without_metadata_hold_an_edition_that_bounces(how, settings):
    settings.HOLD_AT_BOUNCES = 0.05
    make_edition([make_paper(900)])
    for number in range(20):
        provider_id = f"id-{number}" if how == "by id" else ""
        reader = make_reader(f"reader{number}")
        handed(reader, content_from=TODAY - DAY, content_to=TODAY, provider_id=provider_id)
        report(reader.email, message_id=provider_id or None)
    outcomes.read_events(NOW)
    told = []
    assert len(outcomes.hold_bursts(NOW, lambda *said: told.append(said))) == 1
    assert Edition.objects.get().held
    assert "20 of 20 mails bounced for ever" in told[0][0]


def test_the_search_by_id_uses_its_index_and_not_the_table():
    if connection.vendor != "sqlite":
        pytest.skip("a plan for three rows says nothing there")
    handed(make_reader(), provider_id="id-1")
    with CaptureQueriesContext(connection) as asked:
        assert matching.number_of(["id-1"], "", NOW) is not None
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
        assert "digest_provider_id" in str(cursor.fetchall())
