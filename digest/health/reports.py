"""What providers reported that nobody here understands."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count, Min

from digest.health.verdict import Verdict, ok, warning
from subscriptions.esp_events import UNREADABLE
from subscriptions.models import MailEvent

NAMED = 5  # words that are named, the most frequent first
REMEDY = (
    "Look at them in the admin, Mail events, and see whether readers have to be stopped by hand. A newer version may "
    "know the word; else report it with the provider's page of events."
)


def not_understood() -> Verdict:
    """Reports of the last ninety days whose word is in no table, or that could not be read: which, and since when."""
    rows = MailEvent.objects.filter(known=False).values("esp", "native", "kind")
    found = rows.annotate(number=Count("pk"), since=Min("received_at")).order_by("-number", "esp", "native", "kind")
    name = "Reports"
    if not found:
        return ok(name, "what the provider reported in the last 90 days was understood")
    total = sum(entry["number"] for entry in found)
    said = "; ".join(_named(found[:NAMED]))
    more = "" if len(found) <= NAMED else f"; and {len(found) - NAMED} other words"
    return warning(name, f"{total:,} are not understood: {said}{more}", REMEDY)


def _named(entries: Iterable[Any]) -> Iterator[str]:
    for entry in entries:
        what = f"{entry['native'] or 'no word'}{', unreadable' if entry['kind'] == UNREADABLE else ''}"
        yield f"{entry['esp']} {what} ({entry['number']}, since {entry['since']:%Y-%m-%d})"
