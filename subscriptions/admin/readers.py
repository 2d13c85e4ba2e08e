"""Readers."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from subscriptions import clock, lifecycle
from subscriptions.admin.by_address import FoundByAddress
from subscriptions.admin.files import ByFile
from subscriptions.admin.lists import never
from subscriptions.admin.reader_form import SubscriberForm, beside
from subscriptions.consent import Origin
from subscriptions.forms import SHOWN_DAYS
from subscriptions.interests import Interests
from subscriptions.models import Interest, Subscriber, Topic

BY_ADMIN = Origin("admin")
HISTORY = ("created_at", "confirmed_at", "left", "last_due_at", "next_due_at")
OPTIONS = ("paused_until", "topics", "paper_limit", "only_my_topics", "text_only", "language")
SHOWN = ("email", "state", "hour", "zone", "days", *OPTIONS, *HISTORY)


@admin.register(Subscriber)
class SubscriberAdmin(ByFile, FoundByAddress):
    """Readers. They come by a consent of their own and erasing is more than a row: none added or deleted."""

    form = SubscriberForm
    list_display = ("__str__", "masked_email", "state", "zone", "hour", "next_due_at")
    list_filter = ("state",)
    sortable_by = ()
    number = "pk"
    actions = ("unsubscribe", "erase")
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
        return ", ".join(str(name) for day, name in SHOWN_DAYS if obj.weekdays >> day & 1)

    @admin.display(description="Topics")
    def topic_names(self, obj: Subscriber) -> str:
        """The topics in words."""
        wanted = Topic.objects.filter(interests__subscriber=obj, interests__kind=Interest.Kind.TOPIC)
        return ", ".join(wanted.values_list("name", flat=True))

    @admin.display(description="Left at")
    def left(self, obj: Subscriber) -> str:
        """When, with a link to the record that says how and why."""
        if obj.left_at is None:
            return "-"
        record = reverse("admin:subscriptions_consentevent_changelist")
        when = f"{obj.left_at:%Y-%m-%d %H:%M} UTC"
        return format_html('<a href="{}?q=reader+{}">{}</a>', record, obj.pk, when)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A changed hour, zone or pause moves the next digest."""
        lifecycle.choose(obj, form.choices(), form.interests(Interests.of(obj)), clock.now(), BY_ADMIN)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With what the reader agreed to and asked for, and why mails are stopped, the newest first."""
        context.update(beside(kwargs["obj"], clock.now()))
        return super().render_change_form(request, context, *args, **kwargs)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """A permission of its own: there is no way back."""
        return request.user.has_perm("subscriptions.erase_subscriber")

    @admin.action(description="Unsubscribe the selected readers", permissions=["change"])
    def unsubscribe(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask first: only a reader can undo it, by confirming anew."""
        if "sure" not in request.POST:
            return self._ask(request, queryset, "unsubscribe")
        now = clock.now()
        left = [reader for reader in queryset if lifecycle.unsubscribe(reader, now, BY_ADMIN)]
        self.log(request, left, "Unsubscribed.")
        self.message_user(request, f"Unsubscribed: {len(left)}.", messages.SUCCESS)
        return None

    @admin.action(description="Erase the selected readers", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask first: nobody can undo it."""
        if "sure" not in request.POST:
            return self._ask(request, queryset, "erase")
        now, readers, done = clock.now(), list(queryset), 0
        for reader in readers:
            done += lifecycle.ask_erase(reader, now, BY_ADMIN)
            self.log(request, [reader], "Erased.", flag=DELETION)  # a number; the row is gone, the object is not
        self.message_user(request, f"Erased: {done}.", messages.SUCCESS)
        if later := len(readers) - done:
            said = f"{later} follow within minutes: a mail to them is being sent this second."
            self.message_user(request, said, messages.WARNING)
        return None

    def _ask(self, request: HttpRequest, queryset: Any, action: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{action.capitalize()} these readers?",
            "opts": self.opts,
            "readers": queryset,
            "action": action,
        }
        return TemplateResponse(request, "admin/subscriptions/subscriber/sure.html", context)
