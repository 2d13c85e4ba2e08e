"""The mail of a Digest row."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import translation
from django.utils.dateformat import format as as_text
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from digest.models import Digest, Edition
from digest.rendering import sentences
from digest.rendering.items import WHOLE, Item, Lengths, follow_ups_of, items_of, shown_picks
from digest.rendering.shelf import Shelf
from digest.text import shorten
from subscriptions import languages, links
from subscriptions.emails import encoded_length, message_to
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Subscriber

MUTES = 3  # topics that a mail offers to mute: more would be a list of its own
SHORTEST_NAME = 4  # characters of a title before its colon that say enough
SUBJECT_LENGTH = 50  # phones show about 40; mutt in 80 columns 42
PREHEADER = 40, 90  # characters: shorter ones are filled up with the mail's first words, longer ones are cut
# Gmail cuts a mail at 102 KB, footer first. Where the papers are too much for that, they are told in fewer words.
ROOM, ROOM_ON_THE_WIRE = 80_000, 95_000  # octets of the HTML part
FEWER_WORDS = (WHOLE, Lengths(blurb=160), Lengths(title=120, blurb=80), Lengths(title=80, blurb=0))


def digest_message(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, *, now: datetime, without: Iterable[int] = ()
) -> EmailMultiAlternatives:
    """The mail of a digest in its reader's language, not sent. Raises ValueError where no paper is left to show."""
    without = frozenset(without)
    if not shown_picks(digest, shelf, without):
        raise ValueError("no paper is left in this digest")
    with translation.override(languages.of(subscriber)):
        for lengths in FEWER_WORDS:
            message = _message(digest, subscriber, shelf, now, items_of(digest, shelf, without, lengths=lengths))
            if all(_fits(str(html)) for html, _type in message.alternatives):
                break
    return message


def _fits(html: str) -> bool:
    return len(html.encode()) < ROOM and encoded_length(html) < ROOM_ON_THE_WIRE


def _message(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, now: datetime, items: list[Item]
) -> EmailMultiAlternatives:
    edition = shelf.editions.get(digest.content_to) if digest.content_to else None
    weekly = digest.cadence == Digest.Cadence.WEEKLY
    days = shelf.days_of(digest)
    covers = len(days) > 1
    token = links.manage_token(subscriber, now)
    context = {
        "subject_line": subject_line(items),
        "preheader": preheader(items, digest.day),
        "heading": sentences.heading(len(items), digest.day, days, weekly=weekly),
        "order": sentences.order_line(len(items), edition.counted_at if edition else None),
        "freshness": _freshness(edition, several=covers),
        "web_words": _("The last day's list on the web") if covers else _("This day on the web"),
        "list_words": _("See the last day's whole list on the web") if covers else _("See the whole list on the web"),
        "pause_ended": _pause_ended(subscriber) if digest.pk in shelf.after_pause else "",
        "items": items,
        "follow_ups": follow_ups_of(digest, shelf),
        "web_url": links.absolute(reverse("day", args=[digest.content_to or digest.day])),
        "reader_url": links.absolute(reverse("reader", args=[token])),
        "preferences_url": links.absolute(reverse("preferences", args=[token])),
        # One token a mail: the paper and the word are parts of the path.
        "feedback_url": _feedback_url(links.feedback_token(subscriber, now)),
        "changes": _changes(digest, subscriber, shelf, token, [item.paper.pk for item in items]),
        "because": _because(subscriber),
        "next_digest": _next_digest(subscriber),
    }
    stream = f"{digest.day}:{digest.cadence}:{subscriber.language}"
    return message_to(subscriber, "digest", context, now=now, key=f"digest-{digest.pk}", listed=True, stream=stream)


