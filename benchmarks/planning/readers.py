"""Readers by the million: whom they are, what they chose and said, and what they got yesterday."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.db import ProgrammingError, connection, transaction
from pyroaring import BitMap64

from benchmarks.delivery.measured import Progress
from benchmarks.planning import papers
from benchmarks.planning.databases import insert, settle
from benchmarks.planning.explained import explain
from benchmarks.planning.papers import A_WEEK_AGO, NOW, TODAY, YESTERDAY, Offer
from digest import sent
from subscriptions import schedule
from subscriptions.addresses import address_hash

SEED, BLOCK = 2026, 5000
ZONES = """
Pacific/Auckland Australia/Sydney Asia/Tokyo Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Bangkok Asia/Dhaka
Asia/Kathmandu Asia/Kolkata Asia/Karachi Asia/Dubai Asia/Tehran Europe/Istanbul Africa/Nairobi Europe/Athens
Africa/Cairo Europe/Berlin Europe/Paris Europe/Zurich Africa/Lagos Europe/London Europe/Lisbon Atlantic/Azores
America/Sao_Paulo America/St_Johns America/New_York America/Chicago America/Denver America/Los_Angeles
""".split()  # noqa: SIM905 - words are read as words
QUARTERS = 44  # of an hour before NOW, in which all became due: a later one is too late
# Shares of readers: weekly; paused or suppressed; nothing but matches; own phrases; authors; mutes; more or less said.
SHARES = (0.03, 0.02, 0.1, 0.2, 0.05, 0.05, 0.05)
HAD = 0.2  # of all readers were sent a paper of a week ago
LIMITS, LIMIT_SHARES = (5, 10, 20), (0.25, 0.6, 0.15)
SUBSCRIBER = """
id email email_hash state zone hour weekdays paper_limit only_my_topics text_only language paused_until created_at
confirmed_at last_due_at next_due_at
""".split()  # noqa: SIM905 - words are read as words
INTEREST = ("subscriber_id", "kind", "topic_id", "text")
FEEDBACK = ("subscriber_id", "paper_id", "verb", "said_at", "teaches")
SUPPRESSION = ("email_hash", "reason", "detail", "created_at")
DIGEST = """
subscriber_id day zone cadence state reason due_at content_from content_to picks follow_ups planned_at planned_by
claimed_by attempt perhaps_taken in_batch accepted_at provider_id folded
""".split()  # noqa: SIM905 - words are read as words
TABLES = {
    "subscriptions_subscriber": SUBSCRIBER,
    "subscriptions_interest": INTEREST,
    "subscriptions_suppression": SUPPRESSION,
    "digest_feedback": FEEDBACK,
    "digest_digest": DIGEST,
}
JOINED = NOW - timedelta(days=300)
Rows = dict[str, list[Sequence[Any]]]
Had = dict[int, BitMap64]  # who was sent each paper of a week ago


def fill(*, readers: int, papers_of_today: int, data: str, history: bool) -> dict[str, Any]:
    """Everything that planning reads. The seconds that it took, the readers who are stopped, the interests."""
    begun, progress, counted = time.perf_counter(), Progress(), Counter[str]()
    offer = papers.fill(papers_of_today, Path(data), random.Random(SEED))
    had: Had = defaultdict(BitMap64)
    with transaction.atomic():
        _trust_references()
        crowd = _Crowd(offer, history=history)
        for first in range(1, readers + 1, BLOCK):
            some = range(first, min(first + BLOCK, readers + 1))
            for table, rows in crowd.block(some, had).items():
                insert(table, TABLES[table], rows)
                counted[table] += len(rows)
            progress(len(some))
        sent.add(had)
    settle()
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "stopped": crowd.stopped,
        "interests": counted["subscriptions_interest"],
        "explained": explain(),
    }


def _trust_references() -> None:
    """Do not look each referenced row up: they are millions, and ours. Needs a superuser; else it takes longer."""
    if connection.vendor == "sqlite":
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
    except ProgrammingError:
        pass


class _Crowd:
    def __init__(self, offer: Offer, *, history: bool) -> None:
        self.offer, self.history, self.stopped = offer, history, 0
        self.chance = np.random.default_rng(SEED)
        # Zipf: the second most popular topic has half of the readers of the first.
        self.weights = 1 / np.arange(1, len(offer.topics) + 1)
        why = f'[{{"topic":{offer.topics[0]},"terms":["language model"],"category":"cs.CL"}}]'
        self.pick = {
            paper: f'{{"paper":{paper},"place":{place},"why":{why}}}'
            for own in (offer.yesterday, offer.a_week_ago)
            for place, paper in enumerate(own, start=1)
        }
        dues = [NOW - timedelta(minutes=15 * (1 + int(at))) for at in self.chance.permutation(QUARTERS)]
        self.moments = [_Moment(due, zone) for due in dues for zone in ZONES]
        # Most want it at half past seven: a quarter of all readers become due at one instant.
        shares = np.repeat(1 / np.arange(1, QUARTERS + 1), len(ZONES))
        self.moment_shares = shares / shares.sum()

    def block(self, some: range, had: Had) -> Rows:
        """The rows of these readers, by table. ``had`` learns who was sent what a week ago."""
        rows: Rows = {table: [] for table in TABLES}
        chance, size = self.chance, len(some)
        topics, counts = self._draw(self.weights, size), chance.integers(0, 10, size)
        kinds = chance.random((size, len(SHARES))) < np.array(SHARES)
        limits = chance.choice(LIMITS, size, p=LIMIT_SHARES).tolist()
        moments = chance.choice(len(self.moments), size, p=self.moment_shares).tolist()
        picks = self._draw(np.ones(papers.EARLIER), size)[:, :20].tolist()
        for at, reader in enumerate(some):
            weekly, stopped, only, phrases, authors, mutes, spoke = kinds[at].tolist()
            moment = self.moments[moments[at]]
            self._reader(rows, reader, moment, limits[at], weekly=weekly, stopped=stopped, only=only)
            own = [self.offer.topics[topic] for topic in topics[at, : counts[at]].tolist()]
            rows["subscriptions_interest"] += self._interests(
                reader, own, phrases=phrases, authors=authors, mutes=mutes
            )
            if spoke:
                rows["digest_feedback"] += self._feedback(reader)
            if self.history:
                rows["digest_digest"].append(self._digest(reader, moment, picks[at][: limits[at]], had, weekly=weekly))
        for paper in self.offer.a_week_ago:
            had[paper].update((some[0] + np.flatnonzero(chance.random(size) < HAD)).tolist())
        return rows

    def _draw(self, weights: Any, size: int) -> Any:
        """Numbers in a random order by weight, a row each (Efraimidis and Spirakis, 2006)."""
        return np.argsort(self.chance.standard_exponential((size, len(weights)), np.float32) / weights, axis=1)

    def _reader(
        self, rows: Rows, reader: int, moment: "_Moment", limit: int, *, weekly: bool, stopped: bool, only: bool
    ) -> None:
        email = f"reader{reader}@example.org"
        hashed, paused = address_hash(email), stopped and bool(reader % 2)
        self.stopped += stopped
        if stopped and not paused:
            rows["subscriptions_suppression"].append((hashed, "bounce", "", JOINED))
        mask = 1 << moment.day.weekday() if weekly else schedule.EVERY_DAY
        last = moment.before(weekly=weekly) if self.history else None
        until = NOW + timedelta(days=5) if paused else None
        row = (reader, email, hashed, "active", moment.zone, moment.hour, mask, limit, only, False, "en", until)
        rows["subscriptions_subscriber"].append((*row, JOINED, JOINED, last, moment.due))

    def _interests(
        self, reader: int, topics: list[int], *, phrases: bool, authors: bool, mutes: bool
    ) -> Iterator[Sequence[Any]]:
        if mutes and topics:
            yield (reader, "muted topic", topics.pop(), "")
        for topic in topics:
            yield (reader, "topic", topic, "")
        pools = ((phrases, "phrase", self.offer.phrases, 3), (authors, "author", self.offer.authors, 2))
        for wanted, kind, pool, most in (*pools, (mutes, "muted word", self.offer.phrases, 1)):
            if wanted:
                drawn = self.chance.integers(0, len(pool), self.chance.integers(1, most + 1)).tolist()
                yield from ((reader, kind, None, pool[one]) for one in sorted(set(drawn)))

    def _feedback(self, reader: int) -> Iterator[Sequence[Any]]:
        pool = [*{*self.offer.yesterday, *self.offer.a_week_ago}]
        for at in {*self.chance.integers(0, len(pool), self.chance.integers(1, 6)).tolist()}:
            verb = "less" if self.chance.random() < 0.3 else "more"
            yield (reader, pool[at], verb, NOW - timedelta(hours=20, minutes=at), True)

    def _digest(self, reader: int, moment: "_Moment", numbers: list[int], had: Had, *, weekly: bool) -> Sequence[Any]:
        """What the reader got the last time. That of a week ago is folded: its papers are in the bitmaps."""
        pool, to = (self.offer.a_week_ago, A_WEEK_AGO) if weekly else (self.offer.yesterday, YESTERDAY)
        chosen = [pool[number] for number in sorted(numbers)]
        if weekly:
            for paper in chosen:
                had[paper].add(reader)
        due = moment.before(weekly=weekly)
        day, cadence = moment.day - (TODAY - to), "weekly" if weekly else "daily"
        picks = f"[{','.join([self.pick[paper] for paper in chosen])}]"
        begin = to - timedelta(days=1)
        return (
            *(reader, day, moment.zone, cadence, "accepted", "", due, begin, to, picks, "[]", due, "yesterday"),
            *("", 1, False, False, due, "", weekly),
        )


class _Moment:
    """When a reader's digest is due: an instant, and the local date and hour in a zone."""

    def __init__(self, due: datetime, zone: str) -> None:
        local = due.astimezone(schedule.zone_of(zone))
        self.due, self.zone, self.day, self.hour = due, zone, local.date(), local.time()

    def before(self, *, weekly: bool) -> datetime:
        """When the one before it was due."""
        return self.due - timedelta(days=7 if weekly else 1)
