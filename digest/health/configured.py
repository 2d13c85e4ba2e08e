"""What the settings say of the sender: who mails, from which domain, and over what."""

import re
from collections.abc import Iterable
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.core.checks import CheckMessage
from django.core.checks import messages as levels

from digest.health.names import address_of, domain_of
from digest.health.verdict import Verdict, fault, not_checked, ok, warning
from digest.providers import Provider
from subscriptions.checks import next_hsts_step

NOBODY_READS = re.compile(r"(no|do-?not)[-_.]?reply", re.IGNORECASE)
# What these say has a line of its own.
SAID_ELSEWHERE = frozenset(f"daily_papers.{number}" for number in ("E005", "E007", "W001", "E015", "E016", "I001"))


def system_checks(messages: Iterable[CheckMessage]) -> list[Verdict]:
    """What Django's system checks found, the deployment ones too."""
    rest = [m for m in messages if m.id not in SAID_ELSEWHERE and not m.is_silenced()]
    name = "Django's system checks"
    return [
        fault(f"{name}: {m.id}", m.msg, m.hint or "")
        if m.level >= levels.ERROR
        else warning(f"{name}: {m.id}", m.msg, m.hint or "")
        for m in rest
    ] or [ok(name, "found nothing")]


def postal_address(text: str) -> Verdict:
    """A physical address in every digest (15 USC 7704)."""
    if text.strip():
        return ok("POSTAL_ADDRESS", "set")
    return fault("POSTAL_ADDRESS", "empty", "Set it: mail law (15 USC 7704) wants one in every digest.")


def site(url: str) -> Verdict:
    """One-click unsubscribe works over https only (RFC 8058 section 3.1)."""
    if urlsplit(url).scheme == "https":
        return ok("SITE_URL", address_of(url))
    remedy = "Set an https address: mailbox providers offer the one-click unsubscribe for https only (RFC 8058)."
    return fault("SITE_URL", f"{address_of(url)} is not https", remedy)


def hsts(seconds: int) -> Verdict:
    """How long browsers are held to https (RFC 6797), and the next step."""
    step = next_hsts_step(seconds)
    if not seconds:
        remedy = f"Set HSTS_SECONDS={step}: without it a reader's first request can be led to plain http."
        return warning("HSTS_SECONDS", "browsers are not held to https", remedy)
    return ok("HSTS_SECONDS", f"{seconds}" + (f"; the next step is {step}" if step else ""))


def behind_proxy(url: str, *, trusted: bool, hops: int) -> Verdict:
    """Gunicorn ends no TLS and waits for slow bodies with its threads: something must stand in front, and be told."""
    if trusted:
        return ok("BEHIND_PROXY", f"true; {hops} of yours append to X-Forwarded-For")
    if urlsplit(url).scheme != "https":
        return ok("BEHIND_PROXY", "false, and the site is not https: nothing stands in front")
    remedy = (
        "Put the proxy of config/nginx.conf in front and set BEHIND_PROXY=true: without it all readers are one "
        "network, or a few slow connections stop the site."
    )
    return warning("BEHIND_PROXY", "false, though the site is https: what ends TLS is not told to Django", remedy)


def sender(name: str, value: str, reply_to: str) -> Verdict:
    """A From that readers recognise and can answer."""
    shown, address = parseaddr(value)
    if "@" not in address or "." not in domain_of(address):
        return fault(name, f"{value!r} is no public address", "Set it like: Daily Papers <papers@example.org>")
    if not shown:
        return warning(name, f"{address} has no name", "Give it one: Daily Papers <papers@example.org>")
    if NOBODY_READS.match(address) and not reply_to:
        return warning(name, f"{address} reads no replies", "Set REPLY_TO to an address that somebody reads.")
    return ok(name, value)


def same_sender(digests: str, letters: str) -> Verdict:
    """Digests and letters from one organisation: the confirmation prepares the reader's mailbox for the digest."""
    return _against("FROM_EMAIL and LETTERS_FROM_EMAIL", domain_of(digests), domain_of(letters))


