"""Unicode text -> LaTeX that BibTeX and pdflatex take in any document, without packages. Pure.

The table is pylatexenc's; here is what it lacks, or has by commands that plain LaTeX does not know. BibTeX cuts names
and lowers titles byte by byte ("Tame the BeaST", Markey 2009, section 4): what is not ASCII becomes a command or a
formula in braces.
Letters that LaTeX has no command for (Chinese, Cyrillic, emoji) stay as they are, for XeLaTeX and LuaLaTeX; a preamble
tells pdflatex what to print instead of stopping.
"""

import re
import unicodedata
from functools import lru_cache

from pylatexenc.latexencode import get_builtin_uni2latex_dict

from digest.text.accents import ACCENTS

# Braces by their names: BibTeX counts them, whatever stands before. "<", ">", "|" are other signs in TeX's own fonts.
_ASCII = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}", "<": "{$<$}", ">": "{$>$}", "|": "{$|$}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}  # fmt: skip
_LIGATURES = frozenset({("-", "-"), ("?", "`"), ("!", "`"), ("-", "–"), ("-", "—"), ("–", "-"), ("—", "-")})
# Formulas of one sign, where pylatexenc has a command of another font or package.
_MATH = {
    "×": r"\times", "÷": r"\div", "·": r"\cdot", "•": r"\bullet", "∙": r"\bullet", "°": r"^{\circ}", "µ": r"\mu",
    "¬": r"\neg", "→": r"\rightarrow", "←": r"\leftarrow", "↑": r"\uparrow", "↓": r"\downarrow", "√": r"\surd",
    "™": r"^{\mathrm{TM}}", "⟨": r"\langle", "⟩": r"\rangle", "′": "'", "″": "''", "−": "-", "∗": "*", "ℓ": r"\ell",
    "ɛ": r"\varepsilon", "♭": r"\flat", "♮": r"\natural", "♯": r"\sharp", "ϒ": r"\Upsilon", "ℜ": r"\Re", "ℑ": r"\Im",
    "∖": r"\backslash", "‖": r"\|", "≔": ":=", "≲": r"\stackrel{<}{\sim}", "≳": r"\stackrel{>}{\sim}", "⩽": r"\leq",
    "⩾": r"\geq", "≦": r"\leq", "≧": r"\geq", "↛": r"\not\rightarrow", "∄": r"\not\exists", "∅": r"\emptyset",
    "ℏ": r"\hbar", "★": r"\star", "⋆": r"\star", "ο": "o", "⊨": r"\models", "⇝": r"\rightarrow",
}  # fmt: skip
# Letters of the encoding T1 -> what a document in TeX's own encoding prints for their command.
_T1 = {
    "Đ": ("DJ", "D"), "đ": ("dj", "d"), "Ð": ("DH", "D"), "ð": ("dh", "d"), "Þ": ("TH", "Th"), "þ": ("th", "th"),
    "Ŋ": ("NG", "Ng"), "ŋ": ("ng", "ng"), "«": ("guillemotleft", "{$\\ll$}"), "»": ("guillemotright", "{$\\gg$}"),
    "‹": ("guilsinglleft", "{$<$}"), "›": ("guilsinglright", "{$>$}"), "„": ("quotedblbase", ",,"),
    "‚": ("quotesinglbase", ","), "\u0328": ("k", r"\c{#1}"),
}  # fmt: skip
_TEXT = {
    "–": "--", "—": "---", "―": "---", "‒": "--", "‐": "-", "‑": "-", "“": "``", "”": "''", "‟": "``", "‘": "`",
    "’": "'", "‛": "`", "ẞ": "SS", "\u2044": "/", "©": r"{\textcircled{c}}", "®": r"{\textcircled{r}}",
    "£": r"{\pounds}", "ß": r"{\ss}",
}  # fmt: skip
# What plain LaTeX knows of pylatexenc's commands, in its own fonts; held by a test where there is a LaTeX.
_KERNEL_NAMES = """
    AE Delta Downarrow Gamma IJ L Lambda Leftarrow Leftrightarrow Longleftarrow Longleftrightarrow Longrightarrow O
    OE Omega Phi Pi Psi Rightarrow Sigma Theta Uparrow Updownarrow Upsilon Vert Xi ae aleph alpha amalg angle approx
    asymp beta bigcap bigcirc bigcup bigtriangledown bigtriangleup bigvee bigwedge bowtie bullet cap cdot cdots chi
    circ cong coprod cup dashv ddots delta diamond dot doteq ell epsilon equiv eta exists flat forall gamma geq gg
    hbar hookleftarrow hookrightarrow i ij in infty int iota kappa l lambda langle lceil leftharpoondown
    leftharpoonup leftrightarrow leq lfloor ll longleftarrow longleftrightarrow longmapsto longrightarrow mapsto
    mathbf mathit mathrm mathsf mathtt mid mp mu nabla natural nearrow neq ni not notin nu nwarrow o odot oe oint omega
    ominus oplus oslash otimes parallel partial perp phi pi pm prec preceq prod propto psi rangle rceil rfloor rho
    rightharpoondown rightharpoonup rightleftharpoons searrow sharp sigma sim simeq sqcap sqcup sqrt sqsubseteq
    sqsupseteq ss star subset subseteq succ succeq sum supset supseteq swarrow tau textdagger textdaggerdbl
    textellipsis textemdash textendash textexclamdown textparagraph textquestiondown textquotedblleft
    textquotedblright textquoteleft textquoteright textsection theta times top triangleleft triangleright
    updownarrow uplus upsilon varepsilon varphi varpi varrho varsigma vartheta vdash vdots vee wedge wp wr xi zeta"""
