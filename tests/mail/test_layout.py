"""Every mail on four widths, light and dark, images on and off, as sent, without its <style>, and mirrored."""

import pytest

from tests.e2e.conftest import IN_CHROMIUM
from tests.mail.cast import RIGHT_TO_LEFT
from tests.mail.checks.layout import layout_faults

pytestmark = [*IN_CHROMIUM, pytest.mark.mail]


def test_it_can_be_read_on_every_screen(page, html_mail):
    unsubscribe_url = html_mail.unsubscribe_url if html_mail.is_listed else ""
    assert layout_faults(page, html_mail.html, unsubscribe_url) == []


@pytest.mark.parametrize("name", RIGHT_TO_LEFT)
def test_a_language_from_right_to_left_is_laid_out_so_and_its_papers_are_not(page, cast, name):
    page.set_content(cast[name].html)
    # The client may strip <html> and <body>: it must hold below them.
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "rtl"
    titles = "[...document.querySelectorAll('h2 a')].map(a => (a.querySelector('[lang]') || a).closest('[lang]').lang)"
    assert set(page.evaluate(titles)) <= {"en"}
