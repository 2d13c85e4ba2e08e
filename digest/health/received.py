"""A mail as it arrived in a real mailbox: what the way there did to it, and whether one-click will be offered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from digest.health.configured import APART, SIBLINGS, related
from digest.health.names import domain_of
from digest.health.records import tag_list
from digest.health.verdict import Verdict, fault, not_checked, ok, warning

LIST_HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post")
ONE_CLICK = "List-Unsubscribe=One-Click"
OUR_ID = re.compile(r"<[a-z-]+-\d+(\.[0-9a-f]{16})?@(?P<domain>[^<>@\s]+)>")
# A method may carry its version, "spf/1=pass" (RFC 8601 section 2.2).
RESULT = re.compile(r"(?:^|;)\s*(spf|dkim|dmarc)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
OVERSIGN = "In the signer's list name it once more than it occurs: see docs/deliverability.md, DKIM."


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature: whose it is, and which headers it covers, in lower case, as often as it names them."""

    domain: str
    selector: str
    headers: tuple[str, ...]


def bare(raw: bytes) -> bytes:
    """From the first header on: an mbox line, or what an editor puts before the headers, would hide them all."""
    return re.sub(rb"\A(?:\xef\xbb\xbf|\s+|From [^\n]*\n)+", b"", raw)


def read(raw: bytes) -> Message:
    """The message in the file. Whatever is in there, this does not raise; a file that is no mail has no headers."""
    return message_from_bytes(bare(raw))


def received_copy(raw: bytes, *, from_domain: str, site_host: str) -> list[Verdict]:
    """Everything that can be seen without the DNS."""
    message = read(raw)
    if not message.get("From"):
        remedy = 'Save the original of the mail: "Show original" or "View source" in the mailbox.'
        return [fault("Copy", "this file is no mail: it has no From", remedy)]
    sender = sender_of(message)
    return [
        _from(sender, from_domain),
        *signatures_cover(message, sender),
        authentication(message),
        message_id(message, sender),
        date(message),
        *list_headers(message, site_host),
        seven_bit(raw),
    ]


def signatures(message: Message) -> list[Signature]:
    """The mail's signatures, the last one made first."""
    found = []
    for value in message.get_all("DKIM-Signature", []):
        tags = tag_list(re.sub(r"\s+", "", str(value)))
        names = tuple(name.lower() for name in tags.get("h", "").split(":") if name)
        found.append(Signature(tags.get("d", "").lower(), tags.get("s", ""), names))
    return found


def signatures_cover(message: Message, sender: str) -> list[Verdict]:
    """One signature of the From domain covers From and both list headers (RFC 8058 section 4), each once too often."""
    name = "DKIM signature"
    signed = signatures(message)
    if not signed:
        return [fault(name, "there is none", "Let the relay or provider sign with the From domain.")]
    best = aligned(signed, sender)
    if best is None:
        said = f"signed by {', '.join(s.domain or '(nobody)' for s in signed)}, not by {sender}"
        return [fault(name, said, "Let the signer use the domain of From: DMARC and one-click need it.")]
    said = f"d={best.domain} s={best.selector} for From {sender}"
    if related(best.domain, sender) == SIBLINGS:
        verdict = warning(name, f"{said}: siblings", "Sign with the domain of From itself, or one above it.")
    else:
        verdict = ok(name, said)
    return [verdict, *(_covered(best, header, message) for header in ("From", *LIST_HEADERS))]


def aligned(signed: list[Signature], sender: str) -> Signature | None:
    """Of the signatures of the From domain the one that covers most of what matters here."""
    own = [s for s in signed if related(s.domain, sender) != APART]
    return max(own, key=lambda s: sum(s.headers.count(h.lower()) for h in ("From", *LIST_HEADERS)), default=None)


def _covered(signature: Signature, header: str, message: Message) -> Verdict:
    name = f"h= covers {header}"
    named, there = signature.headers.count(header.lower()), len(message.get_all(header, []))
    if not named or named < there:
        remedy = "Put it into the signer's list: without it mailbox providers offer no one-click (RFC 8058 section 4)."
        return fault(name, f"named {named} times, it occurs {there} times", remedy)
    if named > there:
        return ok(name, "signed and oversigned")
    if header == "From":  # two of them are refused anyway (RFC 5322 section 3.6)
        return ok(name, "signed")
    said = "signed, not oversigned: somebody can put a second one above it and the signature stays valid"
    return warning(name, said, OVERSIGN)


