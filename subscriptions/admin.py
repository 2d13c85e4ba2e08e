"""The readers' side of the admin: addresses are masked in lists and found only by those who know them."""

from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from subscriptions import clock, lifecycle, schedule
from subscriptions.forms import zone_choices
from subscriptions.models import (
    ConsentEvent,
    Interest,
    SignupRequest,
    Subscriber,
    Suppression,
    Topic,
    address_hash,
)

SHOWN_EVENTS = 20
DAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
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
    def count(self) -> int:  # type: ignore[override]
        """The number of rows, at most BOUND."""
        return min(self._seen, self.BOUND)

    @property
    def more(self) -> bool:
        """Whether there are rows that were not counted."""
        return self._seen > self.BOUND


class ListAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """What every list here keeps to: the newest first, bounded counts, no count per filter."""

    list_per_page = 50
    ordering = ("-pk",)
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def log(self, request: HttpRequest, rows: "QuerySet[Any] | list[Any]", message: str) -> None:
        """Write down who did what, where the admin itself does not."""
        assert request.user.pk
        LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, message)


class ReadOnlyAdmin(ListAdmin):
    """Rows that only the machine makes."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


class Fact(admin.SimpleListFilter):
    """Whether a date is set, asked as a question: "hidden: yes or no"."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes and no."""
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the answer; all where nothing was asked."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(**{f"{self.field}__isnull": self.value() == "no"})


class Lifted(Fact):
    title, parameter_name, field = "lifted", "lifted", "lifted_at"


def by_reader(rows: "QuerySet[Any]", term: str, number: str) -> "QuerySet[Any]":
    """The rows of a reader's number, or of a whole address, found by its hash: exact, by an index, whatever its case."""
    term = term.strip().removeprefix("reader").strip()
    if term.isdecimal():
        return rows.filter(**{number: int(term)}) if len(term) < 18 else rows.none()
    return rows.filter(email_hash=address_hash(term)) if term else rows


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
        help_text="None: what trends over all.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["days"] = [day for day, _ in DAYS if self.instance.weekdays >> day & 1]
        self.initial["topics"] = list(self.instance.interests.values_list("topic_id", flat=True))


