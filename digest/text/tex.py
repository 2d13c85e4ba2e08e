"""TeX -> Unicode. A reader of tokens that never fails: what it does not know, it shows."""

import re

from digest.text.accents import ACCENTS
from digest.text.commands import Commands
from digest.text.line import Line
from digest.text.money import is_formula
from digest.text.scripts import script

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|[^A-Za-z])?|[${}^_]|[^\\${}^_]+")
_OPENS = {"$": "$", "\\(": "\\)", "\\[": "\\]"}
# "&" aligns in a formula and "~" is a space; "&lt;" is an entity.
_BLANK = re.compile(r"&(?!#?\w+;)|[~\s]+")
_IS_TEX = re.compile(r"\\(?:[A-Za-z]+|[`'^\"=.~](?=[A-Za-z{\\]))")
_CAPITALS = re.compile(r"[A-Z]+")  # {K}alman: a bibliography's way to keep capitals
_NAME = re.compile(r"[A-Z](?=[a-z0-9-]*[A-Z])[A-Za-z0-9-]+")  # a method's: LegalDrill, MP-WSD
_WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f .,'’~-])*")  # a name, with its accents
_QUOTED = re.compile(r'(?<!\w)\\"([^\\"]{1,200})\\"(?!\w)')
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])\\'(?=(?:s|t|d|m|re|ve|ll)(?![A-Za-z]))")
_GAP = re.compile(r"(?<=\$) +(?=-[A-Za-z])")


def untexed(text: str) -> str:
    r"""``text`` with its TeX replaced, formulas between ``$``, ``\(`` and ``\[`` included."""
    if "\\" not in text and "$" not in text and "{" not in text:
        return text
    if '\\"' in text:  # "\"so-called\"" comes from JSON, not from an umlaut
        text = _QUOTED.sub(r'"\1"', text)
    if "\\'" in text:  # "object\'s" likewise; a braced \'{s} is ś
        text = _APOSTROPHE.sub("'", text)
    if "$ -" in text:  # "$K$ -trivial"
        text = _GAP.sub("", text)
    return Reader(_TOKEN.findall(text)).read()


class Reader(Commands):
    """Reads tokens from left to right; ``pos`` is the next one."""

    def __init__(self, tokens: list[str]) -> None:
        super().__init__(tokens)
        self.display: dict[int, int] = {}  # "$$" -> the "$$" that closes it
        self.accented: set[int] = set()  # "{" with an accent between it and its "}"
        self._pair()

    def read(self) -> str:
        """All of it."""
        return self.span(len(self.tokens), math=False)

    def _pair(self) -> None:
        """Find for every opening token the one that closes it in the same group. One pass each way."""
        self._pair_braces()
        groups: list[dict[str, int]] = [{}]  # closing token -> the nearest one to the right
        for at in range(len(self.tokens) - 1, -1, -1):
            piece, nearest = self.tokens[at], groups[-1]
            if piece == "}" and at in self.partner:
                groups.append({})
            elif piece == "{" and at in self.partner:
                groups.pop()
            if self.tokens[at : at + 2] == ["$", "$"]:  # opens a display, or ends one formula and begins the next
                if nearest.get("$$", 0) > at + 1:
                    self.display[at] = nearest["$$"]
                nearest["$$"] = at
            if _OPENS.get(piece) in nearest:
                self.partner[at] = nearest[_OPENS[piece]]
            if piece in ("$", "\\)", "\\]"):
                nearest[piece] = at

    def _pair_braces(self) -> None:
        opened: list[int] = []
        for at, piece in enumerate(self.tokens):
            if piece == "{":
                opened.append(at)
            elif piece == "}" and opened:
                start = opened.pop()
                self.partner[start], self.partner[at] = at, start
                if start in self.accented:
                    self.accented.update(opened[-1:])
            elif opened and piece[0] == "\\" and piece[1:] in ACCENTS:
                self.accented.add(opened[-1])

    def span(self, end: int, *, math: bool) -> str:
        """The tokens up to ``end`` as text."""
        line = Line()
        while self.pos < end:
            piece = self.tokens[self.pos]
            self.pos += 1
            if piece == "{":
                self._group(line, end, math=math)
            elif piece in _OPENS:
                self._formula(line, piece, end, math=math)
            elif piece in ("^", "_"):
                self._script(line, piece, end, math=math)
            elif piece[0] == "\\" and len(piece) > 1:
                self.command(line, piece[1:], end, math=math)
            else:
                line.add(_BLANK.sub(" ", piece).replace("'", "′") if math else piece)
        return "".join(line.parts)

    def _group(self, line: Line, end: int, *, math: bool) -> None:
        """Braces of TeX go; outside of formulas braces can be text: {0, 1}, {name}."""
        close = self.partner.get(self.pos - 1, end)
        if close >= end:  # a text that was cut; the brace of a command is nobody's text
            line.add(" " if self.pos > 1 and self.tokens[self.pos - 2][:1] == "\\" else "{")
            return
        first, after = self.tokens[self.pos], self.tokens[close + 1] if close + 1 < end else ""
        start = self.pos - 1
        ours = math or close == self.pos or bool(_IS_TEX.match(first + self.tokens[self.pos + 1]))
        if close == self.pos + 1:  # one piece: "{K}alman", "{LegalDrill}", "1{,}000"
            digits = first == "," and line.last.isdigit() and after[:1].isdigit()
            ours = ours or digits or bool(_NAME.fullmatch(first))
            ours = ours or (bool(_CAPITALS.fullmatch(first)) and after[:1].islower())
        inner = self.enclosed(close, math=math)
        ours = ours or (start in self.accented and bool(_WORDS.fullmatch(inner)))
        line.add(inner if ours else f"{{{inner}}}")

    def _formula(self, line: Line, piece: str, end: int, *, math: bool) -> None:
        at = self.pos - 1
        close, width = self.partner.get(at, end), 1
        if piece == "$" and self.tokens[at : at + 2] == ["$", "$"]:
            close, width = self.display.get(at, end), 2
        if close + width > end or math:
            line.add(piece[-1])
            return
        after = self.tokens[close + width] if close + width < len(self.tokens) else ""
        if piece == "$" and width == 1 and not is_formula("".join(self.tokens[self.pos : close]), after):
            line.add("$")
            return
        self.pos += width - 1
        inner = self.enclosed(close, math=True).strip()
        self.pos += width - 1
        if inner == "-" and not after[:1].isdigit():  # a dash of those who know no other; "$-$0.5" is negative
            inner = "–"
        elif inner == "′" and line.last.isalpha() and after[:1].isalpha():  # "ain$'$t"
            inner = "'"
        line.add(f" {inner} " if width == 2 or piece == "\\[" else inner)

    def _script(self, line: Line, kind: str, end: int, *, math: bool) -> None:
        group = self.opens(end)
        content = self.argument(end, math=True) if math or group else ""
        if not content.strip():
            line.add("" if group else kind)
            return
        line.attach(script(kind, content))
