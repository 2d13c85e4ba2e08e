"""Tokens of TeX and what a command takes of them."""

import re

from digest.text.line import Line

_DEPTH = 40  # groups within groups; deeper ones are shown flat
_CODE = re.compile(r"\s*(?:[xX\"]([0-9A-Fa-f]{2,6})|'([0-7]{2,6})|(\d{2,6}))")
_OPTION = re.compile(r"\[([^\]]*)\]")


class Tokens:
    """A place in a list of tokens, and the arguments that stand there. ``pos`` is the next token."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.pos = self.depth = 0
        self.partner: dict[int, int] = {}  # opening token -> closing token

    def command(self, line: Line, name: str, end: int, *, math: bool) -> None:
        r"""Write what ``\name`` stands for."""
        raise NotImplementedError

    def span(self, end: int, *, math: bool) -> str:
        """The tokens up to ``end`` as text."""
        raise NotImplementedError

    def enclosed(self, close: int, *, math: bool) -> str:
        """What stands before the token at ``close``, which is passed over."""
        if self.depth < _DEPTH:
            self.depth += 1
            text = self.span(close, math=math)
            self.depth -= 1
        else:
            text = "".join(piece for piece in self.tokens[self.pos : close] if piece not in "{}")
        self.pos = close + 1
        return text

    def argument(self, end: int, *, math: bool) -> str:
        """The next group, else the next character or command, as text."""
        if self.pos < end and self.tokens[self.pos].isspace():
            self.pos += 1
        if self.pos >= end:
            return ""
        piece = self.tokens[self.pos]
        if self.opens(end):
            self.pos += 1
            return self.enclosed(self.partner[self.pos - 1], math=math)
        if piece[0] == "\\" and len(piece) > 1 and self.depth < _DEPTH:
            self.pos += 1
            self.depth += 1
            line = Line()
            self.command(line, piece[1:], end, math=math)
            self.depth -= 1
            shown = "".join(line.parts)
            if line.hungry and not math and self.pos < end and self._goes_on(shown, self.tokens[self.pos]):
                self.leave(self.tokens[self.pos].lstrip())
            return shown
        if piece[0] in "\\${}^_":
            return ""
        piece = piece.lstrip()
        self.leave(piece[1:])
        return piece[0]

    def _goes_on(self, letter: str, rest: str) -> bool:
        r"""Whether the space in "Mart\'\i nez" ended the name of the letter only: a capital would begin a new word."""
        after = rest.lstrip()[:1]
        return after.isalpha() and (after.islower() or letter.isupper())

    def leave(self, rest: str) -> None:
        """Go on with ``rest`` instead of the whole next token."""
        self.tokens[self.pos] = rest
        self.pos += not rest

    def opens(self, end: int) -> bool:
        """Whether the next token opens a group."""
        return self.pos < end and self.tokens[self.pos] == "{" and self.partner.get(self.pos, end) < end

    def raw(self, end: int) -> str:
        """The next group as it is written, for addresses and keys."""
        if not self.opens(end):
            return ""
        start, self.pos = self.pos + 1, self.partner[self.pos] + 1
        return re.sub(r"\\([%#&_~{}$])", r"\1", "".join(self.tokens[start : self.pos - 1])).strip()

    def option(self, end: int) -> str:
        """What stands in brackets right here, or nothing."""
        found = _OPTION.match(self.tokens[self.pos]) if self.pos < end else None
        if not found:
            return ""
        self.leave(self.tokens[self.pos][found.end() :])
        return found[1]

    def code(self, end: int) -> str:
        r"""The character of the next number: TeX's ``\char"2D``, MathJax's ``\unicode{x2013}``."""
        plain = "" if self.opens(end) or self.pos >= end else self.tokens[self.pos]
        found = _CODE.match(plain or self.raw(end))
        if not found:
            return ""
        if plain:
            self.leave(plain[found.end() :])
        code = int(found[1] or found[2] or found[3], 16 if found[1] else 8 if found[2] else 10)
        return chr(code) if code <= 0x10FFFF else ""

    def take(self, kinds: str, end: int, *, math: bool) -> list[str]:
        """Arguments, one a letter of ``kinds``; see ``digest.text.forms.Form``."""
        taken = []
        for kind in kinds:
            if kind == "o":
                taken.append(self.option(end))
            elif kind == "r":
                taken.append(self.raw(end))
            elif kind == "c":
                taken.append(self.code(end))
            elif kind in "gG" and not self.opens(end):
                taken.append("")
            else:
                taken.append(self.argument(end, math=kind == "f" or (kind == "G" and math)).strip())
        return taken
