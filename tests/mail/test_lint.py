"""The linter has nothing to say of any mail that this site sends."""

import pytest

from digest.lint import Severity, lint

pytestmark = pytest.mark.mail
LONG_SUBJECT = ("L503", Severity.WARNING)  # over 50 characters, not over 60
EXPECTED = {
    # A title that says <think> is what somebody wrote: people are to look at it, and it goes.
    "worst case": {("L706", Severity.WARNING)},
    "confirm of a long name": {LONG_SUBJECT},
    "confirm in a made-up language": {LONG_SUBJECT},
}


def test_the_linter_finds_nothing_but_what_is_expected(mail):
    found = {(finding.rule, finding.severity) for finding in lint(mail.raw, trial=False)}
    assert found == EXPECTED.get(mail.name, set())
