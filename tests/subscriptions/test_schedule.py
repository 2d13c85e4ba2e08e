from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.schedule import EVERY_DAY, local_day, next_due, next_due_after_change, weekdays

zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ]
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
hours = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@given(instants, hours, zones, st.integers(1, EVERY_DAY))
def test_the_next_digest_is_later_and_on_a_chosen_weekday(after, at, zone, mask):
    due = next_due(after, at=at, zone=zone, mask=mask)
    assert due is not None
    assert due > after
    assert due - after <= timedelta(days=8, hours=2)
    assert mask >> local_day(due, zone).weekday() & 1


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


def test_after_a_change_of_zone_the_next_one_comes_no_sooner_than_twelve_hours_after_the_last():
    last = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)
    due = next_due_after_change(last + timedelta(hours=1), last, None, at=time(7, 30), zone="America/New_York")
    assert due == datetime(2026, 3, 21, 11, 30, tzinfo=UTC)


def test_no_weekday_means_no_digest():
    assert next_due(datetime(2026, 1, 1, tzinfo=UTC), at=time(7), zone="UTC", mask=0) is None


def test_weekdays_are_bits_from_monday():
    assert weekdays([0, 6]) == 0b1000001
    with pytest.raises(ValueError, match="no weekday"):
        weekdays([7])


def test_a_day_that_has_its_digest_gets_no_second_one_after_the_hour_changes():
    last = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)
    due = next_due_after_change(last + timedelta(hours=2), last, last.date(), at=time(20, 0), zone="UTC")
    assert due == datetime(2026, 3, 21, 20, 0, tzinfo=UTC)
