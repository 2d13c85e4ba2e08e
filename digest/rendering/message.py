"""The mail of a Digest row."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import translation
from django.utils.dateformat import format as as_text
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from digest.models import Digest, Edition, Paper
from digest.rendering import sentences
from digest.rendering.items import WHOLE, Item, Lengths, follow_ups_of, items_of, shown_picks
from digest.rendering.offers import offers_of
from digest.rendering.shelf import Shelf
from digest.text import shorten, undirected
from subscriptions import languages, links, schedule
from subscriptions.emails import Extent, extent, length_on_the_wire, message_to
from subscriptions.models import Subscriber

SHORTEST_NAME = 4  # characters of a title before its colon that say enough
SUBJECT_LENGTH = 50  # phones show about 40; mutt in 80 columns 42
PREHEADER = 40, 90  # characters: shorter ones are filled up with the mail's first words, longer ones are cut
# Gmail cuts a mail at 102 KB, footer first. Where the papers are too much for that, they are told in fewer words.
ROOM, ROOM_ON_THE_WIRE = 80_000, 95_000  # octets of the HTML part
FEWER_WORDS = (
    WHOLE,
    Lengths(blurb=160),
    Lengths(title=120, blurb=80),
    Lengths(title=80, blurb=0),
    Lengths(title=80, blurb=0, pdf=False),  # the paper's own page is a click away from it
    Lengths(title=60, blurb=0, pdf=False),
)

Made = TypeVar("Made")
# A function that says something, and its arguments: all that its words depend on beside the active language.
Phrase = tuple[Any, ...]


def digest_message(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, *, now: datetime, without: Iterable[int] = ()
) -> EmailMultiAlternatives:
    """The mail of a digest in its reader's language, not sent. Raises ValueError where no paper is left to show.

    It is what the mail is. Who sends many has them from ``Press.message``, which prints the same faster.
    """
    without = frozenset(without)
    if not shown_picks(digest, shelf, without):
        raise ValueError("no paper is left in this digest")
    with translation.override(languages.of(subscriber)):
        for lengths in FEWER_WORDS:
            items = items_of(digest, shelf, without, lengths=lengths)
            message = _message(digest, subscriber, shelf, now, items, len(items))
            if fits(_extent_of(message)):
                return message
        return most_that_fit(
            len(items),
            lambda shown: _message(digest, subscriber, shelf, now, items, shown),
            lambda message: fits(_extent_of(message)),
        )


def most_that_fit(papers: int, make: Callable[[int], Made], is_right: Callable[[Made], bool]) -> Made:
    """What ``make`` makes of the largest number of papers that is right; of one where none is.

    The others are on the web: a mail that is cut has no link to leave by. Fewer papers than ``papers``, and found in
    seven steps where those are a hundred.
    """
    made, fewest, too_many = make(1), 1, papers
    while too_many - fewest > 1:
        middle = (fewest + too_many) // 2
        if is_right(tried := make(middle)):
            made, fewest = tried, middle
        else:
            too_many = middle
    return made


def _extent_of(message: EmailMultiAlternatives) -> Extent:
    """How much the part is that most readers see: the HTML, or the text of those who want no other."""
    shown = str(message.alternatives[0][0]) if message.alternatives else str(message.body)
    return extent(shown.encode())


def fits(html: Extent) -> bool:
    """Whether a part of that extent is shown whole."""
    return html.size < ROOM and length_on_the_wire(html) < ROOM_ON_THE_WIRE


def _message(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, now: datetime, items: list[Item], shown_here: int
) -> EmailMultiAlternatives:
    phrases = phrases_of(digest, subscriber, shelf, [item.paper for item in items], shown_here)
    token = links.manage_token(subscriber, now)
    shown = {item.paper.pk for item in items}
    offers = offers_of(subscriber, shelf, [p for p in digest.picks if p["paper"] in shown])
    context = {
        **{name: say(*facts) for name, (say, *facts) in phrases.items()},
        **surroundings(digest, subscriber, shelf, now),
        "items": items[:shown_here],
        "follow_ups": follow_ups_of(digest, shelf),
        "changes": [(offer.words, offer.address(token)) for offer in offers],
    }
    stream = stream_of(digest, subscriber.language)
    key, made_at = f"digest-{digest.pk}", digest.planned_at
    return message_to(subscriber, "digest", context, now=now, key=key, made_at=made_at, listed=True, stream=stream)


def stream_of(digest: Digest, language: str) -> str:
    """What providers count complaints by."""
    return f"{digest.day}:{digest.cadence}:{language}"


def surroundings(digest: Digest, subscriber: Subscriber, shelf: Shelf, now: datetime) -> dict[str, str]:
    """What the templates show that is the same, but for tokens, for all readers of a language and some days."""
    covers = len(shelf.days_of(digest)) > 1
    token = links.manage_token(subscriber, now)
    return {
        "freshness": _freshness(shelf.edition_of(digest), several=covers),
        "web_words": _("The last day's list on the web") if covers else _("This day on the web"),
        "list_words": _("See the last day's whole list on the web") if covers else _("See the whole list on the web"),
        "web_url": links.absolute(reverse("day", args=[digest.content_to or digest.day])),
        "reader_url": links.absolute(reverse("reader", args=[token])),
        "preferences_url": links.absolute(reverse("preferences", args=[token])),
        # One token a mail: the paper and the word are parts of the path.
        "feedback_url": feedback_url(links.feedback_token(subscriber, now)),
        "more_url": links.absolute(reverse("own-digest", args=[token, digest.day])),
    }


def phrases_of(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, papers: Sequence[Paper], shown_here: int
) -> dict[str, Phrase]:
    """What the templates show that differs from reader to reader, by its name there, not said yet.

    ``papers`` are all of the digest, of which the mail shows the first ``shown_here``.
    """
    edition = shelf.edition_of(digest)
    weekly = digest.cadence == Digest.Cadence.WEEKLY
    beside = (preheader, *(paper.title for paper in papers[1:3]))
    return {
        "subject_line": (subject_line, papers[0].title, len(papers)),
        "preheader": beside if len(papers) > 1 else (lone_preheader, papers[0], digest.day),
        "heading": (sentences.heading, len(papers), digest.day, shelf.days_of(digest), weekly),
        "order": (sentences.order_line, len(papers), edition.counted_at if edition else None),
        "more": (sentences.more_line, len(papers) - shown_here),
        **own_phrases_of(digest, subscriber, shelf),
    }


def own_phrases_of(digest: Digest, subscriber: Subscriber, shelf: Shelf) -> dict[str, Phrase]:
    """Those of them in which no paper has a part."""
    zone = schedule.zone_of(subscriber.zone)
    confirmed = subscriber.confirmed_at and subscriber.confirmed_at.astimezone(zone).date()
    paused = subscriber.paused_until if digest.pk in shelf.after_pause else None
    return {
        "pause_ended": (_pause_ended, paused.astimezone(zone).date() if paused else None),
        "because": (_because, confirmed),
        "next_digest": (_next_digest, subscriber.next_due_at, subscriber.zone),
    }


def subject_line(title: str, papers: int) -> str:
    """The top paper's title, and how many more: the first 30 characters, which every client shows, are the news."""
    # Nothing is left of a title of direction marks alone, which an editor may have typed.
    title, more = " ".join(undirected(title).split()) or _("A paper without a title"), papers - 1
    if not more:
        return sentences.foreign(short_title(title, sentences.room_for(title, SUBJECT_LENGTH)))
    values = {"more": sentences.number(more)}
    words = ngettext("%(title)s, and %(more)s more", "%(title)s, and %(more)s more", more)
    title = short_title(title, sentences.room_for(title, SUBJECT_LENGTH) - len(words % {"title": "", **values}))
    if not title[-1:].isalnum():  # a comma after "…" or "?" looks like a slip
        words = ngettext("%(title)s and %(more)s more", "%(title)s and %(more)s more", more)
    return words % {"title": sentences.foreign(title), **values}


