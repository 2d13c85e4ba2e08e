"""What can be picked now, read once for all readers of a run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch, Q
from pyroaring import BitMap64

from digest import profiles
from digest.editions import PATIENCE
from digest.models import CATCH_UP_DAYS, Edition, EditionPaper
from digest.readings import paper_text, reading_of, topic_terms
from digest.relevance import Model, PaperText, Reading, TopicTerms
from digest.selection import Candidate
from digest.sent import readers_of_works, twins_of
from subscriptions.models import Topic

NOBODY = BitMap64()


@dataclass(frozen=True, slots=True)
class Board:
    """What can be picked now: the approved editions of the last days, and their papers made ready for matching."""

    days: tuple[date, ...]  # ascending
    held: frozenset[date]
    entries: dict[date, tuple[Candidate, ...]]
    topics: Mapping[int, TopicTerms] = field(default_factory=dict)
    twins: Mapping[int, frozenset[int]] = field(default_factory=dict)  # {paper: the other rows of its work}
    reading: Reading = field(default_factory=lambda: Reading((), Model.without_words({})))
    # False: as if nothing had been sent on days that are closed. A preview of such a day looks so.
    remembers: bool = True
    _sent: dict[int, BitMap64] = field(default_factory=dict)  # of the papers that somebody asked about

    def window(self, after: date | None, *, weekly: bool = False) -> tuple[date, ...]:
        """The days of the board later than ``after``, of the last week.

        For a reader who never got a digest the newest only, or the whole week where the digest is weekly. After an
        earlier one a weekly digest reaches back a day more: its list may have been late the last time.
        """
        if after is None and not weekly:
            return self.days[-1:]
        reach = timedelta(days=CATCH_UP_DAYS + (weekly and after is not None))
        return tuple(day for day in self.days if day > self.days[-1] - reach and (after is None or day > after))

    def not_held(self, days: tuple[date, ...]) -> tuple[date, ...]:
        """Those of ``days`` that no held one interrupts: later than the last held one, else before the first.

        One faulty edition must not keep its readers from all that follow; a range cannot have a hole.
        """
        held = self.held.intersection(days)
        if not held:
            return days
        return tuple(day for day in days if day > max(held)) or tuple(day for day in days if day < min(held))

    def expects_more(self, now: datetime, deadline: datetime) -> bool:
        """Whether today's edition is not in and worth waiting for: about to be approved, or before ``deadline``."""
        if settings.EDITION_APPROVE_AT is None or (self.days and self.days[-1] >= now.date()):
            return False
        approved = datetime.combine(now.date(), settings.EDITION_APPROVE_AT, UTC)
        return approved <= now < approved + PATIENCE or now < approved <= deadline

    def candidates(self, days: Sequence[date]) -> list[Candidate]:
        """One ranking of several days: pinned first, then by trend, a work once; places count from 1."""
        if len(days) == 1:
            return list(self.entries[days[0]])
        merged = {c.paper: c for day in days for c in self.entries[day]}
        order, seen = [], set[int]()
        for c in sorted(merged.values(), key=lambda c: (not c.pinned, -c.trend, c.paper)):
            if c.paper not in seen:
                order.append(c)
            seen |= {c.paper, *self.twins.get(c.paper, ())}
        return [Candidate(c.paper, place, c.trend, c.pinned) for place, c in enumerate(order, start=1)]

    def sent(self, papers: Collection[int]) -> Mapping[int, BitMap64]:
        """Who was sent each of these papers on days that are closed: {paper: readers}; one query for all new ones.

        A bitmap has up to 130 KB for a million readers, so each is read once for all windows of days.
        """
        if not self.remembers:
            return {}
        if new := [paper for paper in papers if paper not in self._sent]:
            self._sent.update(dict.fromkeys(new, NOBODY) | readers_of_works(new, self.twins))
        return {paper: self._sent[paper] for paper in papers if self._sent[paper]}


def read_board(now: datetime, newest: Edition | None = None, topics: Collection[int] | None = None) -> Board:
    """The board as it stands. A handful of queries, whatever the number of readers.

    With ``newest`` the board as it stands when that edition is approved and none is later: a preview's. The edition
    may be a draft, or held. With ``topics`` it knows these only. All its papers are read with the relevance model of
    the newest edition.
    """
    published = Edition.objects.published()
    if newest:
        published = Edition.objects.filter(Q(pk__in=published.filter(day__lt=newest.day)) | Q(pk=newest.pk))
    last = newest or published.first()
    since = (last.day if last else now.date()) - timedelta(days=CATCH_UP_DAYS + 1)
    shown_entries = Prefetch("entries", EditionPaper.objects.shown().select_related("paper"))
    editions = list(published.filter(day__gt=since).prefetch_related(shown_entries))
    entries: dict[date, tuple[Candidate, ...]] = {}
    texts: dict[int, PaperText] = {}
    for edition in editions:
        shown = list(edition.entries.all())
        entries[edition.day] = tuple(
            Candidate(e.paper_id, place, e.score, e.pinned) for place, e in enumerate(shown, start=1)
        )
        texts.update((e.paper_id, paper_text(e.paper)) for e in shown)
    wanted = Topic.objects.all() if topics is None else Topic.objects.filter(pk__in=topics)
    return Board(
        days=tuple(sorted(entries)),
        held=frozenset(e.day for e in editions if e.held and e != newest),
        entries=entries,
        topics={topic.pk: topic_terms(topic) for topic in wanted},
        twins=twins_of(texts),
        reading=reading_of([texts[paper] for paper in sorted(texts)], profiles.model_of(last)),
    )
