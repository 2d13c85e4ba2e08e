"""The edition screen: the day's list and everything an editor does with it, on one page."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.timesince import timeuntil
from django.views.decorators.http import require_POST, require_safe

from digest import approval, editions, preflight
from digest.admin.entries import Row, rows_of, save
from digest.admin.previews import Previewed, checked
from digest.models import Edition, EditionPaper
from subscriptions import clock
from subscriptions.admin import ListAdmin, never


def next_step(edition: Edition, now: datetime) -> str:
    """What happens next if nobody does anything."""
    if edition.state == Edition.State.CLOSED:
        return "Its day has ended everywhere on earth. It stays as it is."
    if edition.held:
        return "Nothing of it is planned or sent until it is released. What left has left."
    if edition.state == Edition.State.APPROVED:
        return "Readers see it. Each reader's digest is planned and sent as the reader's hour comes."
    if settings.EDITION_APPROVE_AT is None:
        return "It waits for an editor: no hour is set at which editions approve themselves."
    at = approval.approves_at(edition)
    if now < at:
        return f"It approves itself on {at:%Y-%m-%d at %H:%M} UTC, in {timeuntil(at, now)}, unless it is held."
    latest = at + editions.PATIENCE
    if now < latest:
        return f"Its hour was {at:%H:%M} UTC. It waits for the sources to be read, until {latest:%H:%M} UTC at most."
    return f"It is overdue: it should have approved itself by {latest:%Y-%m-%d %H:%M} UTC. Do beat and a worker run?"


@admin.register(Edition)
class EditionAdmin(Previewed, ListAdmin):
    """Editions are drafted by the machine; editors shape, approve, hold and release them."""

    list_display = ("day", "state", "is_held", "papers", "approved_by", "approved_at")
    list_filter = ("state", "held")
    ordering = ("-day",)
    date_hierarchy = "day"  # one row a day
    has_add_permission = has_delete_permission = never

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A closed edition is a record."""
        closed = obj is not None and obj.state == Edition.State.CLOSED
        return not closed and super().has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        """With the number of papers that readers see."""
        own = EditionPaper.objects.shown().filter(edition=OuterRef("pk")).order_by().values("edition")
        rows: QuerySet[Edition] = super().get_queryset(request)
        return rows.annotate(papers=Subquery(own.annotate(number=Count("pk")).values("number")))

    @admin.display(description="Papers shown")
    def papers(self, obj: Any) -> int:
        """How many papers readers see."""
        return obj.papers or 0

    @admin.display(description="Held", ordering="held")
    def is_held(self, obj: Edition) -> str:
        """Who holds it and why; a cross would look like a fault on every ordinary day."""
        return f"by {obj.held_by}: {obj.held_reason}" if obj.held else ""

    def get_urls(self) -> list[URLPattern]:
        """The three decisions, each a POST; the linter's verdict and the previews."""
        decide = self.admin_site.admin_view(self.decide)
        own = [
            path(f"<int:pk>/{what}/", decide, {"what": what}, name=f"digest_edition_{what}")
            for what in ("approve", "hold", "release")
        ]
        check = path("<int:pk>/check/", self.admin_site.admin_view(self.check_mail), name="digest_edition_check")
        return [*own, check, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The whole job of a day. GET shows it, POST saves the rows."""
        edition: Edition | None = self.get_object(request, unquote(object_id))
        if edition is None:
            raise Http404("There is no such edition.")
        if not self.has_view_or_change_permission(request, edition):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, edition, rows_of(edition))
        if not self.has_change_permission(request, edition):
            raise PermissionDenied
        with transaction.atomic():
            Edition.objects.select_for_update().get(pk=edition.pk)  # one editor's save after the other's
            rows = rows_of(edition, request.POST)
            valid = [not row.form.is_bound or row.form.is_valid() for row in rows]
            if not all(valid):
                return self._page(request, edition, rows)
            if said := save(rows):
                self.log_change(request, edition, "; ".join(said))
        self.message_user(request, f"Saved: {len(said)} changes." if said else "Nothing was changed.")
        if edition.state == Edition.State.APPROVED:
            changed = [row.entry for row in rows if {"blurb", "hidden"} & set(row.form.changed_data)]
            self._warn_of_faults(request, edition, changed)
        return redirect(request.path)

    def _warn_of_faults(self, request: HttpRequest, edition: Edition, entries: list[EditionPaper]) -> None:
        """No gate is behind an approved edition: what was changed is in the next mail that leaves."""
        shown = [entry for entry in entries if not entry.hidden]
        for paper in preflight.own_faults(edition, shown, clock.now()) if shown else []:
            advice = "Correct or hide it: mails that leave now have it."
            self.message_user(request, f"“{paper.entry.paper}”: {paper.reason}. {advice}", messages.ERROR)

    @method_decorator(require_safe)
    def check_mail(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The edition's page with what the linter says of its mail. Takes seconds, so it is a page of its own."""
        edition = get_object_or_404(Edition, pk=pk)
        if not self.has_view_permission(request, edition):
            raise PermissionDenied
        return self._page(request, edition, rows_of(edition), {"checked": checked(edition, clock.now())})

    def _page(
        self, request: HttpRequest, edition: Edition, rows: list[Row], more: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_decide = request.user.has_perm("digest.approve_edition")
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # the rows need the width
            "opts": self.opts,
            "title": f"Edition of {edition.day:%A, %d %B %Y}",
            "edition": edition,
            "rows": rows,
            "shown": sum(row.shown for row in rows),
            "editable": self.has_change_permission(request, edition),
            "may_decide": may_decide and edition.state != Edition.State.CLOSED,
            "published": edition.state != Edition.State.DRAFT,
            "next_step": next_step(edition, clock.now()),
            "errors": any(row.form.is_bound and row.form.errors for row in rows),
            **(more or {}),
        }
        return TemplateResponse(request, "admin/digest/edition/change_form.html", context)

    @method_decorator(require_POST)
    def decide(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Approve, hold or release; what was done, or why it was not, is said on the edition's page."""
        if not request.user.has_perm("digest.approve_edition"):
            raise PermissionDenied
        edition = get_object_or_404(Edition, pk=pk)
        try:
            done = getattr(self, f"_{what}")(edition, request)
        except approval.NotApproved as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, edition, done)
            self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:digest_edition_change", pk)

    def _approve(self, edition: Edition, request: HttpRequest) -> str:
        if edition.state != Edition.State.DRAFT:
            raise approval.NotApproved(f"The edition of {edition.day} is {edition.state} already.")
        verdict = approval.approve(edition, clock.now(), _name(request))
        for paper in verdict.left_out:
            said = f"Left out: “{paper.entry.paper}”. {paper.reason}. Correct it, then untick Hide in its row."
            self.message_user(request, said, messages.WARNING)
        return "Approved. Digests are planned within a minute."

    def _hold(self, edition: Edition, request: HttpRequest) -> str:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            raise approval.NotApproved("Write why the edition is held: the next editor will ask.")
        if edition.state == Edition.State.CLOSED:
            raise approval.NotApproved("A closed edition has nothing left to hold.")
        approval.hold(edition, reason, _name(request))
        return f"Held: {reason}"

    def _release(self, edition: Edition, request: HttpRequest) -> str:
        approval.release(edition)
        return "Released."


def _name(request: HttpRequest) -> str:
    return request.user.get_username()[:80]
