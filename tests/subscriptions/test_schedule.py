from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.schedule import (
    EVERY_DAY,
    LONGEST,
    PASSED,
    REST,
    following,
    is_due_time,
    local_day,
    local_instant,
    next_due,
    next_due_after_change,
    weekdays,
)

# All of them, and more often those that once did what few do.
odd = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe", "Antarctica/Troll", "America/Nuuk", "UTC"]
zones = st.sampled_from(odd) | st.sampled_from(sorted(available_timezones()))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
hours = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@given(instants, hours, zones, st.integers(1, EVERY_DAY))
def test_the_next_digest_is_later_and_on_a_chosen_weekday(after, at, zone, mask):
    due = next_due(after, at=at, zone=zone, mask=mask)
    assert due is not None
    assert due > after
    assert due - after <= timedelta(days=8, hours=2)
    assert mask >> local_day(due, zone).weekday() & 1
    assert is_due_time(due, at=at, zone=zone, mask=mask)
    assert not is_due_time(due, at=at, zone=zone, mask=EVERY_DAY & ~mask)
    assert not is_due_time(due + timedelta(hours=1), at=at, zone=zone, mask=mask)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20), timezones=st.just(UTC)), hours, zones)
def test_every_local_day_gets_exactly_one(start, at, zone):
    due, days = start, []
    for _ in range(10):
        due = next_due(due, at=at, zone=zone)
        days.append(local_day(due, zone))
    assert days == [days[0] + timedelta(days=i) for i in range(10)]


def test_it_sends_once_when_clocks_jump_over_the_hour():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    due = next_due(before, at=time(2, 30), zone="Europe/Berlin")
    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert due.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)
    assert next_due(due, at=time(2, 30), zone="Europe/Berlin").date() == datetime(2026, 3, 30).date()


def test_it_sends_once_when_the_hour_comes_twice():
    first = next_due(datetime(2026, 10, 24, 12, tzinfo=UTC), at=time(2, 30), zone="Europe/Berlin")
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_due(first, at=time(2, 30), zone="Europe/Berlin") == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_half_past_seven_stays_half_past_seven_all_year():
    due = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(365):
        due = next_due(due, at=time(7, 30), zone="America/New_York")
        assert due.astimezone(ZoneInfo("America/New_York")).time() == time(7, 30)


def test_an_hour_that_clocks_jump_over_at_midnight_stays_on_its_day():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    due = next_due(before, at=time(23, 30), zone="America/Nuuk")  # from 23:00 on Saturday to 00:00 on Sunday
    assert due.astimezone(ZoneInfo("America/Nuuk")) == datetime(2026, 3, 28, 22, 30, tzinfo=ZoneInfo("America/Nuuk"))
    assert next_due(due, at=time(23, 30), zone="America/Nuuk") == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_day_that_a_zone_skipped_has_no_digest():
    before = datetime(2011, 12, 29, 20, tzinfo=UTC)  # after 07:30 on the 29th in Apia; the 30th was left out
    assert local_day(next_due(before, at=time(7, 30), zone="Pacific/Apia"), "Pacific/Apia") == date(2011, 12, 31)


def test_after_a_move_the_next_one_is_the_first_due_time_twelve_hours_after_the_last():
    last = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)
    due = moved_at(last + timedelta(hours=1), last, time(7, 30), "America/New_York")
    assert due == datetime(2026, 3, 21, 11, 30, tzinfo=UTC), "not five hours after the last"
    due = moved_at(last + timedelta(hours=1), last, time(7, 30), "Pacific/Auckland")
    assert due == datetime(2026, 3, 20, 18, 30, tzinfo=UTC) == last + REST, "already on the 21st there"


def test_after_a_move_an_hour_that_has_just_passed_is_due_at_once():
    last = datetime(2026, 3, 20, 7, 30, tzinfo=UTC)
    due = moved_at(datetime(2026, 3, 21, 7, 0, tzinfo=UTC), last, time(7, 30), "Europe/Berlin")
    assert due == datetime(2026, 3, 21, 6, 30, tzinfo=UTC)


def test_after_a_change_of_the_hour_nothing_is_sent_at_once():
    last = datetime(2026, 3, 20, 7, 30, tzinfo=UTC)
    due = next_due_after_change(datetime(2026, 3, 21, 7, 0, tzinfo=UTC), last, None, at=time(6, 30), zone="UTC")
    assert due == datetime(2026, 3, 22, 6, 30, tzinfo=UTC)


def test_a_weekly_reader_who_moves_on_the_day_does_not_lose_the_week():
    last = datetime(2026, 3, 13, 6, 30, tzinfo=UTC)  # a Friday, in Berlin
    thursday = datetime(2026, 3, 19, 23, 0, tzinfo=UTC)  # Friday noon in Auckland
    due = next_due_after_change(
        thursday, last, None, at=time(7, 30), zone="Pacific/Auckland", mask=weekdays([4]), moved=True
    )
    assert due == datetime(2026, 3, 19, 18, 30, tzinfo=UTC)


