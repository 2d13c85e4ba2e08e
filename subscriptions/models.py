"""Readers: who wants what and when."""

import hashlib
import hmac
from datetime import datetime, time
from typing import Any, Self
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q

from subscriptions import schedule

# RFC 5321 section 4.5.3.1: 64 octets, "@", 255 octets, but a path may have 256 with its brackets.
ADDRESS_LENGTH = 254


def address_hash(email: str) -> str:
    """A keyed hash of an address: finds it again without storing it. Hex, 64 characters."""
    return hmac.new(settings.ADDRESS_KEY.encode(), email.strip().lower().encode(), hashlib.sha256).hexdigest()


def validate_zone(zone: str) -> None:
    """Raise ValidationError unless ``zone`` is an IANA time zone."""
    if zone not in available_timezones():
        raise ValidationError("Choose a time zone from the list, like Europe/Berlin.")


class Topic(models.Model):
    """A field of research that readers can choose."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, help_text="One sentence: what is in it.")
    categories = models.JSONField(
        default=list,
        blank=True,
        help_text='arXiv categories that belong here without further evidence: ["cs.RO"]',
    )
    terms = models.JSONField(
        default=list,
        blank=True,
        help_text='Words and phrases, lower case, singular: ["diffusion model"]. A plural "s" matches too.',
    )
    position = models.PositiveSmallIntegerField(default=1000, help_text="Where it stands in the list of topics.")
    offered = models.BooleanField(default=True, help_text="Readers can choose it.")

    class Meta:
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Lists of strings only: anything else would break matching for every reader of the topic."""
        for name in ("categories", "terms"):
            value = getattr(self, name)
            if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
                raise ValidationError({name: 'A list of texts in double quotes, like ["one", "two"].'})


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    """Words for groups of readers. Time is an argument."""

    def active(self, at: datetime) -> Self:
        """Readers who may get a digest at ``at``: confirmed, not paused, not suppressed. The only place that knows."""
        return self.filter(
            Q(paused_until=None) | Q(paused_until__lte=at),
            ~Exists(Suppression.objects.live().filter(email_hash=OuterRef("email_hash"))),
            state=Subscriber.State.ACTIVE,
        )

    def to_change(self, pk: int) -> "Subscriber":
        """The reader's row as it is now, locked until the end of the transaction. SQLite's writers wait anyway."""
        rows = self.select_for_update() if connection.vendor == "postgresql" else self
        return rows.get(pk=pk)

    def due(self, at: datetime) -> Self:
        """Active readers whose next digest is due at ``at`` or before, the longest waiting first."""
        return self.active(at).filter(next_due_at__lte=at).order_by("next_due_at", "pk")


class Subscriber(models.Model):
    """A reader. Paused and suppressed are facts beside the state: see ``SubscriberQuerySet.active``."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        UNSUBSCRIBED = "unsubscribed"

    email = models.EmailField(max_length=ADDRESS_LENGTH, unique=True)
    email_hash = models.CharField(max_length=64, db_index=True, editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    hour = models.TimeField(default=time(7, 30), help_text="Local time of the digest.")
    weekdays = models.PositiveSmallIntegerField(default=schedule.EVERY_DAY, help_text="Bits, Monday = 1.")
    paper_limit = models.PositiveSmallIntegerField(default=10)
    only_my_topics = models.BooleanField(
        default=False, help_text="Rather no mail than one filled up with popular papers of other topics."
    )
    paused_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_day = models.DateField(null=True, editable=False)  # local date of the last digest: a day has one at most
    # Only a search key: recomputed at each change, and verified when a digest is planned.
    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_due_at", "id"],
                name="subscriber_due",
                condition=Q(state="active", next_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"reader {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the hash beside the address."""
        self.email_hash = address_hash(self.email)
        super().save(*args, **kwargs)

    @property
    def masked_email(self) -> str:
        """The address as far as a page may show it: a***@example.org."""
        local, _, domain = self.email.rpartition("@")
        return f"{local[:1]}***@{domain}"

    def reschedule(self, now: datetime) -> None:
        """Recompute ``next_due_at`` after a change. Does not save."""
        self.next_due_at = (
            schedule.next_due_after_change(
                max(now, self.paused_until or now),
                self.last_due_at,
                self.last_day,
                at=self.hour,
                zone=self.zone,
                mask=self.weekdays,
            )
            if self.state == self.State.ACTIVE
            else None
        )


class Interest(models.Model):
    """One topic of one reader."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="interests")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="interests")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "topic"], name="one_interest_per_topic")]

    def __str__(self) -> str:
        return f"{self.topic_id} of reader {self.subscriber_id}"


class SignupRequest(models.Model):
    """One accepted POST of the sign-up form, whatever the state of the address. The task does the rest."""

    class Outcome(models.TextChoices):
        CONFIRM_SENT = "confirm sent"
        ALREADY_SENT = "already-subscribed sent"
        OVER_BUDGET = "over budget"
        SUPPRESSED = "suppressed"
        FAILED = "failed"

    email = models.EmailField(max_length=ADDRESS_LENGTH)
    email_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=30, choices=Outcome, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    free_at = models.DateTimeField(null=True, editable=False)  # a worker has it until then
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, null=True, related_name="signup_requests")

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="signup_unhandled", condition=Q(handled_at=None)),
            models.Index(fields=["email_hash", "created_at"], name="signup_by_address"),
        ]

    def __str__(self) -> str:
        return f"sign-up request {self.pk}"


class ConsentEvent(models.Model):
    """Append-only: who agreed to what, when, and in which words (GDPR Art. 7(1))."""

    class Kind(models.TextChoices):
        REQUESTED = "requested"
        CONFIRMED = "confirmed"
        CHANGED = "changed"
        WITHDRAWN = "withdrawn"
        IMPORTED = "imported"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.SET_NULL, null=True, related_name="consent_events")
    email_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    where = models.CharField(max_length=40, help_text="The form or link it came by.")
    wording = models.TextField(blank=True, help_text="What the reader was told.")

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.kind} by {self.where}"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Words for suppressions."""

    def live(self) -> Self:
        """Those in force."""
        return self.filter(lifted_at=None)


class Suppression(models.Model):
    """An address that gets no mail, and why. The address itself is not kept: only its keyed hash."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce"
        COMPLAINT = "complaint"
        NOT_ME = "it was not me"
        MANUAL = "by hand"

    email_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=20, choices=Reason)
    detail = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email_hash", "reason"],
                condition=Q(lifted_at=None),
                name="one_live_suppression_per_reason",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.email_hash[:8]}"


class ClockShift(models.Model):
    """How far the demo's or a replay's clock is from the real one. One row or none; see ``subscriptions.clock``."""

    offset = models.DurationField()

    def __str__(self) -> str:
        return f"clock shifted by {self.offset}"
