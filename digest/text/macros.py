"""What TeX's commands stand for. The bulk comes from pylatexenc; here is what it lacks or has otherwise."""

from pylatexenc.latex2text import get_default_latex_context_db


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of pylatexenc's, but authors give these names to their methods and models; and a clock.
_ORDINARY = _names(
    """today id Ident image original estimates between homothetic recorder rightmoon mercury venus male jupiter saturn
    uranus neptune pluto aries taurus gemini cancer leo virgo libra scorpio sagittarius capricornus aquarius pisces
    Angle Equal quarternote eighthnote vspace smile frown"""
)
_PAIRS = r"""epsilon ε phi φ lbrack [ rbrack ] lbrace { rbrace } textgreater > textless < textbar | textunderscore _
    textpercent % textasciicircum ^ backslash ∖ textbackslash ∖ eth ð colon : iff ⇔ implies ⇒ impliedby ⇐ gets ← lor ∨
    land ∧ neg ¬ ne ≠ owns ∋ lVert ‖ rVert ‖ Vert ‖ lvert | rvert | vert | mid | nmid ∤ dots … cdots … dotsc … dotsb …
    ldots … prime ′ ast * star ⋆ bigstar ★ checkmark ✓ cmark ✓ xmark ✗ models ⊨ vDash ⊨ Re ℜ Im ℑ imath ı jmath ȷ S §
    P ¶ pounds £ euro € EUR € copyright © dag † ddag ‡ ddagger ‡ degree ° celsius °C micro µ textmu µ hbar ℏ
    textrightarrow → textleftarrow ← leadsto ⇝ rightleftharpoons ⇌ dashrightarrow ⇢ llbracket ⟦ rrbracket ⟧
    blacktriangleright ▸ triangle △ diamond ⋄ Diamond ◇ Box □ coloneqq ≔ coloneq ≔ eqqcolon ≕ triangleq ≜ nsubset ⊄
    bigcup ⋃ bigcap ⋂ bigsqcup ⨆ biguplus ⨄ bigodot ⨀ cdotp · centerdot · textquotedbl " lq ‘ rq ’ slash / And &"""
_OURS = dict(zip(_PAIRS.split()[::2], _PAIRS.split()[1::2], strict=True))
_SPACES = _names(
    ", ; : > quad qquad enspace enskip thinspace medspace thickspace space nobreakspace newline par linebreak"
)
_SPACES |= {"item", "linebreak", "xspace", " ", "\n", "\t", "\\"}
_NOTHING = _names(
    """! - / @ left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm displaystyle
    textstyle scriptstyle scriptscriptstyle limits nolimits noindent centering tiny scriptsize footnotesize small
    normalsize large Large LARGE huge Huge it bf em rm tt sc sf sl cal boldmath unboldmath bfseries itshape upshape
    scshape ttfamily sffamily rmfamily mdseries normalfont protect nonumber notag hfill negthinspace relax leavevmode
    smallskip medskip bigskip newpage clearpage maketitle ignorespaces textcompwordmark nolinebreak allowbreak strut
    footnotemark"""
)


def _symbols() -> dict[str, str]:
    """Command -> character. Names that stand for themselves (``log``) are left out: so is every unknown command."""
    theirs = {spec.macroname: spec.simplify_repl for spec in get_default_latex_context_db().iter_macro_specs()}
    known = {
        name: sign
        for name, sign in theirs.items()
        if isinstance(sign, str) and len(sign) == 1 and not sign.isspace() and name not in _ORDINARY
    }
    return known | _OURS | dict.fromkeys(_SPACES, " ") | dict.fromkeys(_NOTHING, "")


SYMBOLS = _symbols()

# Letters of running text: TeX swallows the space after "\o" in "S\o ren".
LETTERS = frozenset(
    name for name, sign in SYMBOLS.items() if (len(name) <= 2 and sign.isalpha()) or name[:3] in ("cyr", "CYR")
) - _names("mu nu xi pi Mu Nu Xi Pi Re Im in ni")  # fmt: skip

ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327", "k": "\u0328", "d": "\u0323",
    "b": "\u0331", "t": "\u0361",
}  # fmt: skip
MATH_ACCENTS = {
    "grave": "\u0300", "acute": "\u0301", "hat": "\u0302", "widehat": "\u0302", "wh": "\u0302", "tilde": "\u0303",
    "widetilde": "\u0303", "wt": "\u0303", "bar": "\u0304", "overline": "\u0305", "breve": "\u0306", "dot": "\u0307",
    "ddot": "\u0308", "mathring": "\u030a", "check": "\u030c", "vec": "\u20d7", "overrightarrow": "\u20d7",
    "underline": "\u0332", "underbar": "\u0332",
}  # fmt: skip

# Styles: the argument is shown, as running text or as a formula.
TEXT_STYLES = _names(
    """text textit textbf textrm textsf texttt textsc textnormal textup textmd textsl emph mbox hbox fbox uline
    underline tag"""
)
MATH_STYLES = _names(
    """mathrm mathbf mathit mathsf mathtt mathcal mathscr mathfrak mathbb mathbbm mathds mathnormal boldsymbol bm pmb
    bold ensuremath mathop mathrel mathbin mathord substack smash boxed overbrace underbrace symbf symup Bbb"""
)
# The argument says nothing to a reader.
SETTINGS = _names("color label vspace hspace begin end phantom hphantom vphantom index bibliographystyle")
DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))  # the others are outside of what mail fonts have
