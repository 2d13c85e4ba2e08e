"""Lists that are searched by address, without the address ever standing in a URL.

The form posts what was typed and is sent on to ?q= with the keyed hash: a URL ends in histories, logs and bookmarks.
"""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from subscriptions import addresses
from subscriptions.admin.lists import ListAdmin, ReadOnlyAdmin

_HASH = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"(?:reader)?\s*([0-9]{1,18})")


class FoundByAddress(ListAdmin):
    """Rows found by a whole address through its hash (by an index, in any case) or a reader's number."""

    number = "subscriber"
    posts_search = True  # templates/admin/subscriptions/search_form.html asks
    search_fields = ("email_hash",)
    search_help_text = "A whole address, or a reader's number. Parts of addresses are not searched."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Not by address: ?email__startswith=a would read masked addresses out letter by letter."""
        return "email" not in lookup and super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """What was typed is sent on as its hash; so is an address that somebody wrote into the URL."""
        if request.method == "POST" and "q" in request.POST:
            return _found(request, self.asked(request.POST["q"]))
        given = request.GET.get("q", "")
        if given and (asked := self.asked(given)) != given:
            return _found(request, asked)
        return super().changelist_view(request, extra_context)

    def asked(self, term: str) -> str:
        """What may stand in a URL for what was typed: the number of a reader, else the hash; "" for nothing."""
        term = term.strip()
        if self.number and (found := _NUMBER.fullmatch(term)):
            return f"reader {found[1]}"
        return term if not term or _HASH.fullmatch(term) else hash_of(term)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The rows of that reader; all where nothing was asked."""
        term = self.asked(search_term)
        if not term:
            return queryset, False
        if term.startswith("reader"):
            return queryset.filter(**{self.number: int(term.removeprefix("reader"))}), False
        return queryset.filter(email_hash=term), False


class FoundReadOnly(FoundByAddress, ReadOnlyAdmin):
    """Machine-made rows of a reader, without the address."""

    exclude = ("email", "email_hash")


def hash_of(typed: str) -> str:
    """The hash of an address as it is kept; of what was typed where that is none, which finds nothing."""
    try:
        return addresses.address_hash(addresses.clean(typed))
    except ValueError:
        return addresses.address_hash(typed)


def _found(request: HttpRequest, term: str) -> HttpResponse:
    """The same list with its filters, and the term instead of what was there; 303: the next request is a GET."""
    kept = [(name, value) for name, values in request.GET.lists() for value in values if name not in {"q", "p"}]
    query = urlencode([*kept, *([("q", term)] if term else [])])
    return HttpResponseRedirect(f"{request.path}?{query}" if query else request.path, status=303)
