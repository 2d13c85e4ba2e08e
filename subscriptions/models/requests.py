"""Letters that were asked for: the queue of all single mails that are no digest."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import translation

from subscriptions.addresses import ADDRESS_LENGTH, address_hash
from subscriptions.models.readers import Subscriber


def page_language() -> str:
    """The language of the page that asks."""
    return translation.get_language() or settings.LANGUAGE_CODE


class SignupRequestQuerySet(models.QuerySet["SignupRequest"]):
    """Words for requests. Time is an argument."""

    def free(self, at: datetime) -> Self:
        """Those not done that no worker has in its hands."""
        return self.filter(Q(free_at=None) | Q(free_at__lte=at), handled_at=None)


class SignupRequest(models.Model):
    """One accepted POST that asks for a letter, whatever the state of the address. The task does the rest.

    Most are sign-ups; the other doors that can cause a mail go the same way, so that one guard watches them all.
    """

    class Kind(models.TextChoices):
        SIGN_UP = "sign-up"
        LINK = "link", "link to settings"
        MOVE = "move", "new address"
        MOVED = "moved", "address changed"
        IMPORT = "import", "import without evidence"
        LEAVE = "leave", "wish to leave by mail"

    class Outcome(models.TextChoices):
        CONFIRM_SENT = "confirm sent"
        ALREADY_SENT = "already-subscribed sent"
        LINK_SENT = "link sent"
        MOVE_SENT = "new address asked"
        MOVED_SENT = "old address told"
        LEAVE_SENT = "unsubscribe link sent"
        OVER_BUDGET = "over budget"
        HELD_TOO_LONG = "held too long"
        SUPPRESSED = "suppressed"
        NOBODY = "nobody", "no such reader"
        FAILED = "failed"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SIGN_UP)
    email = models.EmailField(max_length=ADDRESS_LENGTH)
    email_hash = models.CharField(max_length=64, editable=False)
    network = models.CharField(max_length=64, blank=True, help_text="Keyed hash of the network that asked.")
    language = models.CharField(max_length=10, default=page_language, help_text="Of the page that asked.")
    # What was chosen with a sign-up: ChoiceForm.kept. Only a new reader's Confirm makes it count.
    choice = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    granted_at = models.DateTimeField(null=True, editable=False)  # its mail was counted: a retry is not counted again
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=30, choices=Outcome, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    free_at = models.DateTimeField(null=True, editable=False)  # a worker has it, or it is held, until then
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, null=True, related_name="signup_requests")

    objects = SignupRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="signup_unhandled", condition=Q(handled_at=None)),
            models.Index(fields=["email_hash", "created_at"], name="signup_by_address"),
            models.Index(fields=["created_at"], name="signup_created"),
            models.Index(fields=["handled_at"], name="signup_confirm_sent", condition=Q(outcome="confirm sent")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} request {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the hash beside the address."""
        self.email_hash = address_hash(self.email)
        super().save(*args, **kwargs)
