"""Readers by a fixed rule: what each wants, when, and what each says of papers. Nobody real: example.org only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from digest.models import Paper
from subscriptions import schedule
from subscriptions.interests import Interests
from subscriptions.models import Interest, Subscriber, Topic

ZONES = (
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "Europe/London",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Los_Angeles",
    "Australia/Sydney",
)
PHRASES = (
    "reinforcement learning",
    "world model",
    "LLMs",
    "video generation",
    "diffusion transformer",
    "speculative decoding",
    "vision-language-action",
    "test-time scaling",
    "mixture of experts",
    "long context",
    "tool use",
    "3D Gaussian splatting",
)
MUTED_WORDS = ("benchmark", "survey", "medical")
FOLLOWED = 12  # authors: those with the most papers
PAUSE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the cast."""

    pk: int
    interests: Interests
    limit: int
    is_weekly: bool
    only_topics: bool
    speaks: bool
    pauses_on: int  # the day of the run, 0 the first; -1 never

    @property
    def wanted(self) -> list[tuple[str, int | str]]:
        """(kind, topic or text) of all that the reader wants to read about."""
        kinds, own = Interest.Kind, self.interests
        pairs = ((kinds.TOPIC, own.topics), (kinds.PHRASE, own.phrases), (kinds.AUTHOR, own.authors))
        return [(str(kind), what) for kind, all_of_kind in pairs for what in all_of_kind]


def store(readers: int, start: datetime) -> list[Reader]:
    """Store so many readers whose first digest is due after ``start``; topics and papers are there already."""
    topics = list(Topic.objects.filter(offered=True).order_by("pk").values_list("pk", flat=True))
    authors = _prolific()
    return [_store(number, topics, authors, start) for number in range(readers)]


def _prolific() -> list[str]:
    """The authors with the most papers so far."""
    counted = Counter(name for names in Paper.objects.values_list("authors", flat=True) for name in names)
    return [name for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:FOLLOWED]]


def _store(number: int, topics: Sequence[int], authors: Sequence[str], start: datetime) -> Reader:
    own = _interests(number, topics, authors)
    weekly = number % 9 == 2
    row = Subscriber(
        email=f"reader{number}@example.org",
        state=Subscriber.State.ACTIVE,
        zone=ZONES[number % len(ZONES)],
        hour=time(6 + number % 4, 15 * (number % 3)),
        weekdays=1 << number % 5 if weekly else schedule.EVERY_DAY,
        paper_limit=(5, 10, 20)[number % 3],
        only_my_topics=number % 7 == 3,
        created_at=start,
        confirmed_at=start,
    )
    row.reschedule(start)
    row.save()
    Interest.objects.bulk_create(own.rows(row))
    pauses_on = 15 + number % 10 if number % 16 == 7 else -1
    return Reader(row.pk, own, row.paper_limit, weekly, row.only_my_topics, number % 3 == 0, pauses_on)


def _interests(number: int, topics: Sequence[int], authors: Sequence[str]) -> Interests:
    """Every tenth chose nothing; the others one to six topics, and some of them words, names and mutes."""
    if number % 10 == 9:
        return Interests()
    wanted = [topics[(number * 7 + step * 11) % len(topics)] for step in range(1 + number % 6)]
    muted = [topics[(number * 5 + 3) % len(topics)]] if number % 8 == 5 else []
    return Interests(
        topics=tuple(dict.fromkeys(wanted)),
        phrases=tuple(PHRASES[(number + step * 5) % len(PHRASES)] for step in range(number % 3 + 1))
        if number % 4 == 1
        else (),
        authors=(authors[number % len(authors)],) if number % 12 == 3 and authors else (),
        muted_topics=tuple(topic for topic in muted if topic not in wanted),
        muted_words=(MUTED_WORDS[number % len(MUTED_WORDS)],) if number % 8 == 6 else (),
    )


def pause(reader: Reader, now: datetime) -> None:
    """Stop the reader's digests for a week."""
    row = Subscriber.objects.get(pk=reader.pk)
    row.paused_until = now + PAUSE
    row.reschedule(now)
    row.save()
