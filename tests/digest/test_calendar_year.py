"""``python -m tests.calendar_year``, small: twelve days around the edges of spring; at night the whole year."""

import random
from datetime import date, timedelta

import pytest

from tests.calendar_year.report import lines
from tests.calendar_year.year import Plan, live_through
from tests.sizes import size


@pytest.mark.slow
@pytest.mark.one_database
@pytest.mark.django_db
def test_every_reader_gets_one_digest_a_local_day_while_clocks_change():
    plan = Plan(
        zones=size(ci=14, night=40),
        start=date(2026, 3, 26),
        days=size(ci=12, night=365),  # in twelve: Nuuk, Europe and its neighbours, Gaza, Troll, Lord Howe, Chatham
        tick=timedelta(hours=1),
        draw=random.Random(3),
        all_edges=bool(size(ci=0, night=1)),
    )
    year = live_through(plan)
    assert not year.verdict.violations
    assert {one.edge.kind for one in year.arrivals} == {"gap", "repeat"}
    assert sum(year.verdict.on_due_days.values()) > 700
    assert year.verdict.around_moves
    assert list(lines(year))[-1].startswith(f"violations=0 zones={plan.zones} ")
