"""A reader's saved list: shown, shortened, and taken along as a file for a program that keeps references."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from digest import citations, saved
from digest.feedback import saving_of, say, undo
from digest.models import Feedback, Paper
from digest.rendering import authors_line
from digest.views.feedback import work_or_404
from subscriptions import clock
from subscriptions.parameters import reads
from subscriptions.views.pages import own_page, reader_of, see_other, token_page

PAGE = 50  # papers
DIGITS = 19  # that a number of a row has fewer than
WRITERS = {"bib": citations.bibtex, "ris": citations.ris, "json": citations.csl_json}


@reads("page", "removed", "silent")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def saved_list(request: HttpRequest, token: str) -> HttpResponse:
    """Fifty papers a page. POST takes one off the list, or puts it back as it was."""
    reader = reader_of(token)
    if request.method == "POST":
        return see_other(request.path + _changed(request, reader.pk))
    savings = saved.savings_of(reader.pk)
    page = Paginator(savings, PAGE).get_page(request.GET.get("page"))
    context = {
        "subscriber": reader,
        "token": token,
        "page": page,
        "papers": [(one, authors_line(one.paper.authors)) for one in saved.read([*page.object_list])],
        "removed": _removed(request, reader.pk),
        "silent": "silent" in request.GET,
    }
    return render(request, "digest/saved.html", context)


@token_page
@require_safe
@own_page
def download(_: HttpRequest, token: str, kind: str) -> HttpResponse:
    """The whole list as a file; ``kind`` is one of "bib", "ris" and "json"."""
    reader = reader_of(token)
    references = [saved.reference(paper) for paper in saved.read(saved.savings_of(reader.pk))]
    response = HttpResponse(WRITERS[kind](references), content_type=citations.MEDIA_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="daily-papers.{kind}"'
    return response


def number_of(text: str | None) -> int:
    """The number of a paper as a button or an address says it; 0, which is no paper's, for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < DIGITS else 0


def _changed(request: HttpRequest, reader: int) -> str:
    """Do what the button says. What the page is to be asked for after that, as a query."""
    if "back" in request.POST:
        work = work_or_404(number_of(request.POST["back"]))
        say(reader, work, Feedback.Verb.SAVE, clock.now(), teaches="silent" not in request.POST)
        return ""
    work = work_or_404(number_of(request.POST.get("remove")))
    saving = saving_of(reader, work)
    undo(reader, work, Feedback.Verb.SAVE)
    silent = "&silent=1" if saving and not saving.teaches else ""
    return f"?page={number_of(request.GET.get('page')) or 1}&removed={work.pk}{silent}"


def _removed(request: HttpRequest, reader: int) -> Paper | None:
    """The paper that was just taken off, for "Undo": none that is on the list."""
    paper = saved.nameable().filter(pk=number_of(request.GET.get("removed"))).first()
    return paper if paper and not saving_of(reader, paper) else None
