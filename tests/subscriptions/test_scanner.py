"""A scanner opens every link of every mail, and nothing changes."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.core import mail
from django.test import Client
from django.urls import reverse

from digest import delivery, planning
from digest.feedback import say
from digest.models import Feedback
from subscriptions import letters, links
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tasks import handle_signups
from tests.conftest import NOW, make_edition, make_paper, make_reader
from tests.subscriptions.doors import everything, sign_up, take_clock

pytestmark = pytest.mark.django_db
GUESSES = (
    "confirmed=1&done=1&saved=topics&sent=1&moved=1&undone=1&thanks=1&asked=planned&button=1&undo=1&resume=1"
    "&removed=1&remove=1&back=1&forgot=more&paper=1&more=1&save=1&again=1&anew=1"
)


@pytest.fixture
def mails(client, nudges, monkeypatch, robotics):
    """One of each: confirm, already, link, move, moved, and a digest."""
    take_clock(monkeypatch, NOW)
    reader, mover = make_reader("reader", robotics), make_reader("mover", due=NOW + timedelta(days=1))
    papers = [make_paper(1), make_paper(2)]
    make_edition(papers)
    for verb in (Feedback.Verb.MORE, Feedback.Verb.SAVE):
        say(reader.pk, papers[0], verb, NOW)  # there is something to take back
    sign_up(client, "new@example.org")
    sign_up(client, reader.email)
    letters.ask(SignupRequest.Kind.LINK, mover.email, NOW)
    letters.ask(SignupRequest.Kind.MOVE, "mover.new@example.org", NOW, subscriber=mover)
    asked = letters.ask(
        SignupRequest.Kind.MOVE,
        "gone.new@example.org",
        NOW,
        subscriber=make_reader("gone", due=NOW + timedelta(days=1)),
    )
    handle_signups()
    assert client.post(links.move_path(asked, NOW)).status_code == 303
    handle_signups()
    assert planning.plan_due(NOW)["planned"] == 1
    assert delivery.send_digests(lambda: NOW) == {"accepted": 1}
    nudges.clear()
    return mail.outbox


def urls_of(message):
    """Every URL in every part and header, as a scanner finds them."""
    wire = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    parts = [part.get_content() for part in wire.walk() if part.get_content_maintype() == "text"]
    text = "\n".join([*parts, *map(str, wire.values())]).replace("&amp;", "&")
    return {url.rstrip(".,;") for url in re.findall(r"https?://[^\s<>\"')]+", text)}


def our_paths(messages):
    ours = urlsplit(configured.SITE_URL).netloc
    found = {split for message in messages for split in map(urlsplit, urls_of(message)) if split.netloc == ours}
    return sorted({split.path or "/" for split in found})


def test_the_mails_are_all_there(mails):
    names = sorted(message.extra_headers["Message-ID"].strip("<").partition("-")[0] for message in mails)
    assert names == ["already", "confirm", "digest", "link", "move", "move", "moved"]
    kinds = {path.split("/")[1] for path in our_paths(mails)}
    assert {"c", "r", "f", "m", "u", "say"} <= kinds


def test_opening_every_link_of_every_mail_changes_no_row_of_any_table(client, mails, nudges):
    paths = sorted(our_paths(mails))
    assert len(paths) >= 21
    before, sent = everything(), len(mail.outbox)
    opened = 0
    for path in paths:
        for url in (path, f"{path}?{GUESSES}"):
            for method in (client.get, client.head, client.options):
                answer = method(url, follow=True)
                assert answer.status_code < 500
                opened += 1
                assert method is client.options or answer.status_code in {200, 405}, url
    print(f"\n{opened} requests for {len(paths)} addresses of {len(mails)} mails")  # noqa: T201
    assert everything() == before
    assert len(mail.outbox) == sent
    assert not nudges
    assert not client.cookies or set(client.cookies) <= {"csrftoken"}


def test_links_on_the_pages_behind_those_links_change_nothing_either(client, mails, nudges):
    """A scanner that follows links goes on; forms it does not send."""
    todo = list(our_paths(mails))
    seen: set[str] = set()
    before = everything()
    while todo and len(seen) < 300:
        path = todo.pop()
        if path in seen or path.startswith(("/static/", "/admin/")):
            continue
        seen.add(path)
        answer = client.get(path, follow=True)
        assert answer.status_code < 500, path
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            todo += [href.replace("&amp;", "&") for href in re.findall(r'href="(/[^"#]*)"', answer.content.decode())]
    assert len(seen) > 20
    pages = {path.rstrip("/").rpartition("/")[2] for path in seen if path.startswith("/r/")}
    assert {"saved", "saved.bib", "saved.ris", "saved.json", "learned", "anew"} <= pages
    assert everything() == before
    assert not nudges


def test_the_dump_sees_a_change_of_one_bit(confirmed):
    before = everything()
    Subscriber.objects.update(text_only=True)
    assert everything() != before


def test_a_scanner_that_posts_to_a_page_of_one_button_is_not_the_one_we_can_stop_but_needs_its_cookie(mails):

    strict = Client(enforce_csrf_checks=True)
    before = everything()
    for path in our_paths(mails):
        if path.startswith("/u/"):
            continue  # one-click: the token is the authorisation (RFC 8058)
        assert strict.post(path).status_code in {403, 405}, path
    assert strict.post(reverse("subscribe"), {"email": "ana@example.org"}).status_code == 403
    assert everything() == before
