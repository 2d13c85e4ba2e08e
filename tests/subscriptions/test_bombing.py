"""Somebody uses the forms as a weapon. BOMBS says with how many POSTs, else TEST_SIZE; the numbers are printed with -s."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from subscriptions import clock, letters, lifecycle, links
from subscriptions.models import Breaker, Budget, SignupRequest, Subscriber
from subscriptions.tasks import handle_signups, tidy
from tests.conftest import NOW, filled, make_reader, origin
from tests.sizes import size
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

pytestmark = [pytest.mark.django_db, pytest.mark.long]
BOMBS = how_many(size(250, 1_000))
STRANGERS = size(64, 208)  # at one domain
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
    settings.LETTERS_PER_SITE = tuple((window, most // size(6, 1)) for window, most in settings.LETTERS_PER_SITE)
    most, posts = settings.LETTERS_PER_SITE[0][1], max(BOMBS // 2, 400 // size(6, 1))
    for number in range(posts):
        assert sign_up(client, f"reader@domain{number}.example", address_of_network(number)).status_code == 303
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
        sign_up(client, f"reader@domain{number}.example", address_of_network(number))
        time_line.push(minutes=1)
        work_off(nudges)
        if number % 5 == 0:
            tidy()
    to_readers = [message for message in mail.outbox if message.to != ["operator@example.net"]]
    print(f"\nOne a minute, none confirmed: {len(to_readers)} letters, then {len(mail.outbox) - len(to_readers)} alert")  # noqa: T201
    assert Breaker.objects.get().is_open
    # BREAKER_AFTER, and those of the 10 minutes that people have to open a mail.
    assert len(to_readers) <= settings.BREAKER_AFTER + 10 + 5
    assert len(mail.outbox) - len(to_readers) == 1


def flood(client, nudges, time_line, address, *, posts=BOMBS, minutes=60, confirm=lambda number: False):
    """All at once, and then as long as that: letters to readers in the first minute, the first ten, and all."""
    for number in range(posts):
        sign_up(client, address(number), address_of_network(number))
    work_off(nudges)
    counts, confirmed = [len(mail.outbox)], set()
    for minute in range(1, minutes + 1):
        time_line.push(minutes=1)
        for number, asked in enumerate(SignupRequest.objects.filter(outcome="confirm sent").order_by("pk")):
            if confirm(number) and asked.pk not in confirmed:
                confirmed.add(asked.pk)
                lifecycle.confirm(asked, time_line.instant, origin())
        tidy()
        handle_signups()
        if minute == 10:
            counts.append(len(mail.outbox))
    return [*counts, len(mail.outbox)]


def test_a_flood_of_a_minute_over_many_domains_is_stopped_before_it_is_over(client, nudges, time_line, settings):
    counts = flood(client, nudges, time_line, lambda number: f"reader@domain{number}.example", posts=size(100, 200))
    print(f"\n{size(100, 200)} addresses of as many domains at once, none confirmed: {counts} letters")  # noqa: T201
    assert counts[-1] <= settings.BREAKER_AFTER + 5
    assert Breaker.objects.get().is_open


def test_a_rush_of_people_who_confirm_gets_its_letters_and_opens_no_breaker(client, nudges, time_line, settings):
    """Three of ten confirm within minutes."""
    address = "reader{}@gmail.com".format
    people = size(80, 150)
    counts = flood(client, nudges, time_line, address, posts=people, minutes=90, confirm=lambda number: number % 10 < 3)
    print(f"\n{people} people at once, three of ten confirm: {counts} letters")  # noqa: T201
    assert counts[-1] == people
    assert not Breaker.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "reader{}@catch-all.example".format,
        "reader@host{}.catch-all.example".format,
        "reader{}@catch-all.co.uk".format,
        lambda number: f"reader{number}@{'a.' * (number % 5)}catch-all.example",
    ],
    ids=["names", "hosts", "names in a country", "hosts below hosts"],
)
def test_one_domain_that_takes_every_name_gets_a_few_letters_at_once(client, nudges, time_line, settings, address):
    settings.BREAKER_AFTER = 10**6
    counts = flood(client, nudges, time_line, address, posts=STRANGERS, minutes=59)
    print(f"\n{STRANGERS} addresses of one domain at once: {counts} letters")  # noqa: T201
    assert counts[0] == 20
    assert counts[-1] <= 40
    assert SignupRequest.objects.filter(handled_at=None).count() == STRANGERS - counts[-1], "the others wait"


def test_a_large_provider_has_no_budget_of_its_domain(client, nudges, time_line, settings):
    settings.BREAKER_AFTER = 10**6
    counts = flood(client, nudges, time_line, "reader{}@gmail.com".format, posts=60, minutes=1)
    assert counts[0] == 60


def test_who_is_known_at_a_domain_gets_letters_while_strangers_wait(client, nudges, time_line, settings):
    settings.BREAKER_AFTER = 10**6
    known = make_reader("known")
    flood(client, nudges, time_line, "reader{}@example.org".format, posts=60, minutes=1)
    before = len(mail.outbox)
    ask_for_link(client, known.email, "198.51.100.9")
    work_off(nudges)
    assert [message.to for message in mail.outbox[before:]] == [[known.email]]


@pytest.mark.parametrize(
    "address",
    [
        lambda number: f"victi{'._-'[number % 3]}m+{number}@{('proton.me', 'pm.me', 'protonmail.com')[number % 3]}",
        "shop{}@victim.fastmail.com".format,
        "victim-shop{}@yahoo.com".format,
        lambda number: f"vic{'.-'[number % 2]}tim@{('yandex.ru', 'ya.ru', 'yandex.com', 'yandex.by')[number % 4]}",
        lambda number: f"victim+{number}@{('icloud.com', 'me.com', 'mac.com')[number % 3]}",
        "victim+{}@outlook.com".format,
    ],
    ids=["proton", "fastmail", "yahoo", "yandex", "icloud", "outlook"],
)
def test_one_mailbox_in_any_spelling_gets_one_letter_at_once_and_three_in_a_day(
    client, nudges, time_line, settings, address
):
    counts = flood(client, nudges, time_line, address, posts=size(30, 60), minutes=10)
    assert counts[0] == 1
    assert counts[-1] <= 2
    waiting = SignupRequest.objects.filter(handled_at=None).count()
    assert waiting <= 1, "one of a kind waits, however it is spelt"
    for _ in range(40):
        time_line.push(minutes=30)
        handle_signups()
    assert len(mail.outbox) <= 3


def test_no_budget_holds_an_address_or_a_domain_in_the_clear(client, nudges, time_line):
    sign_up(client, "ana.exemplar@clear.example")
    work_off(nudges)
    keys = set(Budget.objects.values_list("kind", "key"))
    assert {kind for kind, _ in keys} >= {"address", "domain", "network", "site"}
    assert all(key == "" or (len(key) == 64 and set(key) <= set("0123456789abcdef")) for _, key in keys)


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
