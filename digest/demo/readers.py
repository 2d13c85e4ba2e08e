"""The demo's cast: about thirty readers who differ in topics, hours and zones. Nobody real: example.org only."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from subscriptions.consent import kept
from subscriptions.models import ConsentEvent, Interest, Subscriber, Suppression, Topic

# (zone, local hour): at 06:05 UTC the first group's hour has come, the second's is five hours off or more.
DUE = (
    ("Australia/Sydney", time(11, 15)),
    ("Asia/Tokyo", time(9, 30)),
    ("Asia/Seoul", time(10, 0)),
    ("Asia/Shanghai", time(9, 0)),
    ("Asia/Singapore", time(8, 45)),
    ("Asia/Kolkata", time(7, 30)),
    ("Asia/Kathmandu", time(7, 45)),
    ("Asia/Dubai", time(8, 0)),
    ("Africa/Nairobi", time(7, 30)),
    ("Europe/Istanbul", time(8, 0)),
    ("Europe/Athens", time(7, 30)),
    ("Africa/Cairo", time(7, 30)),
    ("Europe/Berlin", time(6, 30)),
    ("Europe/Paris", time(6, 45)),
    ("Europe/Zurich", time(7, 0)),
    ("Africa/Lagos", time(6, 30)),
    ("Europe/London", time(5, 45)),
    ("Europe/Lisbon", time(6, 0)),
)
LATER = (
    ("America/Sao_Paulo", time(8, 30)),
    ("America/New_York", time(7, 30)),
    ("America/Toronto", time(8, 0)),
    ("America/Chicago", time(7, 30)),
    ("America/Denver", time(7, 30)),
    ("America/Los_Angeles", time(7, 30)),
    ("Pacific/Honolulu", time(7, 30)),
    ("Europe/Madrid", time(18, 0)),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the cast."""

    zone: str
    hour: time
    topics: tuple[int, ...]
    only_my_topics: bool = False


def cast(topics: list[int]) -> list[Reader]:
    """The readers, with one to four of ``topics`` each, by a fixed rule; every ninth has none."""
    readers = []
    for number, (zone, hour) in enumerate((*DUE, *LATER)):
        own = (
            []
            if number % 9 == 8
            else [topics[(number * 7 + step * 11) % len(topics)] for step in range(1 + number % 4)]
        )
        readers.append(Reader(zone, hour, tuple(dict.fromkeys(own))))
    return readers


def seed(day: date) -> int:
    """Make the readers of the demo, once; how many there are. They confirmed ten days before ``day``."""
    if Subscriber.objects.exists():
        return Subscriber.objects.count()
    topics = list(Topic.objects.order_by("position").values_list("pk", flat=True))
    midnight = datetime.combine(day, time(0), UTC)
    confirmed = midnight - timedelta(days=10)
    rare = Topic.objects.filter(slug="quantum-computing").values_list("pk", flat=True)
    readers = [*cast(topics), Reader("Europe/Vienna", time(6, 15), tuple(rare), only_my_topics=True)]
    for number, reader in enumerate(readers, start=1):
        _make(number, reader, confirmed, midnight)
    _make_the_absent(len(readers) + 1, confirmed, midnight)
    return Subscriber.objects.count()


def _make(number: int, reader: Reader, confirmed: datetime, midnight: datetime) -> Subscriber:
    subscriber = Subscriber(
        email=f"reader{number:02}@example.org",
        state=Subscriber.State.ACTIVE,
        zone=reader.zone,
        hour=reader.hour,
        only_my_topics=reader.only_my_topics,
        created_at=confirmed,
        confirmed_at=confirmed,
    )
    subscriber.reschedule(midnight)
    subscriber.save()
    Interest.objects.bulk_create(Interest(subscriber=subscriber, topic_id=topic) for topic in reader.topics)
    ConsentEvent.objects.create(
        subscriber=subscriber,
        email_hash=subscriber.email_hash,
        kind=ConsentEvent.Kind.IMPORTED,
        at=confirmed,
        where="demo",
        wording=kept("Made up for the demo."),
    )
    return subscriber


def _make_the_absent(number: int, confirmed: datetime, midnight: datetime) -> None:
    """One on holiday, one who left, one whose address bounced: none of them may get a mail."""
    paused, left, bounced = (
        _make(number + i, Reader("Europe/Berlin", time(6, 30), ()), confirmed, midnight) for i in range(3)
    )
    paused.paused_until = midnight + timedelta(days=14)
    paused.reschedule(midnight)
    paused.save()
    left.state = Subscriber.State.UNSUBSCRIBED
    left.reschedule(midnight)
    left.save()
    Suppression.objects.create(
        email_hash=bounced.email_hash,
        reason=Suppression.Reason.BOUNCE,
        detail="550 in the demo",
        created_at=confirmed,
    )
