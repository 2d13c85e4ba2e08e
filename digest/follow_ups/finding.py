"""What became of papers since readers were sent them, and who these readers are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min, Q
from django.db.models.functions import Coalesce
from pyroaring import BitMap64

from digest.follow_ups.works import CODE, WITHDRAWN, Work, works_of
from digest.models import Digest, Edition, EditionPaper, FollowUp, Paper
from digest.models.digests import PickedPapers
from digest.sent import readers_of_works

NOTICED_FOR = timedelta(days=3)
AT_ONCE = 5000  # digests


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a work, and when: mails that left later said it themselves, or left the paper out."""

    work: Work
    what: str
    at: datetime

    @property
    def until(self) -> datetime:
        """Mails that left before do not know of it.

        Hugging Face says itself when a paper was withdrawn, and is asked once in a while.
        """
        return self.at + timedelta(minutes=settings.FETCH_EVERY_MINUTES if self.what == WITHDRAWN else 0)


def notice(now: datetime) -> int:
    """Write down what became of papers after readers were sent them, and who these are; how many such news there were.

    To be called soon after each reading of the sources: a folded bitmap does not know when its readers were sent the
    paper, so only news of the last three days are looked at. Safe to run twice at once: the first row stays. Ten
    queries at most, and a pass over the digests that are not folded only where there is news of what is in them.

    A work is told of once. Two confessions: a row that is taken out of a merge within those three days is a work of its
    own again, and its readers may be told a second time; and of two rows that each had their news before they were
    merged, a reader of both may hear twice.
    """
    events = _unwritten(_of_listed(_events(now)))
    if not events:
        return 0
    readers = _readers_of(events)
    FollowUp.objects.bulk_create(
        [
            # Nobody is an answer too: it keeps the hours to come from asking again.
            FollowUp(paper_id=e.work.row, what=e.what, found_at=now, to_tell=own.serialize())
            for e, own in zip(events, readers, strict=True)
        ],
        ignore_conflicts=True,
    )
    return len(events)


def _events(now: datetime) -> list[Event]:
    since = now - NOTICED_FOR
    recent = Paper.objects.filter(Q(withdrawn_at__gt=since) | Q(code_seen_at__gt=since))
    works = {work.row: work for work in works_of(recent.values_list("pk", flat=True)).values()}
    dates = [(work, {WITHDRAWN: work.withdrawn_at, CODE: work.code_seen_at}) for work in works.values()]
    return [Event(work, what, at) for work, own in dates for what, at in own.items() if at and at > since]


def _of_listed(events: Sequence[Event]) -> list[Event]:
    """Those of papers that an approved edition had before: all that is sent comes from one.

    Of another paper nobody has a mail that does not know, and nobody ever will: most come with their code.
    """
    rows = {row for event in events for row in event.work.rows}
    listed = EditionPaper.objects.filter(paper__in=rows).exclude(edition__state=Edition.State.DRAFT)
    first = dict(listed.values_list("paper").annotate(first=Min("edition__approved_at")).order_by()) if rows else {}
    return [e for e in events if any(first[row] and first[row] < e.until for row in e.work.rows & first.keys())]


def _unwritten(events: Sequence[Event]) -> list[Event]:
    rows = {row for event in events for row in event.work.rows}
    known = set(FollowUp.objects.filter(paper__in=rows).values_list("paper", "what")) if rows else set()
    return [e for e in events if not any((row, e.what) in known for row in e.work.rows)]


def _readers_of(events: Sequence[Event]) -> list[BitMap64]:
    """Who has each paper in a mail that left before its news.

    Digests first, then bitmaps: one that is folded meanwhile is in either.
    """
    found = [BitMap64() for _ in events]
    by_row = defaultdict(list)
    for readers, event in zip(found, events, strict=True):
        for row in event.work.rows:
            by_row[row].append((readers, event.until))
    for reader, papers, left_at in _mails_of(set(by_row), max(event.until for event in events)):
        for row in by_row.keys() & papers:
            for readers, until in by_row[row]:
                if left_at < until:
                    readers.add(reader)
    twins = {event.work.row: event.work.rows - {event.work.row} for event in events}
    folded = readers_of_works(list(twins), twins)
    return [readers | folded.get(e.work.row, BitMap64()) for readers, e in zip(found, events, strict=True)]


def _mails_of(rows: Collection[int], until: datetime) -> Iterable[tuple[int, list[int], datetime]]:
    """(reader, papers, when it left) of mails that are not folded and may hold one of these.

    What is still to leave will say the news itself. Of a digest that was handed over twice the last time counts.
    """
    days = Edition.objects.filter(entries__paper__in=rows).aggregate(first=Min("day"), last=Max("day"))
    digests = Digest.objects.counting_as_sent().exclude(state__in=Digest.OPEN)
    mails = digests.filter(
        folded=False, subscriber__isnull=False, content_to__gte=days["first"], content_from__lt=days["last"]
    )
    told_apart = mails.annotate(left_at=Coalesce("handed_at", "accepted_at"), papers=PickedPapers("picks"))
    return told_apart.filter(left_at__lt=until).values_list("subscriber_id", "papers", "left_at").iterator(AT_ONCE)
