"""Exported references pass BibTeX and pdflatex in TeX's own fonts, and the page says what the list said."""

import re
import shutil
import subprocess
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latexencode import get_builtin_uni2latex_dict

from digest.citations import Reference, bibtex
from digest.latex import latex, unprintable
from digest.text import readable
from tests.recorded import listings, papers_of

# In the shape of what sources send, made up: formulas that we make, signs of other fonts, quotes, dashes, alphabets.
TITLES = [
    "β-VAE and k-means in ℝᵈ: O(n²) is enough", "Learning xᵢ from yᵏ when p ≥ q", "ℓ₁ and ℓ₂ norms: a < b > c | d",
    "Let's <think> about <s> and </s> tokens", "A 2×2 study at 90° ± 5% for $5 & more", "H₂O⁺ in CO₂ at 10⁻³ µm",
    "“Curly quotes” and ‘single ones’ — with dashes – and…", "It's the authors' \"own\" `quote` ``here''",
    "Folding {braces} and \\backslashes_with^signs~here #1", "run --help, ---, ?` and !` stay", "Õ(√n) bounds: x̂ ≠ ŷ, A̅ ∪ B̅",
    "λ-calculus, Δ-modules, Ω(n log n), ϵ-greedy and 𝓛-spaces", "𝔼[X] = ∫ f dμ ∈ ℂ, ∀ε > 0 ∃δ ≤ 1", "a → b ⇒ c ↔ d ⟨u, v⟩ ∞",
    "½ of ¾: ① ﬁrst ﬂight", "Œuvres complètes à l'École: naïve façade, Smørrebrød", "Straße, Łódź, Čapek, Erdős, Şişli, Ţara",
    "Zażółć gęślą jaźń: ąęńśćźż", "Đặng Thái Sơn, Ðe Þorn ð þ ŋ", "«Guillemets» and „low quotes‚ ‹single›", "¿Qué? ¡Sí! Ñandú",
    "機器人學習: learning to fold 衬衫", "Обучение роботов and ロボット", "한국어 모델 for Arabic العربية and עברית", "🤖 Robots that fold 👕🏽",
    "Ἀλήθεια and Greek ά letters", "No\u00a0break\u2009spaces\u202fand soft\u00adhyphens", "∇·E = ρ/ε₀, ∂f/∂x ≈ 0 ∝ ħ", "x⃗ and ⊕ ⊗ ⊥ ∥ ∧ ∨ ¬",
    "C# and F♯ for 3 £ or more™", "§ 3 ¶ 4 † ‡ • · ‰", "Tiếng Việt: ả ẩ ở ữ ỷ ấ ề ộ", "İstanbul, ılık, Ģirts, Ķ ļ ņ", "ǅ ǆ ĳ Ĳ ſ ẞ",
    "NASA's mRNA GPT-4o: LLaMA-3 100% & <br>", "C ⩽ D ⩾ E ≪ F ≫ G", "T^* is T*, A† is Aᵀ, f∘g, x⋆", "∅ ⊂ ⊆ ⊄ ∉ ℵ ℏ ℜ", "⌈x⌉ ⌊y⌋ ‖z‖ ∖ ⊤ ⊨ ⊢",
    "E = mc², aᵢⱼ₊₁, 2ⁿ⁻¹, xᵝ, H⁎",
]  # fmt: skip
NAMES = ["Élodie Ünal", "Øystein Ångström", "Łukasz Żółć", "Đặng Văn Ổn", "İlker Şahin", "Þóra Ðorð", "王小明", "Иван Петров", "O’Brien, Š.",
         "Ana de la Cruz Íñiguez", "Nguyễn Thị Ánh", "Erdős, Pál, Jr.", "MiroMind Team"]  # fmt: skip
KEPT = frozenset("<>|≥≤≠≈∞→⇒∈∀∃∂∇∫√∝⊕⊗±×÷")
# What pdftotext reads for the glyphs of TeX's fonts, and what these have instead of a letter.
FOLDED = str.maketrans(
    {"ı": "i", "ȷ": "j", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ŋ": "ng", "ħ": "h", "ℏ": "h", "µ": "μ", "ß": "ss", "∆": "δ",
     "∫": "r", "‹": "<", "›": ">", "⩽": "≤", "⩾": "≥"}
)  # fmt: skip
DOCUMENT = r"""\documentclass{article}
\pagestyle{empty}\setlength{\textheight}{24cm}\hyphenpenalty=10000 \exhyphenpenalty=10000 \sloppy \frenchspacing
\begin{document}\nocite{*}\bibliographystyle{STYLE}\bibliography{list}\end{document}
"""
needs_tex = pytest.mark.skipif(
    not all(map(shutil.which, ("pdflatex", "bibtex", "pdftotext"))), reason="needs pdflatex, bibtex and pdftotext"
)


def references(titles, names):
    return [
        Reference(f"k{at}", title, (names[at % len(names)], names[(at * 7 + 1) % len(names)]), date(2026, 1, 2), "2601.00001",
                  "cs.LG", "10.1000/ü", "https://x.example/é_%7E#b", "Note: ≥ β")
        for at, title in enumerate(titles)
    ]  # fmt: skip


