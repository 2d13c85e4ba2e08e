from datetime import timedelta

import pytest

from digest import retention
from digest.models import Signal, SourceRun
from tests.conftest import NOW, TODAY, make_paper

pytestmark = pytest.mark.django_db


def counts(paper, *ages):
    for age in ages:
        Signal.objects.create(paper=paper, hour=NOW - timedelta(hours=age), upvotes=age)


def left():
    return sorted(int((NOW - s.hour).total_seconds() // 3600) for s in Signal.objects.all())


def test_a_weeks_counts_are_kept_by_the_hour():
    counts(make_paper(1), 0, 1, 2, 100)
    retention.prune(NOW)
    assert left() == [0, 1, 2, 100]


def test_older_ones_are_kept_by_the_day_and_very_old_ones_once():
    days = [24 * n for n in (10, 11, 100, 120)]
    counts(make_paper(1), *days, days[0] + 1, days[0] + 2, days[2] + 3)
    counts(make_paper(2), 24 * 200, 24 * 300)
    assert retention.prune(NOW) == {"hourly counts": 3, "daily counts": 3, "runs": 0}
    assert left() == [240, 264, 4800]
    assert not any(retention.prune(NOW).values())


def test_of_old_runs_the_newest_of_each_source_and_day_is_kept_and_what_it_refused_for_a_month():
    def run(age, source="huggingface", refused=("x",)):
        at = NOW - timedelta(days=age)
        return SourceRun.objects.create(source=source, day=TODAY, started_at=at, rejected=list(refused), state="fresh")

    run(20), run(40, "arxiv_rss")
    kept, fresh = run(19), run(0, "arxiv_api")
    newer = run(10, "arxiv_rss")
    assert retention.prune(NOW)["runs"] == 2
    assert set(SourceRun.objects.all()) == {kept, newer, fresh}
    later = NOW + timedelta(days=12)
    retention.prune(later)
    assert SourceRun.objects.get(pk=kept.pk).rejected == []
    assert SourceRun.objects.get(pk=newer.pk).rejected == ["x"]


def test_a_run_that_was_killed_does_not_take_the_place_of_one_that_ended():
    ended = SourceRun.objects.create(source="x", day=TODAY, started_at=NOW - timedelta(days=20), state="fresh")
    SourceRun.objects.create(source="x", day=TODAY, started_at=NOW - timedelta(days=19), state="running")
    retention.prune(NOW)
    assert ended in SourceRun.objects.all()
