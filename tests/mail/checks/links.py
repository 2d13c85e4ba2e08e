"""Whether each link leads to what its words say."""

import re
from collections import defaultdict
from html import unescape
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

from tests.mail.mail import Mail

_LINK = re.compile(r"""<a\b[^>]*?\bhref="(https?://[^"]*)"[^>]*>(.*?)</a>""", re.DOTALL | re.IGNORECASE)
_LABELLED = re.compile(r"^([^\n]+):\s+(https?://\S+)$", re.MULTILINE)
_HEADING = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL)
_NUMBERED = re.compile(r"<h2\b[^>]*>(?:\s|<[^>]*>)*\d+\.")


def link_target_faults(mail: Mail) -> list[str]:
    """Of labels, hosts, the way out, and the number in the heading."""
    html = [(_words(inner), unescape(address)) for address, inner in _LINK.findall(mail.html)]
    text = [(_words(label), address) for label, address in _LABELLED.findall(mail.text)]
    faults = [*_differing(html, text), *_elsewhere(mail, [address for _, address in html + text])]
    return [*faults, *_ways_out(mail, html + text), *_miscounted(mail)] if mail.is_listed else faults


def _differing(html: list[tuple[str, str]], text: list[tuple[str, str]]) -> list[str]:
    there = defaultdict(set)
    for label, address in text:
        there[label].add(address)
    return [
        f"links target: {label!r} leads to {address} in the HTML part, to {', '.join(there[label])} in the text part"
        for label, address in html
        if label in there and there[label] != {address}
    ]


def _elsewhere(mail: Mail, addresses: list[str]) -> list[str]:
    """Paths of this site on another host than the header names; in a letter, on more than one host."""
    own = {urlsplit(address).netloc for address in addresses if _is_ours(address)}
    if mail.is_listed:
        own.add(urlsplit(mail.unsubscribe_url).netloc)
    return [f"links host: {', '.join(sorted(own))}"] if len(own) > 1 else []


def _is_ours(address: str) -> bool:
    path = urlsplit(address).path
    try:
        resolve(path)
    except Resolver404:
        return False
    return path not in {"", "/"}


def _ways_out(mail: Mail, links: list[tuple[str, str]]) -> list[str]:
    labels = {label for label, address in links if address == mail.unsubscribe_url}
    return [] if len(labels) < 2 else [f"links unsubscribe: behind {', '.join(sorted(labels))}"]


def _miscounted(mail: Mail) -> list[str]:
    """The first number of a digest's heading is that of its papers."""
    told = [int(found[0]) for heading in _HEADING.findall(mail.html) if (found := re.findall(r"\d+", heading))]
    papers = len(_NUMBERED.findall(mail.html))
    return [] if not mail.html or told == [papers] else [f"links count: the heading says {told}, there are {papers}"]


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
