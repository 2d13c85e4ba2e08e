"""After a restored dump rows get numbers that others had: what was mailed to those opens and changes nothing of them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import get_resolver, reverse

from digest.models import Feedback
from subscriptions import letters, links
from subscriptions.inbound import Received, receive
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tokens import LIFETIME, Purpose, make
from tests.conftest import NOW, filled, make_digest, make_paper, make_reader
from tests.subscriptions.doors import everything, take_clock

pytestmark = pytest.mark.django_db
PRODUCT = Path(__file__).resolve().parents[2]
Kind = SignupRequest.Kind
MINUTE = timedelta(minutes=1)
# The first part of a path says the purpose of the token behind it.
PURPOSE = {
    "c": Purpose.CONFIRM,
    "r": Purpose.MANAGE,
    "f": Purpose.FRESH,
    "say": Purpose.FEEDBACK,
    "m": Purpose.MOVE,
    "u": Purpose.UNSUBSCRIBE,
    "left": Purpose.LEFT,
}
OF_REQUESTS = {Purpose.CONFIRM, Purpose.FRESH, Purpose.MOVE}
POSTED: tuple[dict[str, str], ...] = (
    {},
    {"button": "1"},
    {"List-Unsubscribe": "One-Click"},
    {"undo": "1"},
    {"reason": "too many"},
    {"length": "2"},
    {"hour": "09:00", "zone": "UTC", "paper_limit": "5", "cadence": "daily"},
    {"more": "1"},
)


def token_pages():
    """Every path of the site with a token in it: its first part, and its name where it needs other arguments."""
    found = {}
    for pattern in get_resolver().url_patterns:
        for page in getattr(pattern, "url_patterns", []):
            route = str(getattr(page, "pattern", ""))
            if "<str:token>" in route:
                found[route] = page.name
    return sorted(found.items())


def path_of(route, name, token, paper, topic):
    arguments = {"token": token, "paper": paper.pk, "verb": "more", "topic": topic.pk, "day": NOW.date()}
    return reverse(name, kwargs={one: arguments[one] for one in re.findall(r"<\w+:(\w+)>", route)})


@pytest.fixture
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def reader(robotics):
    reader = make_reader("came.later", robotics)
    Subscriber.objects.filter(pk=reader.pk).update(created_at=NOW, confirmed_at=NOW)
    return Subscriber.objects.get(pk=reader.pk)


@pytest.fixture
def asked(reader):
    """A request of each kind that a token can name."""
    kinds = {Purpose.CONFIRM: Kind.SIGN_UP, Purpose.FRESH: Kind.LINK, Purpose.MOVE: Kind.MOVE}
    addresses = {Purpose.MOVE: "elsewhere@example.net"}
    return {
        purpose: letters.ask(kind, addresses.get(purpose, reader.email), NOW, subscriber=reader)
        for purpose, kind in kinds.items()
    }


def test_every_page_behind_a_token_is_known_here():
    assert {route.partition("/")[0] for route, _ in token_pages()} == set(PURPOSE)
    assert len(token_pages()) > 20


@pytest.mark.parametrize(("route", "name"), token_pages())
@pytest.mark.parametrize("older", [MINUTE, timedelta(minutes=14), timedelta(days=20)], ids=str)
def test_a_link_that_is_older_than_the_row_with_its_number_opens_and_changes_nothing(
    client, clock, settings, nudges, robotics, reader, asked, route, name, older
):
    purpose = PURPOSE[route.partition("/")[0]]
    row = asked[purpose] if purpose in OF_REQUESTS else reader
    paper = make_paper(1, first_seen_at=NOW - timedelta(days=60))
    token = make(purpose, row.pk, NOW - older, settings.LINK_KEYS)
    clock.instant = NOW + timedelta(seconds=30)
    path = path_of(route, name, token, paper, robotics)
    before = everything()
    for answer in (client.get(path), *(client.post(path, filled("x@example.net", **data)) for data in POSTED)):
        text = answer.content.decode()
        assert "c***@example.org" not in text
        assert reader.email not in text
        if purpose is not Purpose.UNSUBSCRIBE:  # answers as to a reader who was erased: nobody must fail to leave
            assert answer.status_code in {404, 405, 410}, path
    assert everything() == before
    assert not nudges


@pytest.mark.parametrize(("route", "name"), [page for page in token_pages() if "mute" not in page[0]])
@pytest.mark.parametrize("younger", [timedelta(0), timedelta(seconds=59), MINUTE], ids=str)
def test_a_link_of_the_minute_in_which_the_row_was_created_opens_its_page(
    client, clock, settings, robotics, reader, asked, route, name, younger
):
    """Created at 07:00:30, say: a link made then or at 07:00:59 says 07:00."""
    created_at = NOW + timedelta(seconds=0 if younger else 30)
    Subscriber.objects.update(created_at=created_at)
    SignupRequest.objects.update(created_at=created_at)
    purpose = PURPOSE[route.partition("/")[0]]
    row = asked[purpose] if purpose in OF_REQUESTS else reader
    paper = make_paper(1, first_seen_at=created_at)
    make_digest(reader, [paper])
    if purpose is Purpose.LEFT:
        Subscriber.objects.update(state="unsubscribed", left_at=created_at)
    clock.instant = NOW + younger
    path = path_of(route, name, make(purpose, row.pk, clock.instant, settings.LINK_KEYS), paper, robotics)
    answer = client.get(path, follow=True)  # some lead on to the page with their button
    assert answer.status_code in {200, 405}, path


def test_an_old_unsubscribe_link_answers_as_to_one_who_is_gone_and_lets_nobody_leave(client, clock, settings, reader):
    path = reverse("unsubscribe", args=[make(Purpose.UNSUBSCRIBE, reader.pk, NOW - MINUTE, settings.LINK_KEYS)])
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert client.post(path, {"button": "1"}, follow=True).status_code == 200
    reader.refresh_from_db()
    assert reader.state == "active"


def test_an_old_token_that_comes_by_mail_lets_nobody_leave(settings, reader):
    old, new = (make(Purpose.UNSUBSCRIBE, reader.pk, at, settings.LINK_KEYS) for at in (NOW - MINUTE, NOW))
    assert receive(f"Subject: unsubscribe {old}\n\n".encode(), NOW) is Received.NOTHING
    reader.refresh_from_db()
    assert reader.state == "active"
    assert receive(f"Subject: unsubscribe {new}\n\n".encode(), NOW) is Received.LEFT
    reader.refresh_from_db()
    assert reader.state == "unsubscribed"


def test_retired_keys_open_no_reader_who_came_later(client, clock, settings, reader):
    settings.RETIRED_LINK_KEYS = ["a key that was retired, of thirty-two characters"]
    token = make(Purpose.UNSUBSCRIBE, reader.pk, NOW - MINUTE, settings.RETIRED_LINK_KEYS)
    client.post(reverse("unsubscribe", args=[token]), {"List-Unsubscribe": "One-Click"})
    reader.refresh_from_db()
    assert reader.state == "active"


def test_a_word_on_a_paper_goes_to_no_paper_that_came_later_with_its_number(client, clock, settings, reader):
    Subscriber.objects.update(created_at=NOW - timedelta(days=9))
    paper = make_paper(1, first_seen_at=NOW)
    token = make(Purpose.FEEDBACK, reader.pk, NOW - MINUTE, settings.LINK_KEYS)
    path = reverse("feedback", args=[token, paper.pk, "more"])
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert not Feedback.objects.exists()


def test_an_imported_reader_is_as_old_as_the_import_whatever_the_file_says(client, clock, settings, tmp_path):
    file = tmp_path / "readers.csv"
    file.write_text(
        "email,consent_at,consent_where\nimported@example.org,2019-01-01T00:00:00+00:00,a list in the office\n"
    )
    call_command("import_subscribers", str(file), by="ana", now=NOW)
    reader = Subscriber.objects.get(email="imported@example.org")
    assert (reader.state, reader.created_at) == ("active", NOW)
    token = make(Purpose.MANAGE, reader.pk, NOW - MINUTE, settings.LINK_KEYS)
    assert client.get(reverse("reader", args=[token])).status_code == 410


def test_a_clock_behind_that_of_the_form_makes_links_that_open(client, clock, nudges, mailoutbox):
    asked = letters.ask(Kind.SIGN_UP, "ana@example.org", NOW + timedelta(minutes=3))
    letters.letter_for(asked.pk, NOW)
    _, message = letters.letter_for(asked.pk, NOW + timedelta(minutes=2, seconds=30))
    link = re.search(r"/c/[0-9A-Za-z]{33}/", message.body)[0]
    clock.instant = NOW + timedelta(minutes=4)
    assert client.get(link).status_code == 200


def test_only_links_reads_tokens_and_nobody_takes_a_number_out_of_one():
    """``links.read`` says whether a token is genuine; which row it names only read_reader and read_request say."""
    found = []
    for package in ("subscriptions", "digest", "config"):
        for file in (PRODUCT / package).rglob("*.py"):
            if file.name in {"links.py", "tokens.py"} and file.parent.name == "subscriptions":
                continue
            text = file.read_text()
            found += [f"{file.name}: {line}" for line in re.findall(r".*\b(?:links|tokens)\.read\(.*", text)]
            found += [f"{file.name}: {line}" for line in re.findall(r".*pk=(?:read|token|told)\.id\b.*", text)]
            found += [
                f"{file.name}: {line}" for line in re.findall(r"from subscriptions\.tokens import.*\bread\b", text)
            ]
    assert found == []


def test_every_purpose_that_lives_is_read_at_one_of_two_doors(settings, reader, asked):
    for purpose in LIFETIME:
        row = asked[purpose] if purpose in OF_REQUESTS else reader
        read = links.read_request if purpose in OF_REQUESTS else links.read_reader
        for at, found in ((NOW - MINUTE, None), (NOW, row)):
            told, it = read(purpose, make(purpose, row.pk, at, settings.LINK_KEYS), NOW)
            assert (told.id, it) == (row.pk, found)
