"""Leave, take it back, say why. GET shows, POST does."""

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscriptions import clock, lifecycle, links
from subscriptions.forms import ReasonForm
from subscriptions.models import Subscriber
from subscriptions.parameters import reads
from subscriptions.tokens import NOBODY, Purpose
from subscriptions.views.pages import GONE, UNPROCESSABLE, bad_link, origin_of, see_other, speak_to, token_page


@token_page
@csrf_exempt  # RFC 8058: the provider posts without cookie or page. The token is the authorisation.
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button, POST leaves: the button's, or a mail provider's one-click (RFC 8058 section 3.2).

    Never limited in number and never redirected for a provider: a refusal would be a reader who cannot leave.
    """
    now = clock.now()
    read, reader = links.read_reader(Purpose.UNSUBSCRIBE, token, now)
    if read is None:
        return bad_link(request, "unsubscribe")
    if read.id == NOBODY:
        return bad_link(request, "specimen")
    speak_to(reader)
    if request.method == "POST":
        one_click = not _is_our_button(request)
        where = lifecycle.BY_ONE_CLICK if one_click else lifecycle.BY_BUTTON
        left_now = reader and lifecycle.unsubscribe(reader, now, origin_of(request, where, read))
        if one_click:
            return HttpResponse("You are unsubscribed.\n", content_type="text/plain")
        if reader and left_now:  # to nobody else: an old link in a forwarded mail must not take a leaving back
            return see_other(links.left_path(reader, now))
        return see_other(request.path)
    context = {
        "subscriber": reader,
        "left": reader is None or reader.state == Subscriber.State.UNSUBSCRIBED,
    }
    return render(request, "subscriptions/unsubscribe.html", context)


def _is_our_button(request: HttpRequest) -> bool:
    """Whether the page's button was pressed. A body too long or broken to be read is a provider's all the same."""
    try:
        return "button" in request.POST
    except (BadRequest, SuspiciousOperation, UnreadablePostError, MultiPartParserError):
        return False


@reads("thanks")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def left(request: HttpRequest, token: str) -> HttpResponse:
    """After leaving: Undo, and one question that may stay unanswered.

    It leads to no settings: whoever holds an unsubscribe link, however old, gets here.
    """
    now = clock.now()
    read, reader = links.read_reader(Purpose.LEFT, token, now)
    if read is None:
        return bad_link(request, "unsubscribe")
    speak_to(reader)
    if read.expired or reader is None or reader.erase_asked_at:
        return bad_link(request, "undo", GONE)
    origin = origin_of(request, "undo", read)
    if request.method == "POST" and "undo" in request.POST:
        if not lifecycle.undo(reader, now, origin) and reader.state != Subscriber.State.ACTIVE:
            return bad_link(request, "undo", GONE)
        return see_other(request.path)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if reader.state == Subscriber.State.UNSUBSCRIBED:
            lifecycle.give_reason(reader, form.cleaned_data["reason"], now, origin)
        return see_other(request.path + "?thanks=1")
    context = {
        "subscriber": reader,
        "left": reader.state == Subscriber.State.UNSUBSCRIBED,
        "can_undo": lifecycle.can_undo(reader, now),
        "form": form,
        "thanks": "thanks" in request.GET,
    }
    return render(request, "subscriptions/left.html", context, status=UNPROCESSABLE if form.errors else 200)
