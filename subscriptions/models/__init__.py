"""Readers: who wants what and when."""

from subscriptions.models.budgets import Breaker, Budget
from subscriptions.models.clock import ClockShift
from subscriptions.models.consent import ConsentEvent, Wording
from subscriptions.models.readers import Interest, Subscriber, SubscriberQuerySet, validate_zone
from subscriptions.models.requests import SignupRequest
from subscriptions.models.stops import MailEvent, Suppression
from subscriptions.models.topics import Topic

__all__ = [
    "Breaker",
    "Budget",
    "ClockShift",
    "ConsentEvent",
    "Interest",
    "MailEvent",
    "SignupRequest",
    "Subscriber",
    "SubscriberQuerySet",
    "Suppression",
    "Topic",
    "Wording",
    "validate_zone",
]
