"""The envelope sender, where bounces go (RFC 5321 section 3.6.3): BOUNCE_ADDRESS, with VERP one for each mail.

VERP (variable envelope return path, https://cr.yp.to/proto/verp.txt) names the mail in the address: a bounce comes
back to it whatever the server returns of the mail, and through forwarding. Ours is in lower case, since some servers
change the case of a local part, and carries a code by which nobody else can report a bounce.
"""

import hmac
import re
from collections.abc import Sequence

from django.conf import settings

from subscriptions.emails import mailbox
from subscriptions.tokens import Purpose, own_key

MAC_DIGITS = 20  # hex: 80 bits
_NAMED = re.compile(rf"\+([a-z]{{2,20}}-[0-9]{{1,18}})-([0-9a-f]{{{MAC_DIGITS}}})@", re.IGNORECASE)


def envelope_sender(mail: str, default: str) -> str:
    """The envelope sender of our mail of that name ("digest-17"): ``default`` without BOUNCE_ADDRESS."""
    if not settings.BOUNCE_ADDRESS:
        return default
    address = mailbox(settings.BOUNCE_ADDRESS)
    if not settings.VERP or not mail:
        return address
    local, _, domain = address.rpartition("@")
    return f"{local}+{mail}-{_mac(mail, settings.LINK_KEYS[0])}@{domain}"


def mail_of(addresses: str) -> str:
    """The name of our mail in an envelope sender of ours among some text; "" where there is none that is genuine."""
    for found in _NAMED.finditer(addresses[:10_000]):
        mail, mac = found[1].lower(), found[2].lower()
        if any(hmac.compare_digest(mac, _mac(mail, key)) for key in _keys()):
            return mail
    return ""


def _keys() -> Sequence[str]:
    return [*settings.LINK_KEYS, *settings.RETIRED_LINK_KEYS]


def _mac(mail: str, key: str) -> str:
    return hmac.digest(own_key(Purpose.BOUNCE, key), mail.encode(), "sha256").hex()[:MAC_DIGITS]
