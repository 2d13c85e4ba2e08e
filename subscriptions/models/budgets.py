"""What the guard counts."""

from django.db import models
from django.db.models import Q


class Budget(models.Model):
    """How many letters or previews one key was granted and refused in one minute.

    A key is a keyed hash of an address, a domain, a network or a login name.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address"
        DOMAIN = "domain", "domain of strangers"
        REMINDER = "reminder", "already subscribed"
        NETWORK = "network"
        WIDE_NETWORK = "wide network", "wide network (/24, /48)"
        SITE = "site"
        PREVIEW = "preview"
        LOGIN = "sign-in", "sign-in: one name from one network"
        LOGIN_NAME = "sign-in name", "sign-in: one name"
        LOGIN_NETWORK = "sign-in net", "sign-in: network"
        LOGIN_WIDE_NETWORK = "sign-in wide", "sign-in: wide network (/24, /48)"

    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=64)
    minute = models.DateTimeField(help_text="UTC, to the minute.")
    granted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key", "minute"], name="one_budget_per_key_and_minute")]
        indexes = [
            models.Index(fields=["minute"], name="budget_minute"),
            models.Index(fields=["minute", "id"], name="budget_refused", condition=Q(refused__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key[:8]}"


class Breaker(models.Model):
    """A time in which confirmation mails are held, since those before were not confirmed. One is open at most."""

    is_open = models.BooleanField(default=True)
    opened_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=Q(is_open=True), name="one_open_breaker"),
        ]

    def __str__(self) -> str:
        return f"breaker {self.pk}"
