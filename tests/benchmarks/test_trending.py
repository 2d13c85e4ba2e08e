import gzip
import json
from xml.etree import ElementTree

import pytest

from benchmarks.trending.__main__ import main
from benchmarks.trending.data import load
from benchmarks.trending.figures import FIGURES, compare, interval, measure, ours, plain, spearman

TEN = [f"2601.{n:05}" for n in range(10)]


def element(key, upvotes, since):
    return {"paper": {"id": key, "upvotes": upvotes, "submittedOnDailyAt": since, "authors": []}, "numComments": 0}


def day(date, upvotes):
    """All ten were listed at one o'clock, except the last one, which is new at the reading of eight o'clock."""
    hours = {TEN[-1]: "07:30"}
    papers = [element(k, n, f"{date}T{hours.get(k, '01:00')}:00.000Z") for k, n in zip(TEN, upvotes, strict=True)]
    return {"date": date, "committed_at": f"{date}T08:00:00Z", "response": papers}


def late(date, upvotes):
    return {"date": date, "papers": [{"id": key, "upvotes": n} for key, n in upvotes.items()]}


def write(folder, early, late, weeks):
    for name, rows in {"hf_daily_papers": early, "hf_late_snapshot": late}.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    (folder / "hf_weekly_top10.json").write_text(json.dumps(weeks))


@pytest.fixture
def data(tmp_path):
    """An odd day that stays as it was, an even one that turns round, a week of each number."""
    rising, falling = range(20, 30), range(30, 20, -1)
    top10 = [{"id": key} for key in [*TEN[:6], "a", "b", "c", "d"]]
    write(
        tmp_path,
        [day("2026-01-05", rising), day("2026-01-06", rising), day("2026-01-13", rising)],
        [
            late("2026-01-05", dict(zip(TEN, rising, strict=True)) | {"x": 900, "y": 800}),
            late("2026-01-06", dict(zip(TEN, falling, strict=True))),
            late("2026-01-07", dict(zip(TEN[:9], falling, strict=False))),
        ],
        [{"week": "2026-W02", "top10": top10}, {"week": "2026-W03", "top10": top10}],
    )
    return tmp_path


def test_units_are_days_with_ten_papers_and_weeks_in_two_fixed_halves(data):
    units = load(data)
    assert {unit.name: unit.half for unit in units} == {
        "2026-01-05": "tuning",
        "2026-01-06": "held-out",
        "2026-W02": "held-out",
        "2026-W03": "tuning",
    }


def test_figures_are_as_counted_by_hand(data):
    same, reversed_, week, _ = load(data)
    assert list(measure(same, plain).values()) == [pytest.approx(1), 1, 0.6]
    assert list(measure(reversed_, plain).values()) == [pytest.approx(-1), 0, 0]
    assert measure(week, plain) == {FIGURES[3]: 0.6}


def test_scores_are_of_the_time_of_the_reading(data):
    paper = load(data)[0].early[-1]
    assert paper.hours == 0.5
    assert ours(paper) > max(ours(other) for other in load(data)[0].early[:-1])


def test_rank_correlation_shares_the_ranks_of_equal_values():
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)
    assert spearman([5, 5, 5], [1, 2, 3]) == 0


def test_intervals_are_repeatable_and_hold_the_mean():
    low, high = interval([0.1, -0.1, 0.3, 0.2], 500, 1)
    assert (low, high) == interval([0.1, -0.1, 0.3, 0.2], 500, 1)
    assert low < 0.125 < high
    assert interval([0.2] * 4, 50, 3) == pytest.approx((0.2, 0.2))


def test_a_verdict_needs_an_interval_on_one_side_of_zero(data):
    units = load(data)
    same = compare(units, plain, 50, 1)
    assert {line.verdict for line in same} == {"no evidence"}
    assert {line.difference for line in same} == {0}
    turned = compare(units[:1], lambda paper: -paper.upvotes, 50, 1)
    assert [line.verdict for line in turned] == ["loss", "loss", "loss"]
    assert [line.verdict for line in compare(units[1:2], lambda paper: -paper.upvotes, 50, 1)] == ["gain"] * 3


def test_the_command_prints_both_halves_and_draws_them(data, tmp_path, capsys):
    drawn = tmp_path / "figures.svg"
    assert main(["--data", str(data), "--half", "both", "--resamples", "50", "--plot", str(drawn)]) == 0
    printed = capsys.readouterr().out
    assert "The tuning half" in printed
    assert "The held-out half" in printed
    assert "No figure is below" in printed
    ElementTree.parse(drawn)  # raises where it is not XML


def test_the_command_prints_what_was_tried(data, capsys):
    assert main(["--data", str(data), "--tried", "--resamples", "20"]) == 0
    assert "ln(1 + comments)" in capsys.readouterr().out


def test_a_loss_ends_with_1(data, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.trending.__main__.ours", lambda paper: -paper.upvotes)
    assert main(["--data", str(data), "--half", "tuning", "--resamples", "50"]) == 1
    assert "Below plain upvotes" in capsys.readouterr().out


@pytest.mark.parametrize("broken", [None, "hf_daily_papers.jsonl.gz", "hf_weekly_top10.json"])
def test_data_that_cannot_be_read_are_named_and_end_with_2(data, broken, capsys):
    folder = data
    if broken:
        (data / broken).write_text("not this")
    else:
        folder = data / "nowhere"
    assert main(["--data", str(folder)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_data_without_days_of_the_half_end_with_2(tmp_path, capsys):
    write(tmp_path, [], [], [])
    assert main(["--data", str(tmp_path)]) == 2
    assert "too few days" in capsys.readouterr().out
