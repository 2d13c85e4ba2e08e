"""That a POST was meant: by the token in its address, or by the page that it came from.

Django's own check wants a cookie and an Origin. Private windows, browsers that keep no cookies and mail programs' own
views send no cookie, or "Origin: null" (Fetch standard, "serializing a request origin").
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware


class _Check(CsrfViewMiddleware):
    """Django's check, which says what is wrong instead of answering with a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:  # noqa: ARG002 - Django's signature
        return reason


def passes_djangos_check(request: HttpRequest) -> bool:
    """Whether cookie, Origin and form are those of a page of ours."""
    return _Check(_nothing).process_view(request, _nothing, (), {}) is None


def names_another_site(request: HttpRequest) -> bool:
    """Whether the browser names another site as the one that the POST comes from. "null" names none."""
    own = {settings.SITE_URL, f"{request.scheme}://{request.get_host()}", "null"}
    return request.headers.get("Origin", "null") not in own


def is_a_press(request: HttpRequest) -> bool:
    """Whether a POST to a page behind a token is that of its button, which sends a form: then the token is the proof.

    Such a page knows nobody but by its address. There is no cookie or session that another site could make a browser
    send along, and whoever knows the address can post to it without anybody's browser: an Origin proves nothing more.
    A program that posts to whatever links it finds sends no form; it has to pass Django's check.
    """
    try:
        return bool(request.POST) or bool(request.FILES)
    except UnreadablePostError:  # the browser hung up
        return False


def _nothing(*_: Any) -> HttpResponse:
    return HttpResponse()