_KERNEL = frozenset(_KERNEL_NAMES.split())
_OVER = {ACCENTS[name]: name for name in "`'^~=u.\"rHvdcbk"}
_NEAR = {"€": "EUR", "¥": "JPY", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ə": "e", "Ə": "E", "ʻ": "'", "ʼ": "'"}
_OVER_GREEK = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0306": "breve",
    "\u0307": "dot", "\u0308": "ddot", "\u030c": "check",
}  # fmt: skip
_MOST_MARKS = 4  # on one letter of any language
_BELOW = frozenset("\u0323\u0327\u0328\u0331")
_OVER_FORMULA = {"\u0305": "overline", "\u20d7": "vec", "\u0332": "underline", "\u0338": "not"}
_RAISED = {"<super>": "^", "<sub>": "_"}
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_ENSURED = re.compile(r"\\ensuremath\{(.*)\}", re.DOTALL)
_SCRIPTS = re.compile(r"([\^_])\{([^{}]*)\}\$\}\{\$\1\{")
_THEIRS = get_builtin_uni2latex_dict()


def latex(text: str) -> str:
    """``text`` as LaTeX: ASCII, but for letters that pdflatex cannot print, which stay."""
    text = unicodedata.normalize("NFC", text)
    starts = [at for at, sign in enumerate(text) if not at or text[at - 1].isspace() or not unicodedata.combining(sign)]
    clusters = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=False)]
    parts = []
    for sign, after in zip(clusters, [*clusters[1:], ""], strict=False):
        parts.append(_written(sign))
        if (sign, after) in _LIGATURES:
            parts.append("{}")
    return _SCRIPTS.sub(r"\1{\2", "".join(parts))


def preamble(written: str) -> list[str]:
    """Lines of LaTeX that let pdflatex print ``written`` (what ``latex`` gave) in any document, as well as it can."""
    lines = []
    used = set(_COMMAND.findall(written))
    if "mathbb" in used:
        lines.append(r"\providecommand{\mathbb}[1]{\mathbf{#1}}")
    for command, shown in _T1.values():
        if command in used:
            takes = "[1]" if "#1" in shown else ""
            lines.append(rf"\expandafter\providecommand\csname OT1\string\{command}\endcsname{takes}{{{shown}}}")
    for sign in unprintable(written):
        name = rf"\csname u8:\detokenize{{{sign}}}\endcsname"
        lines.append(rf"\expandafter\ifx{name}\relax\expandafter\gdef{name}{{{_near(sign)}}}\fi")
    return lines


