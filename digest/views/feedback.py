"""More or less like a paper, or save it, behind a link from a digest. GET shows a button, POST keeps or takes back."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from digest.feedback import opinion_on, saving_of, say, undo, work_of
from digest.models import Feedback, Paper
from subscriptions import clock
from subscriptions.parameters import reads
from subscriptions.tokens import Purpose, Token
from subscriptions.views.pages import opened, see_other, token_page

Verb = Feedback.Verb


@reads("undone")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest, token: str, paper: int, verb: str) -> HttpResponse:
    """One word on one paper, also of readers who paused or left.

    Any paper will do, not only those that the reader was sent: who was sent what is in open digests and in bitmaps of
    closed days, and all that such a check would prevent is one more row with the reader's own number.
    """
    read, reader = opened(token, Purpose.FEEDBACK)
    work = _named_work_or_404(paper, read)
    if verb not in Verb:
        raise Http404("Of a paper you can say “more”, “less” or “save”, and this link says something else.")
    if request.method == "POST" and "undo" in request.POST:
        undo(reader.pk, work, Verb(verb))
        return see_other(request.path + "?undone=1")
    if request.method == "POST":
        say(reader.pk, work, Verb(verb), clock.now())
        return see_other(request.path)
    word = saving_of(reader.pk, work) if verb == Verb.SAVE else opinion_on(reader.pk, work)
    context = {
        "token": token,
        "paper": work,
        # As on its own page: what an editor hid is not told here either, whatever number is asked for.
        "shown": Paper.objects.shown().filter(pk=work.pk).exists(),
        "verb": Verb(verb),
        "other": Verb.LESS if verb == Verb.MORE else Verb.MORE,
        "word": word and word.verb,
        "undone": "undone" in request.GET and word is None,
    }
    return render(request, "digest/feedback.html", context)


def _named_work_or_404(pk: int, link: Token) -> Paper:
    """The work of the paper that a link names; none where the paper of that number came after the link was made."""
    work = work_or_404(pk)
    named = work if work.pk == pk else Paper.objects.only("first_seen_at").get(pk=pk)
    if not link.may_name(named.first_seen_at):
        raise Http404("We know no paper with the number in this link.")
    return work


def work_or_404(pk: int) -> Paper:
    """The row that stands for the work of that number."""
    try:
        return work_of(pk)
    except Paper.DoesNotExist:
        raise Http404("We know no paper with the number in this link.") from None
