"""What the providers reported."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import json
from typing import Any

from anymail.signals import EventType, RejectReason
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from subscriptions.admin.by_address import FoundReadOnly
from subscriptions.esp_events import IGNORED, UNREADABLE
from subscriptions.models import MailEvent


class _WordFilter(admin.SimpleListFilter):
    """One of Anymail's words. Django's own filter would read the whole table to find out which there are."""

    words: type = EventType

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every word that Anymail knows."""
        return [(word, word) for name, word in vars(self.words).items() if name.isupper()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with this word."""
        assert self.parameter_name
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class KindFilter(_WordFilter):
    """What happened."""

    title, parameter_name, words = "kind", "kind", EventType

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Anymail's words and our own two."""
        return [*super().lookups(request, model_admin), *((word, word) for word in (IGNORED, UNREADABLE))]


class RejectReasonFilter(_WordFilter):
    """Why a mail did not arrive."""

    title, parameter_name, words = "reject reason", "reject_reason", RejectReason


@admin.register(MailEvent)
class MailEventAdmin(FoundReadOnly):
    """What a provider or a mail server said of one mail."""

    list_display = ("kind", "native", "esp", "reject_reason", "detail", "mail", "reader_number", "at")
    list_filter = (KindFilter, RejectReasonFilter, "known")
    number = "reader"
    fields = (
        ("kind", "native", "known", "esp", "reject_reason", "detail"),
        ("mail", "reader_number", "message_id"),
        ("at", "received_at", "applied_at"),
        "report",
    )

    @admin.display(description="Reader")
    def reader_number(self, obj: MailEvent) -> str:
        """A number without a link: the event outlives its reader."""
        return f"reader {obj.reader}" if obj.reader else ""

    @admin.display(description="The report")
    def report(self, obj: MailEvent) -> str:
        """The payload, laid out; it is forgotten before the row is."""
        text = json.dumps(obj.payload, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre tabindex="0">{}</pre>', text) if obj.payload else "Forgotten."