@admin.register(Subscriber)
class SubscriberAdmin(ListAdmin):
    """Readers. They come by confirming and go by leaving, so none is added or deleted here."""

    form = SubscriberForm
    list_display = ("__str__", "masked_email", "state", "zone", "hour", "next_due_at")
    list_filter = ("state",)
    sortable_by = ()
    search_fields = ("email_hash",)
    search_help_text = "A whole address, or a reader's number. Parts of addresses are not searched."
    actions = ("unsubscribe",)
    change_form_template = "admin/subscriptions/subscriber/change_form.html"
    # An address changes by a link that is mailed to the new one, a state by what its reader does.
    readonly_fields = ("email", "state", "created_at", "confirmed_at", "last_due_at", "next_due_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Boxes for those who may change, words for those who may look."""
        boxes = self.has_change_permission(request, obj)
        when = ("hour", "zone", "days" if boxes else "weekday_names", "paused_until")
        what = ("topics" if boxes else "topic_names", "paper_limit", "only_my_topics")
        history = ("created_at", "confirmed_at", "last_due_at", "next_due_at")
        own = (
            "email" if boxes else "masked_email",
            "state",
        )  # in full for those who may change it, never in a list
        return [
            (None, {"fields": own}),
            ("When", {"fields": when}),
            ("What", {"fields": what}),
            ("History", {"fields": history}),
        ]

    @admin.display(description="Weekdays")
    def weekday_names(self, obj: Subscriber) -> str:
        """The days of the mask in words."""
        return ", ".join(name for day, name in DAYS if obj.weekdays >> day & 1)

    @admin.display(description="Topics")
    def topic_names(self, obj: Subscriber) -> str:
        """The topics in words."""
        return ", ".join(Topic.objects.filter(interests__subscriber=obj).values_list("name", flat=True))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A whole address or a number."""
        return by_reader(queryset, search_term, "pk"), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A changed hour, zone or pause moves the next digest."""
        obj.weekdays = schedule.weekdays(form.cleaned_data["days"])
        obj.reschedule(clock.now())
        super().save_model(request, obj, form, change)
        wanted = {topic.pk for topic in form.cleaned_data["topics"]}
        obj.interests.exclude(topic__in=wanted).delete()
        Interest.objects.bulk_create(
            [Interest(subscriber=obj, topic_id=topic) for topic in sorted(wanted)], ignore_conflicts=True
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With what the reader agreed to and asked for, the newest first."""
        reader = kwargs["obj"]
        context["events"] = reader.consent_events.order_by("-pk")[:SHOWN_EVENTS]
        context["requests"] = reader.signup_requests.order_by("-pk")[:SHOWN_EVENTS]
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: a reader without a consent of his own must not exist."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: erasing is more than deleting this row."""
        return False

    @admin.action(description="Unsubscribe the selected readers", permissions=["change"])
    def unsubscribe(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask first: only a reader can undo it, by confirming anew."""
        if "sure" not in request.POST:
            context = {**self.admin_site.each_context(request), "readers": queryset, "opts": self.opts}
            context["title"] = "Unsubscribe these readers?"
            return TemplateResponse(request, "admin/subscriptions/subscriber/unsubscribe.html", context)
        now = clock.now()
        left = [reader for reader in queryset if lifecycle.unsubscribe(reader, now, "admin")]
        self.log(request, left, "Unsubscribed.")
        self.message_user(request, f"Unsubscribed: {len(left)}.", messages.SUCCESS)
        return None


class SuppressionForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """An address to write down as its hash."""

    address = forms.EmailField(help_text="Only its keyed hash is kept: nobody can read it here afterwards.")

    def clean(self) -> dict[str, Any]:
        """Refuse a second one in force for the same reason."""
        data = super().clean() or {}
        self.instance.email_hash = address_hash(data.get("address", ""))
        live = Suppression.objects.live().filter(
            email_hash=self.instance.email_hash, reason=data.get("reason")
        )
        if live.exists():
            raise ValidationError("This address is suppressed for this reason already.")
        return data


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """Addresses that get no mail. Added by hand and lifted; never changed, never deleted."""

    form = SuppressionForm
    list_display = ("__str__", "reason", "detail", "created_at", "lifted_at")
    list_filter = ("reason", Lifted)
    search_fields = ("email_hash",)
    search_help_text = "A whole address."
    actions = ("lift",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The address once, on the way in."""
        return ("reason", "detail", "created_at", "lifted_at") if obj else ("address", "reason", "detail")

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """By hand, unless the link says otherwise."""
        return {"reason": Suppression.Reason.MANUAL, **super().get_changeform_initial_data(request)}

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A whole address."""
        return by_reader(queryset, search_term, "pk"), False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Whoever may change suppressions may lift them."""
        return admin.ModelAdmin.has_change_permission(self, request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Now is when it begins."""
        obj.created_at = clock.now()
        super().save_model(request, obj, form, change)

    @admin.action(description="Lift the selected suppressions", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        """The addresses may get mail again; the rows stay as the record."""
        live = list(queryset.live())
        Suppression.objects.live().filter(pk__in=[row.pk for row in live]).update(lifted_at=clock.now())
        self.log(request, live, "Lifted.")
        self.message_user(request, f"Lifted: {len(live)}.", messages.SUCCESS)


class ByReaderAdmin(ReadOnlyAdmin):
    """Machine-made rows of a reader, without the address."""

    exclude = ("email", "email_hash")
    list_select_related = ("subscriber",)
    search_fields = ("email_hash",)
    search_help_text = "A whole address, or a reader's number."

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A whole address or a reader's number."""
        return by_reader(queryset, search_term, "subscriber"), False


@admin.register(SignupRequest)
class SignupRequestAdmin(ByReaderAdmin):
    """Who asked, and what came of it."""

    list_display = ("__str__", "created_at", "outcome", "reason", "attempts", "handled_at", "subscriber")
    list_filter = ("outcome",)


@admin.register(ConsentEvent)
class ConsentEventAdmin(ByReaderAdmin):
    """Who agreed to what, when, in which words."""

    list_display = ("__str__", "kind", "at", "where", "subscriber")
    list_filter = ("kind",)