def bounces(transport: Provider, address: str, mailbox: str) -> Verdict:
    """BOUNCE_ADDRESS and INBOUND_MAILBOX: a relay tells of bounces by mail alone, a provider by its webhook."""
    name = "Bounces"
    if transport.name != "SMTP":
        return ok(name, "the transport reports them, or no mail leaves")
    where = address or "the address of FROM_EMAIL"
    if mailbox:
        return ok(name, f"they come to {where}; INBOUND_MAILBOX is read every tick")
    remedy = (
        "Set INBOUND_MAILBOX, or pipe its mail to manage.py receive_mail (then this may stay): a mailbox that is gone "
        "is mailed for ever otherwise, which costs the sender's reputation. See docs/operating.md."
    )
    return warning(name, f"they come to {where} as mails, and INBOUND_MAILBOX is not set", remedy)


def unsubscribe_by_mail(address: str, from_domain: str) -> Verdict:
    """UNSUBSCRIBE_MAILTO, the second entry of List-Unsubscribe (RFC 2369 section 3.2), where it is set."""
    name = "UNSUBSCRIBE_MAILTO"
    if not address:
        return ok(name, "not set; the https address does it alone")
    if "@" not in address or not domain_of(address):
        return fault(name, f"{address!r} is no address", "Set an address, or nothing.")
    remedy = "Send a mail there and see that the reader is unsubscribed; a mailbox nobody reads is worse than none."
    if related(domain_of(address), from_domain) == APART:
        remedy = f"Its domain is not {from_domain}: see that it has an inbound route. {remedy}"
    return warning(name, f"{address} has to be tested by hand", remedy)


def transport(provider: Provider) -> Verdict:
    """Whether mails leave at all."""
    if provider.leaves:
        return ok("MAIL_URL", provider.name)
    return warning("MAIL_URL", f"{provider.name}: nothing leaves this machine", "Name an SMTP server or a provider.")


SAME, BELOW, SIBLINGS, APART = "the same domain", "one is below the other", "they share their last labels", "apart"


def related(one: str, other: str) -> str:
    """How two domains stand to each other. The first two are aligned in DMARC's relaxed mode (RFC 7489 section 3.1.1).

    Siblings are too where what they share is one organisation's domain: "example.org" is, "co.uk" is not, and only
    the public suffix list or the DNS can tell. So siblings are said, not judged.
    """
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    if one == other:
        return SAME
    if one.endswith(f".{other}") or other.endswith(f".{one}"):
        return BELOW if min(one.count("."), other.count(".")) else APART
    return SIBLINGS if one.split(".")[-2:] == other.split(".")[-2:] else APART


def alignment(
    from_domain: str, *, message_id: str, list_id: str, site_url: str, provider: Provider, envelope: str = ""
) -> list[Verdict]:
    """From against the other names in a mail. DMARC asks for SPF or DKIM aligned with From; the rest is reputation.

    ``envelope`` is the domain of Return-Path where the operator knows it. Without it nobody does: Django hands the From
    address to an SMTP server, and relays like those of Amazon SES or Postmark put one of their own in its place.
    """
    if not envelope:
        remedy = "Look at Return-Path in a received copy, and name it with --envelope."
        chosen = provider.leaves and provider.name != "SMTP"
        why = f"{provider.name} chooses the Return-Path" if chosen else "the relay may choose the Return-Path"
        paths = not_checked("From and Return-Path", why, remedy)
    else:
        paths = _against("From and Return-Path", from_domain, envelope)
    return [
        paths,
        _against("From and Message-ID", from_domain, message_id),
        _against("From and List-Id", from_domain, list_id),
        _against("From and SITE_URL", from_domain, urlsplit(site_url).hostname or ""),
    ]


def _against(name: str, one: str, other: str) -> Verdict:
    relation = related(one, other)
    pair = one if one == other else f"{one}, {other}"
    if relation == APART:
        return warning(name, f"{pair}: different domains", "Use one domain, or subdomains of it.")
    if relation == SIBLINGS:
        said = f"{pair}: aligned if {'.'.join(one.split('.')[-2:])} is your organisation's domain"
        return ok(name, said)
    return ok(name, f"{pair}: {relation}")
