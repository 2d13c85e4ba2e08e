"""Whether the two parts of a mail say the same."""

import re
from collections import Counter
from html import unescape

from playwright.sync_api import Page

from tests.mail.mail import Mail

SHARE, LINE, NEAR = 0.8, 78, 10  # of the words; characters; lines
_URL = re.compile(r"https?://[^\s<>\"]+")
_HREF = re.compile(r"""<a\b[^>]*?\bhref=["']([^"']*)["']""", re.IGNORECASE)


def visible_words(page: Page, html: str) -> str:
    """What a reader sees of the HTML: not the preheader."""
    page.set_content(html)
    return page.evaluate("document.body.innerText")


def parity_faults(mail: Mail, seen: str) -> list[str]:
    """``seen`` is what a browser shows of the HTML part."""
    return [*word_faults(mail.text, seen), *link_faults(mail), *text_faults(mail)]


def word_faults(text: str, seen: str) -> list[str]:
    """Words of the HTML that the text lacks, where they are more than a fifth."""
    wanted, there = _words(seen), _words(text)
    kept = sum((wanted & there).values()) / max(wanted.total(), 1)
    lost = ", ".join(word for word, _ in (wanted - there).most_common(8))
    return [] if kept >= SHARE else [f"parity words: the text has {kept:.0%} of the HTML's, not: {lost}"]


def link_faults(mail: Mail) -> list[str]:
    """Links that one part has and the other lacks. An address inside a paper's abstract is a word of it in both."""
    html = {unescape(address) for address in _HREF.findall(mail.html)}
    text = {address.rstrip(".,;:)") for address in _URL.findall(mail.text)}
    quoted = {address.rstrip(".,;:)") for address in _URL.findall(re.sub(r"<[^>]*>", " ", unescape(mail.html)))}
    web = {address for address in html if address.startswith("http")}
    faults = [f"parity links: only in the HTML part, {address}" for address in sorted(web - text)]
    return faults + [f"parity links: only in the text part, {address}" for address in sorted(text - web - quoted)]


def text_faults(mail: Mail) -> list[str]:
    """What is wrong with the text part by itself."""
    lines = mail.text.splitlines()
    faults = [
        f"text line: {len(line)} characters, {line[:40]}…"
        for line in lines
        if len(line) > LINE and not _URL.fullmatch(line.strip())
    ]
    if "\n\n\n" in mail.text.replace("\r\n", "\n"):
        faults.append("text gaps: more than one empty line in a row")
    if mail.is_listed:
        if mail.unsubscribe_url not in "\n".join(lines[:NEAR]):
            faults.append(f"text unsubscribe: not in the first {NEAR} lines")
        if mail.unsubscribe_url not in "\n".join(lines[-NEAR:]):
            faults.append(f"text unsubscribe: not in the last {NEAR} lines")
    return faults


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", _URL.sub(" ", text).lower()))
