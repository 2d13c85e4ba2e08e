from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.calendar import (
    ANNOUNCED,
    HOLIDAYS,
    NEW_YORK,
    announcement_of,
    any_day,
    arxiv_feed,
    feed_day,
    weekdays,
    why_quiet,
)


def eastern(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


# 2 to 9 March 2026 have no holiday; the 2nd is a Monday, and clocks change on Sunday the 8th.
@pytest.mark.parametrize(
    ("first", "last", "announced"),
    [
        ("2026-03-02T14:00", "2026-03-03T13:59:59", "2026-03-03T20:00"),  # Monday to Tuesday: on Tuesday
        ("2026-03-03T14:00", "2026-03-04T13:59:59", "2026-03-04T20:00"),
        ("2026-03-04T14:00", "2026-03-05T13:59:59", "2026-03-05T20:00"),
        ("2026-03-05T14:00", "2026-03-06T13:59:59", "2026-03-08T20:00"),  # Thursday to Friday: on Sunday
        ("2026-03-06T14:00", "2026-03-09T13:59:59", "2026-03-09T20:00"),  # over the weekend: on Monday
    ],
)
def test_what_came_in_by_14_is_announced_at_20_by_arxivs_table(first, last, announced):
    assert announcement_of(eastern(first)) == eastern(announced)
    assert announcement_of(eastern(last)) == eastern(announced)


def test_20_in_new_york_is_midnight_utc_in_summer_and_one_in_winter():
    assert announcement_of(eastern("2026-07-07T09:00")) == datetime(2026, 7, 8, 0, tzinfo=UTC)
    assert announcement_of(eastern("2026-02-03T09:00")) == datetime(2026, 2, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize("submitted", ["2026-07-07T09:00", "2026-02-03T09:00"])
def test_the_feed_is_dated_the_day_after_the_evening(submitted):
    moment = eastern(submitted)
    assert feed_day(announcement_of(moment)) == moment.date() + timedelta(days=1)


@pytest.mark.parametrize(
    ("submitted", "announced"),
    [
        ("2026-01-16T14:00", "2026-01-20T20:00"),  # Martin Luther King Jr. Day is a Monday
        ("2026-01-19T10:00", "2026-01-20T20:00"),
        ("2026-11-25T14:00", "2026-11-29T20:00"),  # Thanksgiving is a Thursday: with Friday's, on Sunday
        ("2026-06-18T14:00", "2026-06-22T20:00"),  # Juneteenth is a Friday: nothing on Sunday, all on Monday
        ("2026-06-18T13:59", "2026-06-18T20:00"),
        ("2025-12-31T14:00", "2026-01-04T20:00"),  # New Year's Day, a Thursday
    ],
)
def test_what_comes_in_on_a_holiday_waits_for_the_next_freeze(submitted, announced):
    assert announcement_of(eastern(submitted)) == eastern(announced)


@pytest.mark.parametrize(
    ("evening", "why"),
    [
        ("2026-03-06", "weekend"),
        ("2026-03-07", "weekend"),
        ("2026-03-08", ""),
        ("2026-03-09", ""),
        ("2026-01-19", "arXiv holiday: Martin Luther King Jr. Day"),
        ("2026-01-18", ""),  # the Sunday before it announces what Friday froze
        ("2026-06-21", "arXiv holiday: Juneteenth"),  # the Sunday after a Friday's holiday
        ("2026-06-22", ""),
        ("2026-11-26", "arXiv holiday: Thanksgiving"),
        ("2026-11-29", ""),
    ],
)
def test_evenings_are_quiet_at_weekends_and_holidays(evening, why):
    assert why_quiet(date.fromisoformat(evening)) == why


@pytest.mark.parametrize("day", sorted(HOLIDAYS))
def test_every_holiday_is_a_weekday_of_a_known_year_and_silences_an_evening(day):
    assert day.weekday() < 5
    assert day.year in {2026, 2027}
    evening = day + timedelta(days=2) if day.weekday() == 4 else day
    assert why_quiet(evening) == f"arXiv holiday: {HOLIDAYS[day]}"
    assert arxiv_feed(evening + timedelta(days=1)).quiet == why_quiet(evening)


@pytest.mark.parametrize(
    ("day", "due_at"),
    [
        (date(2026, 3, 6), datetime(2026, 3, 6, 8, tzinfo=UTC)),  # midnight is 05:00 UTC in winter
        (date(2026, 3, 9), datetime(2026, 3, 9, 7, tzinfo=UTC)),  # and 04:00 after the clocks have changed
        (date(2026, 10, 30), datetime(2026, 10, 30, 7, tzinfo=UTC)),
        (date(2026, 11, 2), datetime(2026, 11, 2, 8, tzinfo=UTC)),
    ],
)
def test_a_feed_is_due_three_hours_after_midnight_in_new_york(day, due_at):
    assert arxiv_feed(day).due_at == due_at
    assert arxiv_feed(day).quiet == ""


@pytest.mark.parametrize(
    ("day", "quiet"),
    [
        (date(2026, 3, 6), ""),  # a Friday: announced on Thursday evening
        (date(2026, 3, 7), "weekend"),
        (date(2026, 3, 8), "weekend"),
        (date(2026, 3, 9), ""),
        (date(2026, 6, 22), "arXiv holiday: Juneteenth"),
        (date(2026, 1, 20), "arXiv holiday: Martin Luther King Jr. Day"),
    ],
)
def test_no_feed_is_expected_after_a_quiet_evening(day, quiet):
    assert arxiv_feed(day).quiet == quiet


def test_a_list_by_the_day_is_complete_when_the_day_is_over():
    assert any_day(date(2026, 3, 7)).due_at == datetime(2026, 3, 8, tzinfo=UTC)
    assert any_day(date(2026, 3, 7)).quiet == ""
    assert [weekdays(date(2026, 3, day)).quiet for day in (6, 7, 8, 9)] == ["", "weekend", "weekend", ""]


moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))


@given(moments)
def test_an_announcement_is_after_the_submission_and_never_on_a_quiet_evening(submitted):
    announced = announcement_of(submitted)
    local = announced.astimezone(NEW_YORK)
    assert announced > submitted
    assert announced - submitted < timedelta(days=8)
    assert local.time() == ANNOUNCED
    assert local.weekday() not in (4, 5)
    assert why_quiet(local.date()) == ""
    assert arxiv_feed(feed_day(announced)).quiet == ""


@given(moments, moments)
def test_who_comes_first_is_announced_first(one, other):
    earlier, later = sorted([one, other])
    assert announcement_of(earlier) <= announcement_of(later)


@given(moments)
def test_no_evening_with_an_announcement_is_left_out(submitted):
    """Between the freeze that a submission waits for and its announcement no other announcement goes by."""
    announced = announcement_of(submitted).astimezone(NEW_YORK)
    evening = submitted.astimezone(NEW_YORK).date()
    between = [evening + timedelta(days=n) for n in range((announced.date() - evening).days)]
    loud = [day for day in between if not why_quiet(day) and datetime.combine(day, ANNOUNCED, NEW_YORK) > submitted]
    frozen = [day - timedelta(days=2) if day.weekday() == 6 else day for day in loud]
    assert all(datetime.combine(day, time(14), NEW_YORK) <= submitted for day in frozen)
