"""What else of a sending domain stands in the DNS: DKIM keys, DMARC, a mailbox for replies, the site's host."""

import base64
import binascii
import re
from collections.abc import Sequence
from ipaddress import ip_address

from dkim.crypto import UnparsableKeyError, parse_public_key

from digest.health.names import Answer, Ask, How, domain_of, parents, unanswered
from digest.health.verdict import State, Verdict, fault, not_checked, ok, warning

# Nobody can list a domain's selectors; these are tried where none is named.
COMMON_SELECTORS = ("default", "dkim", "mail", "k1", "k2", "s1", "s2", "selector1", "selector2", "google")
WEAK, ADVISED = 1024, 2048  # bits; RFC 8301 section 3.2
ED25519_BYTES = 32  # RFC 8463 section 4
REPORTS = re.compile(r"(?:[^,]*,)*\s*mailto:[^\s,@]+@[^\s,@]+", re.IGNORECASE)  # at least one that can be read


def dkim_keys(domain: str, selectors: Sequence[str], ask: Ask, *, guessed: Sequence[str] = ()) -> list[Verdict]:
    """The keys at ``selectors``; where none is named the good ones among ``guessed`` and the common ones.

    A guess may meet the key of another sender, or one that was given up: that is no fault of this installation.
    """
    if selectors:
        return [dkim_key(selector, domain, ask) for selector in selectors]
    tried = list(dict.fromkeys([*guessed, *COMMON_SELECTORS]))
    answers = {selector: ask(f"{selector}._domainkey.{domain}", "TXT") for selector in tried}
    there = [dkim_key(selector, domain, ask) for selector, answer in answers.items() if answer.how is How.FOUND]
    found = [verdict for verdict in there if verdict.state is not State.FAULT]
    silent = next((answer for answer in answers.values() if answer.is_open), None)
    if not found and silent:
        return [unanswered("DKIM", f"_domainkey.{domain}", silent)]
    said = f"none of the usual selectors has a good key at {domain}"
    remedy = "Name yours with --selector: it is s= in the DKIM-Signature of a received mail."
    return found or [warning("DKIM", said, remedy)]


def dkim_key(selector: str, domain: str, ask: Ask) -> Verdict:
    """The key at SELECTOR._domainkey.DOMAIN (RFC 6376 section 3.6.1): there, not revoked, long enough, no test."""
    place = f"{selector}._domainkey.{domain}"
    name = f"DKIM {selector}"
    answer = ask(place, "TXT")
    if answer.is_open:
        return unanswered(name, place, answer)
    if answer.how is not How.FOUND:
        return fault(name, f"{place}: {answer.how}", "Publish the key that your signer or provider gives you.")
    if len(answer.texts) > 1:
        said = f"{place} has {len(answer.texts)} records: which one counts is undefined (RFC 6376 section 3.6.2.2)"
        return fault(name, said, "Leave one.")
    tags = tag_list(answer.texts[0])
    if "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        return fault(name, f"{place} is no DKIM key", "Publish it as your signer or provider gives it, in one record.")
    if not tags["p"]:
        return fault(name, f"{place}: the key is revoked (p= is empty)", "Sign with another selector.")
    if "sha256" not in tags.get("h", "sha256").split(":") or not {"*", "email"} & set(tags.get("s", "*").split(":")):
        said = f"{place}: the key is not for mails signed with SHA-256 (h= or s=)"
        return fault(name, said, "Take h= and s= out of the record.")
    verdict = _strength(name, place, tags.get("k", "rsa").lower(), tags["p"])
    if verdict.state is State.OK and "y" in tags.get("t", "").split(":"):
        return warning(name, f"{place} is marked as a test (t=y): receivers may ignore it", "Take t=y out.")
    return verdict


def _strength(name: str, place: str, kind: str, key: str) -> Verdict:
    again = "Publish the key again, whole, in one record."
    try:
        raw = base64.b64decode(re.sub(r"\s", "", key), validate=True)
        bits = int(parse_public_key(raw)["modulus"]).bit_length() if kind == "rsa" else 0
    except (binascii.Error, ValueError, UnparsableKeyError, IndexError, TypeError, KeyError):
        return fault(name, f"{place}: the key cannot be read", again)
    if kind == "ed25519":
        if len(raw) != ED25519_BYTES:
            return fault(name, f"{place}: an ed25519 key of {len(raw)} bytes", again)
        return warning(name, f"{place}: ed25519", "Sign with an RSA key too: not every receiver knows ed25519.")
    if kind != "rsa":
        return fault(name, f"{place}: unknown kind of key", "Publish an RSA key of 2048 bits.")
    if bits < WEAK:
        return fault(name, f"{place}: RSA, {bits} bits: receivers ignore it", "Make a key of 2048 bits.")
    if bits < ADVISED:
        return warning(name, f"{place}: RSA, {bits} bits", "Make a key of 2048 bits (RFC 8301 section 3.2).")
    return ok(name, f"{place}: RSA, {bits} bits")


