"""Take along, erase, another address: behind a link that was mailed in the last fifteen minutes."""

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from subscriptions import clock, guard, letters, lifecycle, links, privacy
from subscriptions.forms import AddressForm
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.parameters import reads
from subscriptions.tasks import handle_signup, nudge
from subscriptions.tokens import Purpose, Token
from subscriptions.views.pages import (
    GONE,
    UNPROCESSABLE,
    bad_link,
    origin_of,
    own_page,
    see_other,
    speak_to,
    token_page,
    too_many,
)


def _opened(token: str) -> tuple[Token | None, Subscriber | None]:
    """Whose fresh link this is: the page goes on in that reader's language.

    None where it is over, or the address is another one since.
    """
    read, asked = links.read_request(Purpose.FRESH, token, clock.now())
    if read is None or read.expired:
        return read, None
    reader = asked.subscriber if asked else None
    if asked is None or reader is None or reader.email_hash != asked.email_hash or reader.erase_asked_at:
        return read, None
    speak_to(reader)
    return read, reader


def _refused(request: HttpRequest, read: Token | None) -> HttpResponse:
    return bad_link(request, "fresh", GONE) if read else bad_link(request, "confirm")


@token_page
@require_http_methods(["GET", "HEAD"])
def own_data(request: HttpRequest, token: str) -> HttpResponse:
    """The three things that a fresh link opens."""
    read, reader = _opened(token)
    if reader is None:
        return _refused(request, read)
    context = {
        "subscriber": reader,
        "token": token,
        "form": AddressForm(),
        "manage": links.manage_token(reader, clock.now()),
    }
    return render(request, "subscriptions/own_data.html", context)


@token_page
@require_POST
@own_page
def export(request: HttpRequest, token: str) -> HttpResponse:
    """Everything that is kept, as one JSON file. A POST, so that a scanner that follows links does not fetch it."""
    read, reader = _opened(token)
    if reader is None:
        return _refused(request, read)
    response = JsonResponse(privacy.export(reader, clock.now()), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="daily-papers.json"'
    return response


@reads("sent")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def change_address(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the new address. Whether it is subscribed already is told to its owner only."""
    read, reader = _opened(token)
    if reader is None or read is None:
        return _refused(request, read)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and form.cleaned_data["email"] == reader.email:
        form.add_error("email", _("That is your address already. Enter the new one"))
    if request.method == "POST" and form.is_valid():
        ip, now = guard.client_ip(request), clock.now()
        if not guard.admit(ip, now):
            return too_many(request)
        kind, address = SignupRequest.Kind.MOVE, form.cleaned_data["email"]
        asked = letters.ask(kind, address, now, network=guard.network_hash(ip), subscriber=reader)
        nudge(handle_signup, asked.pk)
        return see_other(request.path + "?sent=1")
    context = {"form": form, "subscriber": reader, "token": token, "sent": "sent" in request.GET}
    return render(request, "subscriptions/change_address.html", context, status=UNPROCESSABLE if form.errors else 200)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """One button. Afterwards there is nothing left to show a page from, so the answer comes with the POST."""
    read, reader = _opened(token)
    if reader is None or read is None:
        return _refused(request, read)
    if request.method == "POST":
        done = lifecycle.ask_erase(reader, clock.now(), origin_of(request, "erase page", read))
        return render(request, "subscriptions/erased.html", {"done": done})
    return render(request, "subscriptions/erase.html", {"subscriber": reader, "token": token})


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str) -> HttpResponse:
    """The new address says yes: one button, harmless when pressed twice."""
    read, asked = links.read_request(Purpose.MOVE, token, clock.now())
    if read is None:
        return bad_link(request, "confirm")
    if read.expired or asked is None or asked.subscriber is None or asked.subscriber.erase_asked_at:
        return bad_link(request, "move", GONE)
    reader = asked.subscriber
    speak_to(reader)
    if request.method != "POST" and reader.email_hash == asked.email_hash:
        return render(request, "subscriptions/move.html", {"masked": links.masked_of(asked), "done": True})
    if request.method == "POST":
        now = clock.now()
        try:
            moved = lifecycle.move(asked, now, origin_of(request, "new address", read))
        except (privacy.NotYet, IntegrityError):
            moved = False
        if not moved:
            return render(
                request, "subscriptions/move.html", {"taken": True, "masked": links.masked_of(asked)}, status=409
            )
        for waiting in SignupRequest.objects.filter(subscriber=reader, kind=SignupRequest.Kind.MOVED, handled_at=None):
            nudge(handle_signup, waiting.pk)
        return see_other(reverse("preferences", args=[links.manage_token(reader, now)]) + "?moved=1")
    context = {"masked": links.masked_of(asked), "old": reader.masked_email}
    return render(request, "subscriptions/move.html", context)
