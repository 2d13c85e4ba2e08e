"""A Digest row -> subject, text and HTML; also what the web and the admin's preview show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from digest.models import Digest, Edition, EditionPaper, Paper
from digest.text import shorten
from subscriptions import links
from subscriptions.emails import message_to
from subscriptions.models import Subscriber, Topic

NAMED_AUTHORS = 3
BLURB_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a chunk of digests is made of, read once: papers, editors' blurbs, topics' names, editions."""

    papers: Mapping[int, Paper]
    blurbs: Mapping[int, str]
    topics: Mapping[int, str]
    editions: Mapping[date, Edition]

    @classmethod
    def for_digests(cls, digests: Iterable[Digest]) -> "Shelf":
        """Four queries, however many digests."""
        digests = list(digests)
        ids = {p["paper"] for d in digests for p in d.picks}
        days = {d.content_to for d in digests if d.content_to}
        blurbs = EditionPaper.objects.filter(paper__in=ids).exclude(blurb="").order_by("edition__day")
        return cls(
            papers=Paper.objects.defer("keywords").in_bulk(ids),
            blurbs=dict(blurbs.values_list("paper_id", "blurb")),
            topics=dict(Topic.objects.values_list("pk", "name")),
            editions={e.day: e for e in Edition.objects.filter(day__in=days)},
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One paper as a mail or a page shows it."""

    number: int
    paper: Paper
    authors: str
    blurb: str
    origin: str
    reasons: tuple[str, ...] = ()

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


def item(paper: Paper, number: int, *, blurb: str = "", reasons: Iterable[str] = ()) -> Item:
    """A paper ready to show; an editor's blurb wins over a summary, a summary over the abstract."""
    if blurb:
        origin, text = Paper.Origin.EDITOR, blurb
    elif paper.blurb:
        origin, text = Paper.Origin(paper.blurb_origin), paper.blurb
    else:
        origin, text = Paper.Origin.ABSTRACT, paper.abstract
    return Item(number, paper, authors_line(paper.authors), shorten(text, BLURB_LENGTH), origin.label, tuple(reasons))


def authors_line(authors: list[str]) -> str:
    """Three names, then how many more: 3,303 authors fit a line."""
    named = ", ".join(authors[:NAMED_AUTHORS])
    more = len(authors) - NAMED_AUTHORS
    if more <= 0:
        return named
    return f"{named} and {more:,} {'other' if more == 1 else 'others'}"


def items_of(digest: Digest, shelf: Shelf, without: Iterable[int] = ()) -> list[Item]:
    """The digest's papers, numbered from 1; those in ``without`` and those that are gone close up."""
    gone = set(without)
    picks = [p for p in digest.picks if p["paper"] not in gone and p["paper"] in shelf.papers]
    return [
        item(
            shelf.papers[p["paper"]],
            number,
            blurb=shelf.blurbs.get(p["paper"], ""),
            reasons=_reasons(p.get("why", []), shelf.topics),
        )
        for number, p in enumerate(picks, start=1)
    ]


def _reasons(why: Iterable[Mapping[str, Any]], topics: Mapping[int, str]) -> list[str]:
    found = []
    for reason in why:
        name = topics.get(reason["topic"])
        if name and reason.get("terms"):
            found.append(f"{name} (it names {', '.join(reason['terms'][:2])})")
        elif name:
            found.append(f"{name} (it is listed in {reason['category']})")
    return found


def digest_message(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, *, now: datetime, without: Iterable[int] = ()
) -> EmailMultiAlternatives:
    """The mail of a digest, not sent. Raises ValueError where no paper is left to show."""
    items = items_of(digest, shelf, without)
    if not items:
        raise ValueError("no paper is left in this digest")
    edition = shelf.editions.get(digest.content_to) if digest.content_to else None
    token = links.manage_token(subscriber, now)
    context = {
        "day": digest.day,
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
        "next_due_at": subscriber.next_due_at.astimezone(ZoneInfo(subscriber.zone)) if subscriber.next_due_at else None,
        "zone": subscriber.zone,
    }
    return message_to(subscriber, "digest", context, now=now, key=f"digest-{digest.pk}", listed=True)
