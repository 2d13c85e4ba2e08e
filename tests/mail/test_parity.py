"""The two parts of every mail say the same."""

import pytest

from tests.e2e.conftest import IN_CHROMIUM
from tests.mail.checks.links import link_target_faults
from tests.mail.checks.parity import parity_faults, visible_words

pytestmark = [*IN_CHROMIUM, pytest.mark.mail]


def test_both_parts_hold_the_same_words_and_links(page, html_mail):
    assert parity_faults(html_mail, visible_words(page, html_mail.html)) == []


def test_each_link_leads_to_what_its_words_say(mail):
    assert link_target_faults(mail) == []
