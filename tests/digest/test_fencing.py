from itertools import pairwise

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, models

from digest import delivery, fencing, sequences
from digest.models import Digest
from digest.tasks import plan_digests
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tokens import ID_BYTES
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(db):
    paper = make_paper(1)
    make_edition([paper])
    return make_digest(make_reader("r"), [paper])


def send():
    return dict(delivery.send_digests(lambda: NOW, "test"))


def test_a_new_database_belongs_to_the_installation_that_uses_it_first(planned):
    assert send() == {"accepted": 1}
    call_command("instance")


def test_a_copy_of_the_database_in_another_installation_sends_nothing_until_it_is_adopted(planned, settings):
    fencing.check(NOW)
    settings.INSTANCE_ID = "staging"
    with pytest.raises(fencing.NotOurs, match="instance --adopt"):
        send()
    with pytest.raises(CommandError, match="belongs to the installation"):
        call_command("send_digests", now=NOW)
    with pytest.raises(CommandError, match="staging"):
        call_command("instance")
    assert not mail.outbox
    assert Digest.objects.get().state == "planned"
    call_command("instance", "--adopt")
    assert send() == {"accepted": 1}


def test_nothing_is_planned_from_a_fenced_database(settings, nudges):
    make_edition([make_paper(1)])
    make_reader("due")
    call_command("instance", "--fence", now=NOW)
    plan_digests()
    assert not Digest.objects.exists()


def test_a_restored_backup_does_not_send_again_what_was_open_in_it(planned, settings, capsys):
    make_digest(make_reader("s"), [make_paper(2)], state="sending", free_at=NOW)
    call_command("instance", "--fence", now=NOW)
    call_command("instance", "--adopt", "--skip-open", now=NOW)
    assert "2 open digests are ended" in capsys.readouterr().out
    assert send() == {}
    assert set(Digest.objects.values_list("state", "reason")) == {
        ("skipped", "restored from a backup"),
        ("failed", "outcome unknown"),
    }


def test_skip_open_alone_is_refused(db):
    with pytest.raises(CommandError, match="goes with --adopt"):
        call_command("instance", "--skip-open")


def test_after_a_restored_dump_no_number_is_given_out_a_second_time(db):
    """A hundred of each came and went after the dump: what comes after the adoption has a number beyond theirs."""
    _forget_what_was_given_out()  # PostgreSQL's sequences know what other tests did
    make_reader("in the dump")
    since = [make_reader(f"since{number}") for number in range(100)]
    asked = [SignupRequest.objects.create(email="x@example.org", created_at=NOW) for _ in range(3)]
    digests = [make_digest(reader, []) for reader in since[:5]]
    given = {model: max(row.pk for row in rows) for model, rows in _by_model(since, asked, digests).items()}
    for rows in (digests, asked, since):
        type(rows[0]).objects.filter(pk__in=[row.pk for row in rows]).delete()
    _forget_what_was_given_out()
    assert make_reader("reused").pk <= given[Subscriber], "so it is without the adoption"
    call_command("instance", "--adopt", "--skip-open", now=NOW)
    later = make_reader("later")
    new = _by_model([later], [SignupRequest.objects.create(email="x@example.org", created_at=NOW)])
    new[Digest] = [make_digest(later, [])]
    for model, rows in new.items():
        assert rows[0].pk > given[model] + 900_000
    assert make_paper(7).pk > 1_000_000
    assert User.objects.create(username="editor").pk > 1_000_000


def _by_model(*lists):
    return {type(rows[0]): rows for rows in lists}


def _forget_what_was_given_out():
    """As a dump that was taken before does: the next number follows the highest that is there."""
    with connection.cursor() as cursor:
        for model in (Subscriber, SignupRequest, Digest):
            table = model._meta.db_table
            highest = model.objects.aggregate(highest=models.Max("pk"))["highest"] or 0
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id')::regclass, %s)", [table, max(highest, 1)]
                )
            else:
                cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [highest, table])


def test_every_table_with_numbers_of_its_own_leaves_a_gap_and_loses_no_row(db):
    make_reader("kept")
    numbered = {m for m in apps.get_models(include_auto_created=True) if isinstance(m._meta.pk, models.AutoField)}
    before = {model: list(model.objects.order_by("pk").values()) for model in numbered if model is not Session}
    assert sequences.raise_all() == len(numbered) > 20
    assert {model: list(model.objects.order_by("pk").values()) for model in before} == before


def test_adopting_again_and_again_goes_on_leaving_gaps(db):
    numbers = []
    for number in range(4):
        call_command("instance", "--adopt", now=NOW)
        numbers.append(make_reader(f"r{number}").pk)
    gaps = [after - before for before, after in pairwise(numbers)]
    assert all(1_000_000 <= gap <= 100_000_001 for gap in gaps)


@pytest.mark.parametrize(("last", "gap"), [(1, 10**6), (5 * 10**6, 5 * 10**6), (10**9, 10**8)])
def test_the_gap_is_as_wide_as_what_was_given_out_within_bounds(db, last, gap):
    make_reader("far", pk=last)
    call_command("instance", "--adopt", now=NOW)
    assert make_reader("next").pk >= last + gap


def test_where_a_link_could_not_hold_the_numbers_any_more_nothing_is_changed_and_it_is_said(db):
    make_reader("far", pk=2 ** (8 * ID_BYTES) - 1_000_000)
    fencing.fence(NOW)
    with pytest.raises(CommandError, match="subscriptions_subscriber stand at"):
        call_command("instance", "--adopt", now=NOW)
    assert fencing.known_owner().startswith(fencing.FENCED)


def test_who_is_signed_in_to_the_admin_signs_in_again_after_a_restored_backup(client, admin_user):
    client.force_login(admin_user)
    call_command("instance", "--adopt", now=NOW)
    assert client.get("/admin/").status_code == 200
    call_command("instance", "--adopt", "--skip-open", now=NOW)
    assert client.get("/admin/").status_code == 302
