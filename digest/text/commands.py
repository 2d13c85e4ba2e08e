"""The commands of TeX: signs, accents, styles, and those that nobody knows."""

import re
from unicodedata import category, combining, normalize

from digest.text.accents import ACCENTS, MATH_ACCENTS, RARE, accented, is_letter
from digest.text.forms import FORMS
from digest.text.line import Line
from digest.text.macros import (
    ABBREVIATIONS,
    DOUBLE_STRUCK,
    LETTERS,
    MATH_STYLES,
    OPENING,
    SETTINGS,
    SYMBOLS,
    TEXT_STYLES,
    WRAPPERS,
)
from digest.text.scripts import LONE
from digest.text.tokens import Tokens

_CONTRACTED = re.compile(r" (?:s|t|d|m|re|ve|ll)(?![A-Za-z])")  # "don\textquoteright t"


class Commands(Tokens):
    """Writes what commands stand for."""

    def command(self, line: Line, name: str, end: int, *, math: bool) -> None:
        r"""Write what ``\name`` stands for."""
        if name in SYMBOLS:
            self._symbol(line, name, math=math)
        elif name in MATH_ACCENTS and (math or name not in TEXT_STYLES):
            self._math_accent(line, name, end)
        elif name in ACCENTS and not math:
            self._accent(line, name, end)
        elif name in TEXT_STYLES or name in MATH_STYLES:
            self._style(line, name, end, math=math)
        elif name in SETTINGS:
            self.raw(end)
            line.add(" ")
        elif name in ABBREVIATIONS:
            self._abbreviation(line, name, end)
        elif name in FORMS:
            form = FORMS[name]
            shown = form.gives(*self.take(form.takes, end, math=math))
            if form.apart:
                line.word(shown)
            else:
                line.add(shown)
        elif name.isalpha() and name.isascii():
            self._unknown(line, name, end, math=math)
        else:
            line.add("‖" if name == "|" and math else name)

    def _symbol(self, line: Line, name: str, *, math: bool) -> None:
        sign = SYMBOLS[name]
        if math and name in LETTERS:  # "\O(n)" is an author's own
            line.word(name)
        elif sign == " ":
            line.hungry = False
            line.add("; " if name == "\\" and math else " ")
        elif not sign:
            line.hungry = name.isalpha()
        else:
            spaced = line.last == " "
            line.add(sign)
            # "p\geq q" is p≥q and "p \geq q" is p ≥ q; a letter never wants the space that ended its name.
            line.hungry = name in LETTERS or (math and name.isalpha() and (sign.isalpha() or not spaced))
            line.hungry = line.hungry or (not math and name.isalpha() and self._joins(name, sign, line, spaced=spaced))

    def _joins(self, name: str, sign: str, line: Line, *, spaced: bool) -> bool:
        """Whether a sign of running text joins what comes after the space that ended its name."""
        if name == "textquoteright":
            before = "".join(line.parts[-2:])[:-1]
            initial = before[-1:].isalpha() and not before[-2:-1].isalpha()  # O’Brien, l’homme
            return initial or bool(self.pos < len(self.tokens) and _CONTRACTED.match(self.tokens[self.pos]))
        kind = category(sign[0])
        return name in OPENING or (kind == "Sc" and spaced) or (kind == "Pd" and not spaced)

    def _style(self, line: Line, name: str, end: int, *, math: bool) -> None:
        if not math and not self.opens(end):
            line.hungry = True
            return
        shown = self.argument(end, math=name in MATH_STYLES)
        line.hungry = False
        line.add(DOUBLE_STRUCK.get(shown, shown) if name in ("mathbb", "mathds", "mathbbm", "Bbb") else shown)

    def _accent(self, line: Line, name: str, end: int) -> None:
        if not self._bears(line, name, end):
            if name.isalpha():
                self._unknown(line, name, end, math=False)
            else:
                line.add(name)
            return
        piece = self.tokens[self.pos]
        base = self.argument(end, math=False).replace("{", "").replace("}", "").strip()
        doubtful = piece.isspace() or (name in RARE and piece == "{")
        if doubtful and not is_letter(base):
            line.add(f"{name}({base})" if name.isalpha() else f"{name}{piece}{{{base}}}")
        elif name.isalpha() and SYMBOLS.get(name + base, "").isalpha():  # "\r{ho}": a converter's idea of "\rho"
            line.add(SYMBOLS[name + base])
        else:
            line.add(accented(base, ACCENTS[name]) or ("" if name.isalpha() else name))

    def _bears(self, line: Line, name: str, end: int) -> bool:
        r"""Whether the accent ``name`` has something to stand on: a letter, its command, a group, another accent.

        A space before it counts for little: ``\' {e}`` is é, but ``\' e`` may be an escaped apostrophe.
        """
        at = self.pos
        at += at < end and self.tokens[at].isspace()
        piece = self.tokens[at] if at < end else ""
        if piece == "{":
            return self.partner.get(at, end) < end
        if piece[:1] == "\\":
            return piece[1:] in LETTERS or (piece[1:] in ACCENTS and self._composes(name, piece[1:], at + 1, end))
        if name in RARE:
            alone = at + 1 == end and len(piece.strip()) == 1 and self.tokens[self.pos - 2 : self.pos - 1] == ["{"]
            return (alone or line.last.isalpha()) and piece.lstrip()[:1].lower() in tuple("aeiouyâăêô")
        return (piece.lstrip() if name.isalpha() else piece)[:1].isalpha()

    def _composes(self, outer: str, inner: str, at: int, end: int) -> bool:
        r"""Whether accents without braces (``\~\^en``) make one letter; ``\"\'so`` are escaped quotes."""
        piece = self.tokens[at] if at < end else ""
        if piece == "{":
            piece = self.tokens[at + 1]
        return len(accented(accented(piece[:1], ACCENTS[inner]), ACCENTS[outer])) == 1

    def _math_accent(self, line: Line, name: str, end: int) -> None:
        base = self.argument(end, math=True).strip()
        bare = "".join(sign for sign in normalize("NFD", base) if not combining(sign))
        if len(bare) == 1 or LONE.fullmatch(bare):
            line.add(accented(base, MATH_ACCENTS[name]) if base[0].isalpha() else base + MATH_ACCENTS[name])
        elif name in ("overline", "underline") and base.isalnum():
            line.add("".join(letter + MATH_ACCENTS[name] for letter in base))
        else:
            line.word(f"{name.removeprefix('wide')}({base})" if base else name, after=not base)

    def _abbreviation(self, line: Line, name: str, end: int) -> None:
        if self.opens(end) and self.partner[self.pos] == self.pos + 1:  # "\eg{} this"
            self.pos += 2
        shown = ABBREVIATIONS[name]
        after = self.tokens[self.pos][:1] if self.pos < end else ""
        line.word(shown.removesuffix(".") if after == "." else shown)

    def _unknown(self, line: Line, name: str, end: int, *, math: bool) -> None:
        """A command of the authors: its name, with its arguments as a function has them.

        What is known to colour or mark words in running text shows the words alone.
        """
        given = []
        while self.opens(end):
            given.append(self.argument(end, math=math).strip())
        shown = [text for text in given if text]
        if math:
            line.word(f"{name}({', '.join(shown)})" if shown else name, after=not shown)
        elif name in WRAPPERS or name.startswith("text"):
            line.add(" ".join(shown) or name)
        else:
            line.add(f"{name}({', '.join(shown)})" if shown else name)
