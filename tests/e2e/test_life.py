"""The whole life of a reader in a real browser, with mail by real SMTP, without and with JavaScript."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.urls import reverse

from digest.delivery import send_digests
from digest.models import Digest
from subscriptions import clock, links
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, Subscriber, Suppression
from subscriptions.tasks import handle_signup
from tests.conftest import NOW, make_edition, make_paper
from tests.e2e.conftest import IN_CHROMIUM, heading, press
from tests.e2e.stack import Inbox

pytestmark = IN_CHROMIUM


@pytest.fixture
def inbox(settings):
    """A mail server, and Django's own backend that speaks to it."""
    server = Inbox()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.stop()


class Life:
    """A browser, a mailbox and a clock. Watches what the pages ask for and what their console says."""

    def __init__(self, page, site, inbox, nudges):
        self.page, self.site, self.inbox, self.nudges = page, site, inbox, nudges
        self.now = NOW
        self.asked: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)

    def press(self, name):
        """Press a button; the page that it leads to must have taken it."""
        sent = press(self.page, name)
        assert sent.all_headers()["origin"] == self.site, "Django refuses Origin: null"
        assert sent.response().status in {200, 303}, name

    def status(self):
        return self.page.get_by_role("status").first.inner_text()

    def letter(self, to, subject):
        """Do what was nudged; the one mail that came of it."""
        before = len(self.inbox.mails)
        while self.nudges:
            name, *arguments = self.nudges.pop(0)
            if name == "subscriptions.tasks.handle_signup":
                handle_signup(*arguments)
        [(recipients, mail)] = self.inbox.mails[before:]
        assert (recipients, mail["Subject"]) == ([to], subject)
        return mail

    def later(self, **passed):
        """Some time passes: an address gets one letter in ten minutes and three a day."""
        self.now += timedelta(**passed or {"minutes": 11})

    def follow(self, mail, kind, end=""):
        """Open the link of this kind in the mail's text; the address must be the same in its HTML part."""
        found = self.link(mail, kind, end)
        assert found in mail.get_body(("html",)).get_content()
        self.page.goto(found)

    def link(self, mail, kind, end=""):
        text = mail.get_body(("plain",)).get_content()
        return re.search(rf"{re.escape(self.site)}/{kind}/\w{{33}}/{end}(?=\s)", text)[0]

    def subscribe(self, address):
        self.page.goto(self.site)
        self.page.get_by_label("Email address").fill(address)
        self.press("Subscribe")
        assert heading(self.page) == "Check your email"
        self.follow(self.letter(address, "Confirm your Daily Papers subscription"), "c")
        self.press("Confirm subscription")
        assert self.status() == "You are subscribed. All of this can stay as it is."

    def open_data(self, address):
        """From the settings to the page with export, another address and erase, by way of a mail."""
        self.later()
        self.page.get_by_role("link", name="Your data").click()
        self.press("Mail me a link")
        assert heading(self.page) == "Check your email"
        self.follow(self.letter(address, "Your settings at Daily Papers"), "f")
        assert heading(self.page) == "Your data"


