"""System checks: a wrong setting stops the start, with an id and what to do about it."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Info, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from subscriptions import webhooks
from subscriptions.emails import mailbox
from subscriptions.inbound import mailbox_of

LONGEST_NAME, LONGEST_SITE = 30, 60
# An hour, a week, a month, a year: what https://hstspreload.org recommends, and the year is what it asks for.
HSTS_STEPS = (3600, 7 * 86400, 30 * 86400, 365 * 86400)
HINT_TABLE = "See the settings table in README.md; an unset variable takes its default."


@register
def settings_can_be_read(**_: Any) -> Sequence[CheckMessage]:
    """E001: a value that its parser refuses. The hint names the variable, never the value."""
    return [
        Error(f"{name} cannot be read: {reason}", hint=HINT_TABLE, id="daily_papers.E001")
        for name, reason in settings.SETTINGS_ERRORS
    ]


@register
def keys_are_there(**_: Any) -> Sequence[CheckMessage]:
    """E002, E003: the keys that sign sessions and links."""
    found: list[CheckMessage] = []
    make_one = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
    if settings.SECRET_KEY == settings.UNSET:
        found.append(Error("SECRET_KEY is empty.", hint=f"Make one: {make_one}", id="daily_papers.E002"))
    if not settings.LINK_KEYS or any(len(key) < 32 for key in settings.LINK_KEYS):
        found.append(
            Error(
                "LINK_KEYS needs at least one key of 32 characters or more.",
                hint=f"Make one: {make_one}. Put new keys first; keep the old ones, or links in sent mails die.",
                id="daily_papers.E003",
            )
        )
    if len(settings.ADDRESS_KEY) < 32:
        found.append(
            Error(
                "ADDRESS_KEY needs 32 characters or more.",
                hint=f"Make one: {make_one}. Never change it: it finds suppressed addresses again.",
                id="daily_papers.E011",
            )
        )
    if any(len(key) < 32 for key in settings.RETIRED_LINK_KEYS):
        found.append(
            Error(
                "RETIRED_LINK_KEYS has a key of less than 32 characters.",
                hint="Put keys there as they stood in LINK_KEYS.",
                id="daily_papers.E003",
            )
        )
    return found


def _is_mailbox(text: str) -> bool:
    try:
        return bool(mailbox(text))
    except ValueError:
        return False


@register
def addresses_are_usable(**_: Any) -> Sequence[CheckMessage]:
    """E004, E005, E006, E007, E017, E018, E020, W001: the public address of the site, and the addresses in mails."""
    found: list[CheckMessage] = []
    parts = urlsplit(settings.SITE_URL)
    host = parts.netloc.isascii() and "@" not in parts.netloc and parts.hostname
    usable = parts.scheme in {"http", "https"} and host and len(settings.SITE_URL) <= LONGEST_SITE
    if not usable or parts.path or parts.query:
        hint = (
            "The public address without path and password, in ASCII (xn--...), at most "
            f"{LONGEST_SITE} characters since it stands in every link: like https://papers.example.org"
        )
        found.append(Error("SITE_URL is not an address that mails can carry.", hint=hint, id="daily_papers.E004"))
    elif parts.scheme != "https" and not settings.DEBUG:
        hint = "Mail providers and browsers need https for the one-click unsubscribe; DEBUG=true lifts this check."
        found.append(Error("SITE_URL must be https in production.", hint=hint, id="daily_papers.E005"))
    for name in ("DEFAULT_FROM_EMAIL", "LETTERS_FROM_EMAIL", *(["REPLY_TO"] if settings.REPLY_TO else [])):
        if not _is_mailbox(getattr(settings, name)):
            found.append(
                Error(
                    f"{name.removeprefix('DEFAULT_')} is not one e-mail address.",
                    hint="Like: Daily Papers <papers@example.org>",
                    id="daily_papers.E006",
                )
            )
    if not 0 < len(settings.SITE_NAME) <= LONGEST_NAME:
        message = f"SITE_NAME has {len(settings.SITE_NAME)} characters; it must be from 1 to {LONGEST_NAME}."
        hint = "It stands in the subjects of letters, which phones cut after some 40 characters."
        found.append(Error(message, hint=hint, id="daily_papers.E018"))
    mailto = settings.UNSUBSCRIBE_MAILTO
    if mailto and not re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+", mailto):
        hint = "The bare address of a mailbox that receive_mail reads, like leave@example.org; or nothing."
        found.append(Error("UNSUBSCRIBE_MAILTO is not an address.", hint=hint, id="daily_papers.E017"))
    bounces = settings.BOUNCE_ADDRESS
    if bounces and not re.fullmatch(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]+", bounces):
        hint = "The bare address of a mailbox that receive_mail or INBOUND_MAILBOX reads, like bounces@example.org."
        found.append(Error("BOUNCE_ADDRESS is not an address.", hint=hint, id="daily_papers.E020"))
    if settings.VERP and not bounces:
        hint = "Set BOUNCE_ADDRESS too: each mail's own envelope sender is made of it."
        found.append(Error("VERP needs BOUNCE_ADDRESS.", hint=hint, id="daily_papers.E020"))
    if not settings.POSTAL_ADDRESS:
        message, hint = "POSTAL_ADDRESS is empty.", "Mail law (15 USC 7704) wants one in every digest."
        found.append(
            checks.Warning(message, hint=hint, id="daily_papers.W001")
            if settings.DEBUG
            else Error(message, hint=hint, id="daily_papers.E007")
        )
    return found


@register
def numbers_make_sense(**_: Any) -> Sequence[CheckMessage]:
    """E008: numbers out of range."""
    called = {"EMAIL_TIMEOUT": "MAIL_TIMEOUT"}  # where the environment has another name than Django
    limits = {
        "FETCH_EVERY_MINUTES": (1, 24 * 60),
        "SOURCE_TIMEOUT": (1, 600),
        "EDITION_SIZE": (1, 500),
        "EDITION_WAIT_HOURS": (0, 24),
        "LATE_AFTER_HOURS": (1, 48),
        "TICK_SECONDS": (0.1, 3600),
        "PLAN_CHUNK": (1, 100_000),
        "SEND_CHUNK": (1, 10_000),
        "SEND_LEASE_SECONDS": (10, 3600),
        "SEND_THREADS": (1, 256),
        "SPREAD_SECONDS": (0, 3600),
        "MAIL_RATE": (0, 100_000),
        "HOLD_AT_BOUNCES": (0, 1),
        "HOLD_AT_COMPLAINTS": (0, 1),
        "EMAIL_TIMEOUT": (1, 300),
        "BREAKER_AFTER": (1, 100_000),
        "BREAKER_SHARE": (0, 1),
        "BREAKER_HOURS": (1, 168),
        "FORM_MIN_SECONDS": (0, 60),
        "PROXY_HOPS": (0, 10),
        "HSTS_SECONDS": (0, 2 * HSTS_STEPS[-1]),
    }
    return [
        Error(
            f"{called.get(name, name)} is {getattr(settings, name)}; it must be from {low} to {high}.",
            hint=HINT_TABLE,
            id="daily_papers.E008",
        )
        for name, (low, high) in limits.items()
        if not low <= getattr(settings, name) <= high
    ]


@register
def uncertain_mails_have_a_policy(**_: Any) -> Sequence[CheckMessage]:
    """E019: what becomes of a mail of which nobody knows whether it left."""
    if settings.UNCERTAIN_MAILS in {"auto", "resend", "hold"}:
        return []
    hint = "auto: by what the transport can; resend: better twice than never; hold: better never than twice."
    return [Error(f"UNCERTAIN_MAILS is {settings.UNCERTAIN_MAILS!r}.", hint=hint, id="daily_papers.E019")]


@register
def inbound_mailbox_is_readable(**_: Any) -> Sequence[CheckMessage]:
    """E021: where mails that come to us are read. The value holds a password: it is not shown."""
    try:
        if settings.INBOUND_MAILBOX:
            mailbox_of(settings.INBOUND_MAILBOX)
    except ValueError as error:
        return [Error("INBOUND_MAILBOX cannot be read.", hint=f"Please {error}", id="daily_papers.E021")]
    return []


@register
def zones_are_known(**_: Any) -> Sequence[CheckMessage]:
    """E009: readers live in IANA zones; without the data every local hour would be wrong."""
    if "Europe/Berlin" in available_timezones():
        return []
    return [Error("No time zone data.", hint="Install the package tzdata.", id="daily_papers.E009")]


@register
def mail_backend_is_installed(**_: Any) -> Sequence[CheckMessage]:
    """E012: some providers need a package more."""
    try:
        import_string(settings.EMAIL_BACKEND)
    except (ImportError, ImproperlyConfigured) as error:
        hint = "For amazon-ses: install the extra, uv sync --extra ses"
        return [
            Error(
                f"MAIL_URL names a transport that cannot be loaded: {error}",
                hint=hint,
                id="daily_papers.E012",
            )
        ]
    return []


@register
def webhook_is_guarded(**_: Any) -> Sequence[CheckMessage]:
    """E015, E016: without a secret anybody could report a bounce of anybody's address."""
    view = webhooks.tracking_view(settings.EMAIL_BACKEND)
    make_one = 'papers:$(python -c "import secrets; print(secrets.token_urlsafe(24))")'
    hint = f"A name and a password: {make_one}. Give the provider https://NAME:PASSWORD@... as the webhook's address."
    if any(not re.fullmatch(r"[^:\s]+:\S{16,}", secret) for secret in settings.MAIL_WEBHOOK_SECRET):
        message = "MAIL_WEBHOOK_SECRET must be name:password, with 16 characters or more of password."
        return [Error(message, hint=hint, id="daily_papers.E015")]
    if view and not settings.MAIL_WEBHOOK_SECRET and not settings.DEBUG:
        message = "MAIL_WEBHOOK_SECRET is empty: the provider cannot report bounces and complaints."
        return [Error(message, hint=hint, id="daily_papers.E015")]
    if view and settings.MAIL_WEBHOOK_SECRET and (missing := webhooks.what_is_missing(view)):
        hint = "Settings go into the query of MAIL_URL, in lower case, without the provider's name."
        return [Error(f"The provider's webhook cannot work: {missing}", hint=hint, id="daily_papers.E016")]
    return []


