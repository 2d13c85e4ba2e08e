from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from digest import approval, delivery, outcomes, planning
from digest.board import Board
from digest.models import Digest
from subscriptions import lifecycle
from subscriptions.models import Interest, Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, origin

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)


def plan(now=NOW):
    return dict(planning.plan_due(now, by="test"))


def papers_of(digest):
    return [p["paper"] for p in digest.picks]


def test_a_due_reader_gets_the_papers_of_the_chosen_topic_with_the_reason(robotics, speech):
    robot, talk = make_paper(1, "A robot"), make_paper(2, "Speech recognition", categories=["eess.AS"])
    make_edition([talk, robot])
    make_reader("a", speech, only_my_topics=True)
    assert plan() == {"planned": 1}
    digest = Digest.objects.get()
    assert papers_of(digest) == [talk.pk]
    assert digest.picks[0]["why"] == [{"topic": speech.pk, "terms": ["speech recognition"], "category": "eess.AS"}]
    assert (digest.day, digest.content_to) == (TODAY, TODAY)


def test_planning_again_changes_nothing(robotics):
    make_edition([make_paper(1)])
    make_reader("a", robotics)
    plan()
    assert plan() == {}
    assert Digest.objects.count() == 1
    assert Subscriber.objects.get().next_due_at == datetime(2026, 3, 21, 6, 30, tzinfo=UTC)


def test_only_those_whose_hour_has_come_and_who_want_mail_are_planned(confirmed, unconfirmed, suppressed):
    make_edition([make_paper(1)])
    make_reader("later", due=NOW + timedelta(minutes=1))
    make_reader("paused", paused_until=NOW + timedelta(days=1))
    make_reader("back", paused_until=NOW - timedelta(days=1))
    make_reader("gone", state="unsubscribed")
    plan()
    assert sorted(Digest.objects.values_list("subscriber__email", flat=True)) == [
        "back@example.org",
        "confirmed@example.org",
    ]


def test_nothing_in_the_topics_is_a_named_skip_and_no_mail(speech):
    make_edition([make_paper(1, "A robot")])
    make_reader("a", speech, only_my_topics=True)
    assert plan() == {"no match in your topics": 1}
    assert Digest.objects.get().state == "skipped"


def test_a_reader_waits_for_todays_edition_until_the_deadline(confirmed, settings):
    settings.EDITION_APPROVE_AT = time(9, 0)
    assert plan() == {"waiting": 1}
    assert not Digest.objects.exists()
    assert plan(NOW + timedelta(hours=3, minutes=50)) == {"waiting": 1}
    assert plan(NOW + timedelta(hours=5)) == {"no new papers": 1}


def test_an_edition_that_is_about_to_be_approved_is_waited_for_past_the_deadline(confirmed):
    Subscriber.objects.update(next_due_at=NOW - timedelta(hours=6), hour=time(1))
    assert plan() == {"waiting": 1}
    make_edition([make_paper(1)])
    assert plan() == {"planned": 1}


def test_a_reader_in_the_east_is_not_kept_waiting_for_an_edition_that_comes_too_late(settings):
    make_edition([make_paper(1, day=YESTERDAY)], YESTERDAY)
    midnight = datetime(2026, 3, 20, 0, 30, tzinfo=UTC)
    make_reader("tokyo", zone="Asia/Tokyo", hour=time(9, 30), due=midnight)
    assert plan(midnight) == {"planned": 1}


def test_too_late_is_a_skip_not_a_stale_mail(confirmed):
    make_edition([make_paper(1)])
    Subscriber.objects.update(next_due_at=NOW - timedelta(hours=13), hour=time(18))
    assert plan() == {"too late": 1}


def test_a_held_edition_is_waited_for_and_then_told(confirmed):
    edition = make_edition([make_paper(1)])
    approval.hold(edition, "a fault", by="editor")
    assert plan() == {"waiting": 1}
    assert plan(NOW + timedelta(hours=4)) == {"held by the editors": 1}


def test_a_held_edition_does_not_keep_readers_from_those_that_follow(confirmed):
    before, faulty, after = (make_paper(n, day=TODAY - timedelta(days=2 - n)) for n in range(3))
    make_digest(confirmed, [], state="skipped", day=TODAY - timedelta(days=3), content_to=TODAY - timedelta(days=3))
    make_edition([before], TODAY - timedelta(days=2))
    make_edition([faulty], YESTERDAY, held=True)
    make_edition([after])
    assert plan() == {"planned": 1}
    digest = Digest.objects.get(day=TODAY)
    assert papers_of(digest) == [after.pk]
    assert (digest.content_from, digest.content_to) == (YESTERDAY, TODAY)


