"""The shifted clock of a demo or a replay."""

from django.db import models


class ClockShift(models.Model):
    """How far the demo's or a replay's clock is from the real one. One row or none; see ``subscriptions.clock``."""

    offset = models.DurationField()

    def __str__(self) -> str:
        return f"clock shifted by {self.offset}"
