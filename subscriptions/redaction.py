"""Takes addresses out of what providers say, so that their reports can be kept and shown."""

import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from django.utils.datastructures import MultiValueDict

from subscriptions import addresses
from subscriptions.emails import sending_domain

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_TEXT = 2_000
MAX_CHARACTERS = 12_000  # of one payload, before JSON's own signs
ANYBODY = "<address>"
# How the sign between name and domain is spelt: in URLs (once and twice encoded), quoted-printable, JSON.
_SIGN = r"(?:@|＠|%40|%2540|=40|\\u0040)"
# Bounded, so that a long line without any costs linear time. The "=" belongs to VERP: bounce+name=domain@us.
_ADDRESS = re.compile(
    rf"(?:\"[^\"]{{0,64}}\"|[^\s<>\"'(),;:\[\]@]{{0,128}}){_SIGN}[^\s<>\"'(),;:\[\]]{{0,255}}", re.IGNORECASE
)


@dataclass(frozen=True)
class Recipient:
    """Whom a report is about, and the word that stands for the address in what is kept."""

    email: str  # lower case; empty where the report does not say
    name: str = ""

    @cached_property
    def spellings(self) -> re.Pattern[str] | None:
        """The address in any case and encoding, also in VERP (name=domain)."""
        local, sign, domain = self.email.rpartition("@")
        if not sign:
            return None
        between = rf"(?:{_SIGN}|=|\s?[\[(]at[\])]\s?|\s+at\s+)"
        return re.compile(_spelt(local) + between + _spelt(domain), re.IGNORECASE)

    @cached_property
    def name_alone(self) -> re.Pattern[str] | None:
        """What stands before the @, as a word: servers say "unknown user maria.lopez". Short ones are any word."""
        local = self.email.rpartition("@")[0]
        return re.compile(rf"(?<![\w.+-]){_spelt(local)}(?![\w+-])", re.IGNORECASE) if len(local) >= 5 else None


def recipient_address(text: Any) -> str:
    """The bare address of a report's recipient, as our rows have it; "" where there is none."""
    if not isinstance(text, str) or not text.strip():
        return ""
    bare = parseaddr(legible(text))[1] or legible(text)
    try:
        return addresses.clean(bare)
    except ValueError:
        return bare.strip().lower() if "@" in bare else ""


def legible(text: str) -> str:
    """What every database takes: without null bytes and half surrogates (PostgreSQL refuses both)."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def redacted(text: str, recipient: Recipient) -> str:
    """The text without any address; our own Message-IDs (NAME-NUMBER.HEX at our domain) stay."""
    text = html.unescape(legible(text[:MAX_TEXT]))
    if recipient.spellings:
        parts = recipient.spellings.split(text)
        if recipient.name_alone:
            parts = [recipient.name_alone.sub(ANYBODY, part) for part in parts]
        text = recipient.name.join(parts)
    text = _ADDRESS.sub(lambda found: found[0] if _is_our_message_id(found[0]) else ANYBODY, text)
    if recipient.spellings and recipient.spellings.search(unquote(unquote(text))):
        return ANYBODY  # spelt in a way that nobody thought of
    return text


def payload(value: Any, recipient: Recipient) -> Any:
    """The provider's own event as JSON values without any address, of at most MAX_BYTES."""
    kept = _Walk(recipient).taken(value, 0)
    size = len(json.dumps(kept))
    return kept if size <= MAX_BYTES else {"too_large": size}


class _Walk:
    """One pass over a payload, which ends when enough was kept."""

    def __init__(self, recipient: Recipient) -> None:
        self.recipient = recipient
        self.left = MAX_CHARACTERS

    def taken(self, value: Any, depth: int) -> Any:
        self.left -= 4  # signs between values: a million empty lists end as well
        if depth > MAX_DEPTH:
            return "..."
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, MultiValueDict):
            return self._dict(value.lists(), depth)
        if isinstance(value, Mapping):
            return self._dict(value.items(), depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._list(value, depth)
        if _is_plain_number(value):
            return value
        return self._text(value)

    def _dict(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        kept = {}
        for key, value in items:
            if self.left <= 0:
                break
            kept[self._text(key)] = self.taken(value, depth + 1)
        return kept

    def _list(self, values: Iterable[Any], depth: int) -> list[Any]:
        kept = []
        for value in values:
            if self.left <= 0:
                break
            kept.append(self.taken(value, depth + 1))
        return kept

    def _text(self, value: Any) -> str:
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str):
            value = str(value) if _is_plain_number(value) else f"<{type(value).__name__}>"
        text = redacted(value, self.recipient)[: max(self.left, 0)]
        self.left -= max(len(text), min(len(value), MAX_TEXT))
        return text


def _is_plain_number(value: Any) -> bool:
    """Whether every reader of JSON agrees on it: no NaN, no integer of a thousand digits."""
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, int) and value.bit_length() <= 63


def _spelt(part: str) -> str:
    """A pattern for a part of an address: letters as they are, signs also percent-encoded or quoted-printable."""
    return "".join(
        character if character.isalnum() else rf"(?:{re.escape(character)}|(?:%25|%|=){ord(character):02x})"
        for character in part
    )


def mail_of_message_id(text: str) -> str:
    """The name of the mail ("digest-17") whose Message-ID this is, with its brackets or without; "" if not ours."""
    bare = text.strip().removeprefix("<").removesuffix(">")
    return bare.partition("@")[0] if _is_our_message_id(bare) else ""


def _is_our_message_id(text: str) -> bool:
    domains = "|".join(re.escape(sending_domain(listed)) for listed in (True, False))
    return re.fullmatch(rf"[a-z]{{2,20}}-[0-9]{{1,18}}(?:\.[0-9a-f]{{16}})?@(?:{domains})", text) is not None
