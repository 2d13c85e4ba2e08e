"""The commands of TeX: signs, accents, styles, and those that nobody knows."""

from digest.text.forms import FORMS
from digest.text.line import Line
from digest.text.macros import (
    ACCENTS,
    DOUBLE_STRUCK,
    LETTERS,
    MATH_ACCENTS,
    MATH_STYLES,
    SETTINGS,
    SYMBOLS,
    TEXT_STYLES,
)
from digest.text.scripts import LONE
from digest.text.tokens import Tokens


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

    def _style(self, line: Line, name: str, end: int, *, math: bool) -> None:
        if not math and not self.opens(end):
            line.hungry = True
            return
        shown = self.argument(end, math=name in MATH_STYLES)
        line.hungry = False
        line.add(DOUBLE_STRUCK.get(shown, shown) if name in ("mathbb", "mathds", "mathbbm", "Bbb") else shown)

    def _accent(self, line: Line, name: str, end: int) -> None:
        token = self.tokens[self.pos] if self.pos < end else ""
        base = token.lstrip() if name.isalpha() else token
        if not (base[:1].isalpha() or self.opens(end) or (base[:1] == "\\" and base[1:] in LETTERS)):
            if name.isalpha():
                self._unknown(line, name, end, math=False)
            else:
                line.add(name)
            return
        base = self.argument(end, math=False).lstrip()
        if name.isalpha() and SYMBOLS.get(name + base, "").isalpha():  # "\r{ho}": a converter's idea of "\rho"
            line.add(SYMBOLS[name + base])
            return
        if base[:1] in ("ı", "ȷ"):
            base = "ij"["ıȷ".index(base[0])] + base[1:]
        if base[:1].isalpha():
            line.add(base[0] + ACCENTS[name] + base[1:])
        else:
            line.add(base or ("" if name.isalpha() else name))

    def _math_accent(self, line: Line, name: str, end: int) -> None:
        base = self.argument(end, math=True).strip()
        base = {"ı": "i", "ȷ": "j"}.get(base, base)
        if len(base) == 1 or LONE.fullmatch(base):
            line.add(base[0] + MATH_ACCENTS[name] + base[1:])
        elif name in ("overline", "underline") and base.isalnum():
            line.add("".join(letter + MATH_ACCENTS[name] for letter in base))
        else:
            line.word(f"{name.removeprefix('wide')}({base})" if base else name, after=not base)

    def _unknown(self, line: Line, name: str, end: int, *, math: bool) -> None:
        """A command of the authors: in prose mostly a name or a colour around words, in a formula a function."""
        given = []
        while self.opens(end):
            given.append(self.argument(end, math=math).strip())
        shown = [text for text in given if text]
        if math:
            line.word(f"{name}({', '.join(shown)})" if shown else name, after=not shown)
        else:
            line.add(" ".join(shown) or name)
