"""Topics, and today's papers in them. Registered here, since subscriptions knows nothing of papers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from digest.admin.lines import LinesField
from digest.admin.matches import matches_of
from digest.models import Edition
from subscriptions.admin import ListAdmin, never
from subscriptions.models import Interest, Topic


class TopicForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A topic with its lists as lines."""

    categories = LinesField(
        rows=3, help_text="arXiv categories that belong here without further evidence, one a line: cs.RO"
    )
    terms = LinesField(
        rows=14,
        help_text="Words and phrases, one a line, lower case, singular: diffusion model. Plurals match too.",
    )

    class Meta:
        widgets = {"description": forms.TextInput(attrs={"size": 90})}


@admin.register(Topic)
class TopicAdmin(ListAdmin):
    """Deleting would take a topic from its readers without a word: untick "offered" instead."""

    form = TopicForm
    list_display = ("name", "offered", "readers", "position", "description")
    list_filter = ("offered",)
    ordering = ("position", "name")
    search_fields = ("name", "description")
    prepopulated_fields = {"slug": ("name",)}
    fields = ("name", "slug", "description", "categories", "terms", "position", "offered")
    change_form_template = "admin/subscriptions/topic/change_form.html"
    has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Topic]:
        """With the number of readers, counted by the index of each topic in the same query."""
        own = Interest.objects.filter(topic=OuterRef("pk")).order_by().values("topic")
        topics: QuerySet[Topic] = super().get_queryset(request)
        return topics.annotate(readers=Subquery(own.annotate(number=Count("pk")).values("number")))

    @admin.display(description="Readers", ordering="readers")
    def readers(self, obj: Any) -> int:
        """How many chose it, whatever their state."""
        return obj.readers or 0

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Only for a new one: a topic that has an address keeps it."""
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With the papers of the newest edition that match the topic as it is saved, and why."""
        topic, edition = kwargs["obj"], Edition.objects.first()
        if topic and edition:
            entries = list(edition.entries.shown().select_related("paper"))
            found = matches_of((entry.paper for entry in entries), [Topic.objects.get(pk=topic.pk)], edition)
            context["edition"], context["looked_at"] = edition, len(entries)
            context["matches"] = [(e.paper, found[e.paper_id][0]) for e in entries if e.paper_id in found]
        return super().render_change_form(request, context, *args, **kwargs)
