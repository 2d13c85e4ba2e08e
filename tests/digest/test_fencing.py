import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from digest import delivery, fencing
from digest.models import Digest
from digest.tasks import plan_digests
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
