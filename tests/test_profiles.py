import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.errors import InvalidArgument

from tests.profiles import PROFILES, chosen, fewer, load_profile

TESTS = Path(__file__).parent
OWN = {"deadline", "max_examples", "suppress_health_check", "derandomize", "print_blob"}


def set_by_hand(source: str) -> list[str]:
    """What a file says of Hypothesis's settings that belongs to tests/profiles.py, each with its line."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [f"{call.lineno}: {word.arg}" for call in calls for word in call.keywords if word.arg in OWN] + [
        f"{call.lineno}: {call.func.attr}"
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"register_profile", "load_profile"}
    ]


def test_no_test_sets_a_deadline_a_number_of_examples_or_a_health_check_by_hand():
    files = {path for path in TESTS.rglob("*.py") if "node_modules" not in path.parts}
    files -= {TESTS / "profiles.py", Path(__file__)}
    assert len(files) > 100
    found = {str(file.relative_to(TESTS)): set_by_hand(file.read_text()) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}, "see tests/profiles.py"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("@settings(deadline=None)\ndef test(): pass", ["1: deadline"]),
        ("few = hypothesis.settings(\n    fewer(2),\n    max_examples=8,\n)", ["1: max_examples"]),
        ("walk(settings=tries(suppress_health_check=list(HealthCheck)))", ["1: suppress_health_check"]),
        ("\nsettings.load_profile('mine')", ["2: load_profile"]),
        ("@fewer(2)\n@given(st.text())\ndef test(text): pass\nsettings(stateful_step_count=25)", []),
    ],
)
def test_a_number_by_hand_is_found_however_it_is_written(source, lines):
    assert set_by_hand(source) == lines


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "work"),
        ({"CI": "true"}, "ci"),
        ({"CI": "1"}, "ci"),
        ({"CI": "false"}, "work"),
        ({"TEST_SIZE": "night", "CI": "true"}, "night"),
        ({"HYPOTHESIS_PROFILE": "ci", "TEST_SIZE": "night"}, "ci"),
        ({"HYPOTHESIS_PROFILE": ""}, "work"),
    ],
)
def test_the_environment_chooses_the_profile(environment, name):
    assert chosen(environment) == name


@pytest.fixture
def profile_of():
    """Loads the profile of a name; the one of this run comes back."""
    before = settings.get_current_profile_name()
    yield lambda name: load_profile({"HYPOTHESIS_PROFILE": name})
    settings.load_profile(before)


@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_measures_seconds_and_each_says_how_to_repeat_a_failure(profile_of, name):
    profile_of(name)
    current = settings()
    assert current.max_examples == PROFILES[name]
    assert current.deadline is None
    assert current.print_blob
    assert {HealthCheck.function_scoped_fixture, HealthCheck.too_slow} == set(current.suppress_health_check)


def test_fewer_is_a_share_of_the_profile_and_never_nothing(profile_of):
    profile_of("night")
    assert fewer(2).max_examples == 500
    profile_of("ci")
    assert fewer(2).max_examples == 12
    assert fewer(100).max_examples == 1
    assert fewer(2).deadline is None


def test_a_profile_that_does_not_exist_is_refused(profile_of):
    with pytest.raises(InvalidArgument, match="nightly"):
        profile_of("nightly")


def test_the_profile_of_this_run_was_loaded_before_any_test():
    assert settings().max_examples in PROFILES.values()
    assert settings().deadline is None
