"""Somebody uses the forms as a weapon. BOMBS says with how many POSTs; the numbers are printed with -s."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from subscriptions import clock, letters, links
from subscriptions.models import Breaker, SignupRequest, Subscriber
from subscriptions.tasks import handle_signups, tidy
from tests.conftest import NOW, filled, make_reader
from tests.subscriptions.doors import (
    address_of_network,
    ask_for_link,
    fresh_link_of,
    how_many,
    most_in,
    sign_up,
    take_clock,
    work_off,
)

pytestmark = pytest.mark.django_db
BOMBS = how_many(1_000)
DAY = timedelta(days=1)


@pytest.fixture
def time_line(monkeypatch):
    return take_clock(monkeypatch, NOW)


def spelling(number):
    """The victim's mailbox, written in ever another way."""
    dots = f"{number % 32:05b}"
    local = "".join(letter + "." * (dot == "1") for letter, dot in zip("victi", dots, strict=True)) + "m"
    tag = f"+{number % 97}" if number % 3 else ""
    local = local.upper() if number % 5 == 0 else local
    return f"{local}{tag}@{'GoogleMail.com' if number % 7 == 0 else 'gmail.com'}"


class Doors:
    """Every way in which somebody can make the site mail an address."""

    def __init__(self, client):
        self.client = client
        self.known = make_reader("somebody")  # whose own links the attacker has
        self.victim = make_reader("victim")  # subscribed, and the attacker has an old digest that was forwarded
        Subscriber.objects.filter(pk=self.victim.pk).update(email="victim@gmail.com")
        self.victim.refresh_from_db()
        self.victim.save()
        self.doors = [self.subscribe, self.lost_link, self.change_address, self.fresh_link, self.imported]

    def knock(self, number):
        return self.doors[number % len(self.doors)](spelling(number), address_of_network(number))

    def subscribe(self, address, ip):
        return sign_up(self.client, address, ip).status_code

    def lost_link(self, address, ip):
        return ask_for_link(self.client, address, ip).status_code

    def change_address(self, address, ip):
        token = fresh_link_of(self.known, clock.now())
        path = reverse("change-address", args=[token])
        return self.client.post(path, filled(address), REMOTE_ADDR=ip).status_code

    def fresh_link(self, address, ip):
        token = links.manage_token(self.victim, clock.now())
        return self.client.post(reverse("fresh-link", args=[token]), REMOTE_ADDR=ip).status_code

    def imported(self, address, ip):
        letters.ask(SignupRequest.Kind.IMPORT, letters.addresses.clean(address), clock.now())
        return 303


def test_one_mailbox_gets_three_letters_a_day_and_five_a_month_whoever_knocks_wherever(
    client, nudges, time_line, settings
):
    settings.LETTERS_PER_SITE = ((timedelta(hours=1), 10**6),)
    settings.BREAKER_AFTER = 10**6
    doors, sent_at = Doors(client), []
    answers: dict[int, int] = {}
    for number in range(BOMBS):
        answer = doors.knock(number)
        answers[answer] = answers.get(answer, 0) + 1
        # Half of them on the first day, the others over two months.
        part = 2 * (number + 1) / BOMBS
        time_line.instant = NOW + (part * DAY if part <= 1 else DAY + (part - 1) * 60 * DAY)
        if number % 5 == 4:
            nudges.clear()
            before = len(mail.outbox)
            handle_signups()
            sent_at += [time_line.instant] * (len(mail.outbox) - before)
    assert answers == {303: BOMBS}, "none was stopped at the door: each came from a network of its own"
    assert {letters.addresses.folded(message.to[0]) for message in mail.outbox} == {"victim@gmail.com"}
    print(  # noqa: T201
        f"\n{BOMBS} knocks at {len(doors.doors)} doors, half in a day, half in 60: {len(sent_at)} letters, "
        f"at most {most_in(sent_at, DAY)} in 24 h and {most_in(sent_at, 30 * DAY)} in 30 days"
    )
    assert most_in(sent_at, timedelta(minutes=10)) == 1
    assert most_in(sent_at, DAY) == 3
    assert most_in(sent_at, 30 * DAY) == 5


