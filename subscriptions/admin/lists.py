"""What every list keeps to."""

from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to BOUND and no further: a list of ten million rows costs what a list of ten thousand does.

    Nobody pages to row 10,001: what lies behind is reached by search and filters. The page says "more than".
    """

    BOUND = 10_000

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[: self.BOUND + 1].count()

    @cached_property
    def count(self) -> int:
        """The number of rows, at most BOUND."""
        return min(self._seen, self.BOUND)

    @property
    def more(self) -> bool:
        """Whether there are rows that were not counted."""
        return self._seen > self.BOUND


class ListAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """What every list here keeps to: the newest first, bounded counts, no count per filter."""

    list_per_page = 50
    ordering: ClassVar[tuple[Any, ...]] = ("-pk",)
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """By nothing that config.middleware refuses: it does so for Django's own lists as well."""
        return not {"regex", "iregex", "range"} & set(lookup.split("__")) and super().lookup_allowed(
            lookup, value, request
        )

    def log(self, request: HttpRequest, rows: "QuerySet[Any] | list[Any]", message: str, *, flag: int = CHANGE) -> None:
        """Write down who did what, where the admin itself does not."""
        assert request.user.pk
        LogEntry.objects.log_actions(request.user.pk, rows, flag, message)


def never(*_: Any, **__: Any) -> bool:
    """A permission that nobody has: for rows that only the machine makes."""
    return False


class ReadOnlyAdmin(ListAdmin):
    """Rows that only the machine makes."""

    has_add_permission = has_change_permission = has_delete_permission = never
