"""What can be picked now, read once for all readers of a run."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q

from digest.editions import PATIENCE
from digest.models import CATCH_UP_DAYS, Edition, EditionPaper, Paper
from digest.relevance import Match, OwnWords, PaperText, TopicTerms, match_all
from digest.selection import Candidate
from digest.sent import readers_of_works, twins_of
from digest.sources.arxiv import with_aliases
from subscriptions.interests import Interests
from subscriptions.models import Topic


@dataclass(frozen=True, slots=True)
class Board:
    """What can be picked now: the approved editions of the last days, and what interests find in them."""

    days: tuple[date, ...]  # ascending
    held: frozenset[date]
    entries: dict[date, tuple[Candidate, ...]]
    pinned: frozenset[int]
    matches: dict[int, dict[int, Match]]  # {topic: {paper: match}}
    words: OwnWords = field(default_factory=OwnWords)
    before: dict[int, Any] = field(default_factory=dict)  # {paper: readers its work was sent to, of closed days}
    twins: dict[int, frozenset[int]] = field(default_factory=dict)  # {paper: the other rows of its work}

    def had(self, reader: int, sent: Set[int]) -> set[int]:
        """The papers of the board that the reader has in any row of their work; ``sent`` are those of open days."""
        closed = {paper for paper, readers in self.before.items() if reader in readers}
        return closed | sent | {paper for paper, rows in self.twins.items() if not rows.isdisjoint(sent)}

    def wanted(self, own: Interests) -> dict[int | tuple[str, str], Mapping[int, Match]]:
        """What each wanted interest finds. The narrowest come first: few papers are theirs, and limits are small."""
        return {
            **{("author", name): self.words.author(name) for name in own.authors},
            **{("phrase", text): self.words.phrase(text) for text in own.phrases},
            **{topic: self.matches.get(topic, {}) for topic in own.topics},
        }

    def in_muted_topics(self, own: Interests) -> set[int]:
        """The papers of the topics that a reader does not want to hear of."""
        return {paper for topic in own.muted_topics for paper in self.matches.get(topic, ())}

    def with_muted_words(self, own: Interests) -> set[int]:
        """The papers that name a word that a reader does not want to hear."""
        return {paper for text in own.muted_words for paper in self.words.phrase(text)}

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
        order = sorted(merged.values(), key=lambda c: (c.paper not in self.pinned, -c.trend, c.paper))
        seen: set[int] = set()
        for c in list(order):
            if c.paper in seen:
                order.remove(c)
            seen |= {c.paper, *self.twins.get(c.paper, ())}
        return [Candidate(c.paper, place, c.trend) for place, c in enumerate(order, start=1)]


def read_board(now: datetime, newest: Edition | None = None, topics: Collection[int] | None = None) -> Board:
    """The board as it stands. A handful of queries, whatever the number of readers.

    With ``newest`` the board as it stands when that edition is approved and none is later: a preview's. The edition
    may be a draft, or held. With ``topics`` only these are matched, which is most of the cost.
    """
    published = Edition.objects.published()
    if newest:
        published = Edition.objects.filter(Q(pk__in=published.filter(day__lt=newest.day)) | Q(pk=newest.pk))
    last = newest or published.first()
    since = (last.day if last else now.date()) - timedelta(days=CATCH_UP_DAYS + 1)
    shown_entries = Prefetch("entries", EditionPaper.objects.shown().select_related("paper"))
    editions = list(published.filter(day__gt=since).prefetch_related(shown_entries))
    entries, texts, pinned = {}, {}, set()
    for edition in editions:
        shown = list(edition.entries.all())
        entries[edition.day] = tuple(Candidate(e.paper_id, place, e.score) for place, e in enumerate(shown, start=1))
        pinned |= {e.paper_id for e in shown if e.pinned}
        for paper in (e.paper for e in shown):
            texts[paper.pk] = paper_text(paper)
    twins = twins_of(texts)
    ready = list(texts.values())
    wanted = Topic.objects.all() if topics is None else Topic.objects.filter(pk__in=topics)
    matches = match_all(ready, [topic_terms(topic) for topic in wanted])
    return Board(
        days=tuple(sorted(entries)),
        held=frozenset(e.day for e in editions if e.held and e != newest),
        entries=entries,
        pinned=frozenset(pinned),
        matches=matches,
        words=OwnWords(ready),
        before=readers_of_works(texts, twins),
        twins=twins,
    )


def paper_text(paper: Paper) -> PaperText:
    """What matching needs of a paper's row."""
    text = f"{paper.abstract} {paper.blurb}"
    # A topic may name either of two names of a category; a paper often bears one only.
    return PaperText(
        paper.pk, paper.title, text, with_aliases(paper.categories), tuple(paper.keywords), tuple(paper.authors)
    )


def topic_terms(topic: Topic) -> TopicTerms:
    """What matching needs of a topic's row."""
    return TopicTerms(topic.pk, topic.name, tuple(topic.categories), tuple(topic.terms))
