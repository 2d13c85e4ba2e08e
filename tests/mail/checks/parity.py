"""Whether the two parts of a mail say the same."""

import re
from collections import Counter
from html import unescape

from playwright.sync_api import Page

from tests.mail.mail import Mail

LINE, NEAR = 78, 10  # characters; lines
_URL = re.compile(r"https?://[^\s<>\"]+")
_HEADING = re.compile(r"<h1\b.*?</h1>", re.DOTALL)
_BUTTON = re.compile(r"""<a class="press".*?</a>""", re.DOTALL)
_TITLE_LINK = re.compile(r"""<h2\b[^>]*>\s*<a\b[^>]*?\bhref="([^"]*)\"""")
_HREF = re.compile(r"""<a\b[^>]*?\bhref=["']([^"']*)["']""", re.IGNORECASE)


def visible_words(page: Page, html: str) -> str:
    """What a reader sees of the HTML: not the preheader."""
    page.set_content(html)
    return page.evaluate("document.body.innerText")


def parity_faults(mail: Mail, seen: str) -> list[str]:
    """``seen`` is what a browser shows of the HTML part."""
    return [*word_faults(mail, seen), *link_faults(mail), *text_faults(mail)]


def word_faults(mail: Mail, seen: str) -> list[str]:
    """Words that one part has more often than the other, each counted.

    The text has a label of its own ("Page of no. 1:") for the address behind a paper's title. A letter's HTML repeats
    the subject as its heading, and its button may have words of its own.
    """
    text, html = _words(_without_page_labels(mail)), _words(seen)
    own = Counter[str]()
    if not mail.is_listed:
        own = _words(_bare(" ".join([*_HEADING.findall(mail.html), *_BUTTON.findall(mail.html)])))
    lost = {"text": html - text - own, "HTML": text - html}
    return [
        f"parity words: the {part} part lacks {', '.join(word for word, _ in words.most_common(8))}"
        for part, words in lost.items()
        if words
    ]


def _without_page_labels(mail: Mail) -> str:
    text = mail.text
    for address in _TITLE_LINK.findall(mail.html):
        text = re.sub(rf"^[^\n:]+:\s+{re.escape(unescape(address))}$", "", text, flags=re.MULTILINE)
    return text


def _bare(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", html))


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
