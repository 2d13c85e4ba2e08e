"""A Digest row -> subject, text and HTML; also what the web and the admin's preview show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives
from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from digest.models import Digest, Edition, EditionPaper, Paper
from digest.text import shorten
from subscriptions import links
from subscriptions.emails import message_to
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Subscriber, Topic

NAMED_AUTHORS = 3
BLURB_LENGTH = 300
MUTES = 3  # topics that a mail offers to mute: more would be a list of its own


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a chunk of digests is made of, read once: papers, editors' blurbs, topics' names, editions."""

    papers: Mapping[int, Paper]
    blurbs: Mapping[int, str]
    topics: Mapping[int, str]
    editions: Mapping[date, Edition]
    after_pause: frozenset[int] = frozenset()  # the digests that are the first after a pause

    @classmethod
    def for_digests(cls, digests: Iterable[Digest]) -> "Shelf":
        """Five queries, however many digests."""
        digests = list(digests)
        ids = {p["paper"] for d in digests for p in d.picks}
        days = {day for d in digests for day in _range(d)}
        blurbs = EditionPaper.objects.filter(paper__in=ids).exclude(blurb="").order_by("edition__day")
        return cls(
            papers=Paper.objects.defer("keywords").in_bulk(ids),
            blurbs=dict(blurbs.values_list("paper_id", "blurb")),
            topics=dict(Topic.objects.values_list("pk", "name")),
            editions={e.day: e for e in Edition.objects.filter(day__in=days)},
            after_pause=_after_pause(d.pk for d in digests),
        )

    def days_of(self, digest: Digest) -> list[date]:
        """The days of the editions that a digest draws on, ascending."""
        editions = (self.editions.get(day) for day in _range(digest))
        return sorted(e.day for e in editions if e and e.state != Edition.State.DRAFT)


def _range(digest: Digest) -> list[date]:
    if not digest.content_to:
        return []
    first = digest.content_from or digest.content_to
    return [digest.content_to - timedelta(days=back) for back in range(max((digest.content_to - first).days, 1))]


