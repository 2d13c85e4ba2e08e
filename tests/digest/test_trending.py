import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.trending import FRESH, HALF_LIFE, RISE, YOUNG, Reading, Signals, explain, order, score

NOW = datetime(2026, 3, 20, 8, tzinfo=UTC)
counts = st.integers(-5, 10**12)
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
begins = st.none() | moments | moments.map(datetime.date)
signals = st.builds(Signals, counts, begins, st.none() | st.builds(Reading, moments, counts))


def hours_ago(hours):
    return NOW - timedelta(hours=hours)


def value(upvotes, since=None, earlier=None):
    return score(Signals(upvotes, since, earlier), NOW).value


@given(signals, moments)
def test_a_score_is_finite_and_not_negative_and_is_the_log_of_its_ingredients(paper, now):
    found = score(paper, now)
    assert math.isfinite(found.value)
    assert found.value >= 0
    assert found.value == pytest.approx(math.log1p(found.upvotes * found.lift * found.growth * found.fading))


@given(signals, counts, moments)
def test_more_upvotes_never_trend_less(paper, more, now):
    richer = Signals(max(paper.upvotes, more), paper.since, paper.earlier)
    assert score(richer, now).value >= score(paper, now).value


@given(counts, begins, moments, counts)
def test_what_is_not_known_is_neutral(upvotes, since, now, other):
    assert score(Signals(upvotes), now).value == math.log1p(max(upvotes, 0))
    alone = score(Signals(upvotes, since), now)
    assert alone.growth == 1
    just_before = Reading(now - timedelta(minutes=59), other)
    assert score(Signals(upvotes, since, just_before), now) == alone
    assert score(Signals(upvotes, since, Reading(now + timedelta(hours=5), other)), now) == alone


@given(counts, moments, moments, moments, counts, zones)
def test_the_same_instants_in_other_zones_give_the_same_score(upvotes, since, now, read_at, earlier, zone):
    here = score(Signals(upvotes, since, Reading(read_at, earlier)), now)
    there = Signals(upvotes, since.astimezone(zone), Reading(read_at.astimezone(zone), earlier))
    assert score(there, now.astimezone(zone)) == here


@given(st.dictionaries(st.text(max_size=4), signals, max_size=8), st.randoms())
def test_the_order_is_total_whatever_the_order_of_the_input(papers, random):
    scores = {key: score(paper, NOW) for key, paper in papers.items()}
    shuffled = list(scores)
    random.shuffle(shuffled)

    def ranked(keys):
        return sorted(keys, key=lambda key: order(scores[key], key))

    assert ranked(shuffled) == ranked(scores)
    assert len({order(found, key) for key, found in scores.items()}) == len(scores)


def test_equal_scores_are_ordered_by_upvotes_and_then_by_key():
    faded, small = score(Signals(12, hours_ago(FRESH + HALF_LIFE)), NOW), score(Signals(6), NOW)
    assert faded.value == small.value
    assert sorted([(small, "a"), (faded, "c"), (faded, "b")], key=lambda pair: order(*pair)) == [
        (faded, "b"),
        (faded, "c"),
        (small, "a"),
    ]


def test_a_paper_submitted_late_stands_with_what_papers_of_its_age_have():
    assert value(10, hours_ago(0.5)) > value(10, hours_ago(2)) > value(10, hours_ago(5))
    assert score(Signals(10, NOW), NOW).lift == 2
    assert value(10, hours_ago(YOUNG)) == value(10, hours_ago(FRESH)) == value(10)
    assert value(30, hours_ago(5)) > value(10, hours_ago(0.5))


def test_yesterday_evening_is_hours_ago_and_not_a_day():
    assert value(10, hours_ago(10)) == value(10, hours_ago(7))


def test_votes_count_half_after_a_half_life_beyond_the_fresh_hours():
    assert score(Signals(20, hours_ago(FRESH + HALF_LIFE)), NOW).fading == 0.5
    assert value(20, hours_ago(FRESH + HALF_LIFE)) == value(10)


def test_a_date_begins_at_midnight_utc_and_lifts_nothing():
    early = datetime(2026, 3, 20, 1, tzinfo=UTC)
    found = score(Signals(10, date(2026, 3, 20)), early)
    assert (found.age, found.lift) == (1, 1)
    before = score(Signals(10, date(2026, 3, 18)), NOW)
    assert before.fading == score(Signals(10, datetime(2026, 3, 18, tzinfo=UTC)), NOW).fading < 1


def test_a_beginning_in_the_future_is_now():
    assert score(Signals(4, hours_ago(-30)), NOW) == score(Signals(4, NOW), NOW)


def test_of_equal_counts_the_faster_one_trends_more_and_never_much():
    slow, fast = value(20, None, Reading(hours_ago(6), 16)), value(20, None, Reading(hours_ago(6), 5))
    assert value(20) < slow < fast
    assert score(Signals(15, None, Reading(hours_ago(2), 7)), NOW).growth == 1 + RISE / 2
    assert score(Signals(10**6, None, Reading(hours_ago(1), 0)), NOW).growth == 1 + RISE
    assert value(20, None, Reading(hours_ago(6), 30)) == value(20)


def test_a_score_explains_itself():
    assert explain(score(Signals(1), NOW).ingredients()) == "1 upvote: score ln(1 + 1.0) = 0.69"
    young = score(Signals(12, hours_ago(1), Reading(hours_ago(1), 12)), NOW)
    assert explain(young.ingredients()) == "12 upvotes × 1.41 for being only 1.0 h old: score ln(1 + 17.0) = 2.89"
    old = score(Signals(15, hours_ago(60), Reading(hours_ago(2), 7)), NOW)
    assert explain(old.ingredients()) == (
        "15 upvotes × 1.05 for rising × 0.50 for being 60.0 h old: score ln(1 + 7.9) = 2.18"
    )
    assert explain({"upvotes": 2.5, "comments": 0.4}) == ""
