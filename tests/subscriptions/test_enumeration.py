"""Nobody can find out who is a reader: the answer does not depend on the address, and neither does its time."""

from datetime import timedelta
from statistics import median
from time import perf_counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from subscriptions.models import Subscriber, Suppression
from tests.conftest import NOW, filled, make_reader
from tests.subscriptions.doors import address_of_network, fresh_link_of, take_clock

pytestmark = pytest.mark.django_db
STATES = ("unknown", "pending", "active", "paused", "unsubscribed", "bounced", "complained")
DOORS = ("subscribe", "subscribe with a choice", "lost-link", "change-address")
CHOICE = {"topic": ["robotics", "nothing"], "words": "protein folding", "only": "True", "papers": "5"}
ROUNDS, POSTS = 5, 60


@pytest.fixture
def post(client, nudges, monkeypatch, settings, robotics):
    """Posts the address of a reader in that state; every POST from a network of its own."""
    take_clock(monkeypatch, NOW)
    for state in STATES[1:]:
        reader = make_reader(state, state=state if state in {"pending", "unsubscribed"} else "active")
        if state == "paused":
            Subscriber.objects.filter(pk=reader.pk).update(paused_until=NOW + timedelta(days=9))
        if state in {"bounced", "complained"}:
            reason = {"bounced": "bounce", "complained": "complaint"}[state]
            Suppression.objects.create(email_hash=reader.email_hash, reason=reason, created_at=NOW)
    own = {"change-address": [fresh_link_of(make_reader("asker"), NOW)]}
    paths = {door: reverse(door.partition(" ")[0], args=own.get(door, [])) for door in DOORS}
    form, count = filled(""), iter(range(10**9))

    def send(door, state):
        ip, choice = address_of_network(next(count)), CHOICE if door.endswith("choice") else {}
        return client.post(paths[door], {**form, **choice, "email": f"{state}@example.org"}, REMOTE_ADDR=ip)

    return send


def seen(response):
    headers = {
        name: value for name, value in response.headers.items() if name not in {"Date", "Expires"}
    }  # these name the second
    return response.status_code, headers, response.content, response.cookies.output()


@pytest.mark.parametrize("door", DOORS)
def test_status_headers_body_and_cookies_are_the_same_for_every_state_of_an_address(post, client, nudges, door):
    answers = {state: seen(post(door, state)) for state in STATES}
    assert answers["unknown"][0] == 303
    assert all(answer == answers["unknown"] for answer in answers.values()), answers
    assert len(nudges) == len(STATES), "each caused one task, that is all"
    pages = [client.get(answers[state][1]["Location"]).content for state in STATES]
    assert len(set(pages)) == 1
    assert not any(f"{state}@example.org".encode() in pages[0] for state in STATES)


@pytest.mark.parametrize("door", DOORS)
def test_every_state_of_an_address_costs_the_same_queries(post, door):
    post(door, "unknown")
    queries = {}
    for state in STATES:
        with CaptureQueriesContext(connection) as captured:
            post(door, state)
        queries[state] = [query["sql"].split("(")[0].split("WHERE")[0].split(' "s1')[0] for query in captured]
    assert all(one == queries["unknown"] for one in queries.values()), queries


@pytest.mark.parametrize("door", ["subscribe", "lost-link"])
def test_every_state_of_an_address_takes_the_same_time(post, door):
    ratios: list[float] = []
    while len(ratios) < ROUNDS and min(ratios, default=9) >= 1.2:  # one quiet round will do
        times: dict[str, list[float]] = {state: [] for state in STATES}
        for number in range(POSTS):
            # Interleaved, and each time another one first: what the machine does besides hits all of them.
            for state in (*STATES[number % len(STATES) :], *STATES[: number % len(STATES)]):
                begun = perf_counter()
                post(door, state)
                times[state].append(perf_counter() - begun)
        medians = {state: median(times[state][3:]) for state in STATES}
        ratios.append(max(medians.values()) / min(medians.values()))
    print(  # noqa: T201
        f"\n{door}: largest to smallest median over {POSTS} POSTs each, {len(ratios)} rounds: {[round(r, 3) for r in ratios]}"
    )
    assert min(ratios) < 1.2