def _after_pause(digests: Iterable[int]) -> frozenset[int]:
    """Those before which their reader's pause ended, and after the end of which nothing else was sent or is to be."""
    own = Digest.objects.counting_as_sent().filter(subscriber=OuterRef("subscriber"))
    sooner = own.filter(due_at__gte=OuterRef("subscriber__paused_until"), due_at__lt=OuterRef("due_at"))
    first = Digest.objects.filter(~Exists(sooner), pk__in=list(digests), subscriber__paused_until__lte=F("due_at"))
    return frozenset(first.values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Item:
    """One paper as a mail or a page shows it."""

    number: int
    paper: Paper
    authors: str
    blurb: str
    origin: str
    reasons: tuple[str, ...] = ()
    why: str = ""  # the reasons as one sentence

    @property
    def url(self) -> str:
        """The paper's own page where it is published."""
        return self.paper.url

    @property
    def code_url(self) -> str:
        """The code, where there is any."""
        return self.paper.code_url

    @property
    def project_url(self) -> str:
        """The project's page, unless it is the code's."""
        return "" if self.paper.project_url == self.paper.code_url else self.paper.project_url


def item(paper: Paper, number: int, *, blurb: str = "", reasons: Iterable[str] = (), why: str = "") -> Item:
    """A paper ready to show; an editor's blurb wins over a summary, a summary over the abstract."""
    if blurb:
        origin, text = Paper.Origin.EDITOR, blurb
    elif paper.blurb:
        origin, text = Paper.Origin(paper.blurb_origin), paper.blurb
    else:
        origin, text = Paper.Origin.ABSTRACT, paper.abstract
    shown = shorten(text, BLURB_LENGTH)
    return Item(number, paper, authors_line(paper.authors), shown, origin.label, tuple(reasons), why)


def authors_line(authors: list[str]) -> str:
    """Three names, then how many more: 3,303 authors fit a line."""
    named = ", ".join(authors[:NAMED_AUTHORS])
    more = len(authors) - NAMED_AUTHORS
    if more <= 0:
        return named
    return f"{named} and {more:,} {'other' if more == 1 else 'others'}"


def items_of(digest: Digest, shelf: Shelf, without: Iterable[int] = ()) -> list[Item]:
    """The digest's papers, numbered from 1; those in ``without`` and those that are gone close up."""
    items = []
    for number, p in enumerate(_shown(digest, shelf, without), start=1):
        why = _Why.of(p.get("why", []), shelf.topics)
        paper, blurb = shelf.papers[p["paper"]], shelf.blurbs.get(p["paper"], "")
        items.append(item(paper, number, blurb=blurb, reasons=why.reasons, why=why.sentence))
    return items


def _shown(digest: Digest, shelf: Shelf, without: Iterable[int]) -> list[dict[str, Any]]:
    gone = set(without)
    return [p for p in digest.picks if p["paper"] not in gone and p["paper"] in shelf.papers]


@dataclass(frozen=True, slots=True)
class _Why:
    """Why one paper is in a digest, in words."""

    topics: list[str]
    keywords: list[str]
    authors: list[str]

    @classmethod
    def of(cls, why: Iterable[Mapping[str, Any]], topics: Mapping[int, str]) -> "_Why":
        found = cls([], [], [])
        for reason in why:
            if "phrase" in reason:
                found.keywords.append(f'"{reason["phrase"]}"')
            elif "author" in reason:
                found.authors.append(reason["author"])
            elif name := topics.get(reason["topic"]):
                terms = ", ".join(reason.get("terms", ())[:2])
                evidence = f"it names {terms}" if terms else f"it is listed in {reason['category']}"
                found.topics.append(f"{name} ({evidence})")
        return found

    @property
    def reasons(self) -> list[str]:
        """Each by itself."""
        keywords = (f"your keyword {text}" for text in self.keywords)
        return [*self.topics, *keywords, *(f"you follow {name}" for name in self.authors)]

    @property
    def sentence(self) -> str:
        """All together: 'matches your topic Speech (it names speech), and you follow Ana Unal'."""
        named = [
            f"your {kind}{'s' if len(own) > 1 else ''} {', '.join(own)}"
            for kind, own in (("topic", self.topics), ("keyword", self.keywords))
            if own
        ]
        parts = [f"matches {' and '.join(named)}"] if named else []
        if self.authors:
            parts.append(f"you follow {' and '.join(self.authors)}")
        return ", and ".join(parts)


def days_line(days: list[date]) -> str:
    """From the first to the last of some days: "16 to 20 March 2026", "30 December 2025 to 2 January 2026"."""
    first, last = min(days), max(days)
    start = f"{first.day}"
    if (first.year, first.month) != (last.year, last.month):
        start += f" {first:%B}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} to {last.day} {last:%B} {last.year}"


def digest_message(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, *, now: datetime, without: Iterable[int] = ()
) -> EmailMultiAlternatives:
    """The mail of a digest, not sent. Raises ValueError where no paper is left to show."""
    items = items_of(digest, shelf, without)
    if not items:
        raise ValueError("no paper is left in this digest")
    edition = shelf.editions.get(digest.content_to) if digest.content_to else None
    days = shelf.days_of(digest)
    token = links.manage_token(subscriber, now)
    context = {
        "day": digest.day,
        "covers": days_line(days) if len(days) > 1 else "",
        "pause_ended": subscriber.paused_until if digest.pk in shelf.after_pause else None,
        "items": items,
        "top": items[0],
        "more": len(items) - 1,
        "short_title": shorten(items[0].paper.title, 34 if len(items) > 1 else 50),
        "counted_at": edition.counted_at if edition else None,
        "standing_on": edition.standing_on if edition else [],
        "has_reasons": any(i.reasons for i in items),
        "web_url": links.absolute(reverse("day", args=[digest.content_to or digest.day])),
        "reader_url": links.absolute(reverse("reader", args=[token])),
        "preferences_url": links.absolute(reverse("preferences", args=[token])),
        "changes": _changes(digest, subscriber, shelf, token, without),
        "next_due_at": subscriber.next_due_at.astimezone(ZoneInfo(subscriber.zone)) if subscriber.next_due_at else None,
        "zone": subscriber.zone,
    }
    return message_to(subscriber, "digest", context, now=now, key=f"digest-{digest.pk}", listed=True)


def _changes(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, token: str, without: Iterable[int]
) -> list[tuple[str, str]]:
    """What a mail offers to change with one press: (words, address), no words twice."""
    offers = {"Pause": reverse("pause", args=[token])}
    if not subscriber.is_weekly:
        offers = {"Weekly instead": reverse("weekly", args=[token]), **offers}
    if subscriber.paper_limit > min(LIMITS):
        offers = {"Fewer papers": reverse("fewer", args=[token]), **offers}
    reasons = (reason for p in _shown(digest, shelf, without) for reason in p.get("why", []))
    muted = {
        f"Mute {shelf.topics[reason['topic']]}": reverse("mute", args=[token, reason["topic"]])
        for reason in reasons
        if reason.get("topic") in shelf.topics
    }
    return [(words, links.absolute(path)) for words, path in [*offers.items(), *list(muted.items())[:MUTES]]]
