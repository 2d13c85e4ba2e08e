"""Who lives through the year: readers of many zones, hours and weekdays, and some who travel."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import available_timezones

from subscriptions.models import Subscriber
from subscriptions.schedule import EVERY_DAY, weekdays
from tests.calendar_year.edges import edges_of

# The odd ones first: a date line, half hours and quarters, jumps of 30 minutes and of two hours, jumps at midnight and
# before it, clocks that go back in spring or for Ramadan.
ZONES = [
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Europe/Dublin",
    "America/Sao_Paulo",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Pacific/Chatham",
    "America/Nuuk",
    "Asia/Beirut",
    "America/Havana",
    "America/Santiago",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "Atlantic/Azores",
    "Pacific/Easter",
    "Asia/Jerusalem",
    "America/Scoresbysund",
    "Pacific/Norfolk",
    "Europe/Chisinau",
    "Australia/Adelaide",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Pacific/Marquesas",
    "Australia/Eucla",
    "America/Miquelon",
    "America/Caracas",
    "Asia/Kabul",
    "Asia/Yangon",
    "Africa/El_Aaiun",
    "America/Asuncion",
    "Pacific/Honolulu",
    "UTC",
]
EDGES = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
HOURS = (time(0), time(2, 30), time(7, 30), time(23, 59))
NOT_DAILY = (  # weekends are when most clocks change
    (time(7, 30), weekdays(range(5))),
    (time(2, 30), weekdays([6])),
    (time(0), weekdays([4, 5, 6])),
)
TRAVELLERS = 0.12  # of all readers
BETWEEN_MOVES = timedelta(days=6)


@dataclass(frozen=True)
class Move:
    """A reader names another zone."""

    at: datetime
    reader: int
    zone: str


def zones(number: int, draw: random.Random) -> list[str]:
    """The odd ones, then others of the tz database."""
    rest = sorted(available_timezones() - set(ZONES))
    draw.shuffle(rest)
    return [*ZONES, *rest][:number]


def make(zones: list[str], draw: random.Random, born: datetime) -> tuple[list[Subscriber], list[Subscriber]]:
    """Those who stay, and those who travel. All active, saved, and not due yet."""
    staying = []
    for zone in zones:
        hours = {*HOURS, *(edge.inside.time() for edge in edges_of(zone, *EDGES))}
        staying += [_reader(zone, at, EVERY_DAY) for at in sorted(hours)]
        staying += [_reader(zone, at, mask) for at, mask in NOT_DAILY]
    number = max(2, round(len(staying) * TRAVELLERS))
    travelling = [_reader(draw.choice(zones), draw.choice(HOURS[:3]), EVERY_DAY) for _ in range(number)]
    for place, reader in enumerate([*staying, *travelling]):
        reader.email, reader.email_hash = f"reader{place}@example.org", f"hash of {place}"
        reader.created_at = reader.confirmed_at = born
    return Subscriber.objects.bulk_create(staying), Subscriber.objects.bulk_create(travelling)


def _reader(zone: str, at: time, mask: int) -> Subscriber:
    return Subscriber(state=Subscriber.State.ACTIVE, zone=zone, hour=at, weekdays=mask)


def moves(
    readers: Iterable[Subscriber], zones: list[str], start: datetime, end: datetime, draw: random.Random
) -> list[Move]:
    """Journeys at random minutes; every third stop lasts less than a day and a half."""
    found = []
    for reader in readers:
        at = start + timedelta(days=1.5)
        while True:
            longest = timedelta(hours=36) if draw.random() < 1 / 3 else 2 * BETWEEN_MOVES
            at += timedelta(minutes=draw.randrange(longest // timedelta(minutes=1)))
            if at >= end:
                break
            found.append(Move(at, reader.pk, draw.choice(zones)))
    return sorted(found, key=lambda move: move.at)
