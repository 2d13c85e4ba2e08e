"""What a chunk of digests is made of, read once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Exists, F, OuterRef

from digest.models import Digest, Edition, EditionPaper, Paper
from subscriptions.models import Topic


@dataclass(frozen=True, slots=True)
class Shelf:
    """Papers, editors' blurbs, topics' names and editions of a chunk of digests."""

    papers: Mapping[int, Paper]
    blurbs: Mapping[int, str]
    topics: Mapping[int, str]
    editions: Mapping[date, Edition]
    after_pause: frozenset[int] = frozenset()  # the digests that are the first after a pause
    _days: dict[tuple[date | None, date | None], tuple[date, ...]] = field(default_factory=dict, init=False)

    @classmethod
    def for_digests(cls, digests: Iterable[Digest], known: "Shelf | None" = None) -> "Shelf":
        """Five queries, however many digests. What is on the shelf ``known`` stays as it is there, and costs none."""
        digests = list(digests)
        known = known or cls({}, {}, {}, {})
        ids = {p["paper"] for d in digests for p in [*d.picks, *d.follow_ups]}
        ids |= {why["like"] for d in digests for p in d.picks for why in p.get("why", ()) if "like" in why}
        ids -= known.papers.keys()
        days = {day for d in digests for day in _range(d)} - known.editions.keys()
        blurbs = EditionPaper.objects.filter(paper__in=ids).exclude(blurb="").order_by("edition__day")
        return cls(
            papers={**known.papers, **Paper.objects.defer("keywords").in_bulk(ids)},
            blurbs={**known.blurbs, **dict(blurbs.values_list("paper_id", "blurb"))},
            topics=known.topics or dict(Topic.objects.values_list("pk", "name")),
            editions={**known.editions, **{e.day: e for e in Edition.objects.filter(day__in=days)}},
            after_pause=known.after_pause | _after_pause(_perhaps_paused(digests)),
        )

    def days_of(self, digest: Digest) -> tuple[date, ...]:
        """The days of the editions that a digest draws on, ascending."""
        ends = digest.content_from, digest.content_to
        if ends not in self._days:  # asked three times for each mail
            editions = (self.editions.get(day) for day in _range(digest))
            self._days[ends] = tuple(sorted(e.day for e in editions if e and e.state != Edition.State.DRAFT))
        return self._days[ends]

    def edition_of(self, digest: Digest) -> Edition | None:
        """The last of the editions that a digest may draw on."""
        return self.editions.get(digest.content_to) if digest.content_to else None


def _range(digest: Digest) -> list[date]:
    if not digest.content_to:
        return []
    first = digest.content_from or digest.content_to
    return [digest.content_to - timedelta(days=back) for back in range(max((digest.content_to - first).days, 1))]


def _perhaps_paused(digests: Iterable[Digest]) -> list[int]:
    """Those whose reader had a pause, or is not loaded."""
    known = Digest._meta.get_field("subscriber").is_cached
    return [d.pk for d in digests if not known(d) or (d.subscriber and d.subscriber.paused_until)]


def _after_pause(digests: Iterable[int]) -> frozenset[int]:
    """Those before which their reader's pause ended, and after the end of which nothing else was sent or is to be."""
    own = Digest.objects.counting_as_sent().filter(subscriber=OuterRef("subscriber"))
    sooner = own.filter(due_at__gte=OuterRef("subscriber__paused_until"), due_at__lt=OuterRef("due_at"))
    first = Digest.objects.filter(~Exists(sooner), pk__in=list(digests), subscriber__paused_until__lte=F("due_at"))
    return frozenset(first.values_list("pk", flat=True))