@pytest.mark.parametrize("spread", ["one address", "one /64", "one /24", "one /48"])
def test_one_network_causes_as_many_letters_as_its_budget_and_then_429(client, nudges, time_line, spread):
    ip = {
        "one address": lambda n: "203.0.113.9",
        "one /64": lambda n: f"2001:db8:1:2::{n:x}",
        "one /24": lambda n: f"203.0.113.{n % 256}",
        "one /48": lambda n: f"2001:db8:1:{n:x}::1",
    }[spread]
    most = 50 if spread in {"one /24", "one /48"} else 20
    posts = BOMBS // 4
    answers: dict[int, int] = {}
    for number in range(posts):  # over a day
        answer = sign_up(client, f"reader{number}@example.org", ip(number)).status_code
        answers[answer] = answers.get(answer, 0) + 1
        time_line.instant = NOW + 0.99 * DAY * (number + 1) / posts
        work_off(nudges)
    print(f"\n{posts} addresses from {spread} in a day: {answers}, {len(mail.outbox)} letters")  # noqa: T201
    assert answers == {303: most, 429: posts - most}
    assert len(mail.outbox) == SignupRequest.objects.count() == most


def test_many_addresses_from_many_networks_get_what_the_site_may_send_and_the_rest_waits(
    client, nudges, time_line, settings
):
    settings.BREAKER_AFTER = 10**6
    most, posts = settings.LETTERS_PER_SITE[0][1], max(BOMBS // 2, 400)
    for number in range(posts):
        assert sign_up(client, f"reader{number}@example.org", address_of_network(number)).status_code == 303
        time_line.push(seconds=3600 * 0.98 / posts)
        work_off(nudges)
    waiting = SignupRequest.objects.filter(handled_at=None).count()
    print(f"\n{posts} addresses from as many networks in an hour: {len(mail.outbox)} letters, {waiting} wait")  # noqa: T201
    assert len(mail.outbox) == min(most, posts)
    assert waiting == posts - len(mail.outbox), "none is dropped"
    time_line.push(hours=1, minutes=2)
    for _ in range(-(-waiting // 500)):
        handle_signups()
    assert len(mail.outbox) == min(2 * most, posts), "the next hour's, and no more"


def test_the_breaker_stops_that_flood_after_some_dozens(client, nudges, time_line, settings):
    settings.ADMINS = [("", "operator@example.net")]
    for number in range(100):
        sign_up(client, f"reader{number}@example.org", address_of_network(number))
        time_line.push(minutes=1)
        work_off(nudges)
        if number % 5 == 0:
            tidy()
    to_readers = [message for message in mail.outbox if message.to != ["operator@example.net"]]
    print(f"\nOne a minute, none confirmed: {len(to_readers)} letters, then {len(mail.outbox) - len(to_readers)} alert")  # noqa: T201
    assert Breaker.objects.get().is_open
    # BREAKER_AFTER, and those of the 20 minutes that people have to open a mail.
    assert len(to_readers) <= settings.BREAKER_AFTER + 20 + 5
    assert len(mail.outbox) - len(to_readers) == 1


def test_a_robot_that_fills_in_every_field_causes_nothing(client, nudges):
    answer = client.post(reverse("subscribe"), {**filled("ana@example.org"), "leave_empty": "x"})
    assert (answer.status_code, answer["Location"]) == (303, reverse("check-email"))
    assert not nudges
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize("made", ["", "x", "form:1xyz:abc"])
def test_a_form_without_our_stamp_causes_nothing(client, nudges, made):
    assert client.post(reverse("subscribe"), {**filled("ana@example.org"), "made": made}).status_code == 422
    assert not SignupRequest.objects.exists()


def test_role_addresses_get_nothing_and_the_answer_does_not_say_so(client, nudges, time_line):
    for number, name in enumerate(["abuse", "postmaster", "noreply+x", "No-Reply"]):
        assert sign_up(client, f"{name}@example.org", address_of_network(number)).status_code == 303
    work_off(nudges)
    assert not mail.outbox
    assert set(SignupRequest.objects.values_list("outcome", flat=True)) == {"suppressed"}
