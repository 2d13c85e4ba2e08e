"""Addresses with a whole token that came with more than was in the mail, or broken into lines, and open their page.

People copy a link with the bracket, the full stop or the quote around it; mail programs leave what quoted-printable
(RFC 2045 section 6.7) or HTML wrote into it. The token is proved by its signature, so nothing else has to be right.
"""

import re
from collections.abc import Callable
from string import ascii_letters, digits

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from subscriptions.tokens import LENGTH

LONGEST = 500  # characters that are looked at: the longest of our paths has 90
PAGES = frozenset({"c", "f", "left", "m", "r", "say", "u"})  # what stands before a token in subscriptions/urls.py
SIGNS = frozenset(digits + ascii_letters)
WHOLE = re.compile(rf"/[a-z]+/[0-9A-Za-z]{{{LENGTH}}}/([\w-]+/)*([\w-]+\.[a-z]+)?", re.ASCII)
_ENCODED_TWICE = re.compile(r"%[0-9A-Fa-f]{2}")
_ENCODED = re.compile(r"=[0-9A-F]{2}")
_BREAK = re.compile(r"=?[\r\n]+|=")  # soft line breaks, also without the end of the line
_SEGMENT = re.compile(r"[\w-]+(?:\.[a-z]+)?", re.ASCII)


def mended(path: str) -> str:
    """The path of the page that a damaged one was meant for; the path itself where it is whole or none of ours."""
    if WHOLE.fullmatch(path):
        return path
    text = _ENCODED_TWICE.sub(" ", path[:LONGEST])
    page, rest = _word(text, 0)
    if page.lower() not in PAGES or text[rest : rest + 1] != "/":
        return path
    token, rest = _token(text, rest + 1)
    if len(token) != LENGTH:  # the page says what to do
        return path if _is_there(path) or not _is_there(nothing := f"/{page.lower()}/-/") else nothing
    below = _below(text[rest:])
    for candidate in (f"/{page.lower()}/{token}/{below}", f"/{page.lower()}/{token}/{below.rstrip('/')}"):
        if _is_there(candidate):
            return candidate
    return path


def _word(text: str, start: int) -> tuple[str, int]:
    """The first run of letters and digits from ``start``, and where it ends."""
    while start < len(text) and text[start] not in SIGNS:
        start += 1
    end = start
    while end < len(text) and text[end] in SIGNS:
        end += 1
    return text[start:end], end


def _token(text: str, start: int) -> tuple[str, int]:
    """The token from ``start`` without breaks in it, and where it ends; "" where what is there goes on after it."""
    token, at = "", start
    while at < len(text) and len(token) < LENGTH:
        if text[at] in SIGNS:
            token += text[at]
        elif token and text[at] not in "=\r\n\t ":
            break
        at += 1
    return ("", at) if at < len(text) and text[at] in SIGNS else (token, at)


def _below(text: str) -> str:
    """What a path has below its token, without what stands behind it: "saved/", "saved.bib/", ""."""
    parts = _BREAK.sub("", _ENCODED.sub(" ", text)).split("/")[1:]
    kept = []
    for number, part in enumerate(parts, start=1):
        found = _SEGMENT.match(part.strip()) if number == len(parts) else _SEGMENT.fullmatch(part)
        if found is None:
            break
        kept.append(found[0])
    return "".join(f"{part}/" for part in kept)


def _is_there(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def mend_links(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the page opens under the address as it came. No redirect, since a POST would lose its form."""

    def answer(request: HttpRequest) -> HttpResponse:
        path = mended(request.path_info)
        if path != request.path_info:
            request.path = request.path.removesuffix(request.path_info) + path
            request.path_info = path
        return get_response(request)

    return answer
