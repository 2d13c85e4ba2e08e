"""What all senders share: how fast the transport may be used, and which installation the rows belong to."""

from django.db import models


class Throttle(models.Model):
    """A token bucket, one row per transport, shared by all workers through the database."""

    name = models.CharField(max_length=100, primary_key=True, help_text="The transport, as MAIL_URL names it.")
    tokens = models.FloatField(default=0.0, help_text="Mails that may leave at once.")
    refilled_at = models.DateTimeField()
    closed_until = models.DateTimeField(null=True, help_text="The mail server asked for patience until then.")
    slow_answers = models.PositiveSmallIntegerField(default=0, help_text="In a row: each doubles the patience.")
    reason = models.CharField(max_length=200, blank=True)
    refused_since = models.DateTimeField(
        null=True, help_text="Since then it says that we may not send, for ever as it says, and has taken no mail."
    )
    told_at = models.DateTimeField(null=True, help_text="When the operators were last told so.")
    equal_refusals = models.JSONField(
        default=dict, help_text="The newest refusals, equal and with no mail accepted between: {answer, digests, ours}."
    )

    def __str__(self) -> str:
        return self.name


class Instance(models.Model):
    """Which installation these rows belong to. A copy of the database in another one sends nothing."""

    name = models.CharField(max_length=200)
    adopted_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
