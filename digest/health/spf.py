"""SPF: who may send with this domain in Return-Path (RFC 7208)."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from digest.health.names import Answer, Ask, How, unanswered
from digest.health.verdict import Verdict, fault, ok, warning

NAME = "SPF"
MAX_LOOKUPS, MAX_VOIDS = 10, 2  # RFC 7208 section 4.6.4
LOOKED_UP = {"include", "a", "mx", "ptr", "exists", "redirect"}
TERM = re.compile(  # RFC 7208 section 12; a modifier, like exp=, may have any name.
    # Possessive: "%{a}" can be read in two ways, and going back through them costs time without end.
    r"(?P<sign>[-+~?]?)(?P<mechanism>all|include|a|mx|ptr|ip4|ip6|exists)(?::(?P<value>(?:%\{[^}\s]{0,60}\}|[^/\s])++))?"
    r"(?P<length>/[/\d]+)?"
    r"|(?P<modifier>[a-z][\w.-]*)=(?P<target>\S*)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Walk:
    """What following a record through its includes met."""

    ask: Ask
    lookups: int = 0
    voids: int = 0
    wrong: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    silent: tuple[str, Answer] | None = None


def spf(domain: str, ask: Ask) -> Verdict:
    """The SPF record of ``domain``, the one of Return-Path: one record that can be read, within the limits."""
    answer = ask(domain, "TXT")
    if answer.is_open:
        return unanswered(NAME, domain, answer)
    records = _records(answer)
    if not records:
        said = f"{domain}: {answer.how if answer.how is not How.FOUND else 'no SPF record'}"
        return fault(NAME, said, f'Publish a TXT record at {domain}, like "v=spf1 include:_spf.example.net -all".')
    if len(records) > 1:
        said = f"{domain} has {len(records)} SPF records: receivers ignore them all (RFC 7208 section 4.5)"
        return fault(NAME, said, "Make one of them.")
    walk = Walk(ask)
    end = _follow(records[0], domain, walk, seen=(domain,))
    return _judge(domain, walk, end)


def _judge(domain: str, walk: Walk, end: str) -> Verdict:
    counted = f"{domain}: {walk.lookups} of {MAX_LOOKUPS} look-ups, ends in {end or 'nothing'}"
    if walk.wrong:
        return fault(NAME, f"{counted}; {'; '.join(walk.wrong)}", "Correct the record: as it is, receivers give up.")
    if walk.lookups > MAX_LOOKUPS:
        return fault(NAME, f"{counted} (RFC 7208 section 4.6.4)", "Take out includes that nobody sends by any more.")
    if walk.voids > MAX_VOIDS:
        said = f"{counted}; {walk.voids} look-ups found nothing, {MAX_VOIDS} are allowed"
        return fault(NAME, said, "Take out the names that do not exist.")
    if end == "+all":
        return fault(NAME, f"{counted}: anybody may send as you", "End it in ~all or -all.")
    if walk.silent:
        return unanswered(NAME, f"{counted} so far; {walk.silent[0]}", walk.silent[1])
    if end not in {"-all", "~all"}:
        return warning(NAME, counted, "End it in ~all or -all.")
    if walk.odd:
        return warning(NAME, f"{counted}; {'; '.join(walk.odd)}", "Write these parts differently.")
    return ok(NAME, counted)


def _records(answer: Answer) -> list[str]:
    """A record is "v=spf1" alone or followed by a space; "v=spf10" is none (RFC 7208 section 4.5)."""
    return [text for text in answer.texts if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]


def _follow(record: str, domain: str, walk: Walk, seen: tuple[str, ...]) -> str:
    """Count what the record of ``domain`` asks for; how it ends: "-all", "~all", "?all", "+all" or ""."""
    end, redirect = "", ""
    for text in record.split()[1:]:
        term = TERM.fullmatch(text)
        if term is None or not _is_sound(term):
            walk.wrong.append(f"{text!r} in the record of {domain} cannot be read")
            continue
        if end:
            continue  # what follows "all" is never asked for (section 5.1), but must be readable (section 4.6)
        mechanism = (term["mechanism"] or "").lower()
        if mechanism == "all":
            end = (term["sign"] or "+") + "all"
        elif mechanism in LOOKED_UP:
            _look_up(mechanism, term["value"] or domain, domain, walk, seen)
        elif (term["modifier"] or "").lower() == "redirect":
            redirect = term["target"]
    if redirect and not end:  # "redirect" counts only where there is no "all" (RFC 7208 section 6.1)
        return _look_up("redirect", redirect, domain, walk, seen)
    return end


def _is_sound(term: re.Match[str]) -> bool:
    """Whether a term has what its name asks for (RFC 7208 sections 5 and 6)."""
    name, value, length = (term["mechanism"] or "").lower(), term["value"] or "", term["length"] or ""
    if not name:
        return bool(term["target"]) or term["modifier"].lower() not in {"redirect", "exp"}
    if name in {"ip4", "ip6"}:
        try:
            (IPv4Network if name == "ip4" else IPv6Network)(value + length, strict=False)
        except ValueError:
            return False
        return "%" not in value  # a zone, "fe80::1%eth0", is for one machine only
    if name in {"a", "mx"}:
        found = re.fullmatch(r"(?:/(\d{1,2}))?(?://(\d{1,3}))?", length)
        return found is not None and int(found[1] or 0) <= 32 and int(found[2] or 0) <= 128
    return not length and {"all": not value, "ptr": True}.get(name, bool(value))


def _look_up(mechanism: str, target: str, domain: str, walk: Walk, seen: tuple[str, ...]) -> str:
    walk.lookups += 1
    if mechanism == "ptr":
        walk.odd.append(f'"ptr" in the record of {domain} should not be used (RFC 7208 section 5.5)')
    if mechanism == "ptr" or "%" in target or walk.lookups > MAX_LOOKUPS:
        return ""  # macros depend on the mail; past the limit a receiver stops as well
    if mechanism not in {"include", "redirect"}:
        _count_void(mechanism, target, walk)
        return ""
    if target.lower() in seen:
        walk.wrong.append(f"{target} includes itself")
        return ""
    answer = walk.ask(target, "TXT")
    if answer.is_open:
        walk.silent = (target, answer)
        return ""
    records = _records(answer)
    if len(records) != 1:  # RFC 7208 section 5.2: an include without a record is a permanent error
        walk.wrong.append(f"{target} has {len(records) or 'no'} SPF records")
        return ""
    return _follow(records[0], target, walk, (*seen, target.lower()))


def _count_void(mechanism: str, target: str, walk: Walk) -> None:
    """A look-up is void where the answer is empty; of "a" and "exists" in both address families."""
    answers = [walk.ask(target, "MX")] if mechanism == "mx" else [walk.ask(target, kind) for kind in ("A", "AAAA")]
    if all(answer.is_void for answer in answers):
        walk.voids += 1
    elif all(answer.is_open for answer in answers):
        walk.silent = (target, answers[0])
