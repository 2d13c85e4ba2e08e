"""Which spellings of an address lead to one mailbox, which domains are everybody's, and whose a domain is.

Data and pure functions, for counting only: mail goes to the address as it was typed. Where a rule is not sure it is
not here: two people who are counted as one would take each other's letters.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Provider:
    """How the mailboxes of one provider can be spelt. "+tag" is read as RFC 5233 section 1 has it, for all domains."""

    source: str  # the provider's own page, where there is one
    domains: tuple[str, ...]
    one_namespace: bool = False  # the same name at each of these domains is the same mailbox
    tag: str = ""  # what begins a tag besides "+"; no name of a mailbox can have it
    ignored: str = ""  # characters that do not count
    alike: str = ""  # characters that stand for each other
    subdomains: bool = False  # anything@name.domain is the mailbox name@domain


_YAHOO = (
    *("yahoo.com", "ymail.com", "rocketmail.com", "myyahoo.com", "yahoo.ae", "yahoo.at", "yahoo.be", "yahoo.bg"),
    *("yahoo.ca", "yahoo.ch", "yahoo.cl", "yahoo.cz", "yahoo.de", "yahoo.dk", "yahoo.ee", "yahoo.es", "yahoo.fi"),
    *("yahoo.fr", "yahoo.gr", "yahoo.hr", "yahoo.hu", "yahoo.ie", "yahoo.in", "yahoo.it", "yahoo.lt", "yahoo.lv"),
    *("yahoo.nl", "yahoo.no", "yahoo.pl", "yahoo.pt", "yahoo.ro", "yahoo.se", "yahoo.sk", "yahoo.co.id"),
    *("yahoo.co.il", "yahoo.co.in", "yahoo.co.kr", "yahoo.co.nz", "yahoo.co.th", "yahoo.co.uk", "yahoo.co.za"),
    *("yahoo.com.ar", "yahoo.com.au", "yahoo.com.br", "yahoo.com.co", "yahoo.com.hk", "yahoo.com.mx", "yahoo.com.my"),
    *("yahoo.com.pe", "yahoo.com.ph", "yahoo.com.sg", "yahoo.com.tr", "yahoo.com.tw", "yahoo.com.ua", "yahoo.com.ve"),
    "yahoo.com.vn",
)
_YANDEX = (
    *("yandex.ru", "ya.ru", "yandex.com", "narod.ru", "yandex.az", "yandex.by", "yandex.co.il", "yandex.com.am"),
    *("yandex.com.ge", "yandex.com.tr", "yandex.ee", "yandex.fr", "yandex.kg", "yandex.kz", "yandex.lt", "yandex.lv"),
    *("yandex.md", "yandex.tj", "yandex.tm", "yandex.ua", "yandex.uz"),
)

PROVIDERS = (
    Provider(
        # Organisations with a domain of their own at Google are told apart by dots, as the page says.
        source="https://support.google.com/mail/answer/7436150",
        domains=("gmail.com", "googlemail.com"),
        one_namespace=True,
        ignored=".",
    ),
    Provider(
        source="https://support.apple.com/118230",
        domains=("icloud.com", "me.com", "mac.com"),
        one_namespace=True,
    ),
    Provider(
        # Dots, hyphens and underscores are "transparent": https://proton.me/support/change-username. A name is its
        # owner's at all Proton domains.
        source="https://proton.me/support/addresses-and-aliases",
        domains=("proton.me", "protonmail.com", "pm.me", "protonmail.ch"),
        one_namespace=True,
        ignored="._-",
    ),
    Provider(
        # In a subdomain an underscore of the name is written as a hyphen, which no name can have:
        # https://www.fastmail.com/blog/two-address-resolving-additions
        source="https://www.fastmail.help/hc/en-us/articles/360060591053",
        domains=(
            *("fastmail.com", "fastmail.fm", "fastmail.net", "fastmail.org", "fastmail.us", "fastmail.to"),
            *("fastmail.co.uk", "fastmail.com.au", "fastmail.de", "fastmail.es", "fastmail.fr", "fastmail.in"),
            *("fastmail.jp", "fastmail.nl", "fastmail.se", "sent.com", "eml.cc", "ftml.net", "fea.st", "imap.cc"),
            *("mailbolt.com", "messagingengine.com", "ml1.net", "mm.st", "warpmail.net", "xsmail.com"),
        ),
        alike="_-",
        subdomains=True,
    ),
    Provider(
        # basename-keyword: the base name is another than the account's own, and no name has a hyphen. Yahoo Japan is
        # another company.
        source="http://help.yahoo.com/help/uk/bt/tutorials/mail/addressguard2.html",
        domains=_YAHOO,
        tag="-",
    ),
    Provider(
        # Names are their owner's at all Yandex domains. That a dot and a hyphen are one is how its registration and
        # its mail servers have it; the page names the domains only.
        source="https://yandex.com/support/id/authorization/email.html",
        domains=_YANDEX,
        one_namespace=True,
        alike=".-",
    ),
    Provider(
        # Aliases at a subdomain begin to live with their first mail, and all go to its owner.
        source="https://addy.io/help/terminology/",
        domains=("anonaddy.com", "anonaddy.me"),
        subdomains=True,
    ),
)
_OF_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}

# Where anybody can have a mailbox, and many do: no budget of a domain for these, each mailbox has its own.
LARGE = frozenset(_OF_DOMAIN) | {
    domain
    for line in Path(__file__).with_name("large_providers.txt").read_text("utf-8").splitlines()
    if (domain := line.partition("#")[0].strip())
}
# Below these second levels of a country names are given out, as below "com" (https://publicsuffix.org/list/). Its whole
# list would be a package to keep up to date; where this is too short some domains of a country wait for each other.
_SECOND_LEVELS = frozenset(
    {"ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "gv", "id", "ltd", "mil", "ne", "net", "nhs", "nom", "or"}
    | {"org", "plc", "sch"}
)


def spelt_once(email: str) -> str:
    """The one spelling under which a mailbox is counted, in lower case. The same for what it returns."""
    local, _, domain = email.strip().lower().rpartition("@")
    provider = _OF_DOMAIN.get(domain)
    if provider is None and (found := _of_subdomain(domain)):
        local, domain, provider = found
    local = _without_tag(local, "+")
    if provider is None:
        return f"{local}@{domain}"
    if provider.tag:
        local = _without_tag(local, provider.tag)
    if provider.alike:
        local = local.replace(provider.alike[1], provider.alike[0])
    bare = local.translate({ord(character): None for character in provider.ignored})
    return f"{bare or local}@{provider.domains[0] if provider.one_namespace else domain}"


def _of_subdomain(domain: str) -> tuple[str, str, Provider] | None:
    """Name, domain and provider, where anything before the @ goes to the mailbox that the subdomain names."""
    labels = domain.split(".")
    for first in range(1, len(labels)):
        provider = _OF_DOMAIN.get(".".join(labels[first:]))
        if provider and provider.subdomains:
            return labels[first - 1], ".".join(labels[first:]), provider
    return None


def _without_tag(local: str, begins: str) -> str:
    return local.partition(begins)[0] or local


def owner_of(domain: str) -> str:
    """The domain that somebody registered, of a domain or a name below it: mail.cs.example.ac.uk is example.ac.uk's.

    Whoever has a domain has all names below it, and can take mail for as many as they like.
    """
    labels = domain.strip().lower().rstrip(".").split(".")
    two_levels = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3:] if two_levels else labels[-2:])
