"""What readers say of papers: more like this, or less."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from digest.models.papers import Paper
from subscriptions.models import Subscriber


class Feedback(models.Model):
    """A reader's word on a paper. One a paper: the newest counts."""

    class Verb(models.TextChoices):
        MORE = "more", _("More like this")
        LESS = "less", _("Less like this")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="feedback")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="feedback")
    verb = models.CharField(max_length=4, choices=Verb)
    said_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["subscriber", "paper"], name="one_word_per_reader_and_paper")]

    def __str__(self) -> str:
        return f"reader {self.subscriber_id}: {self.verb} like paper {self.paper_id}"
