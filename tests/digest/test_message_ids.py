"""A Message-ID names one mail for ever: of any database and any installation of the domain."""

import itertools
from datetime import timedelta

import pytest

from digest.delivery.reading import read_digests
from digest.health.received import OUR_ID
from digest.models import Digest
from digest.providers import Key
from digest.rendering import Press, Shelf, digest_message
from subscriptions import letters
from subscriptions.emails import name_of
from subscriptions.models import SignupRequest
from subscriptions.redaction import Recipient, redacted
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def id_of(digest, now=NOW):
    """As it is sent: from a row that was read for sending, by the press; and the same by the definition."""
    (row,) = read_digests([digest.pk])
    press = Press()
    press.lay_out([row])
    made = press.message(row, row.subscriber, now=now).extra_headers["Message-ID"]
    whole = Digest.objects.get(pk=digest.pk)
    assert (
        digest_message(whole, whole.subscriber, Shelf.for_digests([whole]), now=now).extra_headers["Message-ID"] == made
    )
    return made


def test_a_digest_keeps_its_id_at_every_try_and_whatever_becomes_of_its_row(digest):
    first = id_of(digest)
    Digest.objects.update(attempt=3, reason="greylisted", free_at=NOW + timedelta(hours=1), claimed_by="worker 7")
    assert id_of(digest, NOW + timedelta(hours=9)) == first
    assert OUR_ID.fullmatch(first)


def test_the_same_number_in_a_fresh_database_or_on_another_installation_is_another_mail(digest, settings):
    seen = set()
    for instance, microseconds in itertools.product(["https://a.example", "https://b.example"], range(3)):
        settings.INSTANCE_ID = instance
        Digest.objects.update(planned_at=NOW + timedelta(microseconds=microseconds))
        seen.add(id_of(digest))
    assert len(seen) == 6


@pytest.mark.parametrize("kind", SignupRequest.Kind)
def test_letters_differ_in_the_same_way_and_keep_theirs(confirmed, settings, kind):
    seen, tries = set(), set()
    for instance, seconds in itertools.product(["a", "b"], range(2)):
        settings.INSTANCE_ID = instance
        SignupRequest.objects.all().delete()
        email = "new@example.org" if kind == SignupRequest.Kind.MOVE else confirmed.email
        at = NOW + timedelta(seconds=seconds)
        own = {"kind": kind, "email": email, "created_at": at, "subscriber": confirmed, "granted_at": NOW}
        asked = SignupRequest.objects.create(pk=77, **own)
        _, letter = letters.letter_for(77, NOW + timedelta(seconds=9))
        seen.add(letter.extra_headers["Message-ID"])
        tries.add(name_of(letter.metadata["mail"], asked.created_at))
    assert len(seen) == 4
    assert seen == {f"<{name}@example.org>" for name in tries}


def test_a_provider_that_knows_repeated_calls_does_not_take_a_fresh_databases_mail_for_an_old_one():
    key = Key("Idempotency-Key", timedelta(hours=24))
    assert key.of(name_of("digest-1", NOW)) == key.of(name_of("digest-1", NOW))
    assert key.of(name_of("digest-1", NOW)) != key.of(name_of("digest-1", NOW + timedelta(microseconds=1)))


def test_our_own_ids_stay_in_what_a_provider_reports_and_other_addresses_go():
    ours = f"{name_of('digest-17', NOW)}@example.org"
    assert redacted(f"{ours} ana@example.org", Recipient("reader@example.org")) == f"{ours} <address>"
