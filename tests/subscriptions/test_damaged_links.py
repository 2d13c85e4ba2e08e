"""A whole token in an address that was copied with too much, or broken into lines, opens its page; nothing else does."""

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions import letters, links
from subscriptions.damaged_links import LONGEST, mended
from subscriptions.models import SignupRequest
from tests.conftest import NOW, make_paper, make_reader
from tests.subscriptions.doors import everything, take_clock

pytestmark = pytest.mark.django_db
BEHIND = (">", ".", "),", ");", '"', "'", " ", "&amp;x=1", "&x=1", ";", "=", "=\r\n", "\r\n", "=20", "=0D=0A", "%20",
          "%3E", "…", "。", "]", "*", "|", "\\", "!", "?", "–", "\u200b", "\xa0", "»", "”", "<br>", "#", ">.", "\t")  # fmt: skip
BEFORE = ("<", '"', "(", " ", "%20", "=", "=\r\n", "[", "*", "\u200b", "\xa0", "“")


@pytest.fixture(autouse=True)
def stands(monkeypatch, nudges):
    take_clock(monkeypatch, NOW)


@pytest.fixture
def paths(robotics):
    reader = make_reader("reader", robotics)
    new = make_reader("new", state="pending")
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, new.email, NOW, subscriber=new)
    move = letters.ask(SignupRequest.Kind.MOVE, "moved@example.org", NOW, subscriber=reader)
    link = letters.ask(SignupRequest.Kind.LINK, reader.email, NOW, subscriber=reader)
    manage, paper = links.manage_token(reader, NOW), make_paper(1)
    return [
        links.unsubscribe_path(reader, NOW),
        links.confirm_path(asked, NOW),
        links.not_me_path(asked, NOW),
        links.move_path(move, NOW),
        links.fresh_path(link, NOW),
        links.left_path(reader, NOW),
        *(reverse(name, args=[manage]) for name in ("reader", "preferences", "pause", "fewer", "saved", "saved-bib")),
        reverse("mute", args=[manage, robotics.pk]),
        reverse("feedback", args=[links.feedback_token(reader, NOW), paper.pk, "more"]),
    ]


def page_of(path):
    """What a page says, without what is new each time; asked for as a browser would, each odd character encoded."""
    answer = Client().get(quote(path, safe="/"))
    said = re.sub(r'(csrfmiddlewaretoken|made)" value="[^"]*"', "", answer.content.decode())
    return answer.status_code, re.sub(r"/(left|u)/\w{33}/", "", said)


def test_whatever_stands_around_the_address_of_a_mail_the_page_opens(paths):
    whole = {path: page_of(path) for path in paths}
    before = everything()
    for path, page in whole.items():
        assert page[0] == 200, path
        bare = path.removesuffix("/")
        for junk in BEHIND:
            for damaged in (path + junk, bare + junk, *([bare + junk + "/"] if bare.count("/") == 2 else [])):
                assert mended(damaged) == path, damaged
        for junk in BEFORE:
            damaged = path.replace("/", f"/{junk}", 2).replace(f"/{junk}", "/", 1)
            assert mended(damaged) == path, damaged
    for path in paths:
        assert page_of(path + ">") == page_of(path.removesuffix("/") + "),") == whole[path]
    assert everything() == before


def test_a_token_that_was_broken_into_lines_is_put_together(paths):
    for path in paths:
        token = path.split("/")[2]
        for at in range(1, 33):
            for gap in ("=\r\n", "=\n", "=", "\r\n", "\n", " ", "\r\n "):
                assert mended(path.replace(token, token[:at] + gap + token[at:])) == path


junk = st.text(st.characters(blacklist_categories=["Cs", "L", "N"], blacklist_characters="/"), max_size=20)


@given(before=junk, behind=junk, slash=st.booleans(), number=st.integers(0, 13))
@example(before="", behind="", slash=False, number=0)
def test_no_sign_around_a_link_keeps_it_from_its_page(paths, before, behind, slash, number):
    path = paths[number]
    page, token, below = [*path.strip("/").split("/", 2), ""][:3]
    end = "/" * (slash and not below.endswith(".bib")) + re.sub("[-_%.=]", "", behind)
    before = before.replace("%", "")  # with the digits behind it, that is a sign that was encoded
    damaged = f"/{page}/{before}{token}/{below}".removesuffix("/") + end
    assert mended(damaged) == path


def test_a_provider_that_posts_to_a_damaged_address_unsubscribes_all_the_same(paths):
    reader = make_reader("leaving")
    path = links.unsubscribe_path(reader, NOW)
    for damaged in (path + ">", path.removesuffix("/"), path.removesuffix("/") + "%20"):
        type(reader).objects.filter(pk=reader.pk).update(state="active")
        answer = Client(enforce_csrf_checks=True).post(damaged, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        reader.refresh_from_db()
        assert reader.state == "unsubscribed"


def test_the_button_of_a_page_that_opened_under_a_damaged_address_works(client, paths):
    reader = make_reader("leaving")
    path = links.unsubscribe_path(reader, NOW) + ">"
    assert "Unsubscribe" in client.get(path).content.decode()
    assert client.post(path, {"button": "1"})["Location"].startswith("/left/")


@pytest.mark.parametrize("end", ["0", "x", "x/", "/x/", "/not-me/x", "/preferencesx/"])
def test_what_is_more_than_signs_is_no_link_of_ours(paths, end):
    for path in paths[:2]:
        damaged = path.removesuffix("/") + end
        assert mended(damaged) in {damaged, re.sub(r"^/(\w)/.*", r"/\1/-/", damaged)}
        assert Client().get(damaged, follow=True).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/", "/u", "/u/", "/days/2026-03-20/", "/subscribe/", "/papers/1/", "/admin/", "/x/" + "a" * 33, "/u/" + "a" * 33 + "/",
     "/r/" + "a" * 33 + "/saved.bib", "//", "/>/", "/" + "/" * 5000, "/u/" + ">" * 5000, "/" + "u" * 5000],
)  # fmt: skip
def test_other_addresses_stay_as_they_are(path):
    assert mended(path) in {path, "/u/-/"}


def test_a_token_that_lost_a_part_leads_to_a_page_that_says_what_to_do(paths):
    path = paths[0]
    for damaged in (path[:20], path[:20] + ">", path[:20] + "/", path[:20] + "/>", "/u/>/", path[:-2] + "),/"):
        answer = Client().get(damaged, follow=True)
        assert answer.status_code == 404
        assert "How to unsubscribe" in answer.content.decode(), damaged


def test_only_the_beginning_of_an_address_is_looked_at(paths):
    assert mended(paths[0] + ">" * 10**6) == paths[0]
    assert len(max(paths, key=len)) < LONGEST
