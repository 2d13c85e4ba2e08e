"""A mail's HTML as one client or another shows it: dark, forced dark, without images, without <style>. Pure."""

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser

# Possessive, and nothing runs past the next "<" or "@": so each of these takes linear time.
_TAG = r"""(?:[^<>"']|"[^"]*"|'[^']*')*+>"""
_IMAGE = re.compile(rf"<img\b{_TAG}", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^<]*+(?:<(?!/?style\b)[^<]*+)*+</style\s*>", re.IGNORECASE)
_MEDIA = re.compile(r"@media([^@{;]*+)\{", re.IGNORECASE)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_AND = re.compile(r"(?<=\s)and(?=\s)")
_META = re.compile(
    rf"<meta\b(?=[^<>]*\bname\s*=\s*[\"']?(?:supported-)?color-schemes?\b){_TAG}",
    re.IGNORECASE,
)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
# Some clients turn a light mail round and know no media query; what they do to colours is close to this.
_INVERTED = (
    "<style>html { filter: invert(1) hue-rotate(180deg); background: #fff }"
    " img { filter: invert(1) hue-rotate(180deg) }</style>"
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a mail is shown."""

    scheme: str = "light"  # "dark": the mail's own dark colours; "forced": turned round by the client
    images: bool = True
    styles: bool = True


def as_seen(html: str, look: Look) -> str:
    """The HTML as a client shows it. Links open a window of their own, as they do from a mail program."""
    html = _in_scheme(html, "dark" if look.scheme == "dark" else "light")
    if not look.styles:
        html = _STYLE.sub("", html)
    if not look.images:
        html = _IMAGE.sub(lambda tag: escape(_alt(tag[0])), html)
    added = '<base target="_blank">' + (_INVERTED if look.scheme == "forced" else "")
    return _HEAD_END.sub(lambda end: added + end[0], html, count=1)


def _in_scheme(html: str, scheme: str) -> str:
    """As where the reader prefers ``scheme``, whatever this browser's own preference."""

    def prelude(found: re.Match[str]) -> str:
        asked = _SCHEME.search(found[1])
        if not asked:
            return found[0]
        if asked[1].lower() != scheme:
            return "@media not all {"
        rest = [part for part in map(str.strip, _AND.split(found[1])) if not _SCHEME.fullmatch(part)]
        return f"@media {' and '.join(rest) or 'all'} {{"

    return _META.sub(f'<meta name="color-scheme" content="{scheme}">', _MEDIA.sub(prelude, html))


def _alt(tag: str) -> str:
    """The alternative text of an <img>; "" where there is none."""
    found: list[str] = []

    class _Image(HTMLParser):
        def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name == "alt")

    _Image().feed(tag)
    return found[0] if found else ""
