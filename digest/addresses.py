"""Which addresses that others wrote may become links: in mails, on pages, in exports. Pure."""

import re
from typing import Any

LONGEST = 500  # characters: the columns hold no more
# Name systems of one machine, one house or one program, where a reader's browser would go somewhere else than ours:
# https://www.iana.org/assignments/special-use-domain-names/ and, for "internal", ICANN's resolution 2024.07.29.06.
NOT_PUBLIC = frozenset({"localhost", "local", "internal", "arpa", "onion", "alt"})

_DEFAULT_PORTS = {"http": "80", "https": "443"}  # RFC 9110, 4.2.1 and 4.2.2
_SCHEME = re.compile(r"(https?)://", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^/?#]*")
# RFC 1123, 2.1: letters, digits and hyphens inside. No hyphens in the third and fourth place: "xn--" is a name in
# other letters, where "а" can be Cyrillic, and RFC 5891, 4.2.3.1 keeps the other such prefixes for what is to come.
_LABEL = re.compile(r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_TOP = re.compile(r"[a-z]{2,63}", re.IGNORECASE)  # letters alone: an address in numbers, however written, has none
_ASCII_REST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%")
_ENCODED_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)


def linkable(url: Any) -> str:
    """``url`` as it stands if a reader may be led there, else nothing.

    It is an address of http or https at a plain public host name in ASCII, at the scheme's own port: without user
    information, which reads like another host ("https://github.com@evil.example/"), without numbers for a host, and
    without a name in other scripts. Behind the host stand the characters of RFC 3986 and letters and digits of any
    script: no space, backslash, quotation mark, bracket of markup, control or direction mark, also not percent-encoded.
    """
    if not isinstance(url, str) or len(url) > LONGEST:
        return ""
    scheme = _SCHEME.match(url)
    authority = _AUTHORITY.match(url, scheme.end()) if scheme else None
    if scheme is None or authority is None:
        return ""
    host, colon, port = authority[0].partition(":")
    if colon and port != _DEFAULT_PORTS[scheme[1].lower()]:
        return ""
    rest = url[authority.end() :]
    # Programs differ on where an authority without a path ends, so an "@" before the first slash is not for us.
    if not is_plain_host(host) or "@" in rest.partition("/")[0] or _ENCODED_CONTROL.search(rest):
        return ""
    return url if all(sign in _ASCII_REST or (sign > "\x7f" and sign.isalnum()) for sign in rest) else ""


def is_plain_host(host: str) -> bool:
    """Whether ``host`` is a public host name of at least two labels, written in ASCII letters, digits and hyphens."""
    labels = host.split(".")
    return (
        len(host) <= 253
        and len(labels) > 1
        and all(map(_LABEL.fullmatch, labels))
        and _TOP.fullmatch(labels[-1]) is not None
        and labels[-1].lower() not in NOT_PUBLIC
    )