def test_what_came_before_a_held_edition_is_sent_when_the_wait_is_over(confirmed):
    before, faulty = make_paper(1, day=YESTERDAY), make_paper(2)
    make_digest(confirmed, [], state="skipped", day=TODAY - timedelta(days=2), content_to=TODAY - timedelta(days=2))
    make_edition([before], YESTERDAY)
    make_edition([faulty], held=True)
    assert plan() == {"waiting": 1}
    assert plan(NOW + timedelta(hours=4)) == {"planned": 1}
    assert Digest.objects.get(day=TODAY).content_to == YESTERDAY


def test_nobody_gets_a_paper_twice_across_days_and_after_closing(confirmed):
    first, second = make_paper(1), make_paper(2)
    make_edition([first], YESTERDAY)
    make_digest(confirmed, [first], state="accepted", day=YESTERDAY, content_to=YESTERDAY)
    make_edition([first, second])
    plan()
    assert papers_of(Digest.objects.get(day=TODAY)) == [second.pk]

    Digest.objects.filter(day=TODAY).delete()
    outcomes.close_day(YESTERDAY, outcomes.closes_at(YESTERDAY))
    Digest.objects.all().delete()
    Subscriber.objects.update(next_due_at=NOW - timedelta(minutes=30), last_due_at=None)
    plan()
    assert papers_of(Digest.objects.get(day=TODAY)) == [second.pk]


def test_a_refused_or_skipped_digest_leaves_its_papers_free(confirmed):
    paper = make_paper(1)
    make_digest(confirmed, [paper], state="rejected", day=YESTERDAY, content_to=YESTERDAY)
    make_edition([paper])
    plan()
    assert papers_of(Digest.objects.get(day=TODAY)) == [paper.pk]


def test_after_an_absence_all_missed_editions_are_one_digest(confirmed):
    make_digest(
        confirmed,
        [make_paper(9)],
        state="accepted",
        day=TODAY - timedelta(days=3),
        content_to=TODAY - timedelta(days=3),
    )
    made = [make_paper(n, day=TODAY - timedelta(days=n)) for n in range(3)]
    for n in range(3):
        make_edition([made[n]], TODAY - timedelta(days=n))
    plan()
    digest = Digest.objects.get(day=TODAY)
    assert sorted(papers_of(digest)) == sorted(p.pk for p in made)
    assert (digest.content_from, digest.content_to) == (TODAY - timedelta(days=3), TODAY)


def test_a_new_reader_gets_the_newest_edition_only(confirmed):
    old, new = make_paper(1, day=YESTERDAY), make_paper(2)
    make_edition([old], YESTERDAY)
    make_edition([new])
    plan()
    assert papers_of(Digest.objects.get()) == [new.pk]


def test_queries_do_not_grow_with_readers(django_assert_max_num_queries, robotics, settings):
    make_edition([make_paper(n) for n in range(1, 21)])
    for n in range(60):
        make_reader(f"r{n}", robotics)
    with django_assert_max_num_queries(25):
        plan()
    assert Digest.objects.count() == 60


def test_chunks_reach_every_reader_also_those_behind_the_waiting_ones(robotics, settings):
    settings.PLAN_CHUNK = 2
    make_edition([make_paper(1)])
    for n in range(7):
        make_reader(f"r{n}", robotics, due=NOW - timedelta(minutes=n), hour=time(6, 60 - n) if n else time(7))
    assert plan() == {"planned": 7}


def test_todays_can_be_asked_for_once(confirmed):
    make_edition([make_paper(1)])
    Subscriber.objects.update(next_due_at=NOW + timedelta(hours=5))
    asked = planning.plan_one(confirmed, NOW)
    assert (asked.state, asked.cadence) == ("planned", "now")
    assert planning.plan_one(confirmed, NOW).pk == asked.pk
    assert plan(NOW + timedelta(hours=5)) == {}
    assert Digest.objects.count() == 1, "the day has its digest"
    assert Subscriber.objects.get().next_due_at == datetime(2026, 3, 21, 6, 30, tzinfo=UTC)


def test_asking_when_there_is_nothing_leaves_the_day_open(confirmed):
    assert planning.plan_one(confirmed, NOW) is None
    assert not Digest.objects.exists()


FRIDAY_ONLY = 1 << 4


