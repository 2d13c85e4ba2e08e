"""DOIs as people and sources write them -> the one form in which they are compared and kept. Pure.

What a DOI is: https://www.doi.org/doi_handbook/2_Numbering.html (2.2 and 2.4): a prefix 10.NNNN, a slash, anything
printable; case does not count.
"""

import html
import re
from urllib.parse import unquote

from digest.text.clean import clean

_LONGEST = 255  # the column's
_MOST = 2000  # characters of a field that are read
_START = re.compile(r"10 {0,2}\. {0,2}([0-9]{4,9}(?:\.[0-9]{1,9}){0,3}) {0,2}/ {0,2}")
# What may stand right before a DOI: the beginning, a separator, or an address or a word that announces one.
_BEFORE = re.compile(
    r"(?:^|[\s,;|&+(\[{<\"'“‘=]|info:doi/"
    r"|doi(?:\.org|[.-]org[\w.-]{0,60})?[/:=]? {0,2}(?:(?:abs|full|e?pdf|book)/)?)\Z",
    re.IGNORECASE,
)
# Where the DOI ends though no space says so: another is announced, or a tag is closed.
_NEXT = re.compile(r"(?:[,;|&+] ?(?:and )?(?:https?:|(?:dx\.)?doi\b)|</).*\Z", re.IGNORECASE)
_QUERY = re.compile(r"((?:https?://|doi\.org/)[^\s?#]{1,500})[?#][^\s,;]*", re.IGNORECASE)
_BROKEN = re.compile(r"(?<=[-/_]) (?=[a-z0-9])|(?<=[a-z]\.) (?=[0-9])", re.IGNORECASE)  # where lines were wrapped
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2212"), "-")
_CLOSING = dict(zip(")]}>", "([{<", strict=True))
_ENDINGS = frozenset(".,;:!?'\"`’”»…/\\&| ")


def dois_in(text: str) -> tuple[str, ...]:
    """Every DOI in ``text`` in lower case, without its address, escapes and what follows it; each once, in order.

    A field can hold two ("10.1000/182, 10.1000/183"), of a work on arXiv and in a journal or in two journals.
    """
    text = clean(text[:_MOST]).translate(_HYPHENS)
    text = _QUERY.sub(r"\1", text)
    for _ in range(2):  # encoded twice by some
        text = unquote(text)
    text = clean(html.unescape(re.sub(r"\\([_&%#$])", r"\1", text)))
    starts = [
        found for found in _START.finditer(text) if _BEFORE.search(text, max(0, found.start() - 80), found.start())
    ]
    ends = [*(found.start() for found in starts[1:]), len(text)]
    dois = (_doi(found[1], text[found.end() : end]) for found, end in zip(starts, ends, strict=False))
    return tuple(dict.fromkeys(filter(None, dois)))


def _doi(prefix: str, rest: str) -> str:
    """The DOI with this prefix whose suffix begins ``rest``; empty where it has none."""
    suffix = _NEXT.sub("", _BROKEN.sub("", rest)).split(" ", 1)[0]
    opened = {closing: suffix.count(closing) - suffix.count(opening) for closing, opening in _CLOSING.items()}
    while suffix and (suffix[-1] in _ENDINGS or opened.get(suffix[-1], 0) > 0):
        if suffix[-1] in opened:
            opened[suffix[-1]] -= 1
        suffix = suffix[:-1]
    doi = f"10.{prefix}/{suffix}".lower()
    return doi if any(map(str.isalnum, suffix)) and len(doi) <= _LONGEST else ""
