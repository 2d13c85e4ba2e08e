"""Who asked for a letter, and who agreed to what."""

from django.contrib import admin

from subscriptions import models
from subscriptions.admin.by_address import FoundReadOnly
from subscriptions.models import ConsentEvent


@admin.register(models.SignupRequest)
class SignupRequestAdmin(FoundReadOnly):
    """Who asked, and what came of it."""

    list_display = ("id", "kind", "created_at", "outcome", "reason", "attempts", "handled_at", "subscriber")
    list_filter = ("kind", "outcome")
    list_select_related = ("subscriber",)


@admin.register(ConsentEvent)
class ConsentEventAdmin(FoundReadOnly):
    """Who agreed to what, when, in which words."""

    list_display = ("__str__", "kind", "at", "where", "subscriber")
    list_filter = ("kind",)
    list_select_related = ("subscriber",)
    fields = ("subscriber", "kind", "at", "where", "told", "token", "network")

    @admin.display(description="In which words")
    def told(self, obj: ConsentEvent) -> str:
        """The text itself; only its hash is on the row."""
        return obj.wording.text if obj.wording else "None was kept with this event."
