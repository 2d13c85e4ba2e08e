"""Letters and the marks that accents put on them."""

import unicodedata

# Of LaTeX and its encodings T1, T4, T5 (Vietnamese) and TS1: https://ctan.org/pkg/encguide.
ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "h": "\u0309", "r": "\u030a", "H": "\u030b", "v": "\u030c", "G": "\u030f", "horn": "\u031b",
    "d": "\u0323", "textcommabelow": "\u0326", "c": "\u0327", "k": "\u0328", "b": "\u0331", "t": "\u0361",
    "newtie": "\u0311", "textogonekcentered": "\u0328", "capitalgrave": "\u0300", "capitalacute": "\u0301",
    "capitalcircumflex": "\u0302", "capitaltilde": "\u0303", "capitalmacron": "\u0304", "capitalbreve": "\u0306",
    "capitaldotaccent": "\u0307", "capitaldieresis": "\u0308", "capitalring": "\u030a",
    "capitalhungarumlaut": "\u030b", "capitalcaron": "\u030c", "capitalcedilla": "\u0327", "capitalogonek": "\u0328",
}  # fmt: skip
MATH_ACCENTS = {
    "grave": "\u0300", "acute": "\u0301", "hat": "\u0302", "widehat": "\u0302", "wh": "\u0302", "tilde": "\u0303",
    "widetilde": "\u0303", "wt": "\u0303", "bar": "\u0304", "overline": "\u0305", "breve": "\u0306", "dot": "\u0307",
    "ddot": "\u0308", "mathring": "\u030a", "check": "\u030c", "vec": "\u20d7", "overrightarrow": "\u20d7",
    "underline": "\u0332", "underbar": "\u0332",
}  # fmt: skip
# Authors give these names to commands of their own: accents only on one letter in braces or a vowel inside a word.
RARE = frozenset({"h", "G", "horn"})
_DOTLESS = {"ı": "i", "ȷ": "j"}


def accented(base: str, mark: str) -> str:
    """The first letter of ``base`` with ``mark`` on it, outside of the marks that it has; and the rest of ``base``.

    TeX puts the outer accent on top of the inner one. Of a letter that has both in the other order only (ễ is no ẽ
    with a circumflex) it is the letter that the author meant. A base that is no letter stays as it is.
    """
    if not base[:1].isalpha():
        return base
    base = unicodedata.normalize("NFD", base)
    end = 1
    while end < len(base) and unicodedata.combining(base[end]):
        end += 1
    letter, marks = _DOTLESS.get(base[0], base[0]), base[1:end]
    whole = unicodedata.normalize("NFC", letter + marks + mark)
    if marks and len(whole) > 1:
        turned = unicodedata.normalize("NFC", letter + mark + marks)
        whole = turned if len(turned) == 1 else whole
    return whole + unicodedata.normalize("NFC", base[end:])


def is_letter(text: str) -> bool:
    """Whether ``text`` is one letter, with whatever marks."""
    return text[:1].isalpha() and all(map(unicodedata.combining, unicodedata.normalize("NFD", text)[1:]))
