import sys

import pytest

from digest.lint import RULES, lint
from tests.digest.lint.faults import FAULTS
from tests.digest.lint.mails import Draft, good_letter, good_mail, good_text_mail, letter


@pytest.mark.parametrize("good", [good_mail, good_text_mail, good_letter, lambda: letter().having(html=None).raw()])
def test_it_finds_nothing_in_a_good_mail(good):
    assert lint(good()) == []


@pytest.mark.parametrize("name", FAULTS)
def test_it_finds_each_fault(name):
    rule, change = FAULTS[name]
    found = lint(change(Draft()).raw())
    assert rule in {finding.rule for finding in found}
    assert all("broke" not in finding.said for finding in found)


def test_each_rule_has_a_fault_that_it_finds():
    assert {rule.id for rule in RULES} == {rule for rule, _ in FAULTS.values()}


def test_how_many_of_the_faults_are_found():
    found = [name for name, (rule, change) in FAULTS.items() if rule in {f.rule for f in lint(change(Draft()).raw())}]
    sys.stdout.write(f"seeded {len(FAULTS)} found {len(found)}\n")
    assert len(found) == len(FAULTS) >= 45
