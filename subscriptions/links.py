"""Addresses of pages with a token in them, as they stand in mails: absolute, from SITE_URL."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from subscriptions import tokens
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tokens import Purpose, Token


def absolute(path: str) -> str:
    """A path of this site as a link for a mail."""
    return f"{settings.SITE_URL}{path}"


def confirm_path(request: SignupRequest, now: datetime) -> str:
    """The page with the Confirm button for one sign-up."""
    return reverse("confirm", args=[tokens.make(Purpose.CONFIRM, request.pk, now, settings.LINK_KEYS)])


def manage_token(subscriber: Subscriber, now: datetime) -> str:
    """Opens the reader's own pages for 30 days."""
    return tokens.make(Purpose.MANAGE, subscriber.pk, now, settings.LINK_KEYS)


def unsubscribe_path(subscriber: Subscriber, now: datetime) -> str:
    """The unsubscribe page, which is also the one-click address. Never expires."""
    return reverse("unsubscribe", args=[tokens.make(Purpose.UNSUBSCRIBE, subscriber.pk, now, settings.LINK_KEYS)])


def read(purpose: Purpose, token: str, now: datetime) -> Token | None:
    """What a link's token says, or None where it is not ours."""
    return tokens.read(purpose, token, now, settings.LINK_KEYS)
