"""Links in mails: an id, a minute and 128 bits of HMAC-SHA256, in base62, with one key per purpose.

A token of one purpose is noise to every other. Keys come from LINK_KEYS, apart from SECRET_KEY: the first signs, all
of them verify, so a new key is put in front and no link that was mailed dies. RETIRED_LINK_KEYS verify unsubscribe
links only, for ever: a key that leaked, or is only old, goes there, and all its other links die.
"""

import hmac
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
ID_BYTES, MINUTE_BYTES, MAC_BYTES = 5, 3, 16  # ids to 10^12, minutes to 2051
NOBODY = 0  # the id in the links of a mail that only shows what mails look like
LENGTH = 33  # base62 digits that 24 bytes need
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]  # two digits for the price of one division


class Purpose(StrEnum):
    """What a link may do. The value is part of the key, so it must never change."""

    CONFIRM = "confirm"
    MANAGE = "manage"
    UNSUBSCRIBE = "unsubscribe"
    LEFT = "left"  # undo and reason, after leaving
    FRESH = "fresh"  # export, erase, change of address
    MOVE = "move"  # the new address confirms
    FEEDBACK = "feedback"  # more or less like a paper, or save it
    BOUNCE = "bounce"  # no link: the code in an envelope sender (subscriptions.envelopes)


# None: a digest found years later must still let its reader leave.
LIFETIME: dict[Purpose, timedelta | None] = {
    Purpose.CONFIRM: timedelta(hours=72),
    Purpose.MANAGE: timedelta(days=30),
    Purpose.UNSUBSCRIBE: None,
    Purpose.LEFT: timedelta(hours=1),
    Purpose.FRESH: timedelta(minutes=15),
    Purpose.MOVE: timedelta(hours=72),
    Purpose.FEEDBACK: timedelta(days=90),
    Purpose.BOUNCE: None,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A genuine token: whose it is, when it was made, and whether its time is over."""

    id: int
    made_at: datetime
    expired: bool

    @property
    def name(self) -> str:
        """Names the link in a record without being one: row and minute, no signature."""
        return f"{self.id}/{self.made_at:%Y-%m-%dT%H:%M}"

    def may_name(self, created_at: datetime) -> bool:
        """Whether the row of this number that was created then can be the one that the token was made for.

        After a restored dump numbers are given out again: a token that is older than the row is another's. It knows
        its minute only, so one of the minute of the creation is good.
        """
        return self.made_at >= created_at.replace(second=0, microsecond=0)


def make(purpose: Purpose, id: int, now: datetime, keys: Sequence[str]) -> str:  # noqa: A002
    """A token of 33 base62 characters for row ``id``. Raises OverflowError for an id above 2^40."""
    minute = int((now - EPOCH).total_seconds() // 60)
    body = id.to_bytes(ID_BYTES, "big") + minute.to_bytes(MINUTE_BYTES, "big")
    return _base62(body + _mac(purpose, body, keys[0]))


def read(purpose: Purpose, token: str, now: datetime, keys: Sequence[str]) -> Token | None:
    """What ``token`` says, or None where it is forged, cut, or made for another purpose."""
    raw = _bytes(token)
    if raw is None:
        return None
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not any(hmac.compare_digest(mac, _mac(purpose, body, key)) for key in keys):
        return None
    made_at = EPOCH + timedelta(minutes=int.from_bytes(body[ID_BYTES:], "big"))
    lifetime = LIFETIME[purpose]
    return Token(
        id=int.from_bytes(body[:ID_BYTES], "big"),
        made_at=made_at,
        expired=lifetime is not None and now >= made_at + lifetime,
    )


def _mac(purpose: Purpose, body: bytes, key: str) -> bytes:
    return hmac.digest(own_key(purpose, key), body, "sha256")[:MAC_BYTES]


@lru_cache(maxsize=64)
def own_key(purpose: Purpose, key: str) -> bytes:
    """The key of one purpose: what is made with it is noise to every other."""
    return hmac.digest(key.encode(), b"daily-papers/" + purpose.encode(), "sha256")


def _base62(raw: bytes) -> str:
    number, pairs = int.from_bytes(raw, "big"), []
    while number:
        number, pair = divmod(number, 62 * 62)
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    return "".join(pairs).rjust(LENGTH, ALPHABET[0])[-LENGTH:]


def _bytes(token: str) -> bytes | None:
    if len(token) != LENGTH or not token.isascii() or not token.isalnum():
        return None
    number = 0
    for character in token:
        number = number * 62 + ALPHABET.index(character)
    size = ID_BYTES + MINUTE_BYTES + MAC_BYTES
    return number.to_bytes(size, "big") if number < 256**size else None
