"""The pages in a real browser: a reader's whole way without JavaScript, axe in light and dark, 320 pixels."""

import re
import shutil
import threading
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.urls import reverse
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from digest.delivery import send_digests
from digest.models import Digest, SourceRun
from digest.rendering import Shelf, digest_message
from subscriptions import clock, links
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tasks import handle_signup
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="browser tests: needs Chromium"),
]
LIGHT_AND_DARK = pytest.mark.parametrize("scheme", ["light", "dark"])
YESTERDAY = TODAY - timedelta(days=1)
# A mail client puts the mail into a page of its own, which has the landmarks.
AXE_FOR_A_MAIL = {
    "resultTypes": ["violations"],
    "rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}},
}


@pytest.fixture(scope="module")
def chromium():
    """One browser for the module, a fresh context for each test."""
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
    settings.SECURE_SSL_REDIRECT = settings.CSRF_COOKIE_SECURE = settings.SESSION_COOKIE_SECURE = False
    settings.SECURE_HSTS_SECONDS = 0
    server = LiveServer("127.0.0.1")
    settings.SITE_URL = server.url
    settings.CSRF_TRUSTED_ORIGINS = [server.url]
    yield server
    # Each of the browser's connections has a thread, which closes the database when the browser has hung up. On
    # SQLite in memory the database is this thread's connection, lent to them only until the server stops.
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=10)
    server.stop()


