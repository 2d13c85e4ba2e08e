"""A language made at test time: each message longer, with accents, between ⟦ and ⟧. What is outside of them is a stray.

with pseudo("ar") as code, translation.override(code):
    assert strays(page, data=["Robotics"]) == []
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from django.conf import settings
from django.test import override_settings
from django.utils.translation import to_language, trans_real

# What a translator leaves as it is: placeholders of %, of str.format, tags and entities.
KEPT = re.compile(r"%\(\w+\)[#0+-]*\d*(?:\.\d+)?[a-zA-Z]|%%|%[sd]|\{\{|\}\}|\{[^{}]*\}|<[^<>]*>|&#?\w+;")
FORMATS = "date format"  # the context of messages that hold a format for dates: their letters are no words
_ACCENTS = str.maketrans("aeiouyAEIOUYcnszCNSZ", "áéíóúýÁÉÍÓÚÝçñšžÇÑŠŽ")
_FILLING = " éxtrá wórdš"
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "br", "code", "em", "i", "small", "span", "strong", "sub", "sup", "time", "wbr"}
)
_SPOKEN = ("title", "placeholder", "aria-label", "alt", "data-guess")
_NUMBERS = re.compile(r"\d+(?:[.,:/-]\d+)*")
_ADDRESS = re.compile(r"https?://\S+")


def translated(message: str) -> str:
    """The message in the pseudo-language: what KEPT names stays, the rest has accents and is 40 % longer."""
    body = message.strip()
    if not body:
        return message
    words, kept = KEPT.split(body), KEPT.findall(body)
    wanted = -(-len("".join(words)) * 2 // 5)  # 40 %, rounded up
    filling = (_FILLING * (wanted // len(_FILLING) + 1))[:wanted]
    text = "".join(word.translate(_ACCENTS) + stays for word, stays in zip(words, [*kept, ""], strict=True))
    before, _, after = message.partition(body)
    return f"{before}⟦{text}{filling}⟧{after}"


class Pseudo:
    """What Django asks of a translation: see ``trans_real.DjangoTranslation``."""

    def __init__(self, code: str) -> None:
        self._code = code
        self.asked: set[str] = set()  # every message that was translated

    def language(self) -> str:
        """The code."""
        return self._code

    def to_language(self) -> str:
        """The code, as ``get_language`` wants it."""
        return to_language(self._code)

    def gettext(self, message: str) -> str:
        """Also for pgettext, which puts the context before the message."""
        context, _, bare = message.rpartition(trans_real.CONTEXT_SEPARATOR)
        self.asked.add(bare)
        return bare if context == FORMATS else translated(bare)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The forms of English."""
        self.asked |= {text.rpartition(trans_real.CONTEXT_SEPARATOR)[2] for text in (singular, plural)}
        return self.gettext(singular if number == 1 else plural)


@contextmanager
def pseudo(code: str = "ar") -> Iterator[str]:
    """The pseudo-language under ``code``, among settings.LANGUAGES; "ar" and "he" are written from right to left.

    LocaleMiddleware takes only codes that Django has a catalogue of.
    """
    offered = [language for language in settings.LANGUAGES if language[0] != code]
    with override_settings(LANGUAGES=[*offered, (code, f"⟦{code}⟧")]):  # empties Django's store of languages, twice
        trans_real._translations[code] = Pseudo(code)
        yield code


def asked(code: str) -> set[str]:
    """The messages that were translated into this pseudo-language so far: what no test showed is not in it."""
    return trans_real.translation(code).asked


def strays(html_or_text: str, data: Iterable[str] = ()) -> list[str]:
    """The visible pieces that no translator saw: outside of ⟦ ⟧, neither in ``data`` nor a number nor a web address.

    Punctuation alone counts too: a sentence glued from translated pieces shows by its commas. In HTML the texts of
    elements, and of attributes that are shown or read aloud. A ⟦ that is not closed in its block is a stray as well.
    """
    known = _any_of(data)
    blocks = _Blocks.of(html_or_text) if "</" in html_or_text else [html_or_text]
    return [piece for block in blocks for piece in _outside(block) if _is_stray(piece, known)]


def _any_of(data: Iterable[str]) -> re.Pattern[str]:
    names = sorted({" ".join(name.split()) for name in data} - {""}, key=len, reverse=True)
    return re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names) if names else r"(?!)")


def _outside(block: str) -> Iterator[str]:
    """The pieces at depth 0; an unclosed block whole."""
    depth, piece = 0, ""
    for letter in " ".join(block.split()):
        if letter == "⟦":
            if not depth:
                yield piece
            depth, piece = depth + 1, ""
        elif letter == "⟧":
            depth, piece = depth - 1, ""
        elif not depth:
            piece += letter
    yield piece if not depth else f"not closed: {block}"


def _is_stray(piece: str, known: re.Pattern[str]) -> bool:
    left = known.sub("", _ADDRESS.sub("", piece))
    has_number = bool(_NUMBERS.search(left))
    left = "".join(c for c in _NUMBERS.sub("", left) if unicodedata.category(c) not in {"Zs", "Cf", "Mn", "Cc"})
    return any(c.isalpha() for c in left) or (bool(left) and not has_number)


class _Blocks(HTMLParser):
    """The visible texts of a page: one string for each stretch without a tag that begins a new line or box."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [""]
        self.hidden = 0

    @classmethod
    def of(cls, html: str) -> list[str]:
        """The blocks, and each attribute that is shown or read aloud."""
        parser = cls()
        parser.feed(html)
        parser.close()
        return [block for block in parser.blocks if block.strip()]

    def handle_starttag(self, tag, attrs):
        if tag not in _INLINE:
            self.blocks.append("")
        self.hidden += tag in {"script", "style"}
        self.blocks[-1:-1] = _spoken(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag):
        self.hidden -= tag in {"script", "style"}
        if tag not in _INLINE:
            self.blocks.append("")

    def handle_data(self, data):
        if not self.hidden:
            self.blocks[-1] += data


def _spoken(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    yield from (attributes[name] for name in _SPOKEN if name in attributes)
    if tag == "meta" and attributes.get("name") == "description":
        yield attributes.get("content", "")
    if tag == "optgroup":
        yield attributes.get("label", "")
    if tag == "input" and attributes.get("type") in {"submit", "button", "reset"}:
        yield attributes.get("value", "")
