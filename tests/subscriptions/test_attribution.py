"""Whom a report is about, cell by cell: the mail that it names comes first, the address second."""

from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, tracking

from digest.models import Digest
from subscriptions import attribution, suppression
from subscriptions.attribution import BOUNCES, COMPLAINTS, Effect, Whose
from subscriptions.models import ConsentEvent, MailEvent, SignupRequest, Subscriber, Suppression
from tests.conftest import NOW, make_digest, make_paper, make_reader

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SAYS = {
    "hard": {"event_type": "bounced", "reject_reason": "bounced"},
    "soft": {"event_type": "bounced", "reject_reason": "timed_out"},
    "complaint": {"event_type": "complained"},
    "leave": {"event_type": "unsubscribed"},
}


def report(says, recipient, mail="", at=NOW, **fields):
    """One report through Anymail's signal, as a provider's webhook gives it."""
    metadata = {"mail": mail} if mail else {}
    event = AnymailTrackingEvent(**SAYS[says], recipient=recipient, metadata=metadata, timestamp=at, **fields)
    tracking.send(sender=object, event=event, esp_name="Postmark")


def sent(reader, at=NOW - HOUR, **fields):
    """A digest that this reader was sent; its name."""
    digest = make_digest(reader, [make_paper(Digest.objects.count() + 1)], state="accepted", **fields)
    Digest.objects.filter(pk=digest.pk).update(planned_at=at, handed_at=at, accepted_at=at)
    return f"digest-{digest.pk}"


def moved(reader, at, email="new@example.org"):
    """The reader changed the address, which the record of consent knows."""
    ConsentEvent.objects.create(
        subscriber=reader, email_hash=reader.email_hash, kind=ConsentEvent.Kind.CONFIRMED, at=reader.confirmed_at
    )
    reader.email, reader.moved_at = email, at
    reader.save()


def cell(whose):
    """The mail's reader, the address in the report, and the mail's name, as this cell has them."""
    reader, other = make_reader("reader"), make_reader("other")
    mail = sent(reader)
    address = {
        Whose.UNNAMED: other.email,
        Whose.OWN: reader.email,
        Whose.FORMER: reader.email,
        Whose.ANOTHERS: other.email,
        Whose.NOBODYS: "forwarded@elsewhere.example",
        Whose.UNSAID: None,
        Whose.UNSAID_MOVED: None,
    }[whose]
    if whose in {Whose.FORMER, Whose.UNSAID_MOVED}:
        moved(reader, NOW - HOUR / 2)
    return reader, address, "" if whose is Whose.UNNAMED else mail


@pytest.mark.parametrize("whose", Whose)
def test_every_cell_is_told_as_what_it_is(whose):
    reader, address, mail = cell(whose)
    report("hard", address, mail)
    event = MailEvent.objects.get()
    about = attribution.about([event])[0]
    assert about.whose is whose
    if whose is not Whose.UNNAMED:
        assert (event.reader, about.reader, about.subject) == (reader.pk, reader.pk, reader.email_hash)


@pytest.mark.parametrize("says", ["hard", "complaint"])
@pytest.mark.parametrize("whose", Whose)
def test_every_cell_stops_whom_the_table_names_and_nobody_else(whose, says):
    reader, address, mail = cell(whose)
    report(says, address, mail)
    suppression.apply(NOW)
    hashed = MailEvent.objects.get().email_hash
    expected = {
        Effect.ADDRESS: {hashed},
        Effect.READER: {reader.email_hash},
        Effect.BOTH: {reader.email_hash, hashed},
        Effect.SOFTLY: set(),
        Effect.NOBODY: set(),
    }[(BOUNCES if says == "hard" else COMPLAINTS)[whose]]
    assert set(Suppression.objects.values_list("email_hash", flat=True)) == expected
    assert MailEvent.objects.get().applied_at == NOW, "it is kept, whatever it led to"


@pytest.mark.parametrize("whose", Whose)
def test_who_uses_the_providers_unsubscribe_is_the_reader_of_the_mail(whose):
    reader, address, mail = cell(whose)
    report("leave", address, mail)
    suppression.apply(NOW)
    left = set(Subscriber.objects.filter(state="unsubscribed").values_list("email", flat=True))
    if whose is Whose.ANOTHERS:
        assert left == set()
    else:
        assert left == {"other@example.org" if whose is Whose.UNNAMED else reader.email}


