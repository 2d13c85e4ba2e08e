"""A browser, and a site that it can open."""

import shutil
import threading

import pytest
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from subscriptions import clock
from tests.conftest import NOW

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# On whichever worker is free: each that gets one starts a browser, and keeps it for the others of the package.
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="browser tests: needs Chromium"),
]
PLAIN_HTTP = {
    "SECURE_SSL_REDIRECT": False,
    "CSRF_COOKIE_SECURE": False,
    "SESSION_COOKIE_SECURE": False,
    "SECURE_HSTS_SECONDS": 0,
}


@pytest.fixture(scope="package")
def chromium():
    """One browser for the package, a fresh context for each test."""
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's sync API keeps an event loop running in this thread, and Django refuses its ORM where a loop
        # runs. Nothing here is a coroutine, so no query can be interrupted by another.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            yield browser
            browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens a page in a context of its own."""
    contexts = []

    def opened(**options):
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def live_server(settings, transactional_db):
    """pytest-django's, but started by each test: its middleware reads the settings once, and must find http."""
    for name, value in PLAIN_HTTP.items():
        setattr(settings, name, value)
    server = LiveServer("127.0.0.1")
    settings.SITE_URL = server.url
    settings.CSRF_TRUSTED_ORIGINS = [server.url]
    yield server
    hung_up()
    server.stop()


def hung_up():
    """Wait for the threads of the server: each of the browser's connections has one until the browser has hung up.

    They close the database then. Where it is this thread's connection, it is lent to them until the server stops.
    """
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=10)


@pytest.fixture
def site(live_server, monkeypatch):
    """The address of the site, where it is NOW."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return live_server.url


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def press(page, name):
    """Press a button of a form and wait for the page that it leads to; what the browser sent."""
    with page.expect_navigation(), page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name=name, exact=True).click()
    return sent.value
