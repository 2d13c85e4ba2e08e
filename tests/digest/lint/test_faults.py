import sys

import pytest

from digest.lint import RULES, lint
from tests.digest.lint.faults import FAULTS
from tests.digest.lint.mails import Draft, good_letter, good_mail, good_text_mail, letter


@pytest.mark.parametrize("good", [good_mail, good_text_mail, good_letter, lambda: letter().having(html=None).raw()])
def test_it_finds_nothing_in_a_good_mail(good):
    assert lint(good()) == []


FOUND: set[str] = set()


@pytest.fixture(scope="module", autouse=True)
def told():
    """How many of the seeded faults were found, printed with -s."""
    yield
    sys.stdout.write(f"\nseeded {len(FAULTS)} found {len(FOUND)}\n")


@pytest.mark.parametrize("name", FAULTS)
def test_it_finds_each_fault(name):
    rule, change = FAULTS[name]
    found = lint(change(Draft()).raw())
    assert rule in {finding.rule for finding in found}
    assert all("broke" not in finding.said for finding in found)
    FOUND.add(name)


def test_each_rule_has_a_fault_that_it_finds():
    assert {rule.id for rule in RULES} == {rule for rule, _ in FAULTS.values()}
    assert len(FAULTS) >= 45
