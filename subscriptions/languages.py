"""Which language a reader gets, and lists of words in it."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext

from subscriptions.models import Subscriber


def of(reader: Subscriber) -> str:
    """The code of the reader's language; the default where that one is not on offer any more."""
    return offered(reader.language)


def offered(code: str) -> str:
    """The code, or the default's where that language is not on offer."""
    return code if code in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def choices(kept: str) -> list[tuple[str, str]]:
    """The languages on offer for a form, and ``kept``, which the reader has, where that is none of them any more."""
    if not kept or kept in dict(settings.LANGUAGES):
        return [*settings.LANGUAGES]
    return [*settings.LANGUAGES, (kept, gettext("%(language)s (not on offer any more)") % {"language": kept})]


def listed(words: Iterable[str | Promise]) -> str:
    """The words as a list in the active language: "Monday, Tuesday"."""
    return gettext(", ").join(str(word) for word in words)
