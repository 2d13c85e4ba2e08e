"""Addresses that hold what no database takes are refused with 400: the fault is the address's, not ours."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.db import DataError, NotSupportedError
from django.http import HttpRequest, HttpResponse
from django.views import defaults

NUL = "\x00"
# What databases and dates raise for values that they cannot hold: the year 999999, an integer of 65 bits, NUL.
_CANNOT_HOLD = (DataError, NotSupportedError, OverflowError)  # SQLite has no contains of JSON
# A range is two values, and an address gives one text: its letters would be taken for the values.
CLOSED = frozenset({"regex", "iregex", "range"})

Response = Callable[[HttpRequest], HttpResponse]


class BadAddresses:
    """Refuses NUL in any path, and in the admin's addresses what its lists cannot be asked by.

    The public pages' forms read their queries, and say beside the field what is wrong with it.

    Django's lists are filtered by whatever stands in the address. Regular expressions are closed, also of Django's own
    models: SQLite runs them by Python, where one can take for ever, and a bad one is an error of the server.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400, or go on."""
        if NUL in request.path_info:
            return defaults.bad_request(request, BadRequest("NUL in an address"))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """No list of the admin is asked by a regular expression, nor by NUL."""
        if not _is_admin(request):
            return None
        query = request.META.get("QUERY_STRING", "")
        if NUL in query or "%00" in query:
            return defaults.bad_request(request, BadRequest("NUL in an address"))
        if any(CLOSED & set(name.split("__")) for name in request.GET):
            return defaults.bad_request(request, BadRequest("a filter that no list has"))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """400 where the admin's database or calendar could not hold what was asked; other faults stay faults."""
        if not _is_admin(request):
            return None
        by_query = isinstance(error, ValueError | TypeError) and request.method in ("GET", "HEAD") and bool(request.GET)
        of_nul = isinstance(error, ValueError) and "NUL" in str(error)  # psycopg's words; admin ids say it as _00
        if isinstance(error, _CANNOT_HOLD) or by_query or of_nul:
            return defaults.bad_request(request, error)
        return None


def _is_admin(request: HttpRequest) -> bool:
    return request.resolver_match is not None and "admin" in request.resolver_match.namespaces
