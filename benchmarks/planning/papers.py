"""What is on offer: topics, papers, and three editions: of today, of yesterday, and of a week ago."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management import call_command

from digest import profiles
from digest.models import Edition, EditionPaper, Paper
from subscriptions.models import Topic

LISTING = "arxiv_listing.jsonl.gz"
NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)  # a Wednesday; the edition of the day came at six
TODAY, YESTERDAY, A_WEEK_AGO = (NOW.date() - timedelta(days=days) for days in (0, 1, 7))
EARLIER, AGAIN = 100, 20  # papers of an earlier edition; of those, featured again today
OTHERS = 4  # papers of no edition for each of today: the relevance model is fitted on all
PHRASES, AUTHORS = 2000, 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """What readers are made with: ids of topics and papers, words and names that papers bear or do not."""

    topics: list[int]
    today: list[int]
    yesterday: list[int]
    a_week_ago: list[int]
    phrases: list[str]
    authors: list[str]


def fill(papers: int, data: Path, chance: random.Random) -> Offer:
    """Store topics, ``papers`` papers of today and those of earlier editions, and fit the relevance model."""
    call_command("load_topics", stdout=StringIO())
    again = min(AGAIN, papers // 4)
    records = list(islice(texts(data, chance), papers + 2 * (EARLIER - again) + OTHERS * papers))
    rows = Paper.objects.bulk_create([_paper(at, record) for at, record in enumerate(records, start=1)])
    ids = [row.pk for row in rows]
    today, ids = ids[:papers], ids[papers:]
    yesterday = today[:again] + ids[: EARLIER - again]
    a_week_ago = today[again : 2 * again] + ids[EARLIER - again : 2 * (EARLIER - again)]
    profiles.renew(NOW, force=True)
    for day, own in ((A_WEEK_AGO, a_week_ago), (YESTERDAY, yesterday), (TODAY, chance.sample(today, papers))):
        _edition(day, own)
    phrases, authors = _words(records, chance)
    topics = list(Topic.objects.order_by("pk").values_list("pk", flat=True))
    return Offer(topics, today, yesterday, a_week_ago, phrases, authors)


def texts(data: Path, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Papers as arXiv lists them, in a mixed order; made-up ones after them, and where the file is absent."""
    listing = data / LISTING
    if listing.exists():
        with gzip.open(listing, "rt", encoding="utf-8") as lines:
            recorded = [json.loads(line) for line in lines]
        chance.shuffle(recorded)
        yield from recorded
    terms = [term for topic in Topic.objects.order_by("pk") for term in topic.terms]
    while True:
        yield _made_up(terms, chance)


def _made_up(terms: list[str], chance: random.Random) -> dict[str, Any]:
    """A paper that names some terms of the topics among words that nobody knows."""
    words = [f"word{int(chance.paretovariate(0.5)) % 5000}" for _ in range(150)]
    for term in chance.sample(terms, 6):
        words.insert(chance.randrange(len(words)), term)
    names = [f"Ana Example{chance.randrange(3000)}" for _ in range(4)]
    return {
        "title": " ".join(words[:9]).capitalize(),
        "summary": f"{' '.join(words[9:])}.",
        "authors": names,
        "categories": chance.sample(("cs.LG", "cs.CL", "cs.CV", "cs.RO", "cs.IR", "stat.ML"), 2),
    }


def _paper(number: int, record: dict[str, Any]) -> Paper:
    return Paper(
        key=f"benchmark:{number}",
        title=record["title"][:500],
        authors=record["authors"][:50],
        abstract=record["summary"],
        categories=record["categories"],
        featured_on=TODAY,
        first_seen_at=NOW - timedelta(days=1 + number % 60),
    )


def _edition(day: date, papers: list[int]) -> None:
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=6)
    edition = Edition.objects.create(
        day=day,
        state=Edition.State.APPROVED,
        drafted_at=at,
        counted_at=at,
        approved_at=at,
        relevance_model=profiles.current(),
    )
    EditionPaper.objects.bulk_create(
        EditionPaper(edition=edition, paper_id=paper, position=place, score=4.0 - 4.0 * place / len(papers))
        for place, paper in enumerate(papers, start=1)
    )


def _words(records: list[dict[str, Any]], chance: random.Random) -> tuple[list[str], list[str]]:
    """Phrases of two words and names of authors, out of all papers: some are of papers of today, most are not."""
    phrases: set[str] = set()
    while len(phrases) < PHRASES:
        words = chance.choice(records)["summary"].split()
        at = chance.randrange(max(len(words) - 1, 1))
        phrase = " ".join(words[at : at + 2]).strip(".,;:()").lower()
        if 5 < len(phrase) <= 80:
            phrases.add(phrase)
    names = sorted({name[:80] for record in records for name in record["authors"][:50] if name.strip()})
    return sorted(phrases), chance.sample(names, min(AUTHORS, len(names)))