@register
def broker_is_redis(**_: Any) -> Sequence[CheckMessage]:
    """E010: other brokers lose or repeat tasks in ways that nobody tested here."""
    if re.match(r"rediss?(\+socket)?://|unix://", settings.REDIS_URL):
        return []
    hint = "Like redis://127.0.0.1:6379/0 (Redis or Valkey)."
    return [Error("REDIS_URL is not a Redis address.", hint=hint, id="daily_papers.E010")]


def next_hsts_step(seconds: int) -> int | None:
    """The value of HSTS_SECONDS that comes after this one; None where the last step is reached."""
    return next((step for step in HSTS_STEPS if step > seconds), None)


@register
def preload_is_meant(**_: Any) -> Sequence[CheckMessage]:
    """E027: browsers' lists take a domain with all its subdomains and for a year, and give it back after months."""
    long_enough = next_hsts_step(settings.HSTS_SECONDS) is None
    if not settings.HSTS_PRELOAD or (settings.HSTS_INCLUDE_SUBDOMAINS and long_enough):
        return []
    hint = f"It needs HSTS_INCLUDE_SUBDOMAINS=true and HSTS_SECONDS={HSTS_STEPS[-1]} or more: https://hstspreload.org"
    return [Error("HSTS_PRELOAD is on before its conditions are met.", hint=hint, id="daily_papers.E027")]


@register(deploy=True)
def hsts_has_a_next_step(**_: Any) -> Sequence[CheckMessage]:
    """I001: how long browsers are held to https now, and what to set next. Said by ``check --deploy``."""
    step = next_hsts_step(settings.SECURE_HSTS_SECONDS)
    if step is None or not settings.HTTPS:
        return []
    hint = f"When everything under this name has worked over https for so long: HSTS_SECONDS={step}."
    said = f"Browsers are held to https for {settings.SECURE_HSTS_SECONDS} seconds."
    return [Info(said, hint=hint, id="daily_papers.I001")]
