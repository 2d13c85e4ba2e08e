"""Subscribe, confirm, "it was not me", and a new link for who lost theirs. GET shows, POST does."""

from http import HTTPStatus
from zoneinfo import available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from subscriptions import clock, guard, letters, lifecycle, links
from subscriptions.forms import AddressForm, SignupForm
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.parameters import reads
from subscriptions.tasks import handle_signup, nudge
from subscriptions.tokens import LIFETIME, Purpose, Token
from subscriptions.views.pages import (
    GONE,
    UNPROCESSABLE,
    bad_link,
    origin_of,
    see_other,
    speak_to,
    token_page,
    token_page_with_script,
    too_many,
)
from subscriptions.views.proof import names_another_site, passes_djangos_check

FORBIDDEN = HTTPStatus.FORBIDDEN


@csrf_exempt  # checked below, to show the form again instead of an error
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form. Every accepted POST gets the same answer, whatever the state of the address."""
    form = SignupForm(request.POST or None, network=_network(request))
    return _ask_by_address(request, form, SignupRequest.Kind.SIGN_UP, "subscriptions/subscribe.html")


@csrf_exempt  # as above
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lost_link(request: HttpRequest) -> HttpResponse:
    """A link to settings and data by mail, for whoever is known at that address. The same answer for all others."""
    form = AddressForm(request.POST or None, network=_network(request))
    return _ask_by_address(request, form, SignupRequest.Kind.LINK, "subscriptions/lost_link.html")


def _ask_by_address(request: HttpRequest, form: AddressForm, kind: SignupRequest.Kind, template: str) -> HttpResponse:
    if request.method == "POST" and not _came_from_us(request, form):
        said = _("We could not tell that this came from our own page. Press the button again.")
        if form.is_bound:
            form.add_error(None, said)
        # A program's POST is refused; a person sees the form again, with what was typed, and presses once more.
        return render(request, template, {"form": form}, status=UNPROCESSABLE if form.is_of_ours else FORBIDDEN)
    if request.method == "POST" and (form.is_valid() or form.is_from_a_robot):
        if form.is_from_a_robot:  # thinks it was served
            return see_other(_check_email(kind))
        ip, now = guard.client_ip(request), clock.now()
        if not guard.admit(ip, now):
            return too_many(request)
        choice = form.choice.kept() if isinstance(form, SignupForm) else None
        asked = letters.ask(kind, form.cleaned_data["email"], now, network=guard.network_hash(ip), choice=choice)
        nudge(handle_signup, asked.pk)
        return see_other(_check_email(kind))
    status = UNPROCESSABLE if form.errors else 200
    return render(request, template, {"form": form}, status=status)


def _network(request: HttpRequest) -> str:
    """The hash of the network that asks; "" where it is not known, which is everybody's then."""
    ip = guard.client_ip(request)
    return guard.network_hash(ip) if guard.network_of(ip) else ""


def _came_from_us(request: HttpRequest, form: AddressForm) -> bool:
    """Whether the form was shown by us to the one who sent it, so that no other site can spend a visitor's budget.

    By Django's check. Without a cookie, by having been offered again to the same network; then the browser may name no
    site, but no other one.
    """
    return passes_djangos_check(request) or (form.was_offered_here and not names_another_site(request))


def _check_email(kind: SignupRequest.Kind) -> str:
    return reverse("check-email") + ("" if kind == SignupRequest.Kind.SIGN_UP else "?for=link")


@reads("for")
@require_safe
def check_email(request: HttpRequest) -> HttpResponse:
    """What to do next; the same for every address."""
    lifetime = LIFETIME[Purpose.CONFIRM]
    context = {
        "sender": settings.LETTERS_FROM_EMAIL,
        "site_name": settings.SITE_NAME,
        "hours": round(lifetime.total_seconds() / 3600) if lifetime else 0,
        "link": request.GET.get("for") == "link",
        "mailbox": settings.DEBUG and bool(settings.EMAIL_FILE_PATH),
    }
    return render(request, "subscriptions/check_email.html", context)


def _asked(token: str) -> tuple[Token | None, SignupRequest | None]:
    """The sign-up that a confirm link belongs to, as far as it is ours and still kept; in its reader's language."""
    read, asked = links.read_request(Purpose.CONFIRM, token, clock.now())
    speak_to(asked.subscriber if asked else None)
    return read, asked


@token_page_with_script  # it tells the browser's time zone
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """One button. Works twice; a late one offers a new link."""
    read, asked = _asked(token)
    if read is None:
        return bad_link(request, "confirm")
    # Also for an active reader: an old link must not open the reader's pages for ever.
    if read.expired or asked is None or asked.subscriber is None:
        return bad_link(request, "expired", GONE)
    if asked.subscriber.email_hash != asked.email_hash:
        return bad_link(request, "moved", GONE)
    now = clock.now()
    if why_not := lifecycle.why_not(asked, asked.subscriber, now):
        return bad_link(request, "gone" if why_not == "erased" else why_not, GONE)
    if request.method == "POST":
        zone = request.POST.get("zone", "")
        origin = origin_of(request, "confirm page", read)
        reader = lifecycle.confirm(asked, now, origin, zone if zone in available_timezones() else "")
        if reader.state != Subscriber.State.ACTIVE:  # left in between
            return bad_link(request, "left", GONE)
        return see_other(reverse("preferences", args=[links.manage_token(reader, now)]) + "?confirmed=1")
    return render(request, "subscriptions/confirm.html", {"subscriber": asked.subscriber})


@reads("done")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody else typed this address: one button, and twelve months of silence."""
    read, asked = _asked(token)
    if read is None:
        return bad_link(request, "confirm")
    if asked is None:  # forgotten after a week: then nothing is kept that could be blocked
        return bad_link(request, "expired", GONE)
    if request.method == "POST":
        lifecycle.not_me(asked, clock.now(), origin_of(request, "it was not me", read))
        return see_other(request.path + "?done=1")
    done = lifecycle.is_disowned(asked.email_hash, clock.now())
    context = {"masked": links.masked_of(asked), "done": done}
    return render(request, "subscriptions/not_me.html", context)
