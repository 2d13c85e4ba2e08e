"""Questions to the DNS. The checks are given an ``Ask``, so a test answers from a dictionary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.rcode
import dns.resolver

from digest.health.verdict import Verdict, not_checked, warning

SECONDS = 3.0  # for one question, all tries together


class How(StrEnum):
    """How a question ended. The words are what the doctor prints."""

    FOUND = "found"
    NO_RECORD = "the name has no such record"
    NO_NAME = "the name does not exist (NXDOMAIN)"
    FAILED = "its name servers fail (SERVFAIL)"
    TIMEOUT = "no answer in time"
    UNREACHABLE = "no DNS answer from this machine"
    WRONG_NAME = "it is no valid DNS name"


@dataclass(frozen=True, slots=True)
class Answer:
    """``texts`` holds each record as text: TXT strings joined (RFC 7208 section 3.3), MX as "10 host."."""

    how: How
    texts: tuple[str, ...] = ()

    @property
    def is_void(self) -> bool:
        """Whether the DNS answered that there is nothing (RFC 7208 section 4.6.4)."""
        return self.how in {How.NO_RECORD, How.NO_NAME}

    @property
    def is_open(self) -> bool:
        """Whether nobody knows: the same question may be answered later."""
        return self.how in {How.FAILED, How.TIMEOUT, How.UNREACHABLE}


Ask = Callable[[str, str], Answer]


def asker(servers: Sequence[str] = (), port: int = 53, seconds: float = SECONDS) -> Ask:
    """``ask(name, kind)`` over the network; the machine's own resolvers unless ``servers`` are named. It remembers."""
    try:
        resolver = dns.resolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        return lambda _name, _kind: Answer(How.UNREACHABLE)
    if servers:
        resolver.nameservers, resolver.port = list(servers), port
    resolver.lifetime = seconds
    known: dict[tuple[str, str], Answer] = {}

    def ask(name: str, kind: str) -> Answer:
        if (name, kind) not in known:
            known[name, kind] = _ask(resolver, name, kind)
        return known[name, kind]

    return ask


def _ask(resolver: dns.resolver.Resolver, name: str, kind: str) -> Answer:
    try:
        records = resolver.resolve(dns.name.from_text(name), kind)
    except dns.resolver.NXDOMAIN:
        return Answer(How.NO_NAME)
    except dns.resolver.NoAnswer:
        return Answer(How.NO_RECORD)
    except dns.resolver.NoNameservers as error:
        answered = any(entry[4] is not None for entry in error.kwargs.get("errors", []))
        return Answer(How.FAILED if answered else How.UNREACHABLE)
    except dns.exception.Timeout:
        return Answer(How.TIMEOUT)
    except (dns.exception.DNSException, UnicodeError):  # a label that is empty or too long
        return Answer(How.WRONG_NAME)
    except OSError:
        return Answer(How.UNREACHABLE)
    texts = [
        b"".join(record.strings).decode("utf-8", "replace") if kind == "TXT" else record.to_text() for record in records
    ]
    return Answer(How.FOUND, tuple(texts))


def is_reachable(ask: Ask) -> bool:
    """Whether the public DNS answers: it names the servers of the root, or of "org" where it refuses the root's.

    A resolver of a closed network that says "there is no such name" to everything would make every check a fault.
    """
    root = ask(".", "NS").how
    if root in {How.TIMEOUT, How.UNREACHABLE}:
        return False  # asking once more would only take as long again
    return How.FOUND in {root, ask("org", "NS").how}


def unanswered(name: str, asked: str, answer: Answer) -> Verdict:
    """The verdict where the DNS did not answer. Name servers that fail are somebody's fault; silence is nobody's."""
    if answer.how is How.FAILED:
        return warning(name, f"{asked}: {answer.how}", "Look at the zone with its operator, then ask again.")
    return not_checked(name, f"{asked}: {answer.how}")


def parents(domain: str) -> list[str]:
    """The domain and what is above it, down to two labels: "a.b.example.org" -> itself, b.example.org, example.org."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def address_of(url: str) -> str:
    """A web address to print, "https://papers.example.org:8443": what else stands in it may be a password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no web address)"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host or '(no host)'}{port}"


def domain_of(address: str) -> str:
    """The domain of an e-mail address, in lower case and ASCII as the DNS knows it; "" where there is none."""
    domain = address.rpartition("@")[2].strip(" >").rstrip(".").lower()
    try:
        return domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        return domain
