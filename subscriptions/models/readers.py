"""A reader and what the reader wants."""

from datetime import date, datetime, time
from typing import Any, Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from subscriptions import schedule
from subscriptions.addresses import ADDRESS_LENGTH, address_hash, masked
from subscriptions.models.stops import Suppression
from subscriptions.models.topics import Topic


def validate_zone(zone: str) -> None:
    """Raise ValidationError unless ``zone`` is an IANA time zone."""
    if zone not in available_timezones():
        raise ValidationError(_("Choose a time zone from the list, like Europe/Berlin."))


def is_active(at: datetime) -> Q:
    """Whether a reader's row may get a digest at ``at``: confirmed, not paused, not suppressed. The only place."""
    suppressed = Exists(Suppression.objects.live(at).filter(email_hash=OuterRef("email_hash")))
    return Q(Q(paused_until=None) | Q(paused_until__lte=at), ~Q(suppressed), state=Subscriber.State.ACTIVE)


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    """Words for groups of readers. Time is an argument."""

    def active(self, at: datetime) -> Self:
        """Readers who may get a digest at ``at``: confirmed, not paused, not suppressed."""
        return self.filter(is_active(at))

    def to_change(self, pk: int) -> "Subscriber":
        """The reader's row as it is now, locked until the end of the transaction. SQLite's writers wait anyway.

        Raises Subscriber.DoesNotExist where the reader was erased meanwhile.
        """
        rows = self.select_for_update() if connection.vendor == "postgresql" else self
        return rows.get(pk=pk)

    def reached(self, at: datetime) -> Self:
        """Readers whose due time has come at ``at``, also those who are stopped then; the longest waiting first."""
        return self.filter(state=Subscriber.State.ACTIVE, next_due_at__lte=at).order_by("next_due_at", "pk")

    def due(self, at: datetime) -> Self:
        """Active readers whose next digest is due at ``at`` or before, the longest waiting first."""
        return self.active(at).reached(at)


class Subscriber(models.Model):
    """A reader. Paused and suppressed are facts beside the state: see ``SubscriberQuerySet.active``."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        UNSUBSCRIBED = "unsubscribed"

    email = models.EmailField(max_length=ADDRESS_LENGTH)
    email_hash = models.CharField(max_length=64, editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    hour = models.TimeField(default=time(7, 30), help_text="Local time of the digest.")
    # One day is a weekly digest: what is due and what it holds follow from the mask and the last digest alone.
    weekdays = models.PositiveSmallIntegerField(default=schedule.EVERY_DAY, help_text="Bits, Monday = 1.")
    paper_limit = models.PositiveSmallIntegerField(default=10)
    only_my_topics = models.BooleanField(
        default=False, help_text="Rather no mail than one filled up with popular papers of other topics."
    )
    text_only = models.BooleanField(default=False, help_text="Plain text, without an HTML part.")
    language = models.CharField(max_length=10, default="en", help_text="Of the mail's own words.")
    paused_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True, editable=False)
    moved_at = models.DateTimeField(null=True, blank=True, editable=False)  # older links to settings are another's
    erase_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When a digest was last planned because it was due: after the due time, where it had to wait for its edition.
    last_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_at = models.DateTimeField(null=True, editable=False)  # when a digest was last asked for: "send me today's"
    # Only a search key: recomputed at each change, and verified when a digest is planned.
    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        # Not unique=True and db_index=True: on PostgreSQL Django would add a second index to each, for LIKE. A third of
        # the time of moving a reader on to the next day goes into indexes.
        constraints = [models.UniqueConstraint(fields=["email"], name="one_reader_per_address")]
        indexes = [
            models.Index(fields=["email_hash"], name="subscriber_email_hash"),
            models.Index(
                fields=["next_due_at", "id"],
                name="subscriber_due",
                condition=Q(state="active", next_due_at__isnull=False),
            ),
            models.Index(fields=["created_at"], name="subscriber_unconfirmed", condition=Q(confirmed_at=None)),
            models.Index(fields=["id"], name="subscriber_to_erase", condition=Q(erase_asked_at__isnull=False)),
        ]
        permissions = [
            ("import_subscriber", "Can import readers from a file"),
            ("export_subscriber", "Can export readers with their addresses"),
            ("erase_subscriber", "Can erase a reader"),
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
        return masked(self.email)

    @property
    def is_weekly(self) -> bool:
        """Whether the digest comes on one day of the week only."""
        return (self.weekdays & schedule.EVERY_DAY).bit_count() == 1

    @property
    def known_zone(self) -> str:
        """The zone that is reckoned with: the reader's own, or UTC where the tz database does not know that one."""
        return schedule.zone_of(self.zone).key

    @property
    def rhythm(self) -> schedule.Rhythm:
        """Hour, zone and weekdays, as ``schedule`` takes them."""
        return {"at": self.hour, "zone": self.zone, "mask": self.weekdays}

    @property
    def last_day(self) -> date | None:
        """The date of the last digest, by the zone of today."""
        return schedule.local_day(self.last_at, self.zone) if self.last_at else None

    @property
    def last_at(self) -> datetime | None:
        """When the last digest came, of itself or because it was asked for."""
        return max((instant for instant in (self.last_due_at, self.asked_at) if instant), default=None)

    def is_paused(self, at: datetime) -> bool:
        """Whether a pause covers ``at``."""
        return self.paused_until is not None and self.paused_until > at

    def reschedule(self, now: datetime, *, moved: bool = False) -> None:
        """Recompute ``next_due_at`` after a change; ``moved``: the zone is another. Does not save."""
        self.next_due_at = (
            schedule.next_due_after_change(
                now,
                self.last_due_at,
                self.asked_at,
                **self.rhythm,
                moved=moved,
                earliest=self.paused_until,
            )
            if self.state == self.State.ACTIVE
            else None
        )


class Interest(models.Model):
    """One thing that a reader wants to read about, or not to."""

    class Kind(models.TextChoices):
        TOPIC = "topic"
        PHRASE = "phrase"
        AUTHOR = "author"
        MUTED_TOPIC = "muted topic"
        MUTED_WORD = "muted word"

    OF_TOPICS = (Kind.TOPIC, Kind.MUTED_TOPIC)
    TEXT_LENGTH = 80

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="interests")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.TOPIC)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, null=True, blank=True, related_name="interests")
    text = models.CharField(max_length=TEXT_LENGTH, blank=True)

    class Meta:
        constraints = [
            # A topic is wanted or muted, never both.
            models.UniqueConstraint(fields=["subscriber", "topic"], name="one_interest_per_topic"),
            models.UniqueConstraint(
                fields=["subscriber", "kind", "text"], condition=Q(topic=None), name="one_interest_per_text"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["topic", "muted topic"], topic__isnull=False, text="")
                | Q(kind__in=["phrase", "author", "muted word"], topic=None) & ~Q(text=""),
                name="interest_has_a_topic_or_a_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.topic_id or self.text!r} of reader {self.subscriber_id}"