def test_who_flies_over_the_date_line_has_a_date_twice_or_not_at_all():
    """07:30 on the 20th in Kiritimati is 07:30 on the 19th in Honolulu: the 20th comes again, 24 hours later."""
    last = local_instant(date(2026, 3, 20), time(7, 30), "Pacific/Kiritimati")
    due = moved_at(last + timedelta(hours=1), last, time(7, 30), "Pacific/Honolulu")
    assert (due - last, local_day(due, "Pacific/Honolulu")) == (timedelta(hours=24), date(2026, 3, 20))
    last = local_instant(date(2026, 3, 20), time(7, 30), "Pacific/Honolulu")
    due = moved_at(last + timedelta(hours=1), last, time(7, 30), "Pacific/Kiritimati")
    assert (due - last, local_day(due, "Pacific/Kiritimati")) == (timedelta(hours=24), date(2026, 3, 22))


def test_who_moves_while_a_digest_waits_past_the_thirty_six_hours_gets_it_at_once():
    last = datetime(2026, 2, 20, 23, 0, tzinfo=UTC)
    due = moved_at(last + LONGEST + timedelta(hours=2), last, time(2, 30), "Asia/Jerusalem")
    assert due == last + LONGEST, "not half a day later, at the next 02:30"


def test_a_day_of_25_hours_does_not_make_the_gap_longer_than_36():
    last = datetime(
        2026, 10, 24, 12, 31, tzinfo=UTC
    )  # 02:30 in Berlin comes 11:59 and, a day of 25 hours on, 36:59 later
    due = moved_at(last + timedelta(hours=1), last, time(2, 30), "Europe/Berlin")
    assert due == last + LONGEST
    assert following(due, at=time(2, 30), zone="Europe/Berlin") == datetime(2026, 10, 27, 1, 30, tzinfo=UTC)


def moved_at(now, last, at, zone):
    return next_due_after_change(now, last, None, at=at, zone=zone, moved=True)


@given(
    at=hours,
    first=zones,
    start=instants,
    moves=st.lists(st.tuples(st.integers(0, 60 * 40).map(lambda n: timedelta(minutes=n)), zones), max_size=12),
)
def test_however_a_reader_travels_digests_are_twelve_to_thirty_six_hours_apart(at, first, start, moves):
    """Each step of the journey: some time goes by, then the reader names another zone."""
    came, zone, now = [next_due(start, at=at, zone=first)], first, start
    due = following(came[0], at=at, zone=zone)
    for wait, there in [*moves, (timedelta(days=4), first)]:
        now, set_at = now + wait, now
        while due <= now:
            came.append(max(due, set_at))
            due = following(due if is_due_time(due, at=at, zone=zone) else came[-1], at=at, zone=zone)
        if now > came[0]:
            zone, due = there, next_due_after_change(now, came[-1], None, at=at, zone=there, moved=True)
    gaps = [later - earlier for earlier, later in pairwise(came)]
    assert len(gaps) >= 2
    assert all(REST <= gap <= LONGEST for gap in gaps), gaps


@given(
    last=instants,
    asked=st.none() | instants,
    now=st.timedeltas(timedelta(0), timedelta(days=10)),
    at=hours,
    zone=zones,
    mask=st.integers(1, EVERY_DAY),
    pause=st.none() | st.timedeltas(timedelta(days=-3), timedelta(days=20)),
    moved=st.booleans(),
)
def test_after_any_change_the_next_one_is_rested_and_behind_the_pause(last, asked, now, at, zone, mask, pause, moved):
    now = max(last, asked or last) + now
    earliest = None if pause is None else now + pause
    due = next_due_after_change(now, last, asked, at=at, zone=zone, mask=mask, moved=moved, earliest=earliest)
    assert due >= last + REST
    assert earliest is None or due >= earliest
    if moved:
        assert due > now - PASSED - timedelta(minutes=1)
        assert is_due_time(due, at=at, zone=zone, mask=mask) or due == max(last, asked or last) + LONGEST
    else:
        assert due > now
        assert local_day(due, zone) > local_day(max(last, asked or last), zone)
        assert is_due_time(due, at=at, zone=zone, mask=mask)


def test_no_weekday_means_no_digest():
    assert next_due(datetime(2026, 1, 1, tzinfo=UTC), at=time(7), zone="UTC", mask=0) is None


def test_weekdays_are_bits_from_monday():
    assert weekdays([0, 6]) == 0b1000001
    with pytest.raises(ValueError, match="no weekday"):
        weekdays([7])


def test_a_day_that_has_its_digest_gets_no_second_one_after_the_hour_changes():
    last = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)
    due = next_due_after_change(last + timedelta(hours=2), last, None, at=time(20, 0), zone="UTC")
    assert due == datetime(2026, 3, 21, 20, 0, tzinfo=UTC)


def test_a_day_that_was_asked_for_gets_no_second_one_although_none_was_due():
    asked = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)
    due = next_due_after_change(asked, None, asked, at=time(20, 0), zone="UTC")
    assert due == datetime(2026, 3, 21, 20, 0, tzinfo=UTC)
