"""The recorded days, played through the real stages; what each reader was sent, and why."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from benchmarks.digests import cast
from benchmarks.digests.cast import Reader
from benchmarks.digests.truth import falsehood, loose_terms, names
from digest import approval, editions, fetching, follow_ups, ledger, merging, outcomes, planning, profiles
from digest.board import read_board
from digest.menu import Menu
from digest.models import Digest, Edition, Feedback, Paper
from subscriptions.models import Topic

BY = "benchmark"
# Hours of the UTC day. At eight readers stop waiting for an edition that does not come.
READ_AT, APPROVED_AT, PLANNED_AT = 5, 6, (1.1, 6.1, 8.1, 13.1, 19.1)
MERGED_EACH = 9  # editions: its top paper turns out to be the work that was the top of the one before
State, Verb = Digest.State, Feedback.Verb


@dataclass(frozen=True, slots=True)
class Mail:
    """A digest that was sent: its papers in order, and how many of them have a reason."""

    reader: int
    content_from: date
    content_to: date
    papers: tuple[int, ...]
    reasoned: int


@dataclass
class Played:
    """What came of all days."""

    readers: list[Reader]
    mails: list[Mail] = field(default_factory=list)
    falsehoods: list[str] = field(default_factory=list)
    loose: Counter[str] = field(default_factory=Counter)  # "term for topic"
    reasons: Counter[str] = field(default_factory=Counter)  # by kind
    listed: dict[date, list[int]] = field(default_factory=dict)  # edition day -> papers in their order
    finds: dict[tuple[str, int | str], set[int]] = field(default_factory=lambda: defaultdict(set))
    words: Counter[str] = field(default_factory=Counter)  # of readers, by verb
    broken: Counter[str] = field(default_factory=Counter)  # promises to readers
    merged: int = 0


def read_earlier(days: Iterable[date]) -> None:
    """Read days before the first edition: what words weigh is learned from them."""
    for day in days:
        fetching.collect("huggingface", day, _at(day, READ_AT), by=BY)


def play(days: Sequence[date], readers: int, step: Callable[[date], None]) -> Played:
    """Every day from the first to the last of ``days``, for so many readers. ``step`` is told each one."""
    played = Played(cast.store(readers, _at(days[0], 0)))
    for number in range((days[-1] - days[0]).days + 1):
        day = days[0] + timedelta(days=number)
        step(day)
        for reader in played.readers:
            if reader.pauses_on == number:
                cast.pause(reader, _at(day, 0))
        edition = _publish(day)
        if edition:
            if len(played.listed) % MERGED_EACH == MERGED_EACH - 1:
                played.merged += _merge_tops(edition)
            _look(edition, played)
        for hours in PLANNED_AT:
            now = _at(day, hours)
            planning.plan_due(now, by=BY)
            _read(now, played)
        now = _at(day, PLANNED_AT[-1])
        for ended in outcomes.days_to_close(now):
            outcomes.close_day(ended, now)
    return played


def _at(day: date, hours: float) -> datetime:
    return datetime.combine(day, time(0), UTC) + timedelta(hours=hours)


def _publish(day: date) -> Edition | None:
    """Read the day's list, and draft and approve its edition; None where nothing new came."""
    now = _at(day, READ_AT)
    fetching.collect("huggingface", day, now, by=BY)
    follow_ups.notice(now)
    profiles.renew(now)
    edition = editions.draft(day, now, BY)
    if edition is None:
        return None
    approval.approve(edition, _at(day, APPROVED_AT), BY, unchecked=True)
    return edition


def _merge_tops(edition: Edition) -> int:
    """Make the top paper of the edition one work with the top paper of the one before, which was sent to many."""
    before = Edition.objects.filter(day__lt=edition.day).order_by("-day").first()
    if before is None:
        return 0
    tops = [e.entries.shown().order_by("position").values_list("paper", flat=True)[0] for e in (before, edition)]
    merging.merge(tops, _at(edition.day, APPROVED_AT), BY)
    return 1


