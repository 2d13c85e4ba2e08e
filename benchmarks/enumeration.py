"""Whether the time of an answer says who is a reader: `python -m benchmarks.enumeration --posts 60`.

Posts addresses in every state (unknown, waiting for a confirmation, subscribed, gone, stopped) to the forms of signing
up and of lost links, in turns, in a database of its own, and prints the median of each state in ms and the largest by
the smallest: near 1, on a quiet machine. That the work is equal, call by call, is a test
(tests/subscriptions/test_enumeration.py); this looks at the clock, so it is no test.
"""

import argparse
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from statistics import median
from time import perf_counter
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from benchmarks.database import HELP, own_database

STATES = ("unknown", "pending", "active", "unsubscribed", "stopped")
FORMS = ("subscribe", "lost-link")
WARMING_UP = 3  # posts that are not counted


def main() -> None:
    """Post, and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.enumeration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--database-url", default="sqlite", help=HELP + " (default: %(default)s)")
    parser.add_argument("--posts", type=int, default=60, help="of each state to each form (default: %(default)s)")
    options = parser.parse_args()
    table = Table("form", *STATES, "largest / smallest")
    with own_database(options.database_url) as description:
        post = poster()
        for form in FORMS:
            found = medians(partial(post, form), options.posts + WARMING_UP)
            ratio = max(found.values()) / min(found.values())
            table.add_row(form, *(f"{found[state] * 1000:.2f} ms" for state in STATES), f"{ratio:.3f}")
    Console().print(f"{description}, {options.posts} POSTs each", table)


def medians(post: Callable[[str], None], posts: int) -> dict[str, float]:
    """The median of each state in seconds, in turns, and each time another one first: noise hits all of them."""
    times: dict[str, list[float]] = {state: [] for state in STATES}
    for number in range(posts):
        first = number % len(STATES)
        for state in (*STATES[first:], *STATES[:first]):
            begun = perf_counter()
            post(state)
            times[state].append(perf_counter() - begun)
    return {state: median(taken[WARMING_UP:]) for state, taken in times.items()}


def poster() -> Callable[[str, str], None]:
    """What posts the address of somebody in a state to a form, each time from another network."""
    from django.conf import settings  # noqa: PLC0415 - Django is set up only now, here and below
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415
    from django.utils.timezone import now  # noqa: PLC0415

    from subscriptions.forms import stamp  # noqa: PLC0415
    from subscriptions.models import Subscriber, Suppression  # noqa: PLC0415

    setup_test_environment()
    settings.FORM_MIN_SECONDS, settings.SECURE_SSL_REDIRECT = 0, False
    for number, state in enumerate(STATES[1:], start=1):
        known = "active" if state == "stopped" else state
        reader = Subscriber.objects.create(email=f"someone{number}@example.org", state=known, created_at=now())
        if state == "stopped":
            Suppression.objects.create(email_hash=reader.email_hash, reason="complaint", created_at=now())
    client, networks = Client(), iter(range(11 << 16, 1 << 24))

    def post(form: str, state: str) -> None:
        typed = {"email": f"someone{STATES.index(state)}@example.org", "made": stamp(), "leave_empty": ""}
        answer = client.post(reverse(form), typed, REMOTE_ADDR=str(ip_address((next(networks) << 8) + 1)))
        if answer.status_code != 303:
            raise RuntimeError(f"{form} answered {answer.status_code}")

    patch("celery.app.task.Task.apply_async").start()
    return post


if __name__ == "__main__":
    main()