def unprintable(written: str) -> list[str]:
    """The letters of ``written`` that pdflatex cannot print."""
    return sorted({sign for sign in written if not sign.isascii()})


def uncut(written: str) -> str:
    """BibTeX's styles cut initials and labels out of names by the byte: what begins with a command is cut by nobody."""
    return written if written.isascii() else f"{{\\relax {written}}}"


@lru_cache(maxsize=4096)
def _written(cluster: str) -> str:
    """A letter with its marks."""
    if cluster.isascii():
        return _ASCII.get(cluster, cluster)
    if len(cluster) == 1 and cluster in _TEXT:
        return _TEXT[cluster]
    if len(cluster) == 1 and (formula := _formula(cluster)):
        return f"{{${formula}$}}"
    base, *marks = list(unicodedata.normalize("NFD", cluster))
    if not marks:
        command = _command(base)
        return f"{{{command}}}" if command else base
    if marks[0] in _OVER_FORMULA and len(marks) == 1 and base.isascii():
        letter = rf"\mathrm{{{base}}}" if base.isalpha() else base
        return rf"{{$\{_OVER_FORMULA[marks[0]]}{{{letter}}}$}}" if letter not in _ASCII else cluster
    return (len(marks) <= _MOST_MARKS and _accented(base, marks)) or cluster


def _accented(base: str, marks: list[str]) -> str:
    """Accents nested over a letter; nothing where one of them is unknown to plain LaTeX."""
    formula = "" if base.isascii() else _formula(base)
    if formula and all(mark in _OVER_GREEK for mark in marks):
        for mark in marks:
            formula = rf"\{_OVER_GREEK[mark]}{{{formula}}}"
        return f"{{${formula}$}}"
    inner = "" if formula else _written(base)
    if not inner or not inner.isascii() or not all(mark in _OVER for mark in marks):
        return ""
    if inner in ("i", "j") and marks[0] not in _BELOW:
        inner = f"\\{inner}"
    for mark in marks:
        inner = rf"\{_OVER[mark]}{{{inner}}}"
    return f"{{{inner}}}"


def _command(sign: str) -> str:
    if sign in _T1:
        return f"\\{_T1[sign][0]}"
    theirs = _THEIRS.get(ord(sign), "")
    return theirs if theirs and _KERNEL.issuperset(_COMMAND.findall(theirs)) and "ensuremath" not in theirs else ""


def _formula(sign: str) -> str:
    """What stands for ``sign`` between dollars, or nothing."""
    if sign.isascii() or sign in _MATH:
        return _MATH.get(sign, sign)
    kind, *codes = unicodedata.decomposition(sign).split() or [""]
    if kind in _RAISED:
        inner = [_formula(chr(int(code, 16))) for code in codes]
        return f"{_RAISED[kind]}{{{''.join(inner)}}}" if all(inner) else ""
    if kind == "<font>":
        return _styled(chr(int(codes[0], 16)), unicodedata.name(sign))
    found = _ENSURED.fullmatch(_THEIRS.get(ord(sign), ""))
    return found[1] if found and _KERNEL.issuperset(_COMMAND.findall(found[1])) else ""


def _styled(plain: str, name: str) -> str:
    inner = _formula(plain)
    if "DOUBLE-STRUCK CAPITAL" in name:
        return rf"\mathbb{{{inner}}}"
    if "SCRIPT CAPITAL" in name:
        return rf"\mathcal{{{inner}}}"
    return rf"\mathbf{{{inner}}}" if "BOLD" in name and plain.isascii() else inner


def _near(sign: str) -> str:
    """What pdflatex prints for a letter that it does not know: the letter with fewer marks, nothing, or "?"."""
    if unicodedata.category(sign) in ("Cf", "Mn", "Me"):
        return ""
    if sign in _NEAR:
        return _NEAR[sign]
    base, *marks = list(unicodedata.normalize("NFD", sign))
    plain = (
        latex(unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark in _OVER))) if marks else ""
    )
    plain = plain or "".join(latex(part) for part in unicodedata.normalize("NFKD", sign) if part != sign)
    return plain if plain and plain.isascii() else "?"
