"""The rows of the benchmark: an edition of 50 papers, readers, and planned digests of ten papers each."""

import random
from datetime import datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection

from benchmarks.delivery.measured import Figures, Progress, tell
from digest.models import Digest, Edition, EditionPaper, Paper
from digest.rendering import Shelf, digest_message
from subscriptions import clock, links, schedule
from subscriptions.addresses import address_hash
from subscriptions.models import Subscriber, Topic

PAPERS, PICKED, BATCH = 50, 10, 2000
ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Nairobi",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
)
WORDS = (
    "we study how large models learn to plan and act from long records of human work in the open world and show that "
    "a small change of the objective makes training stable across scales data and tasks while earlier methods need "
    "careful tuning our approach keeps a sparse memory of past states reads it with cheap attention and improves the "
    "accuracy of strong baselines on ten public benchmarks at a third of their cost we release code weights and logs"
)
READER, TOKEN = "{{ email }}", "{{ token }}"
SIGNED = "1234567:" + 43 * "x"  # what django.core.signing makes of a number


def fill(*, messages: int, alike: bool = False, folder: str = "") -> None:
    """Plan so many digests anew, for readers who are made where they are missing; no other digests are left.

    ``alike``: all get the same ten papers. ``folder``: write the first mail there, as octets and as templates.
    """
    now, progress = clock.now(), Progress()
    if not Edition.objects.exists():
        _edition(now)
    edition = Edition.objects.get()
    _readers(messages, now, progress)
    Digest.objects.all().delete()
    papers = list(Paper.objects.order_by("pk"))
    topics = list(Topic.objects.order_by("pk")[:12])
    readers = Subscriber.objects.order_by("pk")[:messages].iterator(BATCH)
    digests = (_digest(reader, edition, papers, topics, now, alike=alike) for reader in readers)
    while batch := list(islice(digests, BATCH)):
        Digest.objects.bulk_create(batch)
        progress(len(batch))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # what was deleted is no burden to the row that comes
    if folder:
        _write_mail(Path(folder), now)
    tell(Figures(messages))


def _edition(now: datetime) -> None:
    call_command("load_topics", stdout=_Silence())
    chance = random.Random(1)
    papers = Paper.objects.bulk_create(_paper(number, now, chance) for number in range(1, PAPERS + 1))
    edition = Edition.objects.create(
        day=now.date(),
        state=Edition.State.APPROVED,
        drafted_at=now,
        counted_at=now,
        approved_at=now,
        standing_on=[],
    )
    EditionPaper.objects.bulk_create(
        EditionPaper(edition=edition, paper=paper, position=place, score=100.0 - place)
        for place, paper in enumerate(papers, start=1)
    )


class _Silence:
    def write(self, _: str) -> None:
        """Nothing."""


def _paper(number: int, now: datetime, chance: random.Random) -> Paper:
    arxiv_id = f"{now:%y%m}.{number:05}"
    return Paper(
        key=f"arxiv:{arxiv_id}",
        arxiv_id=arxiv_id,
        title=_prose(chance, 150).title(),
        authors=[f"Firstname {letter}. Examplename" for letter in "ABCDEFG"],
        abstract=_prose(chance, 1200),
        categories=["cs.LG", "cs.CL"],
        code_url=f"https://code.example.org/papers/{arxiv_id}",
        project_url=f"https://project-{number}.example.org/",
        featured_on=now.date(),
        first_seen_at=now,
        upvotes=chance.randrange(5, 200),
        comments=chance.randrange(30),
        stars=chance.randrange(2000),
    )


def _prose(chance: random.Random, length: int) -> str:
    text, known = "", WORDS.split()
    while len(text) < length:
        words = chance.choices(known, k=chance.randrange(8, 16))
        text += f"{' '.join(words).capitalize()}. "
    return text[:length].rpartition(" ")[0]


def _readers(wanted: int, now: datetime, progress: Progress) -> None:
    have = Subscriber.objects.count()
    made = (_reader(number, now) for number in range(have, wanted))
    while batch := list(islice(made, BATCH)):
        Subscriber.objects.bulk_create(batch)
        progress(0)


def _reader(number: int, now: datetime) -> Subscriber:
    email = f"reader-{number:07}@example.org"
    zone, hour = ZONES[number % len(ZONES)], time(6 + number % 4, number * 5 % 60)
    joined = now - timedelta(days=1 + number % 700)
    return Subscriber(
        email=email,
        email_hash=address_hash(email),
        state=Subscriber.State.ACTIVE,
        zone=zone,
        hour=hour,
        created_at=joined,
        confirmed_at=joined,
        last_due_at=now,
        next_due_at=schedule.next_due(now, at=hour, zone=zone, mask=schedule.EVERY_DAY),
    )


def _digest(
    reader: Subscriber, edition: Edition, papers: list[Paper], topics: list[Topic], now: datetime, *, alike: bool
) -> Digest:
    chance = random.Random(0 if alike else reader.pk)
    chosen = sorted(chance.sample(range(len(papers)), PICKED))
    wanted = chance.sample(topics, 4)
    picks = [
        {"paper": papers[at].pk, "place": at + 1, "why": _why(chance, wanted) if order < 9 else []}
        for order, at in enumerate(chosen)
    ]
    return Digest(
        subscriber=reader,
        day=schedule.local_day(now, reader.zone),
        zone=reader.zone,
        due_at=now,
        planned_at=now,
        content_from=edition.day - timedelta(days=1),
        content_to=edition.day,
        picks=picks,
    )


def _why(chance: random.Random, topics: list[Topic]) -> list[dict[str, Any]]:
    return [{"topic": topic.pk, "terms": topic.terms[:2], "category": ""} for topic in chance.sample(topics, 2)]


def _write_mail(folder: Path, now: datetime) -> None:
    """The first reader's mail: ``message.eml``, and ``message.txt`` and ``message.html`` as templates of Django.

    In those, {{ email }} and {{ token }} stand for what is the reader's. The HTML is as much longer as our encoding
    for the wire (quoted-printable) makes the mail: others send 8bit, and all are to send as many octets.
    """
    digest = Digest.objects.select_related("subscriber").order_by("pk")[0]
    assert digest.subscriber
    message = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=now)
    subject, text, html = str(message.subject), str(message.body), str(message.alternatives[0][0])
    octets = _octets(message)
    text, html = (_as_template(part, digest.subscriber, now) for part in (text, html))
    plain = EmailMultiAlternatives(subject, text.replace(TOKEN, SIGNED), headers=dict(message.extra_headers))
    plain.attach_alternative(html.replace(TOKEN, SIGNED), "text/html")
    missing, filler, chance = len(octets) - len(_octets(plain)), "", random.Random(2)
    while len(filler) < missing:
        filler += f"<p>{_prose(chance, 70)}</p>\n"
    (folder / "message.eml").write_bytes(octets)
    (folder / "subject.txt").write_text(subject)
    (folder / "message.txt").write_text(text)
    (folder / "message.html").write_text(html.replace("</body>", f"{filler}</body>"))


def _octets(message: EmailMultiAlternatives) -> bytes:
    """As Django's SMTP backend sends it."""
    return message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own class takes it


def _as_template(text: str, reader: Subscriber, now: datetime) -> str:
    tokens = (
        links.manage_token(reader, now),
        links.feedback_token(reader, now),
        links.unsubscribe_path(reader, now).strip("/").rpartition("/")[2],
    )
    for token in tokens:
        text = text.replace(token, TOKEN)
    return text.replace(reader.email, READER)
