"""The readings of the sources: what came, what was refused and why."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import json
from typing import Any

from django.contrib import admin
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import HttpRequest

from digest.models import SourceRun
from digest.sources import SOURCES
from subscriptions.admin import ReadOnlyAdmin


class ArrayLength(Func):
    """How many items a JSON list has, without reading it."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """JSONField is jsonb there."""
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH", **context)


class SourceFilter(admin.SimpleListFilter):
    """The sources of the registry: asking the rows would read the whole table."""

    title, parameter_name = "source", "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Their names."""
        return [(name, name) for name in SOURCES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The runs of one."""
        return queryset.filter(source=self.value()) if self.value() else queryset


@admin.register(SourceRun)
class SourceRunAdmin(ReadOnlyAdmin):
    """One line a reading; the refused records are on its page, each with its reason."""

    list_display = ("__str__", "started_at", "state", "received", "created", "refused", "reason", "took")
    list_filter = (SourceFilter, "state")
    sortable_by = ()
    exclude = ("rejected",)
    change_form_template = "admin/digest/sourcerun/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceRun]:
        """Up to 200 records hang on a row: they are counted here, and read on its own page."""
        runs: QuerySet[SourceRun] = super().get_queryset(request)
        return runs.defer("rejected").annotate(refused=ArrayLength(F("rejected")))

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
