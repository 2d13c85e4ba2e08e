"""Every body is read as UTF-8, whatever it says of itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


def read_as_utf8(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: our pages are UTF-8, so browsers send it. Another charset in Content-Type is ignored, not refused.

    With UTF-7 a multipart body can hold half surrogate pairs, which no page, database or hash can encode. A refusal
    would meet the mail provider whose one-click POST names a charset.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.encoding and request.encoding.lower() not in {"utf-8", "utf8"}:
            request.encoding = "utf-8"
        return get_response(request)

    return middleware
