"""Who keeps no cookies and names no origin can press every button: private windows, mail programs' own views."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from digest.models import Feedback
from subscriptions import letters, lifecycle, links
from subscriptions.forms import stamp
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber
from tests.conftest import NOW, filled, make_edition, make_paper, make_reader, origin
from tests.subscriptions.doors import everything, take_clock
from tests.subscriptions.test_fuzz import ROUTES

pytestmark = pytest.mark.django_db
Kind = SignupRequest.Kind
# What browsers send as the Origin of a POST: the site's own, none, an opaque one, and what another site's page has.
ORIGINS = pytest.mark.parametrize("sent", [None, "null", "https://elsewhere.example"])
HERE = pytest.mark.parametrize("sent", [None, "null", "http://testserver"])


@pytest.fixture(autouse=True)
def clock(monkeypatch, nudges):
    return take_clock(monkeypatch, NOW)


def browser(sent):
    """One request's worth of a browser that forgets cookies at once."""
    return Client(enforce_csrf_checks=True, headers={"origin": sent} if sent else {})


def fields_of(page, **typed):
    """What a browser sends of the page's first form that is a POST."""
    form = re.search(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)[0]
    inputs = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<(?:input|button)([^>]*)>", form)]
    sent = {
        one["name"]: unescape(one.get("value", "")) for one in inputs if "name" in one and one.get("type") != "radio"
    }
    return {**sent, **typed}


def press(path, sent, **typed):
    return browser(sent).post(path, fields_of(browser(None).get(path).content.decode(), **typed))


@pytest.fixture
def reader(robotics):
    return make_reader("reader", robotics)


def asked(kind, email, reader):
    return letters.ask(kind, email, NOW, subscriber=reader)


@ORIGINS
def test_the_buttons_of_mails_do_their_work(reader, sent):
    new = make_reader("new", state="pending")
    press(links.confirm_path(asked(Kind.SIGN_UP, new.email, new), NOW), sent)
    new.refresh_from_db()
    assert new.state == "active"
    press(links.move_path(asked(Kind.MOVE, "moved@example.org", new), NOW), sent)
    new.refresh_from_db()
    assert new.email == "moved@example.org"
    manage = [links.manage_token(reader, NOW)]
    assert press(reverse("pause", args=manage), sent, length="2").status_code == 303
    reader.refresh_from_db()
    assert reader.is_paused(NOW)
    press(reverse("fewer", args=manage), sent)
    press(reverse("weekly", args=manage), sent)
    press(reverse("mute", args=[*manage, reader.interests.get().topic_id]), sent)
    press(reverse("fresh-link", args=manage), sent)
    reader.refresh_from_db()
    assert (reader.paper_limit, reader.is_weekly, reader.interests.get().kind) == (5, True, "muted topic")
    assert SignupRequest.objects.filter(kind=Kind.LINK).count() == 1
    paper = make_paper(1)
    press(reverse("feedback", args=[links.feedback_token(reader, NOW), paper.pk, "more"]), sent)
    assert Feedback.objects.count() == 1
    unsubscribe = links.unsubscribe_path(reader, NOW)
    assert press(unsubscribe, sent)["Location"].startswith("/left/")
    assert press(links.left_path(reader, NOW), sent).status_code == 303
    reader.refresh_from_db()
    assert reader.state == "active", "undone"
    disowned = asked(Kind.SIGN_UP, new.email, new)
    press(links.not_me_path(disowned, NOW), sent)
    assert lifecycle.is_disowned(disowned.email_hash, NOW)


@ORIGINS
def test_own_data_can_be_taken_along_and_erased(reader, sent):
    fresh = links.fresh_path(asked(Kind.LINK, reader.email, reader), NOW)
    taken = browser(sent).post(f"{fresh}export/", fields_of(browser(None).get(fresh).content.decode()))
    assert taken.json()["reader"]["email"] == reader.email
    press(f"{fresh}erase/", sent)
    assert not Subscriber.objects.filter(pk=reader.pk).exists()


