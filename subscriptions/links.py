"""Addresses of pages with a token in them, as they stand in mails: absolute, from SITE_URL; and who opens them.

``read_reader`` and ``read_request`` are the only ways from a token to a row (a test holds that): a token that is older
than the row with its number was made for another row, which a restored dump has forgotten.
"""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from subscriptions import tokens
from subscriptions.addresses import masked
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tokens import Purpose, Token


def absolute(path: str) -> str:
    """A path of this site as a link for a mail."""
    return f"{settings.SITE_URL}{path}"


def masked_of(request: SignupRequest) -> str:
    """The address that a request is about, as far as a page may show it."""
    return masked(request.email)


def confirm_path(request: SignupRequest, now: datetime) -> str:
    """The page with the Confirm button for one sign-up."""
    return reverse("confirm", args=[_make(Purpose.CONFIRM, request.pk, now)])


def not_me_path(request: SignupRequest, now: datetime) -> str:
    """The page on which an address that was typed by somebody else says so."""
    return reverse("not-me", args=[_make(Purpose.CONFIRM, request.pk, now)])


def move_path(request: SignupRequest, now: datetime) -> str:
    """The page on which a new address says that it is to be used."""
    return reverse("move", args=[_make(Purpose.MOVE, request.pk, now)])


def fresh_path(request: SignupRequest, now: datetime) -> str:
    """The reader's own data: export, erase, another address. For 15 minutes."""
    return reverse("own-data", args=[_make(Purpose.FRESH, request.pk, now)])


def manage_token(subscriber: Subscriber, now: datetime) -> str:
    """Opens the reader's own pages for 30 days."""
    return _make(Purpose.MANAGE, subscriber.pk, now)


def feedback_token(subscriber: Subscriber, now: datetime) -> str:
    """Says more or less like a paper or saves it, no more, for 90 days: a forwarded mail gives nothing else away."""
    return _make(Purpose.FEEDBACK, subscriber.pk, now)


def unsubscribe_path(subscriber: Subscriber, now: datetime) -> str:
    """The unsubscribe page, which is also the one-click address. Never expires."""
    return reverse("unsubscribe", args=[_make(Purpose.UNSUBSCRIBE, subscriber.pk, now)])


def left_path(subscriber: Subscriber, now: datetime) -> str:
    """The page after leaving, with Undo and one question. For an hour."""
    return reverse("left", args=[_make(Purpose.LEFT, subscriber.pk, now)])


def read_reader(purpose: Purpose, token: str, now: datetime) -> tuple[Token | None, Subscriber | None]:
    """What a link's token says, and the reader whom it was made for: of MANAGE, FEEDBACK, UNSUBSCRIBE and LEFT.

    No token where it is not ours. No reader where that reader is gone, also where the number is another's by now, and
    in the links of a specimen (NOBODY).
    """
    told = read(purpose, token, now)
    reader = Subscriber.objects.filter(pk=told.id).first() if told else None
    return told, reader if told and reader and told.may_name(reader.created_at) else None


def read_request(purpose: Purpose, token: str, now: datetime) -> tuple[Token | None, SignupRequest | None]:
    """What a link's token says, and the request that it was made for, with its reader: of CONFIRM, MOVE and FRESH.

    As ``read_reader``: no request where it is forgotten, or where the number is another request's by now.
    """
    told = read(purpose, token, now)
    asked = SignupRequest.objects.select_related("subscriber").filter(pk=told.id).first() if told else None
    return told, asked if told and asked and told.may_name(asked.created_at) else None


def read(purpose: Purpose, token: str, now: datetime) -> Token | None:
    """What a token says of itself, or None where it is not ours. Whose row it names is not known by that."""
    keys = settings.LINK_KEYS
    if purpose is Purpose.UNSUBSCRIBE:
        keys = [*keys, *settings.RETIRED_LINK_KEYS]
    return tokens.read(purpose, token, now, keys)


def _make(purpose: Purpose, id: int, now: datetime) -> str:  # noqa: A002
    return tokens.make(purpose, id, now, settings.LINK_KEYS)