@pytest.mark.parametrize("says", ["hard", "soft"])
def test_forwarded_copies_that_go_on_bouncing_stop_the_reader_of_the_mails(says):
    reader = make_reader()
    for day in range(3):
        at = NOW + day * DAY
        report(says, "forwarded@elsewhere.example", sent(reader, at - HOUR, day=at.date()), at)
        suppression.apply(at)
        assert (reader in Subscriber.objects.active(at)) == (day < 2)
    stop = Suppression.objects.get()
    assert (stop.email_hash, stop.detail) == (reader.email_hash, "3 soft bounces in 14 d")


def test_an_old_address_that_bounces_for_weeks_leaves_the_new_one_alone():
    reader = make_reader()
    mails = [sent(reader, NOW - day * DAY, day=(NOW - day * DAY).date()) for day in range(1, 6)]
    old = reader.email
    moved(reader, NOW)
    for number, mail in enumerate(mails):
        report("hard" if number % 2 else "soft", old, mail, NOW + number * HOUR, event_id=str(number))
    suppression.apply(NOW + DAY)
    assert reader in Subscriber.objects.active(NOW + DAY)


def test_an_address_that_changed_without_a_record_is_told_by_the_time_of_the_mail():
    reader = make_reader()
    mail, old = sent(reader), reader.email
    Subscriber.objects.filter(pk=reader.pk).update(moved_at=NOW)
    reader.refresh_from_db()
    reader.email = "new@example.org"
    reader.save()
    report("hard", old, mail, NOW + HOUR)
    suppression.apply(NOW + HOUR)
    assert reader in Subscriber.objects.active(NOW + HOUR)
    report("complaint", old, mail, NOW + HOUR)
    suppression.apply(NOW + HOUR)
    assert reader not in Subscriber.objects.active(NOW + HOUR)


@pytest.mark.parametrize("says", ["hard", "complaint", "leave"])
def test_a_number_that_came_again_after_a_restore_names_nobody(says):
    new = make_reader("new")
    mail = sent(new, at=NOW)
    report(says, "lost@example.org", mail, NOW - DAY)
    suppression.apply(NOW)
    assert new in Subscriber.objects.active(NOW)
    assert MailEvent.objects.get().reader is None


def test_a_mail_of_another_installation_names_nobody_here():
    reader = make_reader()
    mail = sent(reader, provider_id="ours-1")
    report("complaint", "somebody@elsewhere.example", mail, message_id="theirs-1")
    suppression.apply(NOW)
    assert reader in Subscriber.objects.active(NOW)
    report("complaint", "somebody@elsewhere.example", mail, message_id="ours-1")
    suppression.apply(NOW)
    assert reader not in Subscriber.objects.active(NOW)


@pytest.mark.parametrize("mail", ["digest-0", "digest-007", "digest-", "digest-1x", "digest-²", "letter-1", "x", "-1"])
def test_a_name_that_is_none_leaves_the_address(mail):
    reader = make_reader()
    report("complaint", reader.email, mail)
    suppression.apply(NOW)
    assert reader not in Subscriber.objects.active(NOW)


@pytest.mark.parametrize("kind", attribution.LETTERS)
def test_a_letter_is_about_the_address_that_it_was_sent_to(kind):
    reader, stranger = make_reader(), make_reader("stranger")
    request = SignupRequest.objects.create(email="asked@example.org", created_at=NOW - HOUR, subscriber=reader)
    report("hard", stranger.email, f"{kind}-{request.pk}")
    suppression.apply(NOW)
    assert not Suppression.objects.exists(), "a forwarded letter"
    report("complaint", "asked@example.org", f"{kind}-{request.pk}")
    suppression.apply(NOW)
    assert [stop.email_hash for stop in Suppression.objects.all()] == [request.email_hash]
    assert {reader, stranger} <= set(Subscriber.objects.active(NOW))


def test_an_erased_readers_digest_names_nobody_and_the_address_counts():
    reader = make_reader()
    mail = sent(reader)
    Digest.objects.update(subscriber=None)
    report("complaint", reader.email, mail)
    suppression.apply(NOW)
    assert reader not in Subscriber.objects.active(NOW)


def test_whom_five_hundred_reports_are_about_takes_a_handful_of_queries(django_assert_max_num_queries):
    readers = [make_reader(f"reader{number}") for number in range(20)]
    mails = [sent(reader) for reader in readers]
    events = [
        MailEvent(mail=mail, email_hash=other.email_hash, at=NOW)
        for mail in mails
        for other in [*readers, Subscriber(email_hash="0" * 64), Subscriber(email_hash="")]
    ]
    with django_assert_max_num_queries(4):
        assert len(attribution.about(events)) == 440
