"""The public pages: the day's papers, a paper."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from digest.models import Edition, Paper
from digest.rendering import day_in_words, freshness_lines, item
from subscriptions.forms import SignupForm


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The newest published edition."""
    return _page(request, Edition.objects.published().first())


@require_safe
def day(request: HttpRequest, day: date) -> HttpResponse:
    """The edition of one day: its page in the archive, without anything personal."""
    edition = Edition.objects.published().filter(day=day).first()
    if edition is None:
        raise Http404(_("There is no edition of %(day)s.") % {"day": day_in_words(day)})
    return _page(request, edition)


@require_safe
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """One paper with all its authors and its abstract. A second row of a work leads to the first."""
    if survivor := Paper.objects.filter(pk=pk).exclude(merged_into=None).values_list("merged_into", flat=True).first():
        return redirect("paper", survivor)
    found = get_object_or_404(Paper.objects.shown(), pk=pk)
    return render(request, "digest/paper.html", {"paper": found, "item": item(found, 1), "form": SignupForm()})


def _page(request: HttpRequest, edition: Edition | None) -> HttpResponse:
    items = []
    older = newer = None
    if edition:
        entries = edition.entries.shown().select_related("paper")
        items = [item(e.paper, number, blurb=e.blurb) for number, e in enumerate(entries, start=1)]
        older = Edition.objects.published().filter(day__lt=edition.day).first()
        newer = Edition.objects.published().filter(day__gt=edition.day).order_by("day").first()
    context = {
        "edition": edition,
        "items": items,
        "sources": freshness_lines(edition.standing_on, edition.day) if edition else [],
        "older": older,
        "newer": newer,
        "form": SignupForm(),
    }
    return render(request, "digest/day.html", context)