def _look(edition: Edition, played: Played) -> None:
    """Note what the edition lists, and what each interest of the cast finds in it."""
    menu = Menu(read_board(_at(edition.day, APPROVED_AT), edition), (edition.day,))
    papers = [candidate.paper for candidate in menu.slate.candidates]
    played.listed[edition.day] = papers
    for kind, what in {wish for reader in played.readers for wish in reader.wanted}:
        played.finds[kind, what] |= {papers[at] for at in menu.finds(kind, what).queue.order.tolist()}


def _read(now: datetime, played: Played) -> None:
    """All planned digests arrive: their reasons are examined, and their readers say what they think of the papers."""
    readers = {reader.pk: reader for reader in played.readers}
    rows = list(Digest.objects.filter(state=State.PLANNED).order_by("pk"))
    papers = Paper.objects.in_bulk({pick["paper"] for row in rows for pick in row.picks})
    topics, liked = Topic.objects.in_bulk(), _liked(rows)
    for row in rows:
        reader = readers[row.subscriber_id or 0]
        reasoned = 0
        for pick in row.picks:
            paper, why = papers[pick["paper"]], pick["why"]
            false = [falsehood(reason, paper, reader.wanted, topics, liked[reader.pk]) for reason in why]
            played.falsehoods += [f"paper {paper.pk} for reader {reader.pk}: {words}" for words in false if words]
            played.reasons.update(next(iter(reason)) for reason in why)
            played.loose.update(
                f"{term} for {topics[reason['topic']]}" for reason in why for term in loose_terms(reason, topics)
            )
            reasoned += not all(false)
        played.broken.update(_broken(reader, row, papers))
        own = tuple(pick["paper"] for pick in row.picks)
        assert row.content_from
        assert row.content_to
        played.mails.append(Mail(reader.pk, row.content_from, row.content_to, own, reasoned))
        if reader.speaks:
            _speak(reader, row, now, played)
    accepted = Digest.objects.filter(pk__in=[row.pk for row in rows])
    ledger.move(accepted, State.PLANNED, State.ACCEPTED, accepted_at=now, handed_at=now, free_at=None, attempt=1)


def _broken(reader: Reader, row: Digest, papers: Mapping[int, Paper]) -> Iterator[str]:
    """The promises to this reader that the digest breaks, a word for each time."""
    if len(row.picks) > reader.limit:
        yield "more papers than the reader's limit"
    for pick in row.picks:
        if any(names(papers[pick["paper"]], word) for word in reader.interests.muted_words):
            yield "a paper that names a muted word"
        if reader.only_topics and reader.wanted and not pick["why"]:
            yield "a paper that no interest finds, though the reader wants no other"


def _liked(rows: Iterable[Digest]) -> dict[int, set[int]]:
    """What the readers of these digests liked or kept, in any row of the work."""
    liked: dict[int, set[int]] = defaultdict(set)
    words = Feedback.objects.filter(subscriber__in=[row.subscriber_id for row in rows]).exclude(verb=Verb.LESS)
    for reader, paper, work in words.values_list("subscriber", "paper", "paper__merged_into"):
        liked[reader] |= {paper, work or paper}
    return liked


def _speak(reader: Reader, row: Digest, now: datetime, played: Played) -> None:
    """More of the first pick for the reader's first topic, less of the last that is only popular, the longest kept."""
    first = reader.interests.topics[:1]
    said: dict[int, Feedback.Verb] = {}
    for pick in row.picks:
        if not pick["why"]:
            said[pick["paper"]] = Verb.LESS
        elif any(why.get("topic") in first for why in pick["why"]) and Verb.MORE not in said.values():
            said[pick["paper"]] = Verb.MORE
        elif any("phrase" in why for why in pick["why"]):
            said[pick["paper"]] = Verb.SAVE
    only_last_less = [paper for paper, verb in said.items() if verb == Verb.LESS][:-1]
    rows = [
        Feedback(subscriber_id=reader.pk, paper_id=paper, verb=verb, said_at=now + timedelta(minutes=30))
        for paper, verb in said.items()
        if paper not in only_last_less
    ]
    Feedback.objects.bulk_create(rows)
    played.words.update(str(word.verb) for word in rows)