def week_of_editions(last=TODAY, days=7):
    """An edition with one paper of its own on each of these days; the papers, the newest first."""
    papers = [make_paper(100 + back, day=last - timedelta(days=back)) for back in range(days)]
    for back, paper in enumerate(papers):
        make_edition([paper], last - timedelta(days=back))
    return papers


def test_a_weekly_reader_without_history_gets_the_whole_week():
    papers = week_of_editions(days=10)
    make_reader("weekly", weekdays=FRIDAY_ONLY)
    make_reader("daily")
    plan()
    weekly = Digest.objects.get(subscriber__email="weekly@example.org")
    assert weekly.cadence == "weekly"
    assert sorted(papers_of(weekly)) == sorted(p.pk for p in papers[:7])
    assert (weekly.content_from, weekly.content_to) == (TODAY - timedelta(days=7), TODAY)
    daily = Digest.objects.get(subscriber__email="daily@example.org")
    assert (daily.cadence, papers_of(daily)) == ("daily", [papers[0].pk])


def test_a_skip_of_a_weekly_reader_counts_as_weekly(speech):
    make_edition([make_paper(1)])
    make_reader("weekly", speech, weekdays=FRIDAY_ONLY, only_my_topics=True)
    assert plan() == {"no match in your topics": 1}
    assert Digest.objects.get().cadence == "weekly"


def test_no_edition_falls_between_two_weekly_digests_when_the_list_was_late():
    papers = week_of_editions(days=9)
    reader = make_reader("weekly", weekdays=FRIDAY_ONLY)
    last_week = TODAY - timedelta(days=7)
    make_digest(reader, [papers[8]], state="accepted", day=last_week, content_to=last_week - timedelta(days=1))
    plan()
    assert sorted(papers_of(Digest.objects.get(day=TODAY))) == sorted(p.pk for p in papers[:8])


@given(back=st.integers(0, 20) | st.none(), weekly=st.booleans(), published=st.sets(st.integers(0, 12)))
def test_a_window_is_new_ascending_and_no_longer_than_its_reach(back, weekly, published):
    days = tuple(TODAY - timedelta(days=n) for n in sorted(published, reverse=True) if n < 8)
    after = None if back is None else TODAY - timedelta(days=back)
    window = Board(days, frozenset(), {}).window(after, weekly=weekly)
    assert list(window) == sorted(set(window))
    assert set(window) <= set(days)
    assert all(after is None or day > after for day in window)
    if window:
        assert window[-1] == days[-1]
        assert (window[-1] - window[0]).days < (8 if weekly and after else 7)
    if days and after is None and not weekly:
        assert window == days[-1:]


def live(days, paused_at, reader, pause_until):
    """Plan and send every morning; the reader pauses on day ``paused_at`` after planning. {day: papers in the mail}."""
    got = {}
    for back in range(days, -1, -1):
        now = NOW - timedelta(days=back)
        make_edition([make_paper(1000 + back, day=now.date())], now.date())
        planning.plan_due(now)
        if back == paused_at:
            lifecycle.pause(reader, pause_until, now, origin())
        delivery.send_digests(lambda now=now: now, "test")
        if mail.outbox:
            got[now.date()] = mail.outbox.pop().body.count("Page of no.")
        assert not mail.outbox
    return got


def test_a_pause_of_two_weeks_sends_nothing_and_ends_with_one_merged_digest():
    reader = make_reader("a", due=NOW - timedelta(days=20, minutes=30))
    end = datetime(2026, 3, 18, tzinfo=UTC)
    got = live(20, paused_at=16, reader=reader, pause_until=end)
    assert set(got) == {TODAY - timedelta(days=back) for back in (20, 19, 18, 17, 2, 1, 0)}
    assert got[end.date()] == 7, "the last week's, in one"
    assert [got[end.date() + timedelta(days=n)] for n in (1, 2)] == [1, 1]
    stopped = Digest.objects.get(day=TODAY - timedelta(days=16))
    assert (stopped.state, stopped.reason) == ("skipped", "paused")


def test_what_a_short_pause_stopped_comes_when_it_ends():
    reader = make_reader("a", due=NOW - timedelta(days=4, minutes=30))
    got = live(4, paused_at=3, reader=reader, pause_until=datetime(2026, 3, 19, tzinfo=UTC))
    assert got == {TODAY - timedelta(days=4): 1, TODAY - timedelta(days=1): 3, TODAY: 1}