def dmarc(domain: str, ask: Ask) -> Verdict:
    """The DMARC record of the From domain, or of one above it (RFC 7489 section 6.6.3)."""
    name = "DMARC"
    answer, place, records = Answer(How.NO_NAME), "", []
    for above in parents(domain):
        place = f"_dmarc.{above}"
        answer = ask(place, "TXT")
        if answer.is_open:
            return unanswered(name, place, answer)
        records = [text for text in answer.texts if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
        if records:
            break
    if not records:
        remedy = f'Publish a TXT record at _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:..." to begin with.'
        return fault(name, f"{domain} has no DMARC record; Gmail, Yahoo and Outlook ask bulk senders for one", remedy)
    if len(records) > 1:
        return fault(name, f"{place} has {len(records)} DMARC records: receivers ignore them", "Leave one.")
    return _dmarc_record(name, domain, place, tag_list(records[0]))


def _dmarc_record(name: str, domain: str, place: str, tags: dict[str, str]) -> Verdict:
    owner = place.removeprefix("_dmarc.")
    policy = (tags.get("sp") if owner != domain else "") or tags.get("p", "")
    reports = REPORTS.match(tags.get("rua", "")) is not None
    wrong = [f"{tag}={tags.get(tag) or '(missing)'}" for tag in ("p", "sp") if not _is_policy(tag, tags)]
    if wrong:
        said, remedy = f"{place}: {', '.join(wrong)}", "Write p=none, p=quarantine or p=reject."
        if reports:
            return warning(name, f"{said}: treated as p=none, as it has a rua (RFC 7489 section 6.6.3)", remedy)
        return fault(name, said, remedy)
    if owner not in {domain, ".".join(domain.split(".")[-2:])}:
        said = f"{place}: p={policy}; it may not count for {domain}"
        remedy = f"It does if {owner} is your organisation's domain (RFC 7489 section 3.2). If not, publish one at"
        return warning(name, said, f"{remedy} _dmarc.{domain}.")
    if not reports:
        remedy = "Add rua=mailto:...: the reports say who else sends as you, and what fails."
        return warning(name, f"{place}: p={policy}, no rua", remedy)
    return ok(name, f"{place}: p={policy}, reports are asked for")


def _is_policy(tag: str, tags: dict[str, str]) -> bool:
    """A record may go without sp=, not without p= (RFC 7489 section 6.3)."""
    return (tag == "sp" and tag not in tags) or tags.get(tag, "").lower() in {"none", "quarantine", "reject"}


def mailbox(name: str, address: str, ask: Ask, *, answered_elsewhere: bool = False) -> Verdict:
    """Whether mail to ``address`` can be delivered: MX, else an address record (RFC 5321 section 5.1).

    ``answered_elsewhere``: replies go to Reply-To, so what is missing here can cost bounces at most.
    """
    verdict = _mailbox(name, address, ask)
    if not answered_elsewhere or verdict.state is not State.FAULT:
        return verdict
    said = f"{verdict.said}; not needed for replies, they go to REPLY_TO"
    return warning(name, said, "Nothing, if Return-Path has a domain of its own. If not, bounces are lost: add an MX.")


def _mailbox(name: str, address: str, ask: Ask) -> Verdict:
    domain = domain_of(address)
    answer = ask(domain, "MX")
    if answer.is_open:
        return unanswered(name, domain, answer)
    hosts = [text.split()[-1] for text in answer.texts]
    if hosts == ["."]:
        return fault(name, f"{domain} takes no mail (RFC 7505)", "Name another address.")
    if hosts:
        return ok(name, f"{domain}: MX {', '.join(hosts[:3])}")
    by_address = _addresses(domain, ask)
    if isinstance(by_address, Answer):
        if by_address.is_open:
            return unanswered(name, domain, by_address)
        return fault(name, f"{domain}: no MX and no address", "No mail arrives: add an MX record or name another.")
    return warning(name, f"{domain} has no MX record, only an address", "Add an MX record.")


def host(name: str, hostname: str, ask: Ask) -> Verdict:
    """Whether the host of our links can be found: the mailbox providers fetch the one-click address by it."""
    if not hostname or hostname == "localhost" or _is_address(hostname):
        return not_checked(name, f"{hostname or 'no host'} is not asked of the DNS", "Set SITE_URL to a public name.")
    found = _addresses(hostname, ask)
    if isinstance(found, list):
        return ok(name, f"{hostname}: {', '.join(found[:3])}")
    if found.is_open:
        return unanswered(name, hostname, found)
    return fault(name, f"{hostname}: {found.how}", "Readers cannot open a link or unsubscribe: add its address.")


def _addresses(domain: str, ask: Ask) -> list[str] | Answer:
    """The addresses of both families, or the answer that says why there are none; silence beats emptiness."""
    answers = [ask(domain, kind) for kind in ("A", "AAAA")]
    found = [text for answer in answers for text in answer.texts]
    return found or next((answer for answer in answers if answer.is_open), answers[0])


def _is_address(hostname: str) -> bool:
    try:
        ip_address(hostname.strip("[]"))
    except ValueError:
        return False
    return True


def tag_list(text: str) -> dict[str, str]:
    """The "tag=value; ..." of DKIM and DMARC (RFC 6376 section 3.2), the first of a tag; rubbish is left out."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        tag, sign, value = part.partition("=")
        if sign:
            tags.setdefault(tag.strip().lower(), value.strip())
    return tags
