"""What fits: one reader's mail of one local day, and who was sent which paper."""

from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import Q

from digest.models.papers import Paper
from subscriptions.models import Subscriber


class PickedPapers(models.Func):
    """The papers of a column of picks, without their reasons: [paper]. A tenth of the octets."""

    arity = 1
    output_field = models.JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """A list of what each element says."""
        template = "(SELECT JSON_GROUP_ARRAY(JSON_EXTRACT(value, '$.paper')) FROM JSON_EACH(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """JSONField is jsonb there."""
        template = "JSONB_PATH_QUERY_ARRAY(%(expressions)s, '$[*].paper')"
        return self.as_sql(compiler, connection, template=template, **context)


class DigestQuerySet(models.QuerySet["Digest"]):
    """Words for groups of digests."""

    def open(self) -> Self:
        """Those that may still be sent."""
        return self.filter(state__in=Digest.OPEN)

    def counting_as_sent(self) -> Self:
        """Those whose papers the reader has or may have: never to be picked again."""
        return self.filter(COUNTING_AS_SENT)

    def oldest_open_day(self) -> date | None:
        """The first day with digests that are not folded into the bitmaps; None where there is none."""
        return self.filter(folded=False).order_by("day").values_list("day", flat=True).first()


class Digest(models.Model):
    """One reader's mail of one local day. Its states change in ``digest.ledger`` only."""

    class State(models.TextChoices):
        PLANNED = "planned"
        CLAIMED = "claimed"
        SENDING = "sending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        FAILED = "failed"
        UNCERTAIN = "uncertain"
        SUPPRESSED = "suppressed"
        SKIPPED = "skipped"
        CANCELLED = "cancelled"

    class Cadence(models.TextChoices):
        DAILY = "daily"
        WEEKLY = "weekly"
        NOW = "now", "asked for"

    class FollowUp(models.TextChoices):
        """What became of a paper that the reader was sent."""

        WITHDRAWN = "withdrawn"
        CODE = "code", "code released"
        TOOK_OFF = "took off"

    OUTCOME_UNKNOWN = "outcome unknown"  # the reason of a failure after which the reader may have it
    TOO_LARGE = "too large for the mail server"  # how the reason begins where that is why it was not sent
    OPEN = (State.PLANNED, State.CLAIMED, State.SENDING)

    # Null once its reader is erased: the row stays, so that the day's sum adds up.
    subscriber = models.ForeignKey(Subscriber, on_delete=models.SET_NULL, null=True, related_name="digests")
    day = models.DateField(help_text="The reader's local date.")
    # Of that date: who flies west over the date line has it twice.
    zone = models.CharField(max_length=64, blank=True)
    cadence = models.CharField(max_length=6, choices=Cadence, default=Cadence.DAILY)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    reason = models.CharField(max_length=200, blank=True)
    due_at = models.DateTimeField()
    # Editions later than content_from and not later than content_to were looked at: the next digest goes on there.
    content_from = models.DateField(null=True)
    content_to = models.DateField(null=True)
    picks = models.JSONField(default=list, help_text="[{paper, reasons}], in the order of the mail.")
    follow_ups = models.JSONField(
        default=list, help_text="[{paper, what}]: news of papers that the reader has, beside the picks."
    )
    planned_at = models.DateTimeField()
    planned_by = models.CharField(max_length=80, blank=True)
    # Planned: not to be claimed before. Claimed and sending: when the lease ends.
    free_at = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=100, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    handed_at = models.DateTimeField(null=True, help_text="When its newest hand-over began.")
    perhaps_taken = models.BooleanField(
        default=False,
        help_text="An answer of the mail server was lost: the reader may have it, whatever came later.",
    )
    in_batch = models.BooleanField(default=False, help_text="That hand-over held other readers' digests too.")
    accepted_at = models.DateTimeField(null=True)
    # What the provider said later: facts, not states.
    delivered_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, blank=True)
    folded = models.BooleanField(default=False, help_text="Its papers are in the Sent bitmaps.")

    objects = DigestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "day", "zone"], name="one_digest_per_reader_day_and_zone")
        ]
        indexes = [
            models.Index(
                fields=["state", "id"],
                name="digest_unsettled",
                condition=Q(state__in=["planned", "claimed", "sending", "uncertain"]),
            ),
            models.Index(fields=["day", "state"], name="digest_day_state"),
            # The days that are still open, at the price of a row a day: equal keys share an entry.
            models.Index(fields=["day"], name="digest_unfolded", condition=Q(folded=False)),
            models.Index(
                fields=["content_to"],
                name="digest_bad_news",
                condition=Q(bounced_at__isnull=False) | Q(complained_at__isnull=False),
            ),
            # For reports that bring back nothing but the provider's id. Over SMTP there is none, and the index empty; a
            # UUID costs 45 to 50 octets a row (measured on SQLite).
            models.Index(fields=["provider_id"], name="digest_provider_id", condition=~Q(provider_id="")),
        ]
        permissions = [("resolve_digest", "Can say what became of uncertain digests")]

    def __str__(self) -> str:
        return f"digest {self.pk}"


# What counts as sent: see DigestQuerySet.counting_as_sent.
COUNTING_AS_SENT = Q(state__in=[*Digest.OPEN, Digest.State.ACCEPTED, Digest.State.UNCERTAIN]) | Q(perhaps_taken=True)


class Sent(models.Model):
    """Who was sent a paper: a compressed bitmap of subscriber ids (pyroaring, 64 bit), kept for ever."""

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, primary_key=True, related_name="sent")
    readers = models.BinaryField()

    def __str__(self) -> str:
        return f"readers of paper {self.paper_id}"


class DayTotal(models.Model):
    """The sum of one closed local day and cadence: its rows may go, the figures stay."""

    day = models.DateField()
    cadence = models.CharField(max_length=6, choices=Digest.Cadence)
    counts = models.JSONField(help_text="[{state, reason, number}]")
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "cadence"], name="one_total_per_day_and_cadence")]

    def __str__(self) -> str:
        return f"{self.day} {self.cadence}"