def test_a_weekly_reader_who_pauses_gets_one_digest_of_the_last_days_when_it_ends():
    reader = make_reader("a", weekdays=FRIDAY_ONLY, due=NOW - timedelta(days=28, minutes=30))
    got = live(28, paused_at=20, reader=reader, pause_until=datetime(2026, 3, 7, tzinfo=UTC))
    since = {day: n for day, n in got.items() if day > TODAY - timedelta(days=20)}
    assert since == {TODAY - timedelta(days=7): 8, TODAY: 7}


def test_one_unreadable_reader_stops_neither_the_others_nor_the_closing_of_the_day(robotics, caplog):
    make_edition([make_paper(1)])
    lost, other = make_reader("lost", robotics), make_reader("other", robotics)
    # A row that no form and no import can make: a digest came at the end of all time, and twelve hours later is none.
    Subscriber.objects.filter(pk=lost.pk).update(hour=time(5), last_due_at=datetime.max.replace(tzinfo=UTC))
    assert plan() == {"planned": 1, "unreadable": 1}
    assert Digest.objects.get().subscriber == other
    assert f"reader {lost.pk} cannot be planned today" in caplog.text
    assert plan() == {}
    assert plan(NOW + timedelta(days=1, hours=1))["unreadable"] == 1, "and is asked about again"


def test_a_digest_that_is_there_although_nobody_looked_for_it_stays_and_the_others_are_stored(robotics, caplog):
    make_edition([make_paper(1)])
    first, second = make_reader("first", robotics), make_reader("second", robotics)
    there = make_digest(first, [], state="accepted", zone="UTC", folded=True, content_to=YESTERDAY)
    plan()
    assert Digest.objects.get(subscriber=first) == there
    assert Digest.objects.get(subscriber=second).state == "planned"
    assert f"reader {first.pk} cannot be planned today" in caplog.text
    assert plan() == {}


def test_the_number_of_queries_is_the_same_for_any_chunk(robotics, speech, settings):
    make_edition([make_paper(n) for n in range(1, 6)])
    make_digest(make_reader("before", due=NOW + timedelta(days=1)), [], day=YESTERDAY)  # a day is open
    counts = []
    for readers, chunk in ((3, 10), (60, 100)):
        settings.PLAN_CHUNK = chunk
        for n in range(readers):
            make_reader(f"of-{readers}-{n}", robotics, speech)
        with CaptureQueriesContext(connection) as asked:
            plan()
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_day_without_papers_and_a_reader_with_five_hundred_interests_are_planned_like_any_other(robotics):
    reader = make_reader("many", only_my_topics=True)
    kinds = [Interest.Kind.PHRASE, Interest.Kind.AUTHOR, Interest.Kind.MUTED_WORD]
    Interest.objects.bulk_create(
        Interest(subscriber=reader, kind=kinds[n % 3], text=f"thing number {n}") for n in range(500)
    )
    make_edition([make_paper(1, "A robot"), make_paper(2, "On thing number 3")])
    assert plan() == {"planned": 1}
    digest = Digest.objects.get()
    assert [p["why"] for p in digest.picks] == [[{"phrase": "thing number 3"}]]


def test_a_digest_asked_for_at_the_same_moment_is_the_only_one_of_its_day(robotics):
    make_edition([make_paper(1)])
    reader = make_reader("a", robotics)
    asked = planning.plan_one(reader, NOW)
    assert asked.state == "planned"
    Subscriber.objects.update(next_due_at=NOW - timedelta(minutes=30))  # as planning had read it a moment before
    assert plan() == {"asked for before": 1}
    assert Digest.objects.get() == asked


def test_a_day_that_is_closed_while_a_run_goes_on_brings_nothing_back(robotics, settings):
    """The first chunk has looked at the bitmaps before yesterday is folded into them, the second plans after it."""
    settings.PLAN_CHUNK = 1
    had, new = make_paper(1, day=YESTERDAY), make_paper(2)
    first, second = make_reader("first", robotics), make_reader("second", robotics)
    for reader in (first, second):
        make_digest(reader, [had], state="accepted", day=YESTERDAY, content_to=YESTERDAY)
    make_edition([had, new])
    chunks = iter([lambda: outcomes.close_day(YESTERDAY, outcomes.closes_at(YESTERDAY)), lambda: None])
    planning.plan_due(NOW, progress=lambda _: next(chunks)())
    assert Digest.objects.filter(day=YESTERDAY, folded=True).count() == 2
    assert [papers_of(digest) for digest in Digest.objects.filter(day=TODAY)] == [[new.pk], [new.pk]]
