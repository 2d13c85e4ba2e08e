from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import SETTINGS_ERRORS, read, windows
from subscriptions.budgets import LONGEST, Windows, parse_windows

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
parts = st.tuples(st.integers(0, 10**9 - 1), st.integers(1, 9999), st.sampled_from("mhd")).filter(
    lambda part: part[1] * UNITS[part[2]] <= LONGEST
)
spaces = st.text(" \t\n", max_size=2)


@given(st.lists(st.tuples(parts, spaces, spaces), min_size=1, max_size=5))
def test_what_is_written_as_a_budget_is_read_as_it_was_meant(written):
    text = ",".join(f"{before}{most}/{number}{unit}{after}" for (most, number, unit), before, after in written)
    assert parse_windows(text) == tuple((number * UNITS[unit], most) for (most, number, unit), _, _ in written)


@given(st.one_of(st.text(), st.text("0123456789/mhd, .-+e_"), st.from_regex(r"\d*/\d*[a-z]?(,\d*/\d*[a-z])*")))
def test_every_other_text_is_refused_with_how_to_write_it(text):
    found: Windows = ()
    refused = ""
    try:
        found = parse_windows(text)
    except ValueError as error:
        refused = str(error)
    assert bool(found) != bool(refused)
    assert not refused or "like 3/24h" in refused or "from 1m to 31d" in refused
    assert all(timedelta(minutes=1) <= window <= LONGEST and most >= 0 for window, most in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "3",
        "3/",
        "/24h",
        "3/24",
        "3/24s",
        "-1/24h",
        "3/0h",
        "3/32d",
        "3/745h",
        "3/24h,",
        "1.5/1h",
        "３/24h",
        "3/24H",
    ],
)
def test_a_budget_that_could_be_misread_is_refused(text):
    with pytest.raises(ValueError, match=r"m, h or d|from 1m to 31d"):
        parse_windows(text)


def test_a_bad_budget_in_the_environment_is_told_at_the_start_and_the_default_stands_in(monkeypatch):
    default = parse_windows("3/24h")
    monkeypatch.setenv("LETTERS_PER_ADDRESS", "three a day")
    try:
        assert read(windows, "LETTERS_PER_ADDRESS", default) == default
        assert SETTINGS_ERRORS[-1][0] == "LETTERS_PER_ADDRESS"
    finally:
        del SETTINGS_ERRORS[-1]
