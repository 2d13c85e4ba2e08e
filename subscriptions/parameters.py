"""Which parameters of its address a page reads. All others are dropped before anything can keep or copy them."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
# Django's lists have parameters by their columns, and providers may sign the whole address of a webhook.
WITH_PARAMETERS_OF_THEIR_OWN = frozenset({"admin", "anymail"})


def reads(*names: str) -> Callable[[V], V]:
    """A view that reads these parameters of its address. One without this reads none."""

    def named(view: V) -> V:
        view.parameters = frozenset(names)  # type: ignore[attr-defined]
        return view

    return named


class KnownParametersMiddleware:
    """Before everything that looks at an address: redirects to https or to a slash copy what is in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer to the same address without what its page does not read."""
        query = request.META.get("QUERY_STRING", "")
        if query and (known := _known(request.path_info)) is not None:
            request.META["QUERY_STRING"] = _without_others(query, known)
        return self.get_response(request)


def _known(path: str) -> frozenset[str] | None:
    """The names that the page at this path reads; None where all of them are its own business."""
    match = _page_at(path) or _page_at(f"{path}/")
    if match is None:
        return frozenset()
    if WITH_PARAMETERS_OF_THEIR_OWN.intersection(match.app_names):
        return None
    known: Any = getattr(match.func, "parameters", frozenset())
    return frozenset(known)


def _page_at(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _without_others(query: str, known: frozenset[str]) -> str:
    if not known:
        return ""
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) in known)
