"""News of papers that readers were sent."""

from django.db import models

from digest.models.digests import Digest
from digest.models.papers import Paper


class FollowUp(models.Model):
    """One piece of news of one work, and the readers who have the paper and are not told yet.

    ``to_tell`` is a compressed bitmap of subscriber ids (pyroaring, 64 bit), as in ``Sent``. It is written when the
    news is found, from those who have the paper then: who is sent the paper later reads the news in it. Closing a day
    takes out whom that day's digests told.
    """

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="follow_ups")
    what = models.CharField(max_length=10, choices=Digest.FollowUp)
    found_at = models.DateTimeField()
    to_tell = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["paper", "what"], name="news_of_a_kind_once_per_paper")]
        indexes = [models.Index(fields=["found_at"], name="follow_up_found")]

    def __str__(self) -> str:
        return f"{self.what}: paper {self.paper_id}"