@pytest.fixture
def site(live_server, monkeypatch):
    """The address of the site, where it is NOW."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return live_server.url


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def press(page, name):
    """Press a button of a form; what the browser sent."""
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name=name).click()
    return sent.value


def test_without_javascript_a_reader_signs_up_confirms_chooses_reads_and_leaves(
    open_page, site, nudges, robotics, speech
):
    papers = [make_paper(1, "A robot study"), make_paper(2, "Speech recognition", categories=["eess.AS"])]
    make_edition([*papers, make_paper(3, "Something else", categories=["math.GT"])], clock.now().date())
    page = open_page(java_script_enabled=False)

    page.goto(site)
    page.get_by_label("Email address").fill("ana@example.org")
    press(page, "Subscribe")
    assert heading(page) == "Check your email"
    assert [name for name, _ in nudges] == ["subscriptions.tasks.handle_signup"]
    handle_signup(nudges.pop()[1])
    assert [letter.to for letter in mail.outbox] == [["ana@example.org"]]

    page.goto(re.search(rf"{re.escape(site)}/c/\w+/", mail.outbox[0].body)[0])
    sent = press(page, "Confirm subscription")
    # Under "Referrer-Policy: no-referrer" this would be "null", and Django would refuse the form.
    assert sent.all_headers()["origin"] == site
    assert sent.response().status == 303
    assert heading(page) == "Your topics and time"
    assert Subscriber.objects.get().state == Subscriber.State.ACTIVE

    page.get_by_text("Robotics", exact=True).click()
    page.get_by_text("Speech", exact=True).click()
    page.get_by_label("Time of the digest").fill("07:30")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    press(page, "Save")
    assert "Your settings are saved." in page.get_by_role("status").inner_text()
    # NOW is Friday, 16:00 in Tokyo: today's 07:30 is over.
    upcoming = page.get_by_role("region", name="Your next digest").inner_text()
    assert "Saturday 21 March 2026, 07:30" in upcoming
    assert "Time zone: Asia/Tokyo" in upcoming
    assert {interest.topic for interest in Subscriber.objects.get().interests.all()} == {robotics, speech}

    today = page.get_by_role("row").filter(has_text="Fri 20 Mar").get_by_role("cell")
    assert today.all_inner_texts() == ["Nothing: no digest was due", "0"]
    press(page, "Send me today's now")
    assert "Today's digest is taken care of." in page.get_by_role("status").inner_text()
    assert today.all_inner_texts() == ["Planned", "3"]
    assert [name for name, *_ in nudges] == ["digest.tasks.send_digests"]
    assert send_digests(clock.now) == {Digest.State.ACCEPTED: 1}
    assert [letter.to for letter in mail.outbox] == [["ana@example.org"]] * 2
    page.reload()
    assert today.all_inner_texts() == ["Sent", "3"]

    digest = mail.outbox[1].alternatives[0].content
    for paper in papers:
        assert paper.title in digest
    page.goto(re.findall(rf'href="({re.escape(site)}/r/\w+/)"', digest)[-1])
    assert today.all_inner_texts() == ["Sent", "3"]
    page.goto(re.findall(rf'href="({re.escape(site)}/u/\w+/)"', digest)[-1])
    assert Subscriber.objects.get().state == Subscriber.State.ACTIVE, "opening the link changes nothing"
    press(page, "Unsubscribe")
    assert heading(page) == "You are unsubscribed"
    assert Subscriber.objects.get().state == Subscriber.State.UNSUBSCRIBED
    assert len(mail.outbox) == 2, "no goodbye mail"


def walk(page, site, topics):
    """Every public page in turn; yields its name when it is open. Checks that it is the page it should be."""
    page.goto(site)
    assert page.get_by_text("The first list is being made").is_visible()
    yield "empty front page"

    papers = [
        make_paper(1, "A robot study", code_url="https://github.com/x/y", stars=1200, comments=3),
        make_paper(2, "Di-" + "methylaminophenyl" * 6, authors=[f"Author {n}" for n in range(400)]),
        make_paper(3, "学習について", abstract="https://example.org/" + "path" * 40, upvotes=0),
    ]
    make_edition([make_paper(4, day=YESTERDAY)], YESTERDAY)
    make_edition(papers)
    reader, pending = make_reader("reader", *topics), make_reader("pending", state="pending")
    make_digest(reader, papers, Digest.State.ACCEPTED)
    make_digest(reader, [], Digest.State.SKIPPED, YESTERDAY, reason="no match in your topics")
    signup = SignupRequest.objects.create(email=pending.email, created_at=NOW, subscriber=pending)
    token, old_token = (links.manage_token(reader, NOW - timedelta(days=days)) for days in (0, 31))
    unsubscribe = links.unsubscribe_path(reader, NOW)

    def submitted(path, button, **fields):
        page.goto(site + path)
        for label, value in fields.items():
            page.get_by_label(label).fill(value)
        press(page, button)

    for name, path, title in (
        ("front page", reverse("today"), "Daily Papers"),
        ("a day", reverse("day", args=[YESTERDAY]), "Daily Papers"),
        ("a paper", papers[1].get_absolute_url(), papers[1].title),
        ("subscribe", reverse("subscribe"), "Trending papers in your email inbox, once a day"),
        ("check your email", reverse("check-email"), "Check your email"),
        ("confirm", links.confirm_path(signup, NOW), "One press, and you are subscribed"),
        ("late confirm", links.confirm_path(signup, NOW - timedelta(days=4)), "This link has expired"),
        ("bad confirm", reverse("confirm", args=["nonsense"]), "This link is not complete"),
        ("preferences", reverse("preferences", args=[token]), "Your topics and time"),
        ("late preferences", reverse("preferences", args=[old_token]), "This link has expired"),
        ("reader page", reverse("reader", args=[token]), "Your digests"),
        ("answer", reverse("reader", args=[token]) + "?asked=nothing-new", "Your digests"),
        ("bad unsubscribe", reverse("unsubscribe", args=["nonsense"]), "This link is not complete"),
        ("404", "/nowhere/", "Page not found"),
        ("no such day", "/days/2020-01-01/", "Page not found"),
        ("unsubscribe", unsubscribe, "Unsubscribe"),
    ):
        page.goto(site + path)
        assert heading(page) == title, name
        yield name

    submitted(reverse("subscribe"), "Subscribe", **{"Email address": "not an address"})
    assert page.get_by_role("alert").is_visible()
    yield "subscribe with an error"

    submitted(reverse("preferences", args=[token]), "Save", **{"Time of the digest": ""})
    assert page.get_by_role("alert").is_visible()
    yield "preferences with an error"

    submitted(unsubscribe, "Unsubscribe")
    assert heading(page) == "You are unsubscribed"
    yield "unsubscribed"


def is_fault(message):
    """Whether the console names an error, such as a refusal by the Content-Security-Policy. A 404 page is none."""
    return message.type == "error" and message.location["url"] != message.page.url


@LIGHT_AND_DARK
def test_no_page_has_an_axe_violation_a_console_error_or_a_request_to_another_host(
    open_page, site, robotics, speech, scheme
):
    page = open_page(color_scheme=scheme)
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    violations = {}
    for name in walk(page, site, [robotics, speech]):
        found = Axe().run(page)
        if found.violations_count:
            violations[name] = found.generate_report()
    assert violations == {}
    assert faults == []
    assert f"{site}/static/site.css" in asked
    assert [url for url in asked if not url.startswith(f"{site}/")] == []


def test_no_page_scrolls_sideways_at_320_pixels(open_page, site, robotics, speech):
    page = open_page(viewport={"width": 320, "height": 640})
    widths = {}
    for name in walk(page, site, [robotics, speech]):
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in widths.items() if width > 320} == {}


@LIGHT_AND_DARK
def test_the_digest_mail_has_no_axe_violation(open_page, transactional_db, robotics, scheme):
    papers = [make_paper(n, f"Robot paper {n}", code_url="https://github.com/x/y") for n in range(1, 11)]
    make_edition(papers)
    digest = make_digest(make_reader("a", robotics), papers)
    for chosen in digest.picks[:5]:
        chosen["why"] = [{"topic": robotics.pk, "terms": ["robot"], "category": ""}]
    message = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW)
    page = open_page(color_scheme=scheme)
    page.set_content(message.alternatives[0].content)
    assert page.get_by_role("heading", level=2).count() == 10
    found = Axe().run(page, options=AXE_FOR_A_MAIL)
    assert found.violations_count == 0, found.generate_report()


@LIGHT_AND_DARK
def test_the_strip_of_the_sources_keeps_its_columns_and_has_no_axe_violation(
    open_page, site, admin_user, client, settings, scheme
):
    settings.SOURCES = ["huggingface", "arxiv_rss"]
    for source, back, state in (("huggingface", 0, "fresh"), ("arxiv_rss", 5, "stalled")):
        day = TODAY - timedelta(days=back)
        SourceRun.objects.create(
            source=source, day=day, state=state, started_at=NOW, finished_at=NOW, received=3, reason="so it is"
        )
    client.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    page = open_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    page.goto(f"{site}/admin/digest/sourcerun/")
    rows = page.locator(".strip tbody tr")
    edges = [
        [round(cell.bounding_box()["x"]) for cell in rows.nth(at).locator("td").all()] for at in range(rows.count())
    ]
    assert len(edges) == 2
    assert edges[0] == edges[1], "each day has one column"
    found = Axe().run(page, context=".strip")
    assert found.violations_count == 0, found.generate_report()
