"""What readers say of papers: more like this, less like this, and "keep it for me"."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from digest.models.papers import Paper
from subscriptions.models import Subscriber


class Feedback(models.Model):
    """A reader's word on a paper: one opinion, of which the newest counts, and beside it whether it is saved."""

    class Verb(models.TextChoices):
        MORE = "more", _("More like this")
        LESS = "less", _("Less like this")
        SAVE = "save", _("Save for later")

    OPINIONS = (Verb.MORE, Verb.LESS)

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="feedback")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="feedback")
    verb = models.CharField(max_length=4, choices=Verb)
    said_at = models.DateTimeField()
    # Off after the reader began anew: a saved paper stays on the list and teaches nothing any more.
    teaches = models.BooleanField(default=True, help_text="Digests learn from it.")

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "paper"],
                condition=Q(verb__in=["more", "less"]),
                name="one_opinion_per_reader_and_paper",
            ),
            models.UniqueConstraint(
                fields=["subscriber", "paper"], condition=Q(verb="save"), name="a_paper_saved_once_per_reader"
            ),
        ]

    def __str__(self) -> str:
        return f"reader {self.subscriber_id}: {self.verb} paper {self.paper_id}"
