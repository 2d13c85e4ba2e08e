"""News of papers that readers were sent. Who is to be told is not here, only how many."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from digest.follow_ups import readers_of
from digest.models import FollowUp
from subscriptions.admin import ReadOnlyAdmin


@admin.register(FollowUp)
class FollowUpAdmin(ReadOnlyAdmin):
    """One line a piece of news; who is told of it in the mails shows in their previews."""

    list_display = ("paper", "what", "found_at", "to_be_told")
    list_display_links = None
    list_select_related = ("paper",)
    list_filter = ("what",)
    sortable_by = ()
    ordering = ("-found_at", "-pk")
    search_fields = ("paper__title", "paper__arxiv_id__exact")
    search_help_text = "Words of the paper's title, or an arXiv id."

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list alone: it says all there is."""
        return obj is None and super().has_view_permission(request, obj)

    @admin.display(description="Readers still to be told")
    def to_be_told(self, obj: Any) -> int:
        """How many; 0 too where the news is older than a month."""
        return len(readers_of(obj))
