"""Digests: who was to get what, what became of it and why; editors settle uncertain ones. Nobody's address is here."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import re
from datetime import date, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from digest import outcomes
from digest.explaining import explain
from digest.lint.mail import Mail
from digest.models import Digest
from digest.preview import of_digest
from digest.rendering import Shelf, items_of
from digest.views.mail import mail_html, mail_page, shown_as_mail
from subscriptions import clock
from subscriptions.admin import ReadOnlyAdmin

OFFERED_DAYS = 14
TOLD = 5  # refusals that are said one by one


class DayFilter(admin.SimpleListFilter):
    """One local day: the last fourteen are offered without a query, any other by ?day=2026-03-20."""

    title, parameter_name = "day", "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """From tomorrow, which has begun somewhere, backwards; and the day that is asked for."""
        newest = clock.now().date() + timedelta(days=1)
        days = [(newest - timedelta(days=back)).isoformat() for back in range(OFFERED_DAYS)]
        asked = [day for day in [self.value()] if day and day not in days]
        return [(day, day) for day in [*asked, *days]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The digests of that day."""
        try:
            return queryset.filter(day=date.fromisoformat(self.value() or "")) if self.value() else queryset
        except ValueError as error:
            raise IncorrectLookupParameters from error


@admin.register(Digest)
class DigestAdmin(ReadOnlyAdmin):
    """One row a reader and day, to look at, and where nobody knows whether it left, to say so."""

    list_display = ("id", "day", "cadence", "state", "reason", "reader", "attempt", "accepted")
    list_filter = (DayFilter, "state", "cadence")
    sortable_by = ()
    actions = ("it_arrived", "it_did_not_arrive")
    search_fields = ("id",)
    search_help_text = 'The number of a digest or of a reader; "reader 17" for the reader alone.'
    change_list_template = "admin/digest/digest/change_list.html"
    change_form_template = "admin/digest/digest/change_form.html"
    fields = (
        ("day", "cadence", "reader"),
        ("state", "reason", "attempt"),
        ("due_at", "planned_at"),
        ("handed_at", "perhaps_taken", "in_batch", "accepted_at"),
        ("delivered_at", "bounced_at", "complained_at"),
        ("content_from", "content_to"),
        ("planned_by", "claimed_by", "free_at"),
        "provider_id",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Digest]:
        """The picks are read where they are shown."""
        digests: QuerySet[Digest] = super().get_queryset(request)
        return digests.defer("picks")

    @admin.display(description="Reader")
    def reader(self, obj: Digest) -> str:
        """A number, never an address."""
        return f"reader {obj.subscriber_id}" if obj.subscriber_id else "erased"

    @admin.display(description="Accepted (UTC)")
    def accepted(self, obj: Digest) -> str:
        """When the provider took it, in few characters: the list has many columns."""
        return f"{obj.accepted_at:%Y-%m-%d %H:%M}" if obj.accepted_at else ""

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Whoever may say what became of uncertain digests."""
        return request.user.has_perm("digest.resolve_digest")

    @admin.action(description="It arrived: count as accepted", permissions=["resolve"])
    def it_arrived(self, request: HttpRequest, queryset: QuerySet[Digest]) -> None:
        """Of the selected digests those that are uncertain."""
        done, refused = [], []
        for digest in queryset:
            if outcomes.arrived(digest):
                done.append(digest)
            else:
                refused.append(f"Digest {digest.pk} is not uncertain.")
        self._settled(request, done, "Said to have arrived: accepted.", refused)

    @admin.action(description="It did not: send it again", permissions=["resolve"])
    def it_did_not_arrive(self, request: HttpRequest, queryset: QuerySet[Digest]) -> None:
        """Of the selected digests those that are uncertain and not too late; they leave within a minute."""
        done, refused = [], []
        for digest in queryset:
            try:
                outcomes.send_again(digest, clock.now())
            except outcomes.NotAgain as error:
                refused.append(f"Digest {digest.pk} is not sent again: {error}")
            else:
                done.append(digest)
        self._settled(request, done, "Said not to have arrived: sent again.", refused)

    def _settled(self, request: HttpRequest, done: list[Digest], what: str, refused: list[str]) -> None:
        if done:
            self.log(request, done, what)
            self.message_user(request, f"{what} {len(done):,} digests.", messages.SUCCESS)
        for said in refused[:TOLD]:
            self.message_user(request, said, messages.WARNING)
        if len(refused) > TOLD:
            self.message_user(request, f"{len(refused) - TOLD:,} more were left as they are.", messages.WARNING)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact numbers: both have an index."""
        if not search_term.strip():
            return queryset, False
        found = re.fullmatch(r"(reader|digest)?\s*([0-9]{1,18})", search_term.strip())
        if not found:
            return queryset.none(), False
        word, number = found[1], int(found[2])
        by_id, by_reader = Q(pk=number), Q(subscriber=number)
        wanted = {"reader": by_reader, "digest": by_id}.get(word, by_id | by_reader)
        return queryset.filter(wanted), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With the sum of the day that is looked at."""
        return super().changelist_view(request, {**(extra_context or {}), **_sum(request.GET.get("day", ""))})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With the papers and why each is there."""
        digest = kwargs["obj"]
        context["items"] = items_of(digest, Shelf.for_digests([digest]))
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """The mail with all its controls, and its HTML part under the policy that a mail is shown with."""
        page, html, why = map(self.admin_site.admin_view, (self.mail, self.preview, self.why))
        return [
            path("<int:pk>/why/", why, name="digest_digest_why"),
            path("<int:pk>/mail/", page, name="digest_digest_mail"),
            path("<int:pk>/preview/", html, name="digest_digest_preview"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def mail(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mail as its reader gets it."""
        return mail_page(
            request,
            self._mail_of(request, pk),
            html_url=reverse("admin:digest_digest_preview", args=[pk]),
            back=(reverse("admin:digest_digest_change", args=[pk]), f"Digest {pk}"),
            about="As planned: what was hidden or withdrawn before it left is in it. Its links open nobody’s pages.",
        )

    @method_decorator([shown_as_mail, require_safe])
    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The HTML part alone; its links do nothing, they are reader 0's, who is nobody."""
        return mail_html(request, self._mail_of(request, pk))

    @method_decorator(require_safe)
    def why(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Why each paper is in it, and why the next ten are not: what ``manage.py explain_digest`` prints."""
        try:
            told = explain(self._digest_of(request, pk), clock.now())
        except ValueError as error:
            raise Http404(f"There is nothing to explain. {error}") from error
        context = {
            **self.admin_site.each_context(request),
            "title": f"Digest {pk}: why these papers",
            "opts": self.opts,
            "told": told,
            "parts": [("In it", told.picks), ("Not in it: the next ones", told.others)],
        }
        return TemplateResponse(request, "admin/digest/digest/why.html", context)

    def _digest_of(self, request: HttpRequest, pk: int) -> Digest:
        digest = get_object_or_404(Digest.objects.select_related("subscriber"), pk=pk)
        if not self.has_view_permission(request, digest):
            raise PermissionDenied
        return digest

    def _mail_of(self, request: HttpRequest, pk: int) -> Mail:
        try:
            return of_digest(self._digest_of(request, pk), clock.now()).mail
        except ValueError as error:
            raise Http404(f"There is no mail to show: {error}.") from error


def _sum(day: str) -> dict[str, Any]:
    """The sum of a day in words, for the list's template; nothing where no day is given."""
    try:
        total = outcomes.sum_of(date.fromisoformat(day))
    except ValueError:
        return {}
    parts = [f"{total[state]:,} {state}" for state in outcomes.ENDED if total[state]]
    if total.to_go or not parts:
        parts.append(f"{total.to_go:,} to go")
    reasons = sorted(total.reasons.items(), key=lambda item: -item[1])
    return {
        "sum_day": day,
        "sum_words": f"{total.planned:,} planned = " + " + ".join(parts),
        "sum_adds_up": total.adds_up,
        "sum_reasons": [f"{number:,} {state}: {reason}" for (state, reason), number in reasons],
    }
