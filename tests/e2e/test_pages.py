"""Each page in a real browser: axe in light and in dark, 320 pixels, the console, and whom it asks.

The server, the browser and the rows are made once for all of them. Each page is looked at within the test's usual
transaction, which is a savepoint of that in which the rows were made: no page depends on another.
"""

from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from pytest_django.live_server_helper import LiveServer

from subscriptions import clock
from tests.conftest import NOW
from tests.e2e.conftest import IN_CHROMIUM, PLAIN_HTTP, heading, hung_up, press
from tests.e2e.pages import LOOKS, PRESSES, SPECIAL, Cast, Visit
from tests.e2e.watched import AXE, AXE_FOR_COLOURS, Watched

pytestmark = IN_CHROMIUM
NO_PAGES = {  # {name in the URLconf: why no browser opens it as a page}
    "send-now": "a button, which leads to the reader's page",
    "try-settings": "a button's page: settings tried out",
    "export": "a file",
    "saved-bib": "a file",
    "saved-ris": "a file",
    "saved-json": "a file",
    "day-mail-html": "a mail, in a frame of day-mail",
    "letter-html": "a mail, in a frame of letter",
    "mailbox": "SPECIAL, since it is the demo's alone",
    "letter": "SPECIAL, since it is the demo's alone",
    "healthz": "a line of text for a program",
    "readyz": "a line of text for a program",
}


@pytest.fixture(scope="module")
def walked(django_db_setup, django_db_blocker):
    """The address of a server and its cast. Server and tests share one connection, and nothing is ever committed."""
    shared = connections[DEFAULT_DB_ALIAS]
    with (
        django_db_blocker.unblock(),
        override_settings(**PLAIN_HTTP),
        mock.patch.object(clock, "now", return_value=NOW),
        # The server closes its connection after each request, which would end the transaction of all.
        mock.patch.object(shared, "close"),
        transaction.atomic(),
    ):
        server = LiveServer("127.0.0.1", start=False)
        server.thread.connections_override = {DEFAULT_DB_ALIAS: shared}
        server.start()
        with override_settings(ALLOWED_HOSTS=["127.0.0.1"], SITE_URL=server.url, CSRF_TRUSTED_ORIGINS=[server.url]):
            yield server.url, Cast.made()
            hung_up()
            server.stop()
        transaction.set_rollback(True)
    shared.close()  # Playwright's event loop has a connection of its own, which would outlive it


@pytest.fixture
def visit(walked, db, chromium, open_page, nudges, settings, monkeypatch, tmp_path):
    """One page; what is changed for it is undone."""
    site, cast = walked
    return Visit(open_page(), site, cast, settings, monkeypatch, tmp_path)


@pytest.mark.parametrize("name", [*LOOKS, *PRESSES, *SPECIAL])
def test_a_page_has_no_axe_violation_sideways_scroll_console_error_or_request_to_another_host(visit, name):
    watched = Watched(visit.page)
    bring(visit, name)
    assert watched.axe_violations("light", AXE) == ""
    assert watched.axe_violations("dark", AXE_FOR_COLOURS) == ""
    assert watched.width_of_what_is_shown_on(320) <= 320
    assert watched.faults == []
    assert f"{visit.site}/static/site.css" in watched.asked
    assert [url for url in watched.asked if not url.startswith(f"{visit.site}/")] == []


def bring(visit, name):
    """Open the page, and check that it is the one that it should be."""
    page, site = visit.page, visit.site
    if name in SPECIAL:
        SPECIAL[name](visit)
    elif name in LOOKS:
        page.goto(site + LOOKS[name].path(visit.cast))
        assert heading(page) == LOOKS[name].heading
    else:
        wanted = PRESSES[name]
        page.goto(site + wanted.path(visit.cast))
        for label, value in wanted.fields.items():
            page.get_by_label(label, exact=True).fill(value)
        press(page, wanted.button)
        assert heading(page) == wanted.heading
        assert page.title().startswith("Error: ") == ("error" in name)


def test_no_page_of_the_urlconf_is_left_out(visit):
    found = [wanted for wanted in LOOKS.values() if wanted.heading != "Page not found"]
    opened = {resolve(wanted.path(visit.cast).partition("?")[0]).url_name for wanted in found}
    named = {pattern.name for pattern in patterns(get_resolver())}
    assert named - opened == set(NO_PAGES)


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Each page of the URLconf, without the admin and the providers' webhooks, which have names of their own."""
    for pattern in resolver.url_patterns:
        if not isinstance(pattern, URLResolver):
            yield pattern
        elif pattern.namespace is None:
            yield from patterns(pattern)
