"""One digest a reader and local day, at the hour, never stale: whatever clocks, zones and planners do."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import given
from hypothesis import strategies as st

from digest import ledger, planning, punctuality
from digest.models import Digest
from digest.planning import runs
from subscriptions import lifecycle, schedule
from subscriptions.interests import Interests
from subscriptions.models import Subscriber, Suppression
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, origin
from tests.profiles import fewer

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AT_SIX_THIRTY = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)


def plan(now=NOW, by="test"):
    return dict(planning.plan_due(now, by=by))


def move(reader, zone, now, **more):
    lifecycle.choose(reader, {"zone": zone, **more}, Interests(), now, origin())
    reader.refresh_from_db()


def editions(first, number):
    """An edition with one paper on each of these days; the papers."""
    papers = [make_paper(100 + n, day=first + n * DAY) for n in range(number)]
    for n, paper in enumerate(papers):
        make_edition([paper], first + n * DAY)
    return papers


# --- After a change of zone ------------------------------------------------------------------------------------------


def test_an_hour_that_the_new_zone_has_passed_is_sent_at_once_as_a_late_digest_of_today():
    editions(TODAY, 2)
    reader = make_reader("a")
    plan()
    now = AT_SIX_THIRTY + DAY - 20 * MINUTE  # 07:10 in Berlin
    move(reader, "Europe/Berlin", now)
    assert plan(now) == {"planned": 1}
    late = Digest.objects.get(day=TODAY + DAY)
    assert (late.zone, late.due_at) == ("Europe/Berlin", AT_SIX_THIRTY + DAY - HOUR)
    assert Subscriber.objects.get().next_due_at == AT_SIX_THIRTY + 2 * DAY - HOUR


def test_after_a_flight_over_the_date_line_a_date_can_have_two_digests_of_two_zones():
    editions(TODAY - DAY, 3)
    reader = make_reader(
        "a", zone="Pacific/Kiritimati", due=schedule.local_instant(TODAY, time(6, 30), "Pacific/Kiritimati")
    )
    plan(reader.next_due_at)
    move(reader, "Pacific/Honolulu", reader.next_due_at + HOUR)
    assert plan(reader.next_due_at) == {"planned": 1}
    assert list(Digest.objects.order_by("due_at").values_list("day", "zone")) == [
        (TODAY, "Pacific/Kiritimati"),
        (TODAY, "Pacific/Honolulu"),
    ]


def test_the_rest_counts_from_when_the_last_digest_came_not_from_when_it_was_due():
    """It waited four hours for its edition; eight hours later the hour comes in the new zone."""
    editions(TODAY, 3)
    reader = make_reader("a")
    came = AT_SIX_THIRTY + 4 * HOUR
    plan(came)
    move(reader, "Pacific/Auckland", came + HOUR)  # thirteen hours ahead: 06:30 there is 17:30 UTC
    assert reader.next_due_at == datetime(2026, 3, 21, 17, 30, tzinfo=UTC)
    move(reader, "Asia/Vladivostok", came + HOUR)  # ten: 20:30
    assert reader.next_due_at == datetime(2026, 3, 21, 20, 30, tzinfo=UTC)
    move(reader, "Asia/Bangkok", came + HOUR)  # seven: 23:30, thirteen hours after
    assert reader.next_due_at == datetime(2026, 3, 20, 23, 30, tzinfo=UTC)


def test_what_was_asked_for_counts_as_the_last_one_too():
    editions(TODAY, 3)
    reader = make_reader("a", due=AT_SIX_THIRTY + DAY)
    planning.plan_one(reader, NOW)
    move(reader, "Asia/Tokyo", NOW + HOUR)  # 06:30 there is 21:30 UTC, more than twelve hours after
    assert reader.next_due_at == datetime(2026, 3, 20, 21, 30, tzinfo=UTC)
    move(reader, "Pacific/Auckland", NOW + HOUR)  # 17:30 UTC is too early
    assert reader.next_due_at == datetime(2026, 3, 21, 17, 30, tzinfo=UTC)


def test_a_day_that_was_asked_for_has_its_digest_also_after_a_journey_there_and_back():
    editions(TODAY, 2)
    reader = make_reader("a", hour=time(23, 30), due=NOW + 16 * HOUR + 30 * MINUTE)
    planning.plan_one(reader, NOW)
    move(reader, "Asia/Tokyo", NOW + HOUR)
    move(reader, "UTC", NOW + 2 * HOUR)
    assert plan(NOW + 17 * HOUR) == {"asked for before": 1}
    assert Digest.objects.count() == 1
    reader.refresh_from_db()
    assert (reader.last_due_at, reader.next_due_at) == (None, datetime(2026, 3, 21, 23, 30, tzinfo=UTC))


def test_todays_cannot_be_asked_for_again_after_a_change_of_zone():
    editions(TODAY - DAY, 2)
    reader = make_reader("a")
    plan()
    first = Digest.objects.get()
    move(reader, "Europe/Berlin", NOW)
    assert planning.plan_one(reader, NOW + HOUR) == first
    assert Digest.objects.count() == 1


def test_the_cap_of_thirty_six_hours_is_planned_although_no_clock_shows_the_hour():
    last = datetime(2026, 10, 24, 12, 31, tzinfo=UTC)
    editions(last.date(), 3)
    reader = make_reader("a", hour=time(2, 30), last_due_at=last)
    move(reader, "Europe/Berlin", last + HOUR)
    assert reader.next_due_at == last + schedule.LONGEST
    assert plan(last + schedule.LONGEST) == {"planned": 1}
    assert Digest.objects.get().due_at == last + schedule.LONGEST


def test_after_a_digest_that_came_at_no_hour_of_the_clock_the_rest_counts_from_then():
    last = datetime(2026, 2, 20, 23, 0, tzinfo=UTC)
    editions(last.date(), 4)
    reader = make_reader("a", hour=time(2, 30), last_due_at=last)
    now = last + schedule.LONGEST + 2 * HOUR
    move(reader, "Asia/Jerusalem", now)  # 02:30 there is in eleven and a half hours
    assert plan(now) == {"planned": 1}
    reader.refresh_from_db()
    assert reader.next_due_at == datetime(2026, 2, 24, 0, 30, tzinfo=UTC)


def test_an_earlier_hour_does_not_take_the_digest_that_only_waits_for_its_edition():
    reader = make_reader("a")
    assert plan() == {"waiting": 1}
    lifecycle.choose(reader, {"hour": time(6, 0)}, Interests(), NOW, origin())
    editions(TODAY, 1)
    assert plan(NOW + HOUR) == {"planned": 1}
    assert Digest.objects.get().due_at == AT_SIX_THIRTY - 30 * MINUTE


# --- next_due_at is a search key -------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-2, -1, 1, 2])
def test_a_country_that_changed_its_clocks_moves_nobodys_hour(hours):
    """As after an update of the zone data: the stored instant was computed by the old rules."""
    editions(TODAY - DAY, 5)
    reader = make_reader("a", last_due_at=AT_SIX_THIRTY - DAY)
    Subscriber.objects.update(next_due_at=AT_SIX_THIRTY + hours * HOUR)
    for hour in range(-4, 26):
        plan(AT_SIX_THIRTY + hour * HOUR)
    rows = Digest.objects.order_by("due_at").values_list("day", "due_at")
    assert list(rows) == [(TODAY + n * DAY, AT_SIX_THIRTY + n * DAY) for n in range(2)]
    assert Subscriber.objects.get(pk=reader.pk).next_due_at == AT_SIX_THIRTY + 2 * DAY


def test_an_hour_that_is_still_ahead_is_stored_and_nothing_planned():
    editions(TODAY, 1)
    make_reader("a", last_due_at=AT_SIX_THIRTY - DAY)
    Subscriber.objects.update(next_due_at=AT_SIX_THIRTY - HOUR)
    assert plan(AT_SIX_THIRTY - HOUR) == {"not yet": 1}
    assert not Digest.objects.exists()
    assert Subscriber.objects.get().next_due_at == AT_SIX_THIRTY


def test_a_wrong_hour_after_a_long_time_without_digests_is_put_right_on_its_own_day():
    editions(TODAY, 1)
    make_reader("a", last_due_at=AT_SIX_THIRTY - 5 * DAY)
    Subscriber.objects.update(next_due_at=AT_SIX_THIRTY + HOUR)
    assert plan(AT_SIX_THIRTY + HOUR) == {"planned": 1}
    assert Digest.objects.get().due_at == AT_SIX_THIRTY


def test_a_new_reader_whose_stored_hour_is_wrong_gets_the_first_digest_too():
    editions(TODAY, 1)
    make_reader("a")
    Subscriber.objects.update(next_due_at=AT_SIX_THIRTY + HOUR)
    assert plan(AT_SIX_THIRTY + HOUR) == {"planned": 1}
    assert Digest.objects.get().due_at == AT_SIX_THIRTY


def test_a_weekday_that_was_not_chosen_is_moved_on():
    editions(TODAY, 1)
    make_reader("a", weekdays=schedule.weekdays([5]))
    assert plan() == {"not yet": 1}
    assert Subscriber.objects.get().next_due_at == AT_SIX_THIRTY + DAY


# --- Within the minute -----------------------------------------------------------------------------------------------


def test_the_mails_of_one_minute_are_spread_over_it_and_each_keeps_its_second():
    drawn = [punctuality.free_at(reader, TODAY, NOW) - NOW for reader in range(6000)]
    assert drawn == [punctuality.free_at(reader, TODAY, NOW) - NOW for reader in range(6000)]
    assert min(drawn) >= timedelta(0)
    assert max(drawn) < MINUTE
    per_second = Counter(spread.seconds for spread in drawn)
    assert len(per_second) == 60
    assert max(per_second.values()) < 160, "a hundred are expected"
    assert punctuality.free_at(1, TODAY + DAY, NOW) != punctuality.free_at(1, TODAY, NOW)


def test_the_second_is_the_same_in_every_process_whatever_its_hash_seed():
    assert punctuality.free_at(17, date(2026, 3, 20), NOW) == NOW + timedelta(seconds=0.366113)


def test_a_mail_is_not_claimed_before_its_second_and_a_late_one_at_once(settings):
    editions(TODAY, 1)
    for n in range(9):
        make_reader(f"r{n}")
    plan(AT_SIX_THIRTY)
    seconds = list(Digest.objects.order_by("free_at").values_list("free_at", flat=True))
    assert AT_SIX_THIRTY <= seconds[0] < seconds[-1] < AT_SIX_THIRTY + MINUTE
    assert len(ledger.claim(100, "worker", seconds[4])) == 5
    assert len(ledger.claim(100, "worker", AT_SIX_THIRTY + MINUTE)) == 4
    make_reader("late")
    plan()
    assert len(ledger.claim(100, "worker", NOW)) == 1


def test_what_was_asked_for_is_free_at_once():
    editions(TODAY, 1)
    assert planning.plan_one(make_reader("a", due=NOW + 5 * HOUR), NOW).free_at is None


# --- Too late ---------------------------------------------------------------------------------------------------------


def test_what_could_not_be_sent_in_time_comes_in_the_next_digest_although_the_mail_server_is_still_away():
    papers = editions(TODAY - DAY, 3)
    reader = make_reader("a")
    make_digest(reader, papers[:1], state="accepted", day=TODAY - DAY, content_to=TODAY - DAY)
    for n in range(2):
        assert plan(AT_SIX_THIRTY + n * DAY) == {"planned": 1}
    first, second = Digest.objects.filter(day__gte=TODAY).order_by("day")
    assert (first.state, first.reason) == ("skipped", "too late")
    assert sorted(p["paper"] for p in second.picks) == sorted(p.pk for p in papers[1:])
    assert ledger.claim(10, "worker", AT_SIX_THIRTY + DAY + MINUTE) == [second.pk]


def test_a_claim_that_nobody_finished_in_time_is_called_off_too():
    papers = editions(TODAY - DAY, 3)
    make_digest(make_reader("a"), papers[:1], state="accepted", day=TODAY - DAY, content_to=TODAY - DAY)
    plan(AT_SIX_THIRTY)
    ledger.claim(10, "worker", AT_SIX_THIRTY + MINUTE)
    plan(AT_SIX_THIRTY + DAY)
    assert list(Digest.objects.order_by("day").values_list("state", flat=True)) == ["accepted", "skipped", "planned"]
    assert len(Digest.objects.get(state="planned").picks) == 2


@pytest.mark.parametrize("state", ["planned", "skipped"])
def test_what_was_handed_over_once_does_not_come_again(state):
    """The mail server may have it: a connection was lost."""
    papers = editions(TODAY - DAY, 3)
    reader = make_reader("a", due=AT_SIX_THIRTY + DAY)
    make_digest(reader, papers[:1], state="accepted", day=TODAY - DAY, content_to=TODAY - DAY)
    reason = "too late" if state == "skipped" else ""
    handed = make_digest(reader, papers[1:2], state=state, reason=reason, due_at=AT_SIX_THIRTY, perhaps_taken=True)
    plan(AT_SIX_THIRTY + DAY)
    handed.refresh_from_db()
    assert handed.state == state, "an event of the provider may still say what became of it"
    assert [p["paper"] for p in Digest.objects.get(day=TODAY + DAY).picks] == [papers[2].pk]


def test_what_is_not_late_yet_is_left_alone():
    editions(TODAY, 1)
    reader = make_reader("a", due=AT_SIX_THIRTY + DAY)
    digest = make_digest(reader, [], due_at=AT_SIX_THIRTY + 12 * HOUR)
    plan(AT_SIX_THIRTY + DAY)
    digest.refresh_from_db()
    assert digest.state == "planned"


# --- Stopped readers -------------------------------------------------------------------------------------------------


def stop(reader, **fields):
    return Suppression.objects.create(email_hash=reader.email_hash, reason="by hand", created_at=NOW - DAY, **fields)


def test_readers_who_get_no_mail_leave_the_due_ones_without_a_row_in_a_constant_number_of_queries():
    def queries_for(number, name, due):
        for n in range(number):
            stop(make_reader(f"{name}{n}", due=due))
        with CaptureQueriesContext(connection) as queries:
            plan()
        return len(queries)

    assert queries_for(2, "few", AT_SIX_THIRTY) == queries_for(40, "many", AT_SIX_THIRTY - 30 * DAY)
    assert not Digest.objects.exists()
    assert set(Subscriber.objects.values_list("next_due_at", flat=True)) == {AT_SIX_THIRTY + DAY}


def test_they_are_passed_over_in_chunks_and_who_waits_for_an_edition_stays(settings):
    settings.PLAN_CHUNK = 2
    for n in range(5):
        stop(make_reader(f"stopped{n}"))
        make_reader(f"waiting{n}")
    assert plan() == {"waiting": 5}
    assert Subscriber.objects.reached(NOW).count() == Subscriber.objects.due(NOW).count() == 5


@pytest.mark.parametrize("ends_by", ["itself", "hand"])
def test_after_a_stop_of_days_the_next_digest_is_the_next_due_one_and_no_day_is_too_late(ends_by):
    editions(TODAY - DAY, 6)
    reader = make_reader("a")
    end = NOW + 3 * DAY + HOUR
    found = stop(reader, ends_at=end if ends_by == "itself" else None)
    for hour in range(24 * 5):
        now = NOW + hour * HOUR
        if now == end and ends_by == "hand":
            lifecycle.lift(Suppression.objects.filter(pk=found.pk), now)
        plan(now)
    rows = Digest.objects.order_by("day").values_list("day", "state", "due_at")
    assert list(rows) == [(TODAY + 4 * DAY, "planned", AT_SIX_THIRTY + 4 * DAY)]


def test_a_pause_takes_a_reader_out_of_the_due_ones_by_itself():
    reader = make_reader("a")
    lifecycle.pause(reader, NOW + 3 * DAY, NOW, origin())
    assert Subscriber.objects.get().next_due_at == AT_SIX_THIRTY + 4 * DAY
    assert not Subscriber.objects.reached(NOW).exists()


# --- Clocks that jump, and more than one planner ---------------------------------------------------------------------


def test_two_planners_at_once_plan_each_reader_once(monkeypatch, settings):
    """The other one works between all chunks of the first, and before it has read anything but that readers are due."""
    settings.PLAN_CHUNK = 2
    editions(TODAY, 1)
    for n in range(7):
        make_reader(f"r{n}")
    really = runs.read_board
    inside: list[int] = []

    def other(*_):
        if not inside:
            inside.append(1)
            planning.plan_due(NOW, by="other", progress=lambda _: inside.append(1))

    def board(now):
        other()
        return really(now)

    make_reader("first", due=AT_SIX_THIRTY - DAY)
    monkeypatch.setattr(runs, "read_board", board)
    planning.plan_due(NOW, by="one", progress=other)
    rows = Counter(Digest.objects.filter(day=TODAY).values_list("subscriber_id", flat=True))
    assert set(rows.values()) == {1}
    assert len(rows) == 8


TICKS = st.lists(
    st.tuples(
        st.integers(-30 * 4, 30 * 4),  # quarters of an hour that the clock jumps, back or ahead
        st.integers(0, 6),  # ticks that it goes on regularly
        st.sampled_from(["one", "other"]),
        st.sampled_from([-1, 0, 0, 0, 1]),  # hours by which an update of the zone data shifts the stored instant
    ),
    max_size=5,
)


@override_settings(EDITION_APPROVE_AT=None, EDITION_WAIT_HOURS=0)
@fewer(2)
@given(TICKS, st.sampled_from([(time(0, 15), "UTC"), (time(12, 0), "Asia/Kathmandu"), (time(23, 45), "America/Nuuk")]))
def test_a_clock_that_jumps_costs_nobody_a_day_and_nobody_gets_two(steps, life):
    Digest.objects.all().delete()
    Subscriber.objects.all().delete()
    at, zone = life
    start = NOW
    reader = make_reader("a", zone=zone, hour=at, due=schedule.next_due(start, at=at, zone=zone))
    now = start
    for jump, ticks, by, shifted in steps:
        now = max(now + jump * 15 * MINUTE, start)
        for _ in range(ticks):
            planning.plan_due(now, by=by)
            now += 15 * MINUTE
        if shifted:
            due = Subscriber.objects.get(pk=reader.pk).next_due_at
            Subscriber.objects.update(next_due_at=due + shifted * HOUR)
    for _ in range(5):  # and then the clock goes on as clocks do
        reader.refresh_from_db()
        assert reader.next_due_at
        now = max(now, reader.next_due_at) + MINUTE
        planning.plan_due(now, by="one")
    rows = list(Digest.objects.order_by("day"))
    assert rows[0].day - schedule.local_day(start, zone) <= DAY
    assert [row.day for row in rows] == [rows[0].day + n * DAY for n in range(len(rows))]
    assert rows[-1].day >= schedule.local_day(now, zone) - DAY
    for row in rows:
        assert schedule.is_due_time(row.due_at, at=at, zone=zone)
        assert row.reason == "too late" or timedelta(0) <= row.planned_at - row.due_at <= 12 * HOUR
