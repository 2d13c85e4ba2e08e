"""The standard's view of the HTML, and the mail clients'."""

import pytest

from tests.mail.cast import WITH_HTML
from tests.mail.checks.node import allowed, feature_faults

pytestmark = [pytest.mark.mail, pytest.mark.xdist_group("node")]


@pytest.mark.parametrize("name", WITH_HTML)
def test_html_validate_finds_no_fault(node_reports, name):
    assert node_reports.validity[name] == []


@pytest.mark.parametrize("name", WITH_HTML)
def test_what_a_client_lacks_is_on_the_list_with_a_reason(node_reports, name):
    assert feature_faults(node_reports.features[name]) == []


def test_nothing_stands_on_the_list_that_no_mail_uses(node_reports):
    used = {feature for features in node_reports.features.values() for feature in features}
    assert set(allowed()) - used == set()
