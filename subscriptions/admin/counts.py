"""What the guard counted, and the breaker that it opened."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from subscriptions import clock, guard
from subscriptions.admin.lists import ReadOnlyAdmin
from subscriptions.models import Breaker, Budget


class RefusedFilter(admin.SimpleListFilter):
    """Only minutes in which the guard refused something: they have an index of their own."""

    title, parameter_name = "refused", "refused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One, beside all."""
        return [("yes", "Something was refused")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows."""
        return queryset.filter(refused__gt=0) if self.value() == "yes" else queryset


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    """What the guard counted, a row for each key and minute."""

    list_display = ("minute", "kind", "key_begins", "granted", "refused")
    list_filter = ("kind", RefusedFilter)
    ordering = ("-minute", "-pk")
    sortable_by = ()
    fields = ("kind", "key_begins", "minute", "granted", "refused")

    @admin.display(description="Key")
    def key_begins(self, obj: Budget) -> str:
        """Enough of the keyed hash to see that two rows are about the same one."""
        return obj.key[:8] or "everybody"


@admin.register(Breaker)
class BreakerAdmin(ReadOnlyAdmin):
    """When confirmation mails were held, why, and who let them leave again."""

    list_display = ("__str__", "is_open", "opened_at", "reason", "closed_at", "closed_by")
    list_filter = ("is_open",)
    sortable_by = ()
    actions = ("close",)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Whoever may change breakers."""
        return request.user.has_perm("subscriptions.change_breaker")

    @admin.action(description="Close: let confirmation mails leave", permissions=["close"])
    def close(self, request: HttpRequest, queryset: Any) -> None:
        """The mails that are held leave with the next sweeps."""
        now, still_open = clock.now(), list(queryset.filter(is_open=True))
        for breaker in still_open:
            guard.close(breaker, now, request.user.get_username())
        self.log(request, still_open, "Closed: confirmation mails leave.")
        if still_open:
            self.message_user(request, "Closed. Mails that were held leave within ten minutes.", messages.SUCCESS)
        else:
            self.message_user(request, "None of the selected is open.", messages.WARNING)
