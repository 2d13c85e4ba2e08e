"""Who may try how often to sign in to the admin: Axes asks, the guard counts.

Axes's own rows hold login names, whole addresses and what was posted, and count a whole IPv6 address as one client. So
none are written: a try is a Budget as a sign-up is, a keyed hash of name and network, and swept with them.
"""

import logging
from datetime import datetime
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib import admin
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from subscriptions import clock, guard
from subscriptions.addresses import keyed_hash
from subscriptions.budgets import Windows
from subscriptions.models import Budget

log = logging.getLogger(__name__)
Kind = Budget.Kind


class SignInLimits(AxesDatabaseHandler):  # type: ignore[misc]  # Axes has no types
    """Each try is spent before the password is looked at, so that many at once are counted; success gives it back.

    Tries that are refused do not count: who is locked out need not stay away longer for having tried again.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Count this try; True where it is one too many, and the middleware shows ``locked_out``."""
        ip, name, now = guard.client_ip(request), str((credentials or {}).get("username") or ""), clock.now()
        refusal = admit(ip, name, now)
        if refusal:
            log.warning("a try to sign in was refused: %s", refusal)
            request.axes_locked_out = True  # type: ignore[attr-defined]
            return True
        request.sign_in_tried = (ip, name, now)  # type: ignore[attr-defined]
        return False

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:  # noqa: ARG002 - Axes's
        """The try that succeeded does not count."""
        if tried := getattr(request, "sign_in_tried", None):
            forgive(*tried)
            log.info("user %s signed in", user.pk)

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
        """It was counted before."""

    def user_logged_out(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        """Nothing is kept of it."""

    def reset_attempts(self, *, ip_address: str | None = None, username: str | None = None, **_: Any) -> int:
        """For ``manage.py axes_reset_username``, ``axes_reset_ip``, ``axes_reset_ip_username`` and ``axes_reset``.

        The last empties the tables of earlier versions too.
        """
        before = 0 if ip_address or username else super().reset_attempts()
        return forget(ip_address, username) + int(before)


def admit(ip: str, name: str, now: datetime) -> guard.Refusal | None:
    """Count one try to sign in with this login name from this address; what refuses it, or None."""
    return guard.spend_all(_keys(ip, name), now)


def forgive(ip: str, name: str, at: datetime) -> None:
    """The try that was counted at that instant was right: it does not count."""
    for kind, key, _ in _keys(ip, name):
        counted = Budget.objects.filter(kind=kind, key=key, minute=guard.minute_of(at), granted__gt=0)
        counted.update(granted=F("granted") - 1)


def forget(ip: str | None = None, name: str | None = None) -> int:
    """Let this network, this name, or everybody where neither is said, try again; how many counts are gone.

    A name's counts with the networks that it was tried from are hashes of both, so all pairs go, unless both are said.
    """
    pair, of_name, network, wide = (Q(kind=kind, key=key) for kind, key, _ in _keys(ip or "", name or ""))
    if ip is None and name is None:
        gone = Q(kind__in=[Kind.LOGIN, Kind.LOGIN_NAME, Kind.LOGIN_NETWORK, Kind.LOGIN_WIDE_NETWORK])
    elif ip is None:
        gone = of_name | Q(kind=Kind.LOGIN)
    elif name is None:
        gone = network | wide | Q(kind=Kind.LOGIN)
    else:
        gone = pair | of_name | network | wide
    return Budget.objects.filter(gone).delete()[0]


def _keys(ip: str, name: str) -> list[tuple[Kind, str, Windows]]:
    network, wide, name = guard.network_of(ip), guard.wide_network_of(ip), name.casefold()
    return [
        (Kind.LOGIN, keyed_hash(f"sign-in {network} {name}"), settings.SIGN_INS_PER_NAME_AND_NETWORK),
        (Kind.LOGIN_NAME, keyed_hash(f"sign-in name {name}"), settings.SIGN_INS_PER_NAME),
        (Kind.LOGIN_NETWORK, keyed_hash(f"sign-in network {network}"), settings.SIGN_INS_PER_NETWORK),
        (Kind.LOGIN_WIDE_NETWORK, keyed_hash(f"sign-in network {wide}"), settings.SIGN_INS_PER_WIDE_NETWORK),
    ]


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """429, and what to do. The same for every name, whether there is such a user or not."""
    context = {**admin.site.each_context(request), "title": "Too many tries to sign in"}
    response = render(request, "admin/locked_out.html", context, status=429)
    response["Retry-After"] = "3600"
    response["Cache-Control"] = "no-store"
    return response
