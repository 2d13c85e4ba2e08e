"""What the readers' pages have in common: their policy, their links, their answers."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from subscriptions import clock, guard, languages, letters, links, page_limits
from subscriptions.consent import Origin
from subscriptions.forms import SignupForm
from subscriptions.models import Subscriber
from subscriptions.tokens import NOBODY, Purpose, Token
from subscriptions.views.proof import is_a_press

GONE, NOT_FOUND, UNPROCESSABLE = HTTPStatus.GONE, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY
View = Callable[..., HttpResponse]
AlsoLate = Callable[[str, datetime], bool]  # of an address, whether a link whose time is over still opens
# Style and icon of our own, forms to ourselves, and nothing else: a page behind a link from a mail.
TOKEN_POLICY = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}


def token_page(view: View) -> View:
    """A page whose address is a key: not stored, not indexed, not framed, and nothing loaded from elsewhere.

    In the language of its reader, once the view has said who that is: ``speak_to``. Before, in the browser's. Its
    buttons need no cookie and no Origin: see ``is_a_press``.

    Referrer-Policy is the site's "same-origin": with "no-referrer" browsers send "Origin: null" from all pages.
    """
    return _behind_a_key(view, TOKEN_POLICY)


def token_page_with_script(view: View) -> View:
    """The same with scripts of our own."""
    return _behind_a_key(view, {**TOKEN_POLICY, "script-src": [SELF]})


def _behind_a_key(view: View, policy: dict[str, list[str]]) -> View:
    checked = view if getattr(view, "csrf_exempt", False) else csrf_protect(view)

    @csrf_exempt  # the token is the authorisation: see is_a_press
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(translation.get_language()):  # to end what speak_to begins
            try:
                doubted = request.method == "POST" and checked is not view and not is_a_press(request)
                response = (checked if doubted else view)(request, *args, **kwargs)
            except BadLink as link:
                response = bad_link(request, link.what, link.status, link.token)
            except Subscriber.DoesNotExist:  # erased between reading the link and doing what it asks
                response = bad_link(request, "gone", GONE)
            response.headers.setdefault("Content-Language", translation.get_language())
        response["X-Robots-Tag"] = "noindex"
        return response

    return cast("View", csp(policy)(never_cache(shown)))


def speak_to(reader: Subscriber | None) -> None:
    """From here on the page is in this reader's language. For views behind a key, whose decorator ends it."""
    if reader:
        translation.activate(languages.of(reader))


def see_other(url: str) -> HttpResponse:
    """After a POST: 303, so that a reload asks for the page and does not act again (RFC 9110 section 15.4.4)."""
    response = redirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def origin_of(request: HttpRequest, where: str, token: Token | None = None) -> Origin:
    """Where a change comes from, for its consent event."""
    return Origin(where, guard.network_hash(guard.client_ip(request)), token.name if token else "")


class BadLink(Exception):  # noqa: N818 - what the page says
    """A link that opens nothing; ``what`` names the case in bad_link.html, ``token`` one that opens another page."""

    def __init__(self, what: str, status: HTTPStatus = GONE, token: str = "") -> None:
        super().__init__(what)
        self.what, self.status, self.token = what, status, token


def opened(
    token: str, purpose: Purpose = Purpose.MANAGE, *, also_late: AlsoLate | None = None
) -> tuple[Token, Subscriber]:
    """What a link says and the reader whose link it is, in whose language the page goes on.

    Raises BadLink for a forged one, one whose time is over, unless ``also_late`` is true of the reader's address and
    the time, one of a reader who was erased or whom a restored database has forgotten, and one that was mailed to an
    earlier address.
    """
    read, subscriber = links.read_reader(purpose, token, clock.now())
    if read is None:
        raise BadLink("confirm", NOT_FOUND)
    if read.id == NOBODY:
        raise BadLink("specimen", NOT_FOUND)
    if read.expired and purpose is not Purpose.MANAGE:
        raise BadLink(purpose.value)
    if subscriber is None or subscriber.erase_asked_at:
        raise BadLink(purpose.value if read.expired else "gone")
    speak_to(subscriber)
    if subscriber.moved_at and read.made_at < subscriber.moved_at.replace(second=0, microsecond=0):
        raise BadLink("moved")
    if read.expired and not (also_late and also_late(subscriber.email, clock.now())):
        # Who gets no mail from us gets no new link either.
        stopped = letters.is_stopped(subscriber.email, clock.now())
        raise BadLink("stopped" if stopped else purpose.value, token=token)
    return read, subscriber


def reader_of(token: str, purpose: Purpose = Purpose.MANAGE, *, also_late: AlsoLate | None = None) -> Subscriber:
    """The reader whose link this is. Raises BadLink as ``opened`` does."""
    return opened(token, purpose, also_late=also_late)[1]


def bad_link(request: HttpRequest, what: str, status: HTTPStatus = NOT_FOUND, token: str = "") -> HttpResponse:
    """Why a link does not work and what to do instead; ``what`` names the case in the template."""
    context = {"what": what, "form": SignupForm(), "token": token}
    return render(request, "subscriptions/bad_link.html", context, status=status)


def own_page(view: View) -> View:
    """A page of a reader's own that is computed each time: so many for one network, 429 over it."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not page_limits.admit_own_page(guard.client_ip(request), clock.now()):
            return too_many(request)
        return view(request, *args, **kwargs)

    return shown


def too_many(request: HttpRequest, template: str = "429.html", context: dict[str, Any] | None = None) -> HttpResponse:
    """429: this network has asked for enough. Says nothing of any address. A form may say it on its own page."""
    response = render(request, template, context, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = "600"
    return response
