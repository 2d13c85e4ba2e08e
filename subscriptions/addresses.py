"""Email addresses: which can be mailed, how they are kept, counted and masked."""

import hashlib
import hmac

from django.conf import settings
from django.utils.translation import gettext_noop
from email_validator import EmailNotValidError, validate_email

from subscriptions import mailboxes

# RFC 5321 section 4.5.3.1: 64 octets, "@", 255 octets, but a path may have 256 with its brackets.
ADDRESS_LENGTH = 254
# In English here; the form says them in the language of its page.
HOW_TO_WRITE = gettext_noop("Enter an email address in the correct format, like name@example.com")
# Django's mail API cannot carry SMTPUTF8 (RFC 6531), whatever the mail server could.
NOT_ASCII = gettext_noop(
    "This email address has letters before the @ that our mail server cannot carry. "
    "Enter one that has only English letters, digits and signs there"
)
# Nobody reads papers there (RFC 2142 and common practice): a mail could only do harm.
ROLES = frozenset(
    {"abuse", "hostmaster", "mailer-daemon", "no-reply", "noreply", "postmaster", "security", "webmaster"}
)
# Slips of the keyboard that are domains of others, or of nobody.
_SLIPS = {
    slip: right
    for right, slips in {
        "gmail.com": (
            "gmial.com",
            "gmal.com",
            "gmai.com",
            "gamil.com",
            "gnail.com",
            "gmail.co",
            "gmail.con",
            "gmil.com",
        ),
        "googlemail.com": ("googelmail.com", "goglemail.com"),
        "hotmail.com": ("hotmial.com", "hotmal.com", "homtail.com", "hotmail.con", "hotmai.com"),
        "outlook.com": ("outlok.com", "outloook.com", "outlook.con"),
        "yahoo.com": ("yahooo.com", "yaho.com", "yahoo.con"),
        "icloud.com": ("iclould.com", "icloud.con"),
    }.items()
    for slip in slips
}


def clean(text: str) -> str:
    """The address as it is kept: RFC 5321, IDNA 2008, in lower case. Raises ValueError with what to do."""
    # The checks below take more than a second for a megabyte. Unicode can shrink: to a quarter at most, say.
    if len(text) > 4 * ADDRESS_LENGTH or any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError(HOW_TO_WRITE)
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=True, strict=True)
    except EmailNotValidError as error:
        raise ValueError(HOW_TO_WRITE) from error
    if not found.local_part.isascii():
        raise ValueError(NOT_ASCII)
    # An encoded word (RFC 2047) is a legal local part, which Django's mail API would decode into another address:
    # one that was counted, and perhaps stopped, under its own name.
    if "=?" in found.local_part or "?=" in found.local_part:
        raise ValueError(HOW_TO_WRITE)
    address = f"{found.local_part}@{found.ascii_domain}".lower()
    if not found.ascii_domain or len(address) > ADDRESS_LENGTH:
        raise ValueError(HOW_TO_WRITE)
    return address


def address_hash(email: str) -> str:
    """A keyed hash of an address: finds it again without storing it. Hex, 64 characters."""
    return keyed_hash(email.strip().lower())


def keyed_hash(text: str) -> str:
    """HMAC-SHA256 under ADDRESS_KEY, hex, 64 characters. Of any text: half a surrogate pair has a hash too."""
    return hmac.new(settings.ADDRESS_KEY.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def folded(email: str) -> str:
    """The address for counting only, never for storing or mailing: all spellings of one mailbox are one."""
    return mailboxes.spelt_once(email)


def counted_domain(email: str) -> str:
    """The domain for counting letters to strangers; "" for a large provider's, whose mailboxes are anybody's."""
    domain = folded(email).rpartition("@")[2]
    return "" if domain in mailboxes.LARGE else mailboxes.owner_of(domain)


def masked(email: str) -> str:
    """The address as far as a page may show it: a***@example.org."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def meant(email: str) -> str:
    """The address that was probably meant, where the domain is a well-known one misspelt; else "".

    Says nothing of who is known here: it looks at the letters alone.
    """
    local, _, domain = email.rpartition("@")
    return f"{local}@{_SLIPS[domain]}" if domain in _SLIPS else ""


def is_role(email: str) -> bool:
    """Whether the address belongs to a function and not to a reader: postmaster@, abuse@, in any spelling."""
    return any(one.partition("@")[0].partition("+")[0] in ROLES for one in (email, folded(email)))
