import json

import pytest

from benchmarks.planning.sizes import Size, faults
from benchmarks.planning.verdicts import verdicts
from tests.benchmarks.commands import run, run_for_real


def test_a_small_run_ends_with_figures_that_add_up(tmp_path):
    file = tmp_path / "figures.json"
    few = ["--readers", 40, "--papers", 20, "--chunk", 11, "--times", 1, "--database-url", "sqlite"]
    found = run_for_real("planning", *few, "--data", tmp_path, "--json", file)
    assert found.returncode == 0, found.stderr + found.stdout
    (size,) = json.loads(file.read_text())["sizes"]
    (planned,), (floor,) = size["plans"], size["floors"]
    assert sum(planned["outcome"].values()) + size["setup"]["stopped"] == 40
    assert planned["kept"]["rows"] == floor["rows"] == size["moving"]["rows"] > 30
    assert planned["kept"]["twice"] == 0
    assert planned["chunks"] == 4
    assert max(planned["queries"]) < 20, "of a chunk"
    assert sum(planned["parts"].values()) < planned["seconds"]
    assert "planning to the floor at 40 readers" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--readers", "10,none"], "invalid"), (["--chunk", "0"], "must be 1 or more")]
)
def test_what_cannot_be_run_is_said_with_exit_code_2(arguments, words):
    found = run("planning", *arguments)
    assert found.returncode == 2
    assert words in found.stderr


def found(**other):
    """Ten readers, all well: eight planned, one skipped, one stopped."""
    kept = {"rows": 9, "planned": 8, "twice": 0, "empty": 0} | other.get("kept", {})
    plan = {"outcome": {"planned": 8, "no new papers": 1} | other.get("outcome", {}), "kept": kept}
    setup = {"stopped": 1, "explained": {"plans": {}, "without": other.get("without", [])}}
    return Size(10, setup=setup, plans=[plan], floors=[{"rows": other.get("floor", 9)}])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, ""),
        ({"outcome": {"planned": 7}}, "7 as planned"),
        ({"outcome": {"no new papers": 2}}, "are not 10 readers"),
        ({"kept": {"rows": 8}}, "8 rows are there"),
        ({"kept": {"twice": 2}}, "2 readers got a paper twice"),
        ({"kept": {"empty": 1}}, "1 planned digests hold no paper"),
        ({"floor": 8}, "the floor wrote another number"),
        ({"without": ["middle"]}, "without their index: middle"),
    ],
)
def test_what_may_not_be_is_said(other, words):
    said = " ".join(faults(found(**other), judge_index=True))
    assert (words in said) if words else (said == "")


def test_an_index_is_not_asked_for_where_any_plan_would_do():
    assert faults(found(without=["middle"]), judge_index=False) == []


FEW = {"readers": 1000, "rate": 100.0, "ratio": 9.0, "memory": 200.0}
MANY = {"readers": 10_000, "rate": 85.0, "ratio": 3.0, "memory": 220.0}


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"ratio": 3.1}, ["planning to the floor at 10,000 readers"]),
        ({"rate": 84.0}, ["readers/s at 10,000 readers to that at 1,000"]),
        ({"memory": 221.0}, ["peak memory at 10,000 readers to that at 1,000"]),
    ],
)
def test_the_largest_size_is_held_against_the_targets_and_the_one_before(change, missed):
    judged = verdicts([FEW, {**MANY, **change}])
    assert [verdict.words for verdict in judged if not verdict.met] == missed


def test_memory_has_an_upper_limit():
    (_, peak) = verdicts([{**MANY, "memory": 401.0}])
    assert not peak.met
