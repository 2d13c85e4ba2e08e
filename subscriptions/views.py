"""Subscribe, confirm, choose, leave. GET shows, POST does."""

from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from subscriptions import clock, lifecycle, links
from subscriptions.forms import PreferencesForm, SignupForm
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tasks import handle_signup, nudge
from subscriptions.tokens import LIFETIME, Purpose

GONE = HTTPStatus.GONE


def see_other(url: str) -> HttpResponse:
    """After a POST: 303, so that a reload asks for the page and does not act again (RFC 9110 section 15.4.4)."""
    response = redirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form. Every accepted POST gets the same answer, whatever the state of the address."""
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        signup = lifecycle.request_signup(form.cleaned_data["email"], clock.now())
        nudge(handle_signup, signup.pk)
        return see_other(reverse("check-email"))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "subscriptions/subscribe.html", {"form": form}, status=status)


@require_safe
def check_email(request: HttpRequest) -> HttpResponse:
    """What to do next. Knows no address."""
    lifetime = LIFETIME[Purpose.CONFIRM]
    context = {
        "hours": lifetime and int(lifetime.total_seconds() // 3600),
        "sender": settings.LETTERS_FROM_EMAIL,
        "site_name": settings.SITE_NAME,
        "mailbox": settings.DEBUG and bool(settings.EMAIL_FILE_PATH),
    }
    return render(request, "subscriptions/check_email.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """One button. Works twice; a late one offers a new link."""
    now = clock.now()
    read = links.read(Purpose.CONFIRM, token, now)
    signup = SignupRequest.objects.select_related("subscriber").filter(pk=read.id).first() if read else None
    if read is None or signup is None or signup.subscriber is None:
        return render(request, "subscriptions/bad_link.html", {"what": "confirm"}, status=HTTPStatus.NOT_FOUND)
    if read.expired:  # also for an active reader: an old link must not open the reader's pages for ever
        return render(request, "subscriptions/bad_link.html", {"what": "expired", "form": SignupForm()}, status=GONE)
    if request.method == "POST":
        subscriber = lifecycle.confirm(signup, now)
        return see_other(reverse("preferences", args=[links.manage_token(subscriber, now)]) + "?confirmed=1")
    return render(request, "subscriptions/confirm.html", {"subscriber": signup.subscriber})


def reader_of(token: str) -> Subscriber | None:
    """The reader whose manage link this is; None where its 30 days are over. Raises Http404 for a forged one."""
    read = links.read(Purpose.MANAGE, token, clock.now())
    subscriber = Subscriber.objects.filter(pk=read.id).first() if read else None
    if read is None or subscriber is None:
        raise Http404("This link is not complete. Open the newest mail and press its link again.")
    return None if read.expired else subscriber


def expired_link(request: HttpRequest) -> HttpResponse:
    """A manage link after its 30 days."""
    return render(request, "subscriptions/bad_link.html", {"what": "manage", "form": SignupForm()}, status=GONE)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Topics, hour, zone. Saving leads to the reader's own page, which says when the next digest comes."""
    subscriber = reader_of(token)
    if subscriber is None:
        return expired_link(request)
    chosen = list(subscriber.interests.values_list("topic_id", flat=True))
    form = PreferencesForm(request.POST or None, instance=subscriber, initial={"topics": chosen})
    if request.method == "POST" and form.is_valid():
        lifecycle.choose(form.save(commit=False), form.cleaned_data["topics"], clock.now())
        return see_other(reverse("reader", args=[token]) + "?saved=1")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {
        "form": form,
        "subscriber": Subscriber.objects.get(pk=subscriber.pk),
        "token": token,
        "unsubscribe_path": links.unsubscribe_path(subscriber, clock.now()),
    }
    return render(request, "subscriptions/preferences.html", context, status=status)


@never_cache
@csrf_exempt  # RFC 8058: the provider posts without cookie or page. The token is the authorisation.
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button, POST leaves: the button's, or a mail provider's one-click (RFC 8058 section 3.2)."""
    now = clock.now()
    read = links.read(Purpose.UNSUBSCRIBE, token, now)
    if read is None:
        return render(request, "subscriptions/bad_link.html", {"what": "unsubscribe"}, status=HTTPStatus.NOT_FOUND)
    subscriber = Subscriber.objects.filter(pk=read.id).first()
    if request.method == "POST":
        one_click = "button" not in request.POST
        if subscriber:
            lifecycle.unsubscribe(subscriber, now, "one-click" if one_click else "unsubscribe page")
        if one_click:
            return HttpResponse("You are unsubscribed.\n", content_type="text/plain")
        return render(request, "subscriptions/unsubscribed.html")
    left = subscriber is None or subscriber.state == Subscriber.State.UNSUBSCRIBED
    return render(request, "subscriptions/unsubscribe.html", {"subscriber": subscriber, "left": left})
