"""A Digest row -> subject, text and HTML; also what the web and the admin's preview show."""

from digest.rendering.items import BLURB_LENGTH, FollowUp, Item, follow_ups_of, item, items_of
from digest.rendering.message import digest_message
from digest.rendering.press import Press
from digest.rendering.sentences import authors_line, day_in_words, days_in_words, freshness_lines
from digest.rendering.shelf import Shelf

__all__ = [
    "BLURB_LENGTH",
    "FollowUp",
    "Item",
    "Press",
    "Shelf",
    "authors_line",
    "day_in_words",
    "days_in_words",
    "digest_message",
    "follow_ups_of",
    "freshness_lines",
    "item",
    "items_of",
]
