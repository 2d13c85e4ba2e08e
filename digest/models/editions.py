"""The day's list that editors shape: draft -> approved -> closed, and a hold beside it."""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from digest.models.papers import Paper, work_is_gone
from digest.models.relevance import RelevanceModel

# After a longer absence a reader gets the last week's best, not a month's.
CATCH_UP_DAYS = 7


class EditionQuerySet(models.QuerySet["Edition"]):
    """Words for groups of editions."""

    def published(self) -> Self:
        """Editions that readers may see: approved or closed, the newest first."""
        return self.filter(state__in=[Edition.State.APPROVED, Edition.State.CLOSED]).order_by("-day")


class Edition(models.Model):
    """One day's list. ``held`` is read by planning and before every send."""

    class State(models.TextChoices):
        DRAFT = "draft"
        APPROVED = "approved"
        CLOSED = "closed"

    day = models.DateField(unique=True, help_text="UTC date.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    held = models.BooleanField(default=False)
    held_reason = models.CharField(max_length=200, blank=True)
    held_by = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True, editable=False)  # bounces and complaints are counted from here on
    drafted_at = models.DateTimeField()
    drafted_by = models.CharField(max_length=80, blank=True)
    counted_at = models.DateTimeField(help_text="When the upvotes of the ranking were read.")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=80, blank=True)
    standing_on = models.JSONField(default=list, help_text="The sources it stands on, with their states.")
    # Null: none was fitted yet, or an operator deleted it. Then interests are matched by their words alone.
    relevance_model = models.ForeignKey(
        RelevanceModel, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="editions"
    )

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ("-day",)
        permissions = [("approve_edition", "Can approve, hold and release editions")]

    def __str__(self) -> str:
        return f"Edition of {self.day}"

    def get_absolute_url(self) -> str:
        """Its page in the archive."""
        return reverse("day", args=[self.day])


class EditionPaperQuerySet(models.QuerySet["EditionPaper"]):
    """Words for the papers of an edition."""

    def shown(self) -> Self:
        """Those that readers see: of each work one, unless a row of it is hidden here, hidden everywhere or withdrawn.

        Of several rows of a work the one that the others were merged into is seen, else that which was listed first.
        """
        there = EditionPaper.objects.filter(edition=OuterRef("edition"))
        survivor = there.filter(paper=OuterRef("work"))
        earlier_twin = there.filter(paper__merged_into=OuterRef("work"), pk__lt=OuterRef("pk"))
        works = self.annotate(work=Coalesce("paper__merged_into", "paper")).exclude(work_is_gone("work"))
        seen = works.filter(Q(paper__merged_into=None) | ~Exists(survivor) & ~Exists(earlier_twin))
        return seen.exclude(work_is_hidden(edition=OuterRef("edition")))


def work_is_hidden(**where: Any) -> Exists:
    """Whether an editor hid any row of the outer ``work`` in the editions that ``where`` (lookups of entries) names."""
    hidden = EditionPaper.objects.filter(hidden=True, **where)
    own = hidden.filter(paper=OuterRef("work"))
    return Exists(own) | Exists(hidden.filter(paper__merged_into=OuterRef("work")))  # type: ignore[return-value]


class EditionPaper(models.Model):
    """A paper's place in an edition. Pins, hides, order and blurbs are the editor's and survive a redraft."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="entries")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveSmallIntegerField(help_text="1 is the top.")
    score = models.FloatField(default=0.0)
    ingredients = models.JSONField(default=dict, help_text="What the score was made of.")
    pinned = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    hidden_reason = models.CharField(max_length=200, blank=True)
    blurb = models.TextField(blank=True, max_length=600)

    objects = EditionPaperQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        constraints = [models.UniqueConstraint(fields=["edition", "paper"], name="a_paper_once_per_edition")]

    def __str__(self) -> str:
        return f"{self.position}. {self.paper_id}"
