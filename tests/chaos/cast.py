"""The readers, the papers and the edition of a run, and the waves in which readers become due."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO

from django.core.management import call_command

from digest.models import Edition, EditionPaper, Paper
from subscriptions import lifecycle
from subscriptions.addresses import address_hash
from subscriptions.consent import Origin
from subscriptions.models import Interest, Subscriber, Suppression, Topic

PAPERS = 12
SUBJECTS = ("robot manipulation", "speech recognition", "medical image segmentation", "theorem proving")
TOPICS = ("robotics", "speech-and-audio", "medical-ai")


def fill(readers: int, now: datetime) -> list[int]:
    """Everything but that readers are due; the readers' keys. All live in UTC and had no digest before."""
    call_command("load_topics", stdout=StringIO())
    papers = Paper.objects.bulk_create(_paper(number, now) for number in range(1, PAPERS + 1))
    edition = Edition.objects.create(
        day=now.date(), state=Edition.State.APPROVED, drafted_at=now, counted_at=now, approved_at=now
    )
    EditionPaper.objects.bulk_create(
        EditionPaper(edition=edition, paper=paper, position=place, score=100.0 - place)
        for place, paper in enumerate(papers, start=1)
    )
    made = Subscriber.objects.bulk_create((_reader(number, now) for number in range(readers)), batch_size=2000)
    topics = list(Topic.objects.filter(slug__in=TOPICS))
    Interest.objects.bulk_create(
        (Interest(subscriber=reader, topic=topics[place % len(topics)]) for place, reader in enumerate(made)),
        batch_size=2000,
    )
    return [reader.pk for reader in made]


def _paper(number: int, now: datetime) -> Paper:
    arxiv_id = f"{now:%y%m}.{number:05}"
    return Paper(
        key=f"arxiv:{arxiv_id}",
        arxiv_id=arxiv_id,
        title=f"A study of {SUBJECTS[number % len(SUBJECTS)]}, part {number}",
        authors=["Ana Exemplar", "Bo Sample"],
        abstract="We study something at length. " * 20,
        categories=["cs.RO"],
        featured_on=now.date(),
        first_seen_at=now,
        upvotes=number,
    )


def _reader(number: int, now: datetime) -> Subscriber:
    email = f"reader{number}@example.org"
    return Subscriber(
        email=email,
        email_hash=address_hash(email),
        state=Subscriber.State.ACTIVE,
        created_at=now,
        confirmed_at=now,
    )


def make_due(readers: Sequence[int], now: datetime) -> None:
    """Their local hour is this very second."""
    second = now.astimezone(UTC).replace(microsecond=0)
    Subscriber.objects.filter(pk__in=readers).exclude(state=Subscriber.State.UNSUBSCRIBED).update(
        hour=second.time(), next_due_at=second
    )


def leave(reader: int, now: datetime) -> None:
    """One reader unsubscribes."""
    lifecycle.unsubscribe(Subscriber.objects.get(pk=reader), now, Origin("chaos"))


def suppress(reader: int, now: datetime) -> None:
    """One reader's address is stopped by an operator."""
    email_hash = Subscriber.objects.get(pk=reader).email_hash
    Suppression.objects.get_or_create(
        email_hash=email_hash, reason=Suppression.Reason.MANUAL, defaults={"created_at": now}
    )
