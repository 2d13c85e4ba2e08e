"""The whole examination: the settings and rows go in, verdicts come out, group by group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.db import DatabaseError

from digest.health import configured, names, processes, provider, received, records, reports, signed, site, waiting
from digest.health.names import Ask, domain_of
from digest.health.spf import spf
from digest.health.verdict import State, Verdict, fault, not_checked, warning
from digest.providers import Provider, provider_of
from subscriptions import clock, webhooks
from subscriptions.emails import sending_domain

Groups = dict[str, list[Verdict]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asked for beside the ordinary."""

    ask: Ask | None = None  # None: the DNS is not asked
    selectors: Sequence[str] = ()
    envelope: str = ""  # the domain of Return-Path, where it is not that of From
    copy: bytes | None = None  # a received mail
    site: bool = False  # ask the public address


def examine(now: datetime, wishes: Wishes, time: Callable[[], datetime] = clock.now) -> Groups:
    """All checks, by group. ``time`` is read around the question to the database's clock."""
    transport = provider_of(settings.EMAIL_BACKEND)
    found = run_checks(include_deployment_checks=True)
    ask = wishes.ask
    if ask is not None and not names.is_reachable(ask):
        ask = None
    why = "no DNS answer from this machine" if wishes.ask else "DNS is not asked: add --dns"
    groups = {
        "Settings": _settings(transport, found),
        "Mail": configured.alignment(
            sending_domain(),
            message_id=sending_domain(),
            list_id=f"digest.{sending_domain()}",
            site_url=settings.SITE_URL,
            provider=transport,
            envelope=wishes.envelope,
        ),
        "DNS": _dns(ask, transport, wishes) if ask else [not_checked("DNS", why)],
        "Provider": [*provider.abilities(transport), _webhook(transport, found), _reports()],
        "Processes": [*processes.processes(settings.REDIS_URL, now), *_database(now, time)],
    }
    if wishes.site:
        groups["Site"] = [site.buffering(settings.SITE_URL)]
    if wishes.copy is not None:
        groups["Received copy"] = _copy(wishes.copy, ask, why)
    return groups


def _settings(transport: Provider, found: Sequence[CheckMessage]) -> list[Verdict]:
    letters, digests = settings.LETTERS_FROM_EMAIL, settings.DEFAULT_FROM_EMAIL
    return [
        *configured.system_checks(found),
        configured.transport(transport),
        configured.site(settings.SITE_URL),
        configured.hsts(settings.SECURE_HSTS_SECONDS),
        configured.behind_proxy(settings.SITE_URL, trusted=settings.BEHIND_PROXY, hops=settings.PROXY_HOPS),
        configured.postal_address(settings.POSTAL_ADDRESS),
        configured.sender("FROM_EMAIL", digests, settings.REPLY_TO),
        configured.sender("LETTERS_FROM_EMAIL", letters, settings.REPLY_TO),
        configured.same_sender(digests, letters),
        configured.bounces(transport, settings.BOUNCE_ADDRESS, settings.INBOUND_MAILBOX),
        configured.unsubscribe_by_mail(settings.UNSUBSCRIBE_MAILTO, sending_domain()),
    ]


def _dns(ask: Ask, transport: Provider, wishes: Wishes) -> list[Verdict]:
    domain = domain_of(settings.DEFAULT_FROM_EMAIL)
    if "." not in domain:
        return [not_checked("DNS", f"{domain or 'FROM_EMAIL'} is no public domain", "Set FROM_EMAIL.")]
    senders = {"FROM_EMAIL": settings.DEFAULT_FROM_EMAIL, "LETTERS_FROM_EMAIL": settings.LETTERS_FROM_EMAIL}
    addresses = {
        "REPLY_TO": settings.REPLY_TO,
        "UNSUBSCRIBE_MAILTO": settings.UNSUBSCRIBE_MAILTO,
        "BOUNCE_ADDRESS": settings.BOUNCE_ADDRESS,
    }
    hostname = urlsplit(settings.SITE_URL).hostname or ""
    return [
        _spf(domain, ask, transport, wishes.envelope),
        *records.dkim_keys(domain, wishes.selectors, ask, guessed=transport.selectors),
        records.dmarc(domain, ask),
        *(
            records.mailbox(f"Replies to {name}", address, ask, answered_elsewhere=bool(settings.REPLY_TO))
            for name, address in senders.items()
        ),
        *(records.mailbox(name, address, ask) for name, address in addresses.items() if address),
        records.host("Host of SITE_URL and List-Unsubscribe", hostname, ask),
    ]


def _spf(domain: str, ask: Ask, transport: Provider, envelope: str) -> Verdict:
    if envelope:
        return spf(envelope, ask)
    if transport.name == "SMTP" or not transport.leaves:
        found = spf(domain, ask)
        if found.state is not State.FAULT:
            return found
        # The relay may have put a Return-Path of its own in place of From's; then this record is not asked for.
        return warning("SPF", found.said, f"{found.remedy} Or name the domain of the relay's Return-Path: --envelope.")
    remedy = "Name its domain with --envelope: it is in Return-Path of a received mail."
    return not_checked("SPF", f"{transport.name} chooses the Return-Path", remedy)


def _webhook(transport: Provider, found: Sequence[CheckMessage]) -> Verdict:
    patterns = webhooks.urls(settings.EMAIL_BACKEND, settings.MAIL_WEBHOOK_SECRET)
    path = f"/anymail/{patterns[0].pattern}" if patterns else ""
    about = [m for m in found if m.id in {"daily_papers.E015", "daily_papers.E016"}]
    return provider.webhook(transport, path, settings.SITE_URL, about)


def _reports() -> Verdict:
    try:
        return reports.not_understood()
    except DatabaseError as error:
        return not_checked("Reports", f"the database does not answer as it should ({type(error).__name__})")


def _database(now: datetime, time: Callable[[], datetime]) -> list[Verdict]:
    zones = waiting.zone_data(waiting.zone_release(), now)
    try:
        shifted = settings.DEBUG and clock.is_shifted()
        return [waiting.database_clock(time, shifted=shifted), zones, *waiting.waiting(now)]
    except DatabaseError as error:
        remedy = "Start it, correct DATABASE_URL, or run manage.py migrate."
        return [zones, fault("Database", f"it does not answer as it should ({type(error).__name__})", remedy)]


def _copy(raw: bytes, ask: Ask | None, why: str) -> list[Verdict]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    seen = received.received_copy(raw, from_domain=sending_domain(), site_host=host)
    return [*seen, signed.verified(raw, ask) if ask else not_checked("DKIM verified", why)]