def compiled(tmp_path, works, style="unsrt"):
    """The text of the page that pdflatex makes of the list."""
    (tmp_path / "list.bib").write_text(bibtex(works), encoding="utf-8")
    (tmp_path / "x.tex").write_text(DOCUMENT.replace("STYLE", style))
    for command in (["pdflatex", "-draftmode"], ["bibtex"], ["pdflatex"]):
        name = "x" if command == ["bibtex"] else "-halt-on-error"
        done = subprocess.run(
            [*command, name, *(["x.tex"] if name != "x" else [])],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=120,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said[-1500:]
        assert "warning" not in said.lower() or command != ["bibtex"], said
    assert "Missing character" not in (tmp_path / "x.log").read_text(errors="replace")
    return subprocess.run(
        ["pdftotext", "-raw", "-enc", "UTF-8", "x.pdf", "-"], cwd=tmp_path, capture_output=True, check=True, timeout=60
    ).stdout.decode()


def folded(text):
    """Letters, digits and the commonest signs, without accents and case: styles and fonts change these."""
    text = unicodedata.normalize("NFKD", text).lower().translate(FOLDED)
    kinds = {"Ll", "Lo", "Nd", "Nl", "No"}  # and no Lm: accents that stand alone
    return "".join(sign for sign in text if sign in KEPT or unicodedata.category(sign) in kinds)


def printable(title):
    """A title without the letters that pdflatex cannot print."""
    missing = [sign for sign in unprintable(latex(title)) if not unicodedata.normalize("NFKD", sign)[:1].isascii()]
    return title.translate(dict.fromkeys(map(ord, missing)))


def corpus(path, count):
    records = []
    for record in papers_of(path):
        title, authors = readable(record["title"]), tuple(map(readable, record["authors"][:8]))
        odd = not title.isascii() or re.search(r"[<>|{}\\^~#$%&_]", title) or not "".join(authors).isascii()
        if odd:
            records.append((not title.isascii(), title, authors, record["id"]))
    records.sort(key=lambda one: not one[0])
    return [
        Reference(key, title, authors, date(2026, 1, 2), "2601.00001") for _, title, authors, key in records[:count]
    ]


@needs_tex
def test_titles_of_every_kind_compile_and_read_the_same(tmp_path):
    works = references(TITLES, NAMES)
    page = folded(compiled(tmp_path, works))
    assert [work.title for work in works if folded(printable(work.title)) not in page] == []


@needs_tex
@pytest.mark.parametrize("style", ["abbrv", "plain", "alpha"])
def test_styles_that_shorten_names_cut_no_letter_in_two(tmp_path, style):
    compiled(tmp_path, references(TITLES, NAMES), style)


@needs_tex
@pytest.mark.parametrize("listing", listings())
def test_up_to_two_hundred_recorded_titles_compile_and_read_the_same(tmp_path, listing):
    works = corpus(listing, 200)
    page = folded(compiled(tmp_path, works))
    assert len(works) >= 30  # of our own; the real corpus has all two hundred
    assert [work.title for work in works if folded(printable(work.title)) not in page] == []


@needs_tex
def test_every_sign_that_is_written_as_a_command_is_known_to_plain_latex(tmp_path):
    signs = [chr(code) for code in get_builtin_uni2latex_dict() if code > 127]
    signs = [sign for sign in signs if latex(sign).isascii() and latex(sign)]
    works = [Reference(f"k{at}", " ".join(signs[at : at + 40])) for at in range(0, len(signs), 40)]
    assert len(signs) > 500
    compiled(tmp_path, works)


# --- without TeX ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", TITLES + NAMES)
def test_what_is_written_is_ascii_or_says_that_pdflatex_cannot_print_it(title):
    written = bibtex([Reference("k", title, (title,))])
    missing = unprintable(latex(" ".join(title.split())))
    assert written.isascii() != bool(missing)
    assert ("XeLaTeX and LuaLaTeX" in written) == bool(missing)
    for sign in missing:
        assert f"u8:\\detokenize{{{sign}}}" in written


@given(st.lists(st.sampled_from([*"aZé9ñÅøł≥β²ᵢℝℓ→ąĐ機И ", "x̂", "ễ", "--", "“"]), max_size=12).map("".join))
def test_it_decodes_to_the_same_text(text):
    said = " ".join(text.split())
    decoded = readable(latex(said).replace("{$", "$").replace("$}", "$").replace("-{}-", "-\u2060-"))
    assert folded(decoded) == folded(said)


def test_entries_that_need_nothing_have_no_preamble_and_others_have_what_they_need():
    assert bibtex([Reference("k", "Plain é β²")]).startswith("@misc{")
    written = bibtex([Reference("k", "ℝ and Đ and 機")])
    assert written.startswith("% pdflatex cannot print these letters")
    assert r"\providecommand{\mathbb}[1]{\mathbf{#1}}" in written
    assert r"\csname OT1\string\DJ\endcsname{D}" in written
    assert pytest.importorskip("pybtex.database").parse_string(written, "bibtex").entries
