"""axe-core on every mail, in light and in dark."""

import pytest

from tests.e2e.conftest import IN_CHROMIUM
from tests.mail.checks.accessibility import axe_faults

pytestmark = [*IN_CHROMIUM, pytest.mark.mail]


def test_axe_finds_nothing_in_light_or_in_dark(page, html_mail):
    assert axe_faults(page, html_mail.html) == []
