"""The pages in a real browser: a reader's whole way without JavaScript, axe in light and dark, 320 pixels."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.test import Client
from django.urls import reverse

from digest import feedback
from digest.delivery import send_digests
from digest.models import Digest, Paper, SourceRun
from digest.rendering import Shelf, digest_message
from subscriptions import clock, consent, letters, lifecycle, links, privacy
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber
from subscriptions.tasks import handle_signup
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.e2e.conftest import IN_CHROMIUM, heading, press

pytestmark = IN_CHROMIUM
LIGHT_AND_DARK = pytest.mark.parametrize("scheme", ["light", "dark"])
YESTERDAY = TODAY - timedelta(days=1)
Kind = SignupRequest.Kind
SUBSCRIBE, LOST_LINK = "Trending papers in your email inbox, once a day", "Get a link to your settings"
CONFIRM, TAKE = "Confirm subscription", "Use this address"
BAD_PREFERENCES = {"Time of the digest": "", "Muted words": "x", "Authors to follow": "A" * 90}
# A mail client puts the mail into a page of its own, which has the landmarks.
AXE_FOR_A_MAIL = {
    "resultTypes": ["violations"],
    "rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}},
}

# Light and dark differ in colours only, and these are the rules that look at them.
AXE_FOR_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


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


def ask(kind, reader, email="", at=NOW):
    """A letter that was asked for, of this reader and to this address."""
    return SignupRequest.objects.create(kind=kind, email=email or reader.email, created_at=at, subscriber=reader)


def not_yet(*_):
    """What erasing does while a mail to the reader is on the wire."""
    raise privacy.NotYet


def walk(page, site, topics, settings):
    """Every page in every state; yields its name when it is open. Checks that it is the page it should be."""
    page.goto(site)
    assert page.get_by_text("The first list is being made").is_visible()
    yield "empty front page"
    for name, path, title in (*public_pages(), *readers_pages(*topics)):
        page.goto(path if path.startswith("http") else site + path)
        assert heading(page) == title, name
        yield name
    for name, path, button, fields, title in answers():
        page.goto(site + path)
        for label, value in fields.items():
            page.get_by_label(label, exact=True).fill(value)
        press(page, button)
        assert heading(page) == title, name
        assert page.title().startswith("Error: ") == ("error" in name), name
        yield name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(privacy, "erase", not_yet)
        page.goto(site + links.fresh_path(ask(Kind.LINK, make_reader("busy")), NOW) + "erase/")
        press(page, "Erase everything")
    assert heading(page) == "Everything is being erased"
    yield "being erased"
    page.goto(site + reverse("subscribe"))
    page.locator("[name=made]").evaluate("made => { made.value = 'cut' }")
    page.get_by_label("Email address").fill("kept@example.org")
    press(page, "Subscribe")
    assert page.get_by_role("alert").inner_text().endswith("Press the button again.")
    assert page.get_by_role("alert").get_by_role("link").count() == 0
    assert page.get_by_label("Email address").input_value() == "kept@example.org"
    yield "subscribe with an error of the whole form"
    settings.SIGNUPS_PER_NETWORK = ((timedelta(hours=1), 0),)
    press(page, "Subscribe")
    assert heading(page) == "Too many tries"
    yield "429"
    page.goto(site + reverse("subscribe"))
    page.context.clear_cookies()
    press(page, "Subscribe")
    assert heading(page) == "The form was not sent"
    yield "form without its cookie"
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    page.goto(site + reverse("subscribe"))
    press(page, "Subscribe")
    assert heading(page) == "We could not read that"
    yield "400"


def public_pages():
    """Name, path and heading of each page without a token, with papers that are hard on a layout."""
    papers = [
        make_paper(1, "A robot study", code_url="https://github.com/x/y", stars=1200, comments=3),
        make_paper(2, "Di-" + "methylaminophenyl" * 6, authors=[f"Author {n}" for n in range(400)]),
        make_paper(3, "学習について", abstract="https://example.org/" + "path" * 40, upvotes=0),
    ]
    make_edition([make_paper(4, day=YESTERDAY)], YESTERDAY)
    make_edition(papers)
    return (
        ("front page", reverse("today"), "Daily Papers"),
        ("a day", reverse("day", args=[YESTERDAY]), "Daily Papers"),
        *days_as_mails(),
        ("a paper", papers[1].get_absolute_url(), papers[1].title),
        ("subscribe", reverse("subscribe"), "Trending papers in your email inbox, once a day"),
        ("try out topics", reverse("try-out") + "?topic=robotics&topic=gone&words=zz", "See what you would get"),
        ("try out with an error", reverse("try-out") + "?words=x", "See what you would get"),
        ("check your email", reverse("check-email"), "Check your email"),
        ("lost link", reverse("lost-link"), "Get a link to your settings"),
        ("check your email for a link", reverse("check-email") + "?for=link", "Check your email"),
        ("404", "/nowhere/", "Page not found"),
        ("no such day", "/days/2020-01-01/", "Page not found"),
    )


def days_as_mails():
    """A published day as the mail, in the ways that it can be looked at."""
    page = reverse("day-mail", args=[YESTERDAY])
    looks = ("", "part=text", "part=headers", "part=checks", "width=375&scheme=dark", "scheme=forced&styles=off")
    return [(f"a day as the mail ?{look}", f"{page}?{look}", "A robot study, part 4") for look in looks]


def readers_pages(robotics, speech):
    """Name, path and heading of each page behind a link, as GET shows it."""
    papers = list(Paper.objects.all()[:3])
    reader = make_reader("reader", robotics, speech)
    make_digest(reader, papers, Digest.State.ACCEPTED)
    make_digest(reader, [], Digest.State.SKIPPED, YESTERDAY, reason="no match in your topics")
    for paper, verb in zip(papers, ("save", "less", "more"), strict=True):
        feedback.say(reader.pk, paper, verb, NOW)
    paused = make_reader("paused", robotics, paused_until=NOW + timedelta(days=9), weekdays=1, paper_limit=5)
    own = {"phrases": ("protein folding",), "authors": ("Ana Exemplar",), "muted_words": ("blockchain",)}
    lifecycle.choose(paused, {}, Interests((robotics.pk,), muted_topics=(speech.pk,), **own), NOW, Origin("test"))
    gone, long_gone = (
        make_reader(name, left_at=NOW - timedelta(hours=hours)) for name, hours in (("gone", 0), ("long-gone", 2))
    )
    Subscriber.objects.filter(left_at__lte=NOW).update(state="unsubscribed", next_due_at=None)
    for left in (gone, long_gone):
        consent.note(left, ConsentEvent.Kind.WITHDRAWN, left.left_at, Origin(lifecycle.BY_BUTTON))
    nobody = Subscriber(pk=999_999)
    pending = make_reader("pending", state="pending")
    pending.email = "pending@" + "long-name." * 8 + "example.org"
    pending.save()
    signup, moving = ask(Kind.SIGN_UP, pending), ask(Kind.MOVE, reader, "new@example.org")
    fresh = links.fresh_path(ask(Kind.LINK, reader), NOW)
    token = links.manage_token(reader, NOW)

    def of(reader, name, *more, days=0):
        return reverse(name, args=[links.manage_token(reader, NOW - timedelta(days=days)), *more])

    return (
        ("confirm", links.confirm_path(signup, NOW), "One press, and you are subscribed"),
        ("late confirm", links.confirm_path(signup, NOW - timedelta(days=4)), "This link has expired"),
        ("bad confirm", reverse("confirm", args=["nonsense"]), "This link is not complete"),
        ("confirm again", links.confirm_path(ask(Kind.SIGN_UP, reader), NOW), "You are subscribed"),
        (
            "confirm by a link from before leaving",
            links.confirm_path(ask(Kind.SIGN_UP, gone, at=NOW - timedelta(days=1)), NOW),
            "You left after this mail",
        ),
        ("preferences of a reader who was erased", of(nobody, "preferences"), "Nothing is kept for this link"),
        ("confirm of an address that was changed", moved_confirm(), "This link is for another address"),
        ("not me", links.not_me_path(signup, NOW), "Somebody else typed your address?"),
        ("preferences", of(reader, "preferences"), "Your settings"),
        ("preferences, confirmed", of(reader, "preferences") + "?confirmed=1", "Your settings"),
        ("preferences, moved", of(reader, "preferences") + "?moved=1", "Your settings"),
        ("preferences, paused and weekly", of(paused, "preferences"), "Your settings"),
        ("preferences, unsubscribed", of(gone, "preferences"), "Your settings"),
        ("preferences, pending", of(pending, "preferences"), "Your settings"),
        ("late preferences", of(reader, "preferences", days=31), "This link has expired"),
        ("pause", of(reader, "pause"), "Pause your digests"),
        ("paused", of(paused, "pause"), "Your digests are paused"),
        ("mute", of(reader, "mute", robotics.pk), "Mute Robotics"),
        ("mute the only one", of(long_gone, "mute", robotics.pk), "Mute Robotics"),
        ("fewer", of(reader, "fewer"), "Fewer papers"),
        ("fewer than the fewest", of(paused, "fewer"), "It is the smallest number already"),
        ("weekly", of(reader, "weekly"), "One digest a week"),
        ("weekly already", of(paused, "weekly"), "One digest a week"),
        ("ask for a fresh link", of(reader, "fresh-link"), "Your data"),
        ("reader page", reverse("reader", args=[token]), "Your digests"),
        ("reader page, paused", of(paused, "reader"), "Your digests"),
        ("answer", reverse("reader", args=[token]) + "?asked=nothing-new", "Your digests"),
        ("more like a paper", say(reader, papers[0], "more"), "More like this"),
        ("less like a paper", say(reader, papers[1], "less"), "Less like this"),
        ("save a paper", say(reader, papers[0], "save"), "Save for later"),
        ("saved papers", of(reader, "saved"), "Your saved papers"),
        ("no saved papers", of(paused, "saved"), "Your saved papers"),
        ("what was learned", of(reader, "learned"), "What your digests have learned"),
        ("nothing was learned", of(paused, "learned"), "What your digests have learned"),
        ("begin anew", of(reader, "begin-anew"), "Begin anew"),
        ("late feedback", say(reader, papers[0], "more", days=91), "This link has expired"),
        ("own data", fresh, "Your data"),
        ("late own data", links.fresh_path(moving, NOW - timedelta(minutes=16)), "This link has expired"),
        ("bad own data", reverse("own-data", args=["nonsense"]), "This link is not complete"),
        ("change the address", f"{fresh}address/", "Change your address"),
        ("erase", f"{fresh}erase/", "Erase everything"),
        ("move", links.move_path(moving, NOW), "Use this address"),
        ("late move", links.move_path(moving, NOW - timedelta(days=4)), "This link has expired"),
        ("unsubscribe", links.unsubscribe_path(reader, NOW), "Unsubscribe"),
        ("bad unsubscribe", reverse("unsubscribe", args=["nonsense"]), "This link is not complete"),
        ("unsubscribed a minute ago", links.unsubscribe_path(gone, NOW), "You are unsubscribed already"),
        ("unsubscribed long ago", links.unsubscribe_path(long_gone, NOW), "You are unsubscribed already"),
        ("left", links.left_path(gone, NOW), "You are unsubscribed"),
        ("left, too late to undo", links.left_path(long_gone, NOW), "You are unsubscribed"),
        ("left, but back again", links.left_path(reader, NOW), "You are subscribed again"),
        ("late undo", links.left_path(gone, NOW - timedelta(hours=2)), "This link has expired"),
    )


def say(reader, paper, verb, days=0):
    """The page behind "More like no. 1"."""
    return reverse("feedback", args=[links.feedback_token(reader, NOW - timedelta(days=days)), paper.pk, verb])


def moved_confirm():
    """An old link to confirm, of a reader who uses another address since."""
    return links.confirm_path(ask(Kind.SIGN_UP, make_reader("moved"), "before@example.org"), NOW)


def answers():
    """Name, path, button, what is filled in, and the heading of the page that comes."""
    reader, gone = Subscriber.objects.get(email="reader@example.org"), Subscriber.objects.get(email="gone@example.org")
    paused = Subscriber.objects.get(email="paused@example.org")
    topic = reader.interests.first().topic_id
    token, link = links.manage_token(reader, NOW), ask(Kind.LINK, reader)
    fresh, left = links.fresh_path(link, NOW), links.left_path(gone, NOW)
    taken = ask(Kind.MOVE, reader, paused.email)
    late = ask(Kind.SIGN_UP, gone, at=NOW - timedelta(days=1))
    not_an_address = {"Email address": "not an address"}
    of = {word.verb: word.paper.title for word in reader.feedback.select_related("paper")}

    def at(name, *more):
        return reverse(name, args=[token, *more])

    return (
        ("subscribe with an error", reverse("subscribe"), "Subscribe", not_an_address, SUBSCRIBE),
        ("lost link with an error", reverse("lost-link"), "Mail me a link", not_an_address, LOST_LINK),
        ("preferences with an error", at("preferences"), "Save", BAD_PREFERENCES, "Your settings"),
        ("settings tried out", at("preferences"), "See what you would have got", {}, "What you would have got"),
        ("pause with an error", at("pause"), "Pause", {}, "Pause your digests"),
        ("muted", at("mute", topic), "Mute Robotics", {}, "Robotics is muted"),
        ("fewer now", at("fewer"), "Get at most 5 papers", {}, "Fewer papers"),
        ("weekly now", at("weekly"), "Get one digest a week", {}, "One digest a week"),
        ("saved", at("preferences"), "Save", {}, "Your digests"),
        ("said", say(reader, Paper.objects.first(), "more"), "More like this", {}, "More like this"),
        ("removed", at("saved"), f"Remove {of['save']}", {}, "Your saved papers"),
        ("forgotten", at("learned"), f"Forget what you said of {of['less']}", {}, "What your digests have learned"),
        ("begun anew", at("begin-anew"), "Begin anew", {}, "What your digests have learned"),
        ("fresh link sent", at("fresh-link"), "Mail me a link", {}, "Check your email"),
        (
            "change the address with an error",
            f"{fresh}address/",
            "Send the link",
            {"New email address": "not an address"},
            "Change your address",
        ),
        (
            "new address asked",
            f"{fresh}address/",
            "Send the link",
            {"New email address": "next@example.org"},
            "Check the new address",
        ),
        ("move to an address that is taken", links.move_path(taken, NOW), TAKE, {}, "This address cannot be used now"),
        ("left with an error", left, "Send the answer", {}, "You are unsubscribed"),
        ("blocked", links.not_me_path(late, NOW), "Block mail to this address", {}, "Mail to this address is blocked"),
        ("unsubscribed", links.unsubscribe_path(reader, NOW), "Unsubscribe", {}, "You are unsubscribed"),
        ("thanks", left + "?thanks=1", "Undo", {}, "You are subscribed again"),
        ("erased", f"{fresh}erase/", "Erase everything", {}, "Everything is erased"),
    )


def is_fault(message):
    """Whether the console names an error, such as a refusal by the Content-Security-Policy. A 404 page is none."""
    return message.type == "error" and message.location["url"] != message.page.url


def test_no_page_has_an_axe_violation_a_sideways_scroll_a_console_error_or_a_request_to_another_host(
    open_page, site, nudges, robotics, speech, settings
):
    page = open_page()
    asked, faults, violations, widths = [], [], {}, {}
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    for name in walk(page, site, [robotics, speech], settings):
        for scheme, options in (("light", {}), ("dark", AXE_FOR_COLOURS)):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options={"resultTypes": ["violations"], **options})
            if found.violations_count:
                violations[name, scheme] = found.generate_report()
        page.set_viewport_size({"width": 320, "height": 640})
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size({"width": 1280, "height": 720})
    assert violations == {}
    assert {name: width for name, width in widths.items() if width > 320} == {}
    assert faults == []
    assert f"{site}/static/site.css" in asked
    assert [url for url in asked if not url.startswith(f"{site}/")] == []


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
    found = Axe().run(page, options=AXE_FOR_A_MAIL)
    assert found.violations_count == 0, found.generate_report()


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
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
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
