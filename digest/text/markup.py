"""HTML and JATS as abstracts carry them: known tags only, since any other angle bracket is text."""

import re
from html import unescape

from digest.text.scripts import script

# <s> is missing by intent: language models begin their sentences with it. So are <think>, <script> and the like.
_INLINE = "a|b|big|bold|em|font|i|inline-formula|italic|monospace|sc|small|span|strong|tt|u|underline"
_BLOCK = "abstract|br|div|li|list|list-item|ol|p|sec|title|ul"
_ATTRIBUTES = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*\s*"""
_TAG = re.compile(
    rf"<(/?)(?:(?:jats|mml):([a-z-]+)|({_INLINE}|{_BLOCK}|sub|sup)){_ATTRIBUTES}/?>", re.IGNORECASE | re.ASCII
)
_HEADING = re.compile(r"<((?:jats:)?title)>\s*+(abstract|summary)?+([^<]*+)</\1>", re.IGNORECASE)
_RAISED = re.compile(r"<((?:jats:)?su([bp]))>([^<>]{0,200})</\1>", re.IGNORECASE)
_OPENING, _CLOSING = re.compile(r"<([a-z-]+)[\s>]"), re.compile(r"</([a-z-]+)\s*>")
_BLOCKS = frozenset(_BLOCK.split("|"))
# Sources encode twice; "&amp;lt;" is "<" all the same. A name without its semicolon is an URL's parameter.
_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")


def untagged(text: str) -> str:
    """``text`` without the tags we know: ``<sub>2</sub>`` is lowered, a paragraph's becomes a space.

    A tag that is never closed is text (``if a<b>c``), but for ``<br>``.
    """
    text = _HEADING.sub(lambda m: " " if m[2] else f" {m[3].strip()}: ", text)
    text = _RAISED.sub(lambda m: script("^" if m[2] in "pP" else "_", m[3]), text)
    folded = text.lower()
    paired = set(_OPENING.findall(folded)) & set(_CLOSING.findall(folded)) | {"br"}

    def replacement(tag: re.Match[str]) -> str:
        name = (tag[2] or tag[3]).lower()
        if tag[3] and name not in paired and not tag[0].endswith("/>"):
            return tag[0]
        return " " if name in _BLOCKS else ""

    return _TAG.sub(replacement, text)


def decoded(text: str) -> str:
    """``text`` with its entities decoded. Comes after all else: what they stand for is text, never markup."""
    return _ENTITY.sub(lambda m: unescape(f"&{m[1]};"), text)
