"""The rows fit the code, and the command says the truth: in a project of two files, with faults of its own."""

import ast
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutations.__main__ import ALL_NOTICED, NOT_ALL_NOTICED, ROOT, TO_RENEW, main
from tests.mutations.fault import POSTGRESQL, Fault
from tests.mutations.faults import FAULTS

CODE = "def twice(number):\n    return number * 2\n\n\ndef never():\n    return 0\n"
TESTS = "from house import twice\n\n\ndef test_two_is_four():\n    assert twice(2) == 4\n"
DOUBLED = Fault("twice is three times", "house.py", "number * 2", "number * 3", ("test_house.py::test_two_is_four",))
UNSEEN = Fault("nothing becomes one", "house.py", "return 0", "return 1", ("test_house.py",))
ENDLESS = Fault(
    "twice takes for ever", "house.py", "    return number * 2", "    while True:\n        pass", ("test_house.py",)
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_faults_old_text_is_in_the_code_exactly_once_and_its_tests_are_there(fault):
    assert fault.why_stale(ROOT) == "", "renew the row in tests/mutations/faults/"


def test_the_faults_are_forty_or_more_and_no_two_are_called_alike():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
    assert 6 <= sum(fault.quick for fault in FAULTS) <= 12, "the few that CI runs"
    assert any(fault.matters_on(POSTGRESQL) for fault in FAULTS)


def test_code_with_a_fault_in_it_is_still_code():
    for fault in FAULTS:
        if fault.file.endswith(".py"):
            ast.parse(fault.applied((ROOT / fault.file).read_text(encoding="utf-8")), fault.name)


@pytest.fixture
def house(tmp_path) -> Path:
    """A repository with a module, its test, and a file that git does not know."""
    for name, text in {"house.py": CODE, "test_house.py": TESTS, "pytest.ini": "[pytest]\naddopts = -ra\n"}.items():
        (tmp_path / name).write_text(text)
    for command in (["git", "init", "-q"], ["git", "add", "house.py", "test_house.py", "pytest.ini"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "test_untracked.py").write_text("this is no Python\n")
    return tmp_path


def looked_at(house, capsys, *faults, options=()):
    code = main(["--jobs", "1", "--patience", "60", *options], house, faults)
    return code, capsys.readouterr().out


def test_each_fault_is_told_with_who_noticed_it_and_one_that_nobody_notices_ends_with_1(house, capsys):
    code, said = looked_at(house, capsys, DOUBLED, UNSEEN)
    assert code == NOT_ALL_NOTICED
    lines = said.splitlines()
    assert lines[0].startswith("Without a fault all of these tests pass")
    assert "twice is three times" in lines[1]
    assert lines[1].endswith("test_house.py::test_two_is_four")
    assert lines[2].endswith("NOT NOTICED"), "the fault before it is not in the code any more"
    assert "1 of 2 faults were noticed" in lines[3]
    assert (house / "house.py").read_text() == CODE, "the working tree stays as it is"


@pytest.mark.parametrize(
    ("text", "why"), [("number * 4", "0 times"), ("return", "2 times")], ids=["gone", "there twice"]
)
def test_a_row_that_does_not_fit_the_code_any_more_has_to_be_renewed_and_nothing_is_run(house, capsys, text, why):
    code, said = looked_at(house, capsys, DOUBLED, Fault("old", "house.py", text, "number", ("test_house.py",)))
    assert code == TO_RENEW
    assert why in said
    assert "noticed" not in said


def test_a_row_whose_test_is_gone_has_to_be_renewed(house, capsys):
    gone = Fault("old", "house.py", "number * 2", "number", ("test_house.py::test_two_is_five",))
    assert looked_at(house, capsys, gone)[0] == TO_RENEW


def test_tests_that_fail_without_a_fault_can_notice_nothing_and_neither_can_skipped_ones(house, capsys):
    for text in (
        "def test_two_is_four():\n    assert False\n",
        f"import pytest\npytest.skip(allow_module_level=True)\n{TESTS}",
    ):
        (house / "test_house.py").write_text(text)
        code, said = looked_at(house, capsys, DOUBLED)
        assert code == NOT_ALL_NOTICED
        assert "they can notice nothing" in said


def test_where_all_are_noticed_it_ends_with_0_and_code_that_cannot_be_imported_is_no_such_fault(house, capsys):
    assert looked_at(house, capsys, DOUBLED, options=["--no-baseline"])[0] == ALL_NOTICED
    broken = Fault("no code at all", "house.py", "def twice", "deaf twice", ("test_house.py",))
    assert looked_at(house, capsys, broken, options=["--no-baseline"])[0] == TO_RENEW


def test_a_fault_that_hangs_is_ended_and_noticed_only_where_its_row_says_so(house, capsys):
    told = replace(ENDLESS, name="told", hangs=True)
    code, said = looked_at(house, capsys, ENDLESS, told, options=["--no-baseline", "--patience", "3", "--jobs", "2"])
    assert code == TO_RENEW
    assert "1 of 2 faults were noticed" in said
    assert "no answer within 3 s" in said
    assert "it hung for 3 s" in said


def test_without_a_clone_it_says_what_it_takes(house, capsys):
    (house / ".git").rename(house / "no-git")
    code, said = looked_at(house, capsys, DOUBLED)
    assert code == TO_RENEW
    assert "takes git and a clone" in said


def test_faults_are_chosen_by_a_word_and_listed_without_being_run(house, capsys):
    code, said = looked_at(house, capsys, DOUBLED, UNSEEN, options=["--only", "THREE", "--list"])
    assert code == ALL_NOTICED
    assert "twice is three times" in said
    assert "1 faults" in said
