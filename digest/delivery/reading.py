"""Claimed digests with their readers, as far as a mail needs them."""

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from digest.models import Digest
from digest.rendering.press import SharedPicks

# A quarter of the time of reading a row goes into instants that no mail says.
NOT_IN_A_MAIL = (
    *("planned_by", "free_at", "reason", "provider_id", "folded", "due_at"),
    *("subscriber__created_at", "subscriber__last_due_at", "subscriber__asked_at", "subscriber__moved_at"),
    *("subscriber__left_at", "subscriber__erase_asked_at"),
)
# Half of it goes into these. They come as text: what many rows have in common is understood once.
AS_TEXT = ("picks", "follow_ups")


def read_digests(ids: Sequence[int]) -> list[Digest]:
    """The digests of these ids in their order, ``subscriber`` loaded, in one query. Equal picks are one object.

    Picks that are no list stay what they are: whoever uses them finds out. Raises ValueError where they are no JSON,
    which only SQLite can hold.
    """
    if not ids:
        return []
    texts = {f"{name}_text": Cast(name, TextField()) for name in AS_TEXT}
    rows = Digest.objects.filter(pk__in=ids).select_related("subscriber").order_by("pk")
    known: dict[str, Any] = {}
    digests = list(rows.defer(*NOT_IN_A_MAIL, *AS_TEXT).annotate(**texts))
    for digest in digests:
        for name in AS_TEXT:
            setattr(digest, name, _read(digest.__dict__.pop(f"{name}_text"), known))
    return digests


def _read(text: str, known: dict[str, Any]) -> Any:
    if text not in known:
        found = json.loads(text)
        known[text] = SharedPicks(found, text) if isinstance(found, list) else found
    return known[text]
