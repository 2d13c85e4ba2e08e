"""Addresses of pages with a token in them, as they stand in mails: absolute, from SITE_URL."""

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


def read(purpose: Purpose, token: str, now: datetime) -> Token | None:
    """What a link's token says, or None where it is not ours."""
    keys = settings.LINK_KEYS
    if purpose is Purpose.UNSUBSCRIBE:
        keys = [*keys, *settings.RETIRED_LINK_KEYS]
    return tokens.read(purpose, token, now, keys)


def _make(purpose: Purpose, id: int, now: datetime) -> str:  # noqa: A002
    return tokens.make(purpose, id, now, settings.LINK_KEYS)
