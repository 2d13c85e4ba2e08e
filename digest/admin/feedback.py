"""What readers say of papers, added up. Who said it is not here."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from digest.models import Feedback
from subscriptions.admin import ReadOnlyAdmin


def _number_of(verb: Feedback.Verb) -> Coalesce:
    own = Feedback.objects.filter(paper=OuterRef("paper"), verb=verb).order_by().values("paper")
    return Coalesce(Subquery(own.annotate(number=Count("pk")).values("number")), 0)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """One line a paper. What was said of a row before it was merged stays on its own line, as it stays on the row."""

    list_display = ("paper", "more", "less", "saved")
    list_display_links = None
    list_select_related = ("paper",)
    sortable_by = ()
    search_fields = ("paper__title", "paper__arxiv_id__exact")
    search_help_text = "Words of the paper's title, or an arXiv id."

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list alone: the page of a row would be one reader's word."""
        return obj is None and super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        """The last word on each paper stands for it, the newest first. One pass over all words, not one a paper."""
        last = Feedback.objects.order_by().values("paper").annotate(last=Max("pk")).values("last")
        rows: QuerySet[Feedback] = super().get_queryset(request)
        return rows.filter(pk__in=last).annotate(
            more=_number_of(Feedback.Verb.MORE),
            less=_number_of(Feedback.Verb.LESS),
            saved=_number_of(Feedback.Verb.SAVE),
        )

    @admin.display(description="More like this")
    def more(self, obj: Any) -> int:
        """How many readers want more of its kind."""
        return int(obj.more)

    @admin.display(description="Less like this")
    def less(self, obj: Any) -> int:
        """How many want less."""
        return int(obj.less)

    @admin.display(description="Saved")
    def saved(self, obj: Any) -> int:
        """How many have it on their list."""
        return int(obj.saved)
