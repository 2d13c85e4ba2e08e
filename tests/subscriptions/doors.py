"""What the attacks on the readers' side share: every door that causes a letter, a clock to push, the whole database."""

import os
from datetime import timedelta
from ipaddress import ip_address

from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection
from django.urls import reverse

from subscriptions import clock, letters, links
from subscriptions.models import SignupRequest
from subscriptions.tasks import handle_signup
from tests.conftest import filled


class Clock:
    """Stands until it is pushed."""

    def __init__(self, now):
        self.instant = now

    def __call__(self):
        return self.instant

    def push(self, **how_far):
        self.instant += timedelta(**how_far)
        return self.instant


def take_clock(monkeypatch, now):
    """Every view and task reads this clock from here on."""
    own = Clock(now)
    monkeypatch.setattr(clock, "now", own)
    return own


def address_of_network(number):
    """A client address that shares no network with those of other numbers: every other one is IPv6."""
    if number % 2:
        return str(ip_address((0x2400 << 112) + (number << 80) + 1))
    return str(ip_address((11 << 24) + (number << 8) + 1))


def sign_up(client, email, ip="192.0.2.1"):
    return client.post(reverse("subscribe"), filled(email), REMOTE_ADDR=ip)


def ask_for_link(client, email, ip="192.0.2.1"):
    return client.post(reverse("lost-link"), filled(email), REMOTE_ADDR=ip)


def fresh_link_of(reader, now):
    """The token of a link that was mailed to this reader just now."""
    asked = letters.ask(SignupRequest.Kind.LINK, reader.email, now, subscriber=reader)
    SignupRequest.objects.filter(pk=asked.pk).update(handled_at=now, outcome=SignupRequest.Outcome.LINK_SENT)
    return links.fresh_path(asked, now).split("/")[2]


def work_off(nudges):
    """Do what was nudged, as a worker would."""
    while nudges:
        name, *arguments = nudges.pop(0)
        if name == handle_signup.name:
            handle_signup(*arguments)


def mails_to(wanted):
    """How many mails left to addresses for which ``wanted`` is true."""
    return sum(wanted(message.to[0]) for message in mail.outbox)


def most_in(instants, window):
    """The largest number of these sorted instants in any half-open window of that length."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instant - instants[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def everything():
    """All rows of all tables, sessions left out."""
    rows = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table != "django_session":
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows[table] = sorted(repr(tuple(map(_plain, row))) for row in cursor.fetchall())
    assert len(rows) >= len(apps.get_models()) - 1
    return rows


def _plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


def redis_answers():
    """Whether the suite has a Redis: ``python -m tests`` brings one."""
    from digest.demo.processes import port_is_free  # noqa: PLC0415 - the demo's helper, needed by few

    return not port_is_free(int(settings.REDIS_URL.rpartition(":")[2].partition("/")[0]))


def how_many(by_default, variable="BOMBS"):
    """The size of an attack: from the environment, where somebody has the time."""
    return int(os.environ.get(variable, by_default))
