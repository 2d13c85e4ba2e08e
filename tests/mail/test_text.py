"""The text part is written to be read, and a fact that is missing leaves no trace."""

import pytest

from tests.mail.checks.parity import text_faults
from tests.mail.checks.residue import residue_faults

pytestmark = pytest.mark.mail


def test_the_text_part_has_short_lines_and_the_way_out_at_both_ends(mail):
    assert text_faults(mail) == []


def test_nothing_of_a_template_or_of_python_is_left(mail):
    assert residue_faults(mail) == []