def subject_line(items: Sequence[Item]) -> str:
    """The top paper's title, and how many more: the first 30 characters, which every client shows, are the news."""
    more = len(items) - 1
    if not more:
        return short_title(items[0].paper.title, SUBJECT_LENGTH)
    values = {"more": sentences.number(more)}
    words = ngettext("%(title)s, and %(more)s more", "%(title)s, and %(more)s more", more)
    room = SUBJECT_LENGTH - len(words % {"title": "", **values})
    title = short_title(items[0].paper.title, room)
    if not title[-1:].isalnum():  # a comma after "…" or "?" looks like a slip
        words = ngettext("%(title)s and %(more)s more", "%(title)s and %(more)s more", more)
    return words % {"title": title, **values}


def short_title(title: str, room: int) -> str:
    """The title; where that is too long what stands before its colon, which most papers have; else its first words."""
    name = title.partition(": ")[0]
    return name if len(title) > room and SHORTEST_NAME <= len(name) <= room else shorten(title, room)


def preheader(items: Sequence[Item], day: date) -> str:
    """What stands beside the subject in the list of mails: the next papers, from 40 to 90 characters."""
    shortest, longest = PREHEADER
    if len(items) == 1:
        said = _("The one new paper for you on %(day)s.") % {"day": sentences.day_in_words(day)}
        more = f"{said} {items[0].facts}".strip()
        return more if len(more) <= longest else said
    words = _("Then: %(titles)s")
    room = longest - len(words % {"titles": ""})
    titles = [shorten(item.paper.title, room if len(items) == 2 else room // 2) for item in items[1:3]]
    said = words % {"titles": " · ".join(titles)}
    return said if len(said) >= shortest else f"{said} ({sentences.order_line(len(items), None)})"


def _feedback_url(token: str) -> str:
    """What stands before a paper's number and the word: a mail has twenty such links, and reverse() is slow."""
    return links.absolute(reverse("feedback", args=[token, 0, "more"])).removesuffix("0/more/")


def _freshness(edition: Edition | None, *, several: bool) -> str:
    said = sentences.freshness_lines(edition.standing_on, edition.day) if edition else []
    words = _("Sources of the last day: %(sources)s.") if several else _("Sources: %(sources)s.")
    return words % {"sources": _("; ").join(said)} if said else ""


def _pause_ended(subscriber: Subscriber) -> str:
    assert subscriber.paused_until
    day = sentences.day_in_words(subscriber.paused_until.astimezone(ZoneInfo(subscriber.zone)))
    return _("Your pause ended on %(day)s, and your digests go on.") % {"day": day}


def _because(subscriber: Subscriber) -> str:
    if subscriber.confirmed_at is None:
        return _("You get this because you subscribed.")
    day = as_text(subscriber.confirmed_at.astimezone(ZoneInfo(subscriber.zone)), pgettext("date format", "j F Y"))
    return _("You get this because you subscribed, and confirmed on %(day)s.") % {"day": day}


def _next_digest(subscriber: Subscriber) -> str:
    if subscriber.next_due_at is None:
        return ""
    due = subscriber.next_due_at.astimezone(ZoneInfo(subscriber.zone))
    values = {
        "day": sentences.day_in_words(due),
        "hour": as_text(due, pgettext("date format", "H:i")),
        "zone": subscriber.zone,
    }
    return _("Your next digest: %(day)s, %(hour)s (%(zone)s).") % values


def _changes(
    digest: Digest, subscriber: Subscriber, shelf: Shelf, token: str, papers: Sequence[int]
) -> list[tuple[str, str]]:
    """What a mail offers to change with one press: (words, address), no words twice."""
    offers = {_("Pause"): reverse("pause", args=[token])}
    if not subscriber.is_weekly:
        offers = {_("Weekly instead"): reverse("weekly", args=[token]), **offers}
    if subscriber.paper_limit > min(LIMITS):
        offers = {_("Fewer papers"): reverse("fewer", args=[token]), **offers}
    reasons = (reason for p in digest.picks if p["paper"] in papers for reason in p.get("why", []))
    muted = {
        _("Mute %(topic)s") % {"topic": shelf.topics[reason["topic"]]}: reverse("mute", args=[token, reason["topic"]])
        for reason in reasons
        if reason.get("topic") in shelf.topics
    }
    return [(words, links.absolute(path)) for words, path in [*offers.items(), *list(muted.items())[:MUTES]]]
