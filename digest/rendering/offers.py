"""What a mail offers to change with one press."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from digest.rendering.sentences import foreign
from digest.rendering.shelf import Shelf
from subscriptions import links
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Subscriber

MUTES = 3  # topics that a mail offers to mute: more would be a list of its own


class Offer(NamedTuple):
    """One change: the name of its page, and the topic that it is about."""

    page: str
    topic: int | None = None
    name: str = ""

    @property
    def words(self) -> str:
        """What the link says."""
        match self.page:
            case "fewer":
                return _("Fewer papers")
            case "weekly":
                return _("Weekly instead")
            case "pause":
                return _("Pause")
            case _mute:
                return _("Mute %(topic)s") % {"topic": foreign(self.name)}

    def address(self, token: str) -> str:
        """The page, which asks before it changes anything."""
        return links.absolute(reverse(self.page, args=[token, *filter(None, [self.topic])]))


def offers_of(subscriber: Subscriber, shelf: Shelf, picks: Iterable[Mapping[str, Any]]) -> list[Offer]:
    """What fits this reader, and to mute the first topics that these papers are there for; no words twice."""
    muted: dict[str, Offer] = {}
    for p in picks:
        for reason in p.get("why", ()):
            name = shelf.topics.get(reason.get("topic"))
            if name and name not in muted and len(muted) < MUTES:
                muted[name] = Offer("mute", reason["topic"], name)
    return [*own_offers(subscriber), *muted.values()]


def own_offers(subscriber: Subscriber) -> tuple[Offer, ...]:
    """Those of them that any mail to this reader makes."""
    fewer = (Offer("fewer"),) if subscriber.paper_limit > min(LIMITS) else ()
    weekly = () if subscriber.is_weekly else (Offer("weekly"),)
    return (*fewer, *weekly, Offer("pause"))
