"""Who agreed to what, when, and in which words."""

from collections.abc import Collection
from typing import Any, NoReturn

from django.db import models

from subscriptions.models.readers import Subscriber


class Wording(models.Model):
    """A text that readers were told, kept once: events name it by its hash (SHA-256, hex)."""

    hash = models.CharField(max_length=64, primary_key=True)
    text = models.TextField()

    def __str__(self) -> str:
        return f"wording {self.hash[:8]}"


class AppendOnly(models.QuerySet["ConsentEvent"]):
    """Rows that are written once. The only way to lessen them is to forget a reader."""

    def update(self, **_: Any) -> NoReturn:
        """Refused: raises TypeError."""
        raise TypeError("consent events are append-only")

    def delete(self) -> NoReturn:
        """Refused: raises TypeError."""
        raise TypeError("consent events are append-only")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: raises TypeError."""
        raise TypeError("consent events are append-only")

    def forget(self) -> int:
        """Shrink these to hash, kind and time; how many. What erasing a reader leaves of a consent."""
        return models.QuerySet.update(self, subscriber=None, where="", network="", token="", wording=None)

    def forget_entirely(self, readers: Collection[int]) -> None:
        """Drop the events of readers who never confirmed: nothing was agreed to."""
        rows = self.filter(subscriber__in=readers, subscriber__confirmed_at=None)
        models.QuerySet.delete(rows)


class ConsentEvent(models.Model):
    """Append-only: who agreed to what, when, where and in which words (GDPR Art. 7(1))."""

    class Kind(models.TextChoices):
        REQUESTED = "requested"
        CONFIRMED = "confirmed"
        CHANGED = "changed"
        PAUSED = "paused"
        RESUMED = "resumed"
        MOVED = "moved", "address changed"
        WITHDRAWN = "withdrawn"
        REASON = "reason", "reason given"
        RESTORED = "restored", "withdrawal undone"
        DISOWNED = "disowned", "it was not me"
        IMPORTED = "imported"
        ERASED = "erased"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.SET_NULL, null=True, related_name="consent_events")
    email_hash = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    where = models.CharField(max_length=80, blank=True, help_text="The form or link it came by.")
    network = models.CharField(max_length=64, blank=True, help_text="Keyed hash of the network it came from.")
    token = models.CharField(max_length=40, blank=True, help_text="Number and minute of the link that was used.")
    wording = models.ForeignKey(
        Wording, on_delete=models.PROTECT, null=True, related_name="events", help_text="What the reader was told."
    )

    objects = AppendOnly.as_manager()

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.kind} by {self.where}" if self.where else self.kind

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only. Raises TypeError for a row that exists."""
        if not self._state.adding:
            raise TypeError("consent events are append-only")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: raises TypeError."""
        raise TypeError("consent events are append-only")
