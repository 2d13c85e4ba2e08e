"""The readers' side of the admin: addresses are masked in lists and found only by those who know them."""

from django.contrib import admin

from subscriptions.admin import consents, counts, events, readers, stops
from subscriptions.admin.by_address import FoundByAddress, FoundReadOnly
from subscriptions.admin.lists import BoundedPaginator, ListAdmin, ReadOnlyAdmin, never
from subscriptions.forms.sign_in import SignInForm

admin.site.login_form = SignInForm

__all__ = [
    "BoundedPaginator",
    "FoundByAddress",
    "FoundReadOnly",
    "ListAdmin",
    "ReadOnlyAdmin",
    "consents",
    "counts",
    "events",
    "never",
    "readers",
    "stops",
]
