"""The pages in a real browser: a reader's whole way without JavaScript, axe in light and dark, 320 pixels."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from digest.delivery import send_digests
from digest.models import Digest, SourceRun
from digest.rendering import Shelf, digest_message
from subscriptions import clock, consent, letters, links
from subscriptions.models import Subscriber
from subscriptions.tasks import handle_signup
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.e2e.conftest import IN_CHROMIUM, heading, press
from tests.e2e.pages import ask
from tests.e2e.watched import AXE, AXE_FOR_A_MAIL, Watched

pytestmark = IN_CHROMIUM
LIGHT_AND_DARK = pytest.mark.parametrize("scheme", ["light", "dark"])


def test_without_javascript_a_reader_signs_up_confirms_chooses_reads_and_leaves(
    open_page, site, nudges, robotics, speech
):
    papers = [make_paper(1, "A robot study"), make_paper(2, "Speech recognition", categories=["eess.AS"])]
    make_edition([*papers, make_paper(3, "Something else", categories=["math.GT"])], clock.now().date())
    page = open_page(java_script_enabled=False)

    page.goto(site)
    assert page.get_by_text(str(consent.SIGN_UP), exact=True).is_visible(), "the words that are kept as agreed to"
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
    assert heading(page) == "Your settings"
    assert page.get_by_role("status").first.inner_text() == "You are subscribed. All of this can stay as it is."
    assert Subscriber.objects.get().state == Subscriber.State.ACTIVE

    page.get_by_text("Robotics", exact=True).click()
    page.get_by_text("Speech", exact=True).click()
    page.get_by_label("Time of the digest").fill("07:30")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    press(page, "Save")
    assert page.get_by_role("status").inner_text().startswith("Saved: ")
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
    assert press(page, "Unsubscribe").response().status == 303
    assert heading(page) == "You are unsubscribed"
    assert page.get_by_role("status").inner_text() == "You are unsubscribed. No goodbye email follows."
    assert Subscriber.objects.get().state == Subscriber.State.UNSUBSCRIBED
    press(page, "Undo")
    assert page.get_by_role("status").first.inner_text().startswith("You are subscribed again.")
    assert Subscriber.objects.get().state == Subscriber.State.ACTIVE
    assert len(mail.outbox) == 2, "no goodbye mail"


def test_without_javascript_what_was_tried_out_is_there_after_confirming_and_can_be_tried_again(
    open_page, site, nudges, robotics, speech
):
    make_edition([make_paper(1, "A robot study"), make_paper(2, "Speech recognition", categories=["eess.AS"])])
    page = open_page(java_script_enabled=False)
    page.goto(site)
    page.get_by_role("link", name="See what you would get").click()
    page.get_by_label("Robotics").check()
    page.get_by_label("Your own keywords and phrases").fill("protein folding\nc++")
    page.get_by_role("button", name="Show the papers").click()
    page.get_by_role("link", name="A robot study").wait_for()
    page.get_by_label("Email address").fill("ana@example.org")
    press(page, "Subscribe")
    handle_signup(nudges.pop()[1])
    page.goto(re.search(rf"{re.escape(site)}/c/\w+/", mail.outbox[0].body)[0])
    press(page, "Confirm subscription")
    own = page.get_by_label("Your own keywords and phrases")
    assert (page.get_by_label("Robotics").is_checked(), own.input_value()) == (True, "protein folding\nc++")

    own.fill("speech recognition")
    press(page, "See what you would have got")
    assert "your keyword “speech recognition”" in page.get_by_role("main").inner_text()
    press(page, "Back to my settings")
    assert own.input_value() == "speech recognition"
    press(page, "See what you would have got")
    press(page, "Save these settings")
    assert page.get_by_role("status").inner_text() == "Saved: keywords."


def test_the_summary_of_errors_has_the_focus_and_leads_to_the_field(open_page, site, robotics):
    page = open_page(java_script_enabled=False)
    page.goto(site + reverse("preferences", args=[links.manage_token(make_reader(), NOW)]))
    for box in page.get_by_role("group", name="Days of the digest").get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_label("Muted words").fill("x")
    press(page, "Save")
    assert page.get_by_role("alert").evaluate("alert => alert === document.activeElement")
    assert page.get_by_label("Muted words").input_value() == "x"
    for problem, field in (("Tick one day", "Monday"), ("too short", "Muted words")):
        page.get_by_role("alert").get_by_role("link").filter(has_text=problem).click()
        assert page.get_by_label(field).evaluate("field => field.matches(':focus')")


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
    assert Watched(page).axe_violations(scheme, AXE_FOR_A_MAIL) == ""


@pytest.mark.parametrize("kind", ["sign-up", "already", "link", "move", "moved"])
def test_no_letter_has_an_axe_violation_and_both_its_parts_hold_the_same_links(open_page, site, kind):
    reader = make_reader("reader", state="pending" if kind == "sign-up" else "active")
    asked = ask("sign-up" if kind == "already" else kind, reader, "other@example.org" if kind == "move" else "")
    _, letter = letters.letter_for(asked.pk, NOW)
    html = letter.alternatives[0].content
    assert set(re.findall(rf"{site}/\S+", letter.body)) == set(re.findall(r'href="(.*?)"', html))
    assert "reader@example.org" not in letter.body + html
    page = open_page(viewport={"width": 320, "height": 640})
    page.set_content(html)
    watched = Watched(page)
    assert watched.width_of_what_is_shown_on(320) <= 320
    for scheme in ("light", "dark"):
        assert watched.axe_violations(scheme, AXE_FOR_A_MAIL) == ""


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
    assert Watched(page).axe_violations(scheme, AXE, context="'.strip'") == ""


def as_a_mail_program_shows(page, site, path):
    """The form of a page of ours in a document of an opaque origin: its POST says "Origin: null" and has no cookie."""
    form = re.search(r'<form[^>]*method="post".*?</form>', Client().get(path).content.decode(), re.DOTALL)[0]
    action = form if 'action="' in form else form.replace('method="post"', f'method="post" action="{path}"')
    absolute = action.replace('action="', f'action="{site}')
    page.goto("data:text/html," + quote(absolute))


def test_from_an_opaque_origin_without_cookies_a_reader_signs_up_confirms_and_leaves(open_page, site, nudges):
    make_edition([make_paper(1)], clock.now().date())
    page = open_page(java_script_enabled=False)
    as_a_mail_program_shows(page, site, "/subscribe/")
    page.get_by_label("Email address").fill("ana@example.org")
    sent = press(page, "Subscribe")
    assert (sent.all_headers()["origin"], sent.response().status) == ("null", 422)
    assert page.get_by_label("Email address").input_value() == "ana@example.org"
    assert press(page, "Subscribe").response().status == 303
    handle_signup(nudges.pop()[1])
    as_a_mail_program_shows(page, site, re.search(r"/c/\w+/", mail.outbox[0].body)[0])
    sent = press(page, "Confirm subscription")
    assert (sent.all_headers()["origin"], sent.response().status) == ("null", 303)
    reader = Subscriber.objects.get()
    assert reader.state == Subscriber.State.ACTIVE
    page.goto(f"{site}{links.unsubscribe_path(reader, NOW)}>")
    assert press(page, "Unsubscribe").response().status == 303
    assert heading(page) == "You are unsubscribed"
