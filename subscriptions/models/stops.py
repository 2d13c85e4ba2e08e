"""Addresses that get no mail, and the providers' reports that say why."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Words for suppressions. Time is an argument."""

    def live(self, at: datetime) -> Self:
        """Those in force at ``at``."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), lifted_at=None)


class Suppression(models.Model):
    """An address that gets no mail, and why. The address itself is not kept: only its keyed hash."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce"
        COMPLAINT = "complaint"
        NOT_ME = "it was not me"
        MANUAL = "by hand"
        ERASED = "erased"

    # A confirmed new sign-up shows that the address works and its reader wants mail; the others are a person's No.
    LIFTED_BY_CONFIRMING = (Reason.BOUNCE, Reason.ERASED)

    email_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=20, choices=Reason)
    detail = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
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


class MailEvent(models.Model):
    """What a provider, or a mail server at the hand-over, said of one mail. Written once, read by who needs it.

    Nothing here holds an address: the payload names the recipient by the reader's number or a keyed hash.
    """

    esp = models.CharField(max_length=40, help_text="Anymail's name of the provider; smtp: our own hand-over.")
    dedupe_key = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(max_length=20, help_text="Anymail's event type: bounced, complained, delivered ...")
    native = models.CharField(max_length=60, blank=True, help_text="The provider's own word for it.")
    known = models.BooleanField(
        default=True, help_text="Whether it could be read, and the provider's word is in our table."
    )
    reject_reason = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=200, blank=True, help_text="The mail server's code.")
    mail = models.CharField(max_length=60, blank=True, help_text='Our name of the mail: "digest-17".')
    message_id = models.CharField(max_length=255, blank=True)
    email_hash = models.CharField(max_length=64, blank=True)
    # No foreign key: an event must be stored also for a reader who is gone, and survives the erasing without it.
    reader = models.BigIntegerField(null=True, db_index=True)
    at = models.DateTimeField(help_text="When it happened, by the provider's clock.")
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, editable=False)  # suppression has read it
    told_at = models.DateTimeField(null=True, editable=False)  # the mail that it names has learnt of it
    payload = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="mail_event_new", condition=Q(applied_at=None)),
            models.Index(fields=["id"], name="mail_event_untold", condition=Q(told_at=None)),
            models.Index(fields=["email_hash", "kind", "at"], name="mail_event_by_address"),
            models.Index(fields=["received_at"], name="mail_event_received"),
            # What the doctor counts: next to nothing, mostly.
            models.Index(fields=["esp", "native"], name="mail_event_unknown", condition=Q(known=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.esp}"
