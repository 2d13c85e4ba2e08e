"""The readings of the sources: what came, what was refused and why."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from digest import filling, freshness
from digest.models import SourceRun
from digest.sources import SOURCES
from subscriptions import clock
from subscriptions.admin import ReadOnlyAdmin

STRIP_DAYS = 7


class SourceFilter(admin.SimpleListFilter):
    """The sources of the registry: asking the rows would read the whole table."""

    title, parameter_name = "source", "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Their names."""
        return [(name, name) for name in (*SOURCES, filling.NAME)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The runs of one."""
        return queryset.filter(source=self.value()) if self.value() else queryset


def strip(now: datetime) -> dict[str, Any]:
    """A line a source, a cell a day of the last week: what is known of each, None where it was not read."""
    days = freshness.last_days(now, STRIP_DAYS)[::-1]  # today first: the strip can be wider than the window
    known = freshness.readings(days, now)
    sources = dict.fromkeys([*settings.SOURCES, *(source for source, _ in known)])
    return {"strip_days": days, "strip": [(s, [known.get((s, day)) for day in days]) for s in sources]}


@admin.register(SourceRun)
class SourceRunAdmin(ReadOnlyAdmin):
    """One line a reading; the refused records are on its page, each with its reason."""

    list_display = ("__str__", "started_at", "state", "received", "created", "refused", "reason", "took")
    list_filter = (SourceFilter, "state")
    sortable_by = ()
    exclude = ("rejected",)
    change_list_template = "admin/digest/sourcerun/change_list.html"
    change_form_template = "admin/digest/sourcerun/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceRun]:
        """Hundreds of refused records can hang on a row: they are counted here, and read on its own page."""
        return SourceRun.objects.without_rejected()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With the strip of the last week above the runs."""
        return super().changelist_view(request, {**(extra_context or {}), **strip(clock.now())})

    @admin.display(description="Refused")
    def refused(self, obj: Any) -> int:
        """How many records could not be read."""
        return int(obj.refused)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With the refused records as readable JSON."""
        context["rejected"] = [
            (entry["reason"], json.dumps(entry["record"], indent=2, ensure_ascii=False))
            for entry in kwargs["obj"].rejected
        ]
        return super().render_change_form(request, context, *args, **kwargs)
