"""The mail of a published day as anybody may see it: rendered and linted once, and remembered for a while.

It is remembered under the edition as it is shown at this moment, and under nothing that a visitor can choose.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.core.cache import cache

from digest import preview
from digest.lint.findings import Finding
from digest.models import Edition
from digest.preflight import linted
from subscriptions.page_limits import unless_away

T = TypeVar("T")
REMEMBERED = timedelta(minutes=10)
Admit = Callable[[], bool]


class TooMany(Exception):  # noqa: N818 - what the page says
    """Enough was computed for this network."""


def mail_of(edition: Edition, admit: Admit) -> bytes:
    """The mail as it goes to a new reader without topics. Two queries where it is remembered.

    Raises TooMany where it is not and ``admit`` says no, and ValueError where the edition has no paper to show.
    """
    key = _key_of(edition)
    raw: bytes | None = unless_away(lambda: cache.get(f"{key}:mail"), None)
    if raw is None:
        raw = _admitted(admit, lambda: preview.archived(edition).mail.raw)
        _remember(f"{key}:mail", raw)
    return raw


def findings_on(edition: Edition, raw: bytes, admit: Admit) -> list[Finding]:
    """What the linter says of that mail. Raises TooMany."""
    key = f"{_key_of(edition)}:findings"
    found: list[Finding] | None = unless_away(lambda: cache.get(key), None)
    if found is None:
        found = _admitted(admit, lambda: linted(raw))
        _remember(key, found)
    return found


def _admitted(admit: Admit, compute: Callable[[], T]) -> T:
    if not admit():
        raise TooMany
    return compute()


def _remember(key: str, value: object) -> None:
    unless_away(lambda: cache.set(key, value, timeout=REMEMBERED.total_seconds()), None)


def _key_of(edition: Edition) -> str:
    """Names the edition as it is: approved, held, hidden, withdrawn, reordered, with these blurbs."""
    shown = edition.entries.shown().order_by("position", "pk").values_list("paper", "blurb")
    said = json.dumps(
        [edition.pk, edition.state, edition.approved_at, edition.relevance_model_id, list(shown)], default=str
    )
    return f"archive:{hashlib.sha256(said.encode()).hexdigest()}"
