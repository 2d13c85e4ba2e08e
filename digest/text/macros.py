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
    guillemetleft « guillemetright » flqq « frqq » flq ‹ frq › glqq „ grqq “ glq ‚ grq ‘ SS ẞ yen ¥ textbardbl ‖
    textbraceleft { textbraceright } textquotestraightdblbase ‚ quotedbl " textminus − textsurd √ degreeCelsius °C
    abreve ă acircumflex â ecircumflex ê ocircumflex ô ohorn ơ uhorn ư dcroat đ ABREVE Ă ACIRCUMFLEX Â ECIRCUMFLEX Ê
    OCIRCUMFLEX Ô OHORN Ơ UHORN Ư
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
LETTERS = (
    frozenset(
        name for name, sign in SYMBOLS.items() if (len(name) <= 2 and sign.isalpha()) or name[:3] in ("cyr", "CYR")
    )
    | _names(
        """abreve acircumflex ecircumflex ocircumflex ohorn uhorn dcroat ABREVE ACIRCUMFLEX ECIRCUMFLEX OCIRCUMFLEX
        OHORN UHORN imath jmath"""
    )
) - _names("mu nu xi pi Mu Nu Xi Pi Re Im in ni")
# Signs that open: nobody wants a space after them.
OPENING = _names(
    """textquotedblleft textquoteleft quotedblbase quotesinglbase textquotestraightdblbase guillemotleft guillemetleft
    guilsinglleft lq glqq glq flqq flq textexclamdown textquestiondown textasciitilde textbraceleft"""
)

# Latin and English for short, as packages and templates of conferences name them; the last dot is not written twice.
ABBREVIATIONS = {
    "eg": "e.g.", "Eg": "E.g.", "ie": "i.e.", "Ie": "I.e.", "etc": "etc.", "etal": "et al.", "Etal": "Et al.",
    "cf": "cf.", "Cf": "Cf.", "vs": "vs.", "viz": "viz.", "aka": "a.k.a.", "wrt": "w.r.t.", "Wrt": "W.r.t.",
    "iid": "i.i.d.", "dof": "d.o.f.", "resp": "resp.", "wlog": "w.l.o.g.", "Wlog": "W.l.o.g.", "whp": "w.h.p.",
    "apriori": "a priori", "aposteriori": "a posteriori", "adhoc": "ad hoc", "insilico": "in silico",
    "invivo": "in vivo", "invitro": "in vitro", "defacto": "de facto", "perse": "per se", "viceversa": "vice versa",
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
# Of packages for emphasis, abbreviations (acronym, glossaries), revisions (changes, todonotes), and names that authors
# give to such: the argument is what a reader should see. Any other command with an argument is shown by its name too.
WRAPPERS = _names(
    """hl st so ul sout uwave uuline dashuline dotuline xout mark highlight emphasize underbrace tit tbf tsc txt it
    textulc textulcase MakeUppercase MakeLowercase uppercase lowercase titlecap
    ac acs acp acl acf acsp aclp acfp Ac Acp Acl Acf Acs iac Iac acrshort acrlong acrfull Acrshort Acrlong Acrfull
    gls Gls glspl Glspl glsentryshort glsentrylong
    rev revised revision revise add added new edit edited change changed modified mod update updated replaced todo note
    keyword keywords Keyword Keywords title author abstract section subsection paragraph subparagraph
    red blue green black gray grey orange purple violet magenta cyan teal brown yellow white pink
    qu quote quotes mquote name person term gloss lang anon"""
)
# The argument says nothing to a reader.
SETTINGS = _names("color label vspace hspace begin end phantom hphantom vphantom index bibliographystyle")
DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))  # the others are outside of what mail fonts have
