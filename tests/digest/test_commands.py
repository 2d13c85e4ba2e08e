from dataclasses import replace

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from digest import fetching
from digest.models import Digest, Edition, Paper
from digest.sources import sample
from subscriptions.models import Subscriber, Topic
from tests.conftest import make_edition, make_paper, make_reader

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]  # the demo's path
NOW = "2026-03-20T07:00"


def run(name, *arguments):
    call_command(name, *arguments)


def test_the_stages_by_hand_make_a_day(capsys):
    call_command("load_topics")
    make_reader("a", Topic.objects.get(slug="large-language-models"))
    make_reader("b")
    run("fetch_papers", "--now", NOW, "--source", "sample")
    run("draft_edition", "--now", NOW)
    run("approve_edition", "--now", NOW)
    run("plan_digests", "--now", NOW)
    assert not mail.outbox
    run("send_digests", "--now", NOW)
    assert len(mail.outbox) == 2
    run("close_day", "--now", "2026-03-22T00:00", "--day", "2026-03-20")
    assert Edition.objects.get().state == "closed"
    assert set(Digest.objects.values_list("state", "folded")) == {("accepted", True)}


def test_run_day_does_them_all_and_twice_is_harmless(capsys):
    make_reader("a")
    for _ in range(2):
        run("run_day", "--now", NOW, "--source", "sample")
    out = capsys.readouterr().out
    assert "accepted" in out
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("draft_edition", "fetch_papers"),
        ("approve_edition", "draft_edition"),
        ("close_day --day 2026-03-20", "ends everywhere"),
        ("run_day --source sample --day 2020-01-01", "no readers"),
    ],
)
def test_what_cannot_be_done_is_a_clear_line_and_exit_code_1(command, says):
    name, *arguments = command.split()
    with pytest.raises(CommandError, match=says) as caught:
        call_command(name, "--now", NOW, *arguments)
    assert caught.value.returncode == 1


def test_readers_without_an_edition_wait_and_the_command_says_so(confirmed):
    with pytest.raises(CommandError, match="No edition is approved"):
        call_command("plan_digests", "--now", NOW)
    assert not Digest.objects.exists()


def test_no_mail_server_is_a_clear_line_and_nothing_is_lost(confirmed, settings):
    make_edition([make_paper(1)])
    call_command("plan_digests", "--now", NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(CommandError, match="MAIL_URL"):
        call_command("send_digests", "--now", NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    call_command("send_digests", "--now", NOW)
    assert len(mail.outbox) == 1


def test_a_source_that_fails_is_a_line_of_the_table_and_exit_code_1(capsys, monkeypatch):
    def broken(day):
        raise fetching.SourceError("answered with an HTML page instead of JSON", transient=True)

    monkeypatch.setitem(fetching.SOURCES, "huggingface", replace(fetching.SOURCES["huggingface"], fetch=broken))
    with pytest.raises(CommandError, match="No source"):
        call_command("fetch_papers", "--now", NOW)
    assert "HTML" in capsys.readouterr().out


def test_a_wrong_day_is_refused_with_the_right_form():
    with pytest.raises(CommandError, match="2026-03-20"):
        call_command("draft_edition", "--day", "yesterday")


def test_topics_are_loaded_once_and_edited_ones_stay():
    call_command("load_topics")
    count = Topic.objects.count()
    assert count >= 40
    Topic.objects.filter(slug="robotics").update(name="Our robots")
    call_command("load_topics")
    assert Topic.objects.count() == count
    assert Topic.objects.get(slug="robotics").name == "Our robots"
    call_command("load_topics", "--overwrite")
    assert Topic.objects.get(slug="robotics").name == "Robotics"
    for topic in Topic.objects.all():
        topic.full_clean()


def test_the_sample_is_about_sixty_papers_of_three_days_with_two_sentences_each():
    found = [record for day in sample.days() for record in sample.fetch(day)]
    assert len(sample.days()) == 3
    assert 55 <= len(found) <= 65
    assert len({r.arxiv_id for r in found}) == len(found)
    assert all(r.summary and not r.abstract for r in found)


def test_the_demos_readers_differ_and_some_are_not_due(now):
    from digest.demo import readers  # noqa: PLC0415

    call_command("load_topics")
    assert readers.seed(now.date()) == readers.seed(now.date()) == 30
    due = Subscriber.objects.due(now).count()
    assert 15 <= due <= 22
    assert not Paper.objects.exists()