@pytest.mark.parametrize("javascript", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_a_whole_life_from_the_first_click_to_the_last(
    open_page, live_server, inbox, nudges, robotics, speech, monkeypatch, settings, tmp_path, javascript
):
    settings.SIGNUPS_PER_NETWORK = ((timedelta(hours=1), 50),)
    page = open_page(java_script_enabled=javascript, timezone_id="Europe/Berlin")
    life = Life(page, live_server.url, inbox, nudges)
    monkeypatch.setattr(clock, "now", lambda: life.now)
    make_edition([make_paper(1, "A robot study"), make_paper(2, "Speech recognition", categories=["eess.AS"])])

    life.subscribe("ana@example.org")
    chooses(life, javascript)
    pauses_and_resumes(life)
    digest = gets_a_digest_and_mutes_a_topic(life, robotics)
    leaves_and_comes_back(life, digest)
    takes_the_data_along(life, tmp_path)
    changes_the_address(life)
    erases_everything(life)

    assert life.faults == []
    assert [url for url in life.asked if not url.startswith(f"{life.site}/")] == []
    assert {url for url in life.asked if url.endswith(".js")} == (
        {f"{life.site}/static/zone.js"} if javascript else set()
    )


def chooses(life, javascript):
    page, zone, guess = life.page, life.page.get_by_label("Time zone"), life.page.locator("#zone-guess")
    if javascript:
        assert zone.input_value() == "Europe/Berlin"
        assert guess.inner_text() == "Guessed from your browser: change it if it is wrong."
    else:
        assert (zone.input_value(), guess.inner_text()) == ("UTC", "")
        zone.select_option("Europe/Berlin")
    page.get_by_label("Robotics").check()
    page.get_by_label("Speech").check()
    page.get_by_label("Your own keywords and phrases").fill("protein folding\n")
    page.get_by_label("Muted words").fill("blockchain")
    assert page.get_by_label("Day of the weekly digest").is_hidden()
    page.get_by_label("Sunday").uncheck()
    life.press("Save")
    assert life.status() == f"Saved: {'' if javascript else 'time zone, '}topics, keywords, muted words, days."
    assert "Time zone: Europe/Berlin" in page.get_by_role("region", name="Your next digest").inner_text()

    page.get_by_role("link", name=re.compile("^Change topics")).click()
    assert page.get_by_label("Muted words").input_value() == "blockchain"
    assert not page.get_by_label("Sunday").is_checked()
    assert zone.input_value() == "Europe/Berlin"
    page.get_by_label("Once a week").check()
    assert page.get_by_label("Sunday").is_hidden()
    page.get_by_label("Day of the weekly digest").select_option("Tuesday")
    page.get_by_label("Each day that you tick").check()
    page.get_by_label("Time of the digest").fill("08:15")
    life.press("Save")
    reader = Subscriber.objects.get()
    assert (reader.hour.isoformat("minutes"), reader.weekdays, reader.zone) == ("08:15", 0b0111111, "Europe/Berlin")
    own = Interests.of(reader)
    assert (own.phrases, own.muted_words, len(own.topics)) == (("protein folding",), ("blockchain",), 2)


def pauses_and_resumes(life):
    page = life.page
    page.get_by_role("link", name=re.compile("^Change topics")).click()
    page.get_by_role("link", name="Pause your digests").click()
    # NOW is Friday 20 March. Berlin's clocks change on the 29th.
    assert page.get_by_label("2 weeks").evaluate("box => box.labels.length") == 1
    assert page.get_by_text("Digests go on from Friday 3 April 2026").is_visible()
    page.get_by_label("2 weeks").check()
    life.press("Pause")
    assert Subscriber.objects.get().paused_until == datetime(2026, 4, 2, 22, tzinfo=UTC)
    page.goto(life.site + reverse("pause", args=[token(life)]))
    assert heading(page) == "Your digests are paused"
    assert "Friday 3 April 2026" in page.get_by_role("main").inner_text()
    page.get_by_label("Until a date").check()
    page.get_by_label("The first day with a digest again").fill("2026-03-24")
    life.press("Change the pause")
    assert Subscriber.objects.get().paused_until == datetime(2026, 3, 23, 23, tzinfo=UTC)
    page.goto(life.site + reverse("pause", args=[token(life)]))
    life.press("Resume now")
    assert Subscriber.objects.get().paused_until is None


def gets_a_digest_and_mutes_a_topic(life, robotics):
    page = life.page
    page.goto(life.site + reverse("reader", args=[token(life)]))
    life.press("Send me today's now")
    life.nudges.clear()
    assert send_digests(clock.now) == {Digest.State.ACCEPTED: 1}
    recipients, digest = life.inbox.mails[-1]
    assert recipients == ["ana@example.org"]
    life.follow(digest, "r", f"mute/{robotics.pk}/")
    assert robotics.pk in Interests.of(Subscriber.objects.get()).topics, "opening the link changes nothing"
    life.press("Mute Robotics")
    assert heading(page) == "Robotics is muted"
    assert Interests.of(Subscriber.objects.get()).muted_topics == (robotics.pk,)
    life.follow(digest, "r", "fewer/")
    life.press("Get at most 5 papers")
    life.follow(digest, "r", "weekly/")
    life.press("Get one digest a week")
    assert "the next one on Friday 27 March, 08:15" in life.status()
    reader = Subscriber.objects.get()
    assert (reader.paper_limit, reader.is_weekly) == (5, True)
    page.get_by_role("link", name="your settings").click()
    page.get_by_label("Robotics").last.uncheck()
    life.press("Save")
    assert Interests.of(Subscriber.objects.get()).muted_topics == ()
    return digest


def leaves_and_comes_back(life, digest):
    page = life.page
    life.follow(digest, "u")
    assert Subscriber.objects.get().state == "active", "opening the link changes nothing"
    life.press("Unsubscribe")
    assert life.status() == "You are unsubscribed. No goodbye email follows."
    assert Subscriber.objects.get().state == "unsubscribed"
    page.get_by_label("Another reason").check()
    life.press("Send the answer")
    life.press("Undo")
    assert life.status() == "You are subscribed again. Your settings are as they were."
    assert Subscriber.objects.get().state == "active"

    address = digest["List-Unsubscribe"].strip(" <>")
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = urlencode({"List-Unsubscribe": "One-Click"}).encode()
    with urlopen(Request(address, body, method="POST"), timeout=10) as answer:
        assert (answer.status, answer.url, answer.headers["Set-Cookie"]) == (200, address, None)
    assert Subscriber.objects.get().state == "unsubscribed"
    life.follow(digest, "u")
    assert heading(page) == "You are unsubscribed already"
    life.later()
    life.subscribe("ana@example.org")
    assert Subscriber.objects.get().state == "active"
    kinds = ["withdrawn", "reason", "restored", "withdrawn", "requested", "confirmed"]
    assert [event.kind for event in ConsentEvent.objects.all()][-6:] == kinds


def takes_the_data_along(life, folder):
    life.open_data("ana@example.org")
    with life.page.expect_download() as download:
        life.page.get_by_role("button", name="Download your data").click()
    file = Path(folder) / download.value.suggested_filename
    download.value.save_as(file)
    kept = json.loads(file.read_text())
    assert (file.name, kept["reader"]["email"]) == ("daily-papers.json", "ana@example.org")
    assert (kept["interests"]["topics"], kept["interests"]["phrases"]) == (["Speech"], ["protein folding"])


def changes_the_address(life):
    page, fresh = life.page, life.page.url
    page.get_by_role("link", name="Change your address").click()
    page.get_by_label("New email address").fill("ana@example.net")
    life.press("Send the link")
    assert heading(page) == "Check the new address"
    asking = life.letter("ana@example.net", "Confirm your new address for Daily Papers")
    assert Subscriber.objects.get().email == "ana@example.org"
    life.later(days=1)
    life.follow(asking, "m")
    life.press("Use this address")
    assert life.status().startswith("Your address is changed. Your digests go to a***@example.net from now on.")
    assert Subscriber.objects.get().email == "ana@example.net"
    told = life.letter("ana@example.org", "Your Daily Papers address has changed")
    assert "a***@example.net" in told.get_body(("plain",)).get_content()
    assert page.goto(fresh).status == 410, "a fresh link ends with the address that it went to"
    assert heading(page) == "This link has expired"
    life.faults.clear()  # Chromium calls a page with status 410 an error


def erases_everything(life):
    page = life.page
    life.later()
    page.goto(life.site)
    page.get_by_role("link", name="Your settings").first.click()
    page.get_by_label("Email address").fill("ana@example.net")
    life.press("Mail me a link")
    assert "If that address is known to us" in page.get_by_role("main").inner_text()
    mail = life.letter("ana@example.net", "Your settings at Daily Papers")
    life.follow(mail, "r", "preferences/")
    assert heading(page) == "Your settings"
    life.follow(mail, "f")
    page.get_by_role("link", name="Erase everything").click()
    assert Subscriber.objects.exists(), "opening the page changes nothing"
    life.press("Erase everything")
    assert heading(page) == "Everything is erased"
    assert not Subscriber.objects.exists()
    assert Suppression.objects.filter(reason="erased").count() == 1


def token(life):
    """Of a link to settings, as any mail of this minute would hold it."""
    return links.manage_token(Subscriber.objects.get(), life.now)
