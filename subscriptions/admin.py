"""The readers' side of the admin: addresses are masked in lists and found only by those who know them."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import re
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from subscriptions import clock, lifecycle, models, schedule
from subscriptions.addresses import address_hash
from subscriptions.consent import Origin
from subscriptions.forms import zone_choices
from subscriptions.interests import Interests
from subscriptions.models import Subscriber, Suppression, Topic

SHOWN_EVENTS = 20
BY_ADMIN = Origin("admin")
CHOSEN = ("hour", "zone", "paused_until", "paper_limit", "only_my_topics")
HISTORY = ("created_at", "confirmed_at", "last_due_at", "next_due_at")
OPTIONS = ("paused_until", "topics", "paper_limit", "only_my_topics")
SHOWN = ("email", "state", "hour", "zone", "days", *OPTIONS, *HISTORY)
DAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))


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

    def log(self, request: HttpRequest, rows: "QuerySet[Any] | list[Any]", message: str) -> None:
        """Write down who did what, where the admin itself does not."""
        assert request.user.pk
        LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, message)


def never(*_: Any, **__: Any) -> bool:
    """A permission that nobody has: for rows that only the machine makes."""
    return False


class ReadOnlyAdmin(ListAdmin):
    """Rows that only the machine makes."""

    has_add_permission = has_change_permission = has_delete_permission = never


class FoundByAddress(ListAdmin):
    """Rows found by a whole address through its hash (by an index, in any case) or a reader's number."""

    number = "subscriber"
    search_fields = ("email_hash",)
    search_help_text = "A whole address, or a reader's number. Parts of addresses are not searched."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Not by address: ?email__startswith=a would read masked addresses out letter by letter."""
        return "email" not in lookup and super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The rows of that reader; all where nothing was asked."""
        term = search_term.strip().removeprefix("reader").strip()
        if not term:
            return queryset, False
        if self.number and re.fullmatch(r"[0-9]{1,18}", term):
            return queryset.filter(**{self.number: int(term)}), False
        return queryset.filter(email_hash=address_hash(term)), False


class SubscriberForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A reader's preferences, with weekdays and topics as boxes to tick."""

    zone = forms.ChoiceField(label="Time zone", choices=zone_choices)
    days = forms.TypedMultipleChoiceField(
        label="Weekdays", choices=DAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    topics = forms.ModelMultipleChoiceField(
        Topic.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: what trends.",
    )

    # One field: the admin's pair of date and time has labels that belong to no control.
    paused_until = forms.DateTimeField(required=False, help_text="Like 2026-03-27 07:30, in UTC.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["days"] = [day for day, _ in DAYS if self.instance.weekdays >> day & 1]
        self.initial["topics"] = list(self.instance.interests.values_list("topic_id", flat=True))


@admin.register(Subscriber)
class SubscriberAdmin(FoundByAddress):
    """Readers. They come by a consent of their own and erasing is more than a row: none added or deleted."""

    form = SubscriberForm
    list_display = ("__str__", "masked_email", "state", "zone", "hour", "next_due_at")
    list_filter = ("state",)
    sortable_by = ()
    number = "pk"
    actions = ("unsubscribe",)
    has_add_permission = has_delete_permission = never
    change_form_template = "admin/subscriptions/subscriber/change_form.html"
    # An address changes by a link that is mailed to the new one, a state by what its reader does.
    readonly_fields = ("email", "state", *HISTORY)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All for those who may change a reader; to others the address masked, and words for boxes."""
        words = {"email": "masked_email", "days": "weekday_names", "topics": "topic_names"}
        may = self.has_change_permission(request, obj)
        return SHOWN if may else [words.get(name, name) for name in SHOWN]

    @admin.display(description="Weekdays")
    def weekday_names(self, obj: Subscriber) -> str:
        """The days of the mask in words."""
        return ", ".join(name for day, name in DAYS if obj.weekdays >> day & 1)

    @admin.display(description="Topics")
    def topic_names(self, obj: Subscriber) -> str:
        """The topics in words."""
        return ", ".join(Topic.objects.filter(interests__subscriber=obj).values_list("name", flat=True))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A changed hour, zone or pause moves the next digest."""
        data = form.cleaned_data
        choices = {name: data[name] for name in CHOSEN} | {"weekdays": schedule.weekdays(data["days"])}
        wanted = tuple(topic.pk for topic in data["topics"])
        own = Interests.of(obj)
        muted = tuple(pk for pk in own.muted_topics if pk not in wanted)
        lifecycle.choose(obj, choices, replace(own, topics=wanted, muted_topics=muted), clock.now(), BY_ADMIN)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With what the reader agreed to and asked for, the newest first."""
        reader = kwargs["obj"]
        context["events"] = reader.consent_events.order_by("-pk")[:SHOWN_EVENTS]
        context["requests"] = reader.signup_requests.order_by("-pk")[:SHOWN_EVENTS]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Unsubscribe the selected readers", permissions=["change"])
    def unsubscribe(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask first: only a reader can undo it, by confirming anew."""
        if "sure" not in request.POST:
            context = {**self.admin_site.each_context(request), "readers": queryset, "opts": self.opts}
            context["title"] = "Unsubscribe these readers?"
            return TemplateResponse(request, "admin/subscriptions/subscriber/unsubscribe.html", context)
        now = clock.now()
        left = [reader for reader in queryset if lifecycle.unsubscribe(reader, now, BY_ADMIN)]
        self.log(request, left, "Unsubscribed.")
        self.message_user(request, f"Unsubscribed: {len(left)}.", messages.SUCCESS)
        return None


class SuppressionForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """An address to write down as its hash."""

    address = forms.EmailField(help_text="Only its keyed hash is kept: nobody can read it here afterwards.")

    def clean(self) -> dict[str, Any]:
        """Refuse a second one by hand while the first is in force."""
        data = super().clean() or {}
        same = {"email_hash": address_hash(data.get("address", "")), "reason": Suppression.Reason.MANUAL}
        if Suppression.objects.live(clock.now()).filter(**same).exists():
            raise ValidationError("This address is suppressed by hand already.")
        self.instance.email_hash, self.instance.reason = same.values()
        return data


@admin.register(Suppression)
class SuppressionAdmin(FoundByAddress):
    """Addresses that get no mail. Added by hand and lifted; never changed, never deleted."""

    form = SuppressionForm
    list_display = ("__str__", "reason", "detail", "created_at", "lifted_at")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter))
    number = ""
    search_help_text = "A whole address."
    actions = ("lift",)
    has_change_permission = has_delete_permission = never

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The address once, on the way in."""
        return ("reason", "detail", "created_at", "lifted_at") if obj else ("address", "detail")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Whoever may change suppressions may lift them."""
        return request.user.has_perm("subscriptions.change_suppression")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Now is when it begins."""
        obj.created_at = clock.now()
        super().save_model(request, obj, form, change)

    @admin.action(description="Lift the selected suppressions", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        """The addresses may get mail again; the rows stay as the record."""
        live = list(queryset.live(clock.now()))
        Suppression.objects.filter(pk__in=[row.pk for row in live], lifted_at=None).update(lifted_at=clock.now())
        self.log(request, live, "Lifted.")
        self.message_user(request, f"Lifted: {len(live)}.", messages.SUCCESS)


class ByReaderAdmin(FoundByAddress, ReadOnlyAdmin):
    """Machine-made rows of a reader, without the address."""

    exclude = ("email", "email_hash")
    list_select_related = ("subscriber",)


@admin.register(models.SignupRequest)
class SignupRequestAdmin(ByReaderAdmin):
    """Who asked, and what came of it."""

    list_display = ("__str__", "created_at", "outcome", "reason", "attempts", "handled_at", "subscriber")
    list_filter = ("outcome",)


@admin.register(models.ConsentEvent)
class ConsentEventAdmin(ByReaderAdmin):
    """Who agreed to what, when, in which words."""

    list_display = ("__str__", "kind", "at", "where", "subscriber")
    list_filter = ("kind",)