def short_title(title: str, room: int) -> str:
    """The title; where that is too long what stands before its colon, which most papers have; else its first words."""
    name = title.partition(": ")[0]
    return name if len(title) > room and SHORTEST_NAME <= len(name) <= room else shorten(title, room)


def preheader(*titles: str) -> str:
    """What stands beside the subject in the list of mails, from 40 to 90 characters: the second paper, and the third.

    A mail of two papers gives one title.
    """
    shortest, longest = PREHEADER
    words = _("Then: %(titles)s")
    room = longest - len(words % {"titles": ""})
    said = words % {"titles": " · ".join(_fitting(title, room // len(titles)) for title in titles)}
    return said if len(said) >= shortest else f"{said} ({sentences.order_line(len(titles) + 1, None)})"


def _fitting(title: str, room: int) -> str:
    title = undirected(title)
    return sentences.foreign(shorten(title, sentences.room_for(title, room)))


def lone_preheader(paper: Paper, day: date) -> str:
    """The same of a mail with one paper."""
    said = _("The one new paper for you on %(day)s.") % {"day": sentences.day_in_words(day)}
    more = f"{said} {sentences.facts_line(paper)}".strip()
    return more if len(more) <= PREHEADER[1] else said


def feedback_url(token: str) -> str:
    """What stands before a paper's number and the word: a mail has twenty such links, and reverse() is slow."""
    return links.absolute(reverse("feedback", args=[token, 0, "more"])).removesuffix("0/more/")


def _freshness(edition: Edition | None, *, several: bool) -> str:
    said = sentences.freshness_lines(edition.standing_on, edition.day) if edition else []
    words = _("Sources of the last day: %(sources)s.") if several else _("Sources: %(sources)s.")
    return words % {"sources": _("; ").join(said)} if said else ""


def _pause_ended(day: date | None) -> str:
    words = _("Your pause ended on %(day)s, and your digests go on.")
    return words % {"day": sentences.day_in_words(day)} if day else ""


def _because(confirmed: date | None) -> str:
    if confirmed is None:
        return _("You get this because you subscribed.")
    day = as_text(confirmed, pgettext("date format", "j F Y"))
    return _("You get this because you subscribed, and confirmed on %(day)s.") % {"day": day}


def _next_digest(due_at: datetime | None, zone: str) -> str:
    if due_at is None:
        return ""
    known = schedule.zone_of(zone)
    due = due_at.astimezone(known)
    values = {
        "day": sentences.day_in_words(due),
        "hour": as_text(due, pgettext("date format", "H:i")),
        "zone": known.key,
    }
    return _("Your next digest: %(day)s, %(hour)s (%(zone)s).") % values
