"""Nobody can find out who is a reader: the answer does not depend on the address, and neither does its time.

Equal time is shown as equal work: the same queries and the same calls, counted. ``python -m benchmarks.enumeration``
looks at the clock.
"""

import gc
import sys
from collections import Counter
from datetime import timedelta

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
NAMES = {state: f"someone{number}" for number, state in enumerate(STATES)}  # letters cost work too: as many of a kind


@pytest.fixture
def post(client, nudges, monkeypatch, settings, robotics):
    """Posts the address of a reader in that state; every POST from a network of its own."""
    take_clock(monkeypatch, NOW)
    for state in STATES[1:]:
        reader = make_reader(NAMES[state], state=state if state in {"pending", "unsubscribed"} else "active")
        if state == "paused":
            Subscriber.objects.filter(pk=reader.pk).update(paused_until=NOW + timedelta(days=9))
        if state in {"bounced", "complained"}:
            reason = {"bounced": "bounce", "complained": "complaint"}[state]
            Suppression.objects.create(email_hash=reader.email_hash, reason=reason, created_at=NOW)
    own = {"change-address": [fresh_link_of(make_reader("asker"), NOW)]}
    paths = {door: reverse(door.partition(" ")[0], args=own.get(door, [])) for door in DOORS}
    form, count = filled(""), iter(range(10**9))

    def send(door, state):
        ip, choice = address_of_network(2 * next(count)), CHOICE if door.endswith("choice") else {}
        return client.post(paths[door], {**form, **choice, "email": f"{NAMES[state]}@example.org"}, REMOTE_ADDR=ip)

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
    assert not any(f"{name}@example.org".encode() in pages[0] for name in NAMES.values())


@pytest.mark.parametrize("door", DOORS)
def test_every_state_of_an_address_costs_the_same_queries(post, door):
    post(door, "unknown")
    queries = {}
    for state in STATES:
        with CaptureQueriesContext(connection) as captured:
            post(door, state)
        queries[state] = [query["sql"].split("(")[0].split("WHERE")[0].split(' "s1')[0] for query in captured]
    assert all(one == queries["unknown"] for one in queries.values()), queries


def calls_of(work):
    """How often each function was called meanwhile, in Python and in C."""
    calls: Counter[tuple[str, str]] = Counter()

    def note(frame, event, called):
        if event == "call":
            calls[frame.f_code.co_filename, frame.f_code.co_qualname] += 1
        elif event == "c_call":
            calls[called.__module__ or "", called.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.fixture
def no_garbage():
    """Nothing is collected meanwhile: it would call what has nothing to do with it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("door", DOORS)
def test_every_state_of_an_address_costs_the_same_work(post, no_garbage, door):
    """Hashes, renderings, look-ups, comparisons: whatever takes time is a call."""
    for state in STATES:
        post(door, state)
    calls = {state: calls_of(lambda state=state: post(door, state)) for state in STATES}
    assert calls["unknown"].total() > 1_000
    odd = {state: (found - calls["unknown"]) + (calls["unknown"] - found) for state, found in calls.items()}
    assert not any(odd.values()), odd
