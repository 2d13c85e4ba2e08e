"""A digest of a reader's own with all its papers: where the mail had no room for them."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from digest.models import Digest, Paper
from digest.rendering import Item, Shelf, day_in_words, items_of
from subscriptions.views.pages import reader_of, token_page


@token_page
@require_safe
def own_digest(request: HttpRequest, token: str, day: date) -> HttpResponse:
    """The papers of that local day in the order and with the numbers of the mail; those that went since are left out.

    After a change of zone a date can come twice: then both digests are there, the later one last.
    """
    reader = reader_of(token)
    digests = [
        digest for digest in Digest.objects.filter(subscriber=reader, day=day).order_by("due_at") if digest.picks
    ]
    if not digests:
        raise Http404(_("We have no digest of yours of %(day)s.") % {"day": day_in_words(day)})
    context = {"subscriber": reader, "token": token, "day": day, "digests": _shown(digests)}
    return render(request, "digest/own_digest.html", context)


def _shown(digests: list[Digest]) -> list[list[Item]]:
    shelf = Shelf.for_digests(digests)
    there = set(Paper.objects.shown().filter(pk__in=shelf.papers).values_list("pk", flat=True))
    return [items_of(digest, shelf, without=shelf.papers.keys() - there) for digest in digests]