def authentication(message: Message) -> Verdict:
    """What the receiver found: the uppermost Authentication-Results and those below it by the same server.

    Milters write one each. What stands below another server's, anybody may have written (RFC 8601 section 5).
    """
    name = "Authentication-Results"
    values = message.get_all(name, [])
    if not values:
        return not_checked(name, "the receiver wrote none", "Take a copy from a mailbox at a large provider.")
    results = _results([str(value) for value in values])
    if not results:
        return not_checked(name, "it holds no result")
    said = ", ".join(f"{method}={result}" for method, result in results)
    passed = {method for method, result in results if result == "pass"}
    missing = [method for method in ("dkim", "dmarc") if method not in passed]
    if missing:
        return fault(name, said, f"{' and '.join(missing).upper()} must pass: run the doctor with --dns.")
    if "spf" not in passed:
        return warning(name, said, "SPF of the Return-Path's domain should pass too: run the doctor with --dns.")
    return ok(name, said)


def _results(values: list[str]) -> list[tuple[str, str]]:
    """The methods and results of the uppermost server; of a method only what its uppermost header says."""
    bare = [re.sub(r"\([^()]*\)", " ", value) for value in values]  # comments may hold anything
    servers = [value.partition(";")[0].lower().split()[:1] for value in bare]
    found: list[tuple[str, str]] = []
    for value, server in zip(bare, servers, strict=True):
        if server != servers[0]:
            break
        known = {method for method, _ in found}
        said = [(method.lower(), result.lower()) for method, result in RESULT.findall(value)]
        found += [(method, result) for method, result in said if method not in known]
    return found


def message_id(message: Message, sender: str) -> Verdict:
    """Ours, or the transport's: a mail sent again after a crash is told as the same by it."""
    value = " ".join(_text(message, "Message-ID").split())
    found = OUR_ID.fullmatch(value)
    if found and related(found["domain"], sender) != APART:
        return ok("Message-ID", "ours")
    remedy = "Nothing, if the provider is known to do so; after a crash uncertain mails are then held, not sent again."
    return warning("Message-ID", "none" if not value else "not ours: the transport wrote its own", remedy)


def date(message: Message) -> Verdict:
    """RFC 5322 section 3.6: exactly one."""
    values = message.get_all("Date", [])
    if len(values) != 1:
        return fault("Date", f"{len(values)} of them", "Find out which hop adds or removes one.")
    try:
        sent: datetime = parsedate_to_datetime(str(values[0]))
    except ValueError:
        return fault("Date", "it cannot be read", "Find out which hop writes it.")
    return ok("Date", f"{sent:%Y-%m-%d %H:%M %z}")


def list_headers(message: Message, site_host: str) -> Iterator[Verdict]:
    """Both exactly once, with our https address in angle brackets (RFC 8058 section 3.1)."""
    for header in LIST_HEADERS:
        values = message.get_all(header, [])
        if len(values) != 1:
            remedy = "Take a digest, not a letter; if it is one, a hop adds or removes the header."
            yield fault(header, f"it occurs {len(values)} times", remedy)
            continue
        value = "".join(str(values[0]).split())
        if header == "List-Unsubscribe-Post":
            good, said = value == ONE_CLICK, "as it should be"
        else:
            good = re.search(rf"<https://{re.escape(site_host)}[/:][^<>]*>", value, re.IGNORECASE) is not None
            said = f"an https address at {site_host}"
        yield ok(header, said) if good else fault(header, f"not {said}", "Find out which hop changes it.")


def seven_bit(raw: bytes) -> Verdict:
    """A relay that re-encodes 8-bit text breaks the signature (RFC 6376 section 5.3)."""
    name = "7-bit"
    parts = read(raw).walk()
    declared = any(_text(part, "Content-Transfer-Encoding").strip().lower() in {"8bit", "binary"} for part in parts)
    if declared or not raw.isascii():
        return warning(name, "parts of it are 8-bit: a relay may have re-encoded it", "Let the relay leave it alone.")
    return ok(name, "all of it")


def _from(sender: str, expected: str) -> Verdict:
    if related(sender, expected) in {APART, SIBLINGS}:
        return fault(
            "From", f"{sender}, not {expected}", "Take a mail of this installation; or FROM_EMAIL has changed."
        )
    return ok("From", sender)


def _text(message: Message, header: str) -> str:
    return str(message.get(header, ""))


def sender_of(message: Message) -> str:
    """The domain of From."""
    return domain_of(parseaddr(_text(message, "From"))[1])