@ORIGINS
@pytest.mark.parametrize("route", [route for route in ROUTES if "<str:token>" in route])
def test_no_page_behind_a_token_asks_for_a_cookie(reader, route, sent):
    paper = make_paper(1)
    own = asked(Kind.LINK, reader.email, reader)
    move = asked(Kind.MOVE, "moved@example.org", reader)
    tokens = {
        "c": links.confirm_path(own, NOW),
        "f": links.fresh_path(own, NOW),
        "m": links.move_path(move, NOW),
        "u": links.unsubscribe_path(reader, NOW),
        "left": links.left_path(reader, NOW),
    }
    first = route.partition("/")[0]
    if first in tokens:
        token = tokens[first].split("/")[2]
    else:
        token = links.feedback_token(reader, NOW) if first == "say" else links.manage_token(reader, NOW)
    values = {
        "str:token": token,
        "date:day": "2026-03-20",
        "int:topic": reader.interests.get().topic_id,
        "int:paper": paper.pk,
        "str:verb": "more",
    }
    path = "/" + re.sub(r"<([\w:]+)>", lambda found: str(values[found[1]]), route)
    answer = browser(sent).post(path, {"csrfmiddlewaretoken": "a" * 64, "button": "1"})
    assert answer.status_code in {200, 303, 404, 405, 410, 422}, answer.status_code


@HERE
@pytest.mark.parametrize("name", ["subscribe", "lost-link"])
def test_a_form_that_asks_for_an_address_is_offered_again_and_the_next_press_is_taken(name, sent, settings):
    settings.FORM_MIN_SECONDS = 2
    path = reverse(name)
    typed = fields_of(browser(None).get(path).content.decode(), email="ana@example.org")
    again = browser(sent).post(path, typed)
    page = again.content.decode()
    assert again.status_code == 422
    assert "We could not tell that this came from our own page. Press the button again." in page
    assert 'value="ana@example.org"' in page
    assert not SignupRequest.objects.exists()
    taken = browser(sent).post(path, fields_of(page))
    assert taken.status_code == 303, "at once: nobody is told to press again twice"
    assert SignupRequest.objects.get().email == "ana@example.org"


def test_what_was_tried_out_is_still_there_when_the_form_is_offered_again(robotics):
    make_edition([make_paper(1)])
    chosen = {"topic": "robotics", "words": "protein folding", "papers": "5"}
    page = browser(None).get(reverse("try-out"), chosen).content.decode()
    again = browser("null").post(reverse("subscribe"), fields_of(page, email="ana@gmial.com")).content.decode()
    assert "did you mean ana@gmail.com?" in again
    assert browser("null").post(reverse("subscribe"), fields_of(again)).status_code == 303
    choice = SignupRequest.objects.get().choice
    assert (choice["topics"], choice["phrases"], choice["paper_limit"]) == ([robotics.pk], ["protein folding"], 5)


@pytest.mark.parametrize("name", ["subscribe", "lost-link"])
def test_another_site_cannot_spend_a_visitors_budget(name):
    path = reverse(name)
    page = browser(None).post(path, filled("ana@example.org"), REMOTE_ADDR="198.51.100.7").content.decode()
    attackers = fields_of(page)
    before = everything()
    for sent in ("null", None, "https://elsewhere.example"):  # the victims' browsers, in other networks
        answer = browser(sent).post(path, attackers, REMOTE_ADDR="203.0.113.9")
        assert answer.status_code == 422, sent
    assert browser("https://elsewhere.example").post(path, attackers, REMOTE_ADDR="198.51.100.7").status_code == 422
    for made in ("", "x", stamp().replace("form", "again "), stamp("another network")):
        assert browser("null").post(path, {**attackers, "made": made}).status_code in {403, 422}
    assert everything() == before


def test_a_network_that_is_not_known_is_nobodys_proof():
    answer = browser("null").post(reverse("subscribe"), filled("ana@example.org"), REMOTE_ADDR="")
    again = browser("null").post(reverse("subscribe"), fields_of(answer.content.decode()), REMOTE_ADDR="")
    assert again.status_code == 422
    assert not SignupRequest.objects.exists()


def test_a_program_that_posts_to_the_links_it_finds_changes_nothing(reader):
    new = make_reader("new", state="pending")
    paths = [
        links.confirm_path(asked(Kind.SIGN_UP, new.email, new), NOW),
        links.not_me_path(asked(Kind.SIGN_UP, new.email, new), NOW + timedelta(minutes=1)),
        links.move_path(asked(Kind.MOVE, "moved@example.org", reader), NOW),
        *(reverse(name, args=[links.manage_token(reader, NOW)]) for name in ("fewer", "weekly", "pause", "send-now")),
        links.left_path(reader, NOW),
    ]
    lifecycle.unsubscribe(reader, NOW, origin(lifecycle.BY_BUTTON))
    before = everything()
    for path in paths:
        assert browser("null").post(path).status_code == 403
    assert everything() == before
    assert not ConsentEvent.objects.filter(kind="confirmed").exists()
