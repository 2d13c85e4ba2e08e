"""Commands with arguments: what they take and what they make of it."""

import re
from collections.abc import Callable
from typing import NamedTuple

from digest.text.scripts import LONE, script

_FACTOR = re.compile(r"[^\s+\-−±∓/*×·<>=≤≥,|:]+|\([^()]*\)")
_LINK = re.compile(r"(?:https?|ftp)://|www\.")
_ROOTS = {"3": "∛", "4": "∜"}


class Form(NamedTuple):
    """What a command takes, a letter an argument, and the text that it gives.

    f: of a formula; t: of running text; g: text, only in braces; G: like g, in the mode where the command stands;
    o: option in square brackets; r: raw, as an address or key; c: the number of a character.
    """

    takes: str
    gives: Callable[..., str]
    apart: bool = False  # must not run into its neighbours


def _factor(text: str) -> str:
    return text if _FACTOR.fullmatch(text) else f"({text})"


def _fraction(over: str, under: str) -> str:
    return f"{_factor(over)}/{_factor(under)}"


def _root(degree: str, body: str) -> str:
    return _ROOTS.get(degree, "√") + (body if body.isdigit() or LONE.fullmatch(body) else f"({body})")


def _struck(sign: str) -> str:
    return f"{sign[0]}\u0338{sign[1:]}" if sign else "not"


def _link(url: str, shown: str) -> str:
    """A linked text, with its address unless it says it already."""
    return shown if not url or _LINK.search(shown) else f"{shown} ({url})" if shown else url


def _citation(note: str, more: str, key: str) -> str:
    """A key is all that an abstract has of a citation or a cross reference."""
    return f"[{', '.join(part for part in (key, note, more) if part)}]" if key else ""


FRACTION = Form("ff", _fraction, apart=True)
CITATION = Form("oor", _citation)
NOTE = Form("ot", lambda _, note: f" ({note})" if note else "")
COLOURED = Form("orG", lambda _option, _setting, shown: shown)
ADDRESS = Form("r", str)
NUMBER = Form("f", str, apart=True)

FORMS = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"), FRACTION),
    **dict.fromkeys(("cite", "citep", "citet", "citealp", "citeauthor", "citeyear", "parencite", "textcite"), CITATION),
    **dict.fromkeys(("ref", "cref", "Cref", "autoref", "eqref", "autocite"), CITATION),
    **dict.fromkeys(("footnote", "footnotetext", "thanks"), NOTE),
    **dict.fromkeys(("textcolor", "colorbox", "foreignlanguage", "hyperlink", "hypertarget", "hyperref"), COLOURED),
    **dict.fromkeys(("url", "nolinkurl", "path"), ADDRESS),
    **dict.fromkeys(("num", "operatorname"), NUMBER),
    **dict.fromkeys(("char", "unicode"), Form("c", str)),
    **dict.fromkeys(("SI", "qty"), Form("ff", "{} {}".format, apart=True)),
    **dict.fromkeys(("overset", "stackrel"), Form("ff", lambda above, sign: sign + script("^", above))),
    "underset": Form("ff", lambda below, sign: sign + script("_", below)),
    "sqrt": Form("of", _root, apart=True),
    "binom": Form("ff", "({} choose {})".format),
    "pmod": Form("f", " (mod {})".format),
    "bmod": Form("", lambda: "mod", apart=True),
    "not": Form("f", _struck),
    "textsuperscript": Form("t", lambda text: script("^", text)),
    "textsubscript": Form("t", lambda text: script("_", text)),
    "href": Form("rg", _link),
    "texorpdfstring": Form("Gr", lambda shown, _: shown),
    "enquote": Form("t", "“{}”".format),
}
