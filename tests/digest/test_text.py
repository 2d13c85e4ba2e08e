import html
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.text import readable, shorten
from digest.text.scripts import SCRIPTS, script
from tests.linear import growth
from tests.recorded import listings, papers_of

# What breaks readers of TeX and markup, to be thrown together at random.
FRAGMENTS = [
    "\\", "$", "$$", "{", "}", "^", "_", "~", "--", "---", "`", "``", "''", "'", '"', "<", ">", "<i>", "</i>", "<br>", "[",
    "]", "\\(", "\\)", "\\frac", "\\sqrt", "\\alpha", "\\log", "\\textbf{", "\\'", "\\c", "\\cite{", "\\url{", "\\left(",
    "\\\\", "\\begin{cases}", "\\unknown", "\\char", "x", "2", " ", "word ", "é", "\u0301", "\u200d", "\u202e", "\ud800",
    "5 to ", "&", "https://example.org/a--b", "<sub>2</sub>", "<jats:p>", "\n", "\x00", "🧪",
]  # fmt: skip
tangles = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join) | st.text()
words = st.lists(st.from_regex(r"[A-Za-z]{1,9}[.,;:!?]?", fullmatch=True), min_size=1, max_size=20)


@given(tangles)
def test_what_comes_out_is_one_line_without_controls(text):
    out = readable(text)
    assert out == " ".join(out.split())
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in out)
    assert not re.search("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad]", out)
    assert unicodedata.is_normalized("NFC", out)
    out.encode("utf-8")


@given(st.text())
def test_reading_twice_changes_nothing(text):
    assert readable(readable(text)) == readable(text)


@given(words)
def test_plain_text_stays_as_it_is(text):
    assert readable("  ".join(text)) == " ".join(text)


@given(
    words, st.sampled_from(["\\emph{%s}", "$x$ %s", "%s\\cite{key}", "{\\it %s}", "<i>%s</i>", "``%s''", "\\mine{%s}"])
)
def test_words_outside_of_formulas_are_never_lost(text, frame):
    out = re.findall("[A-Za-z]+", readable(frame % " ".join(text)))
    for word in text:
        assert word.strip(".,;:!?") in out


@given(st.text(st.characters(codec="ascii", exclude_characters="&"), max_size=40))
def test_what_was_quoted_as_an_entity_is_never_taken_for_markup(text):
    quoted = html.escape(text).replace("'", "&#39;").replace("\\", "&#92;").replace("$", "&#36;")
    for sign in "`~-^_{}":
        quoted = quoted.replace(sign, f"&#{ord(sign)};")
    printable = "".join(c if c.isprintable() else " " for c in text)
    assert readable(quoted) == " ".join(printable.split())


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (r"Paulo Andr\'e Lima de Castro", "Paulo André Lima de Castro"),
        (r"M\'elodie Desbos", "Mélodie Desbos"),
        (r"Math\'ematiques, l'\'Ecole", "Mathématiques, l'École"),
        ("Russian Research Centre ``Kurchatov Institute''", "Russian Research Centre “Kurchatov Institute”"),
        (r"$1.13\times$", "1.13×"),
        (r"({\epsilon},{\delta})", "(ε,δ)"),
        ("H$_2$O", "H₂O"),
        (
            r"$\textit{K}$ -trivial, weakly and ${{\mathrm{\textit{MLR}}}}$ -low Sequences",
            "K-trivial, weakly and MLR-low Sequences",
        ),
        (r"10\% of Track~2, 1--2 -- or---so", "10% of Track 2, 1–2 – or—so"),
        (r"costs \$5 to \$10", "costs $5 to $10"),
        ("a < b and <script>", "a < b and <script>"),
    ],
)
def test_it_reads_what_sources_were_seen_to_send(source, reads):
    assert readable(source) == reads


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (r"\"{o} {\o} \v{c} \c c {\'\i} \H{o} \l{} S\o ren \r{a}", "ö ø č ç í ő ł Søren å"),
        (r"\~{n} \^\i \=a \.z \u{g} \k{a} \d{s} \ss", "ñ î ā ż ğ ą ṣ ß"),
        (r"the object\'s shape", "the object's shape"),
        (r"say \"hello\" there", 'say "hello" there'),
        (r"It ain$'$t $f'$", "It ain't f′"),
        (r"{K}alman filters", "Kalman filters"),
        (r"\r{ho} = 0.5", "ρ = 0.5"),
    ],
)
def test_it_reads_accents(source, reads):
    assert readable(source) == unicodedata.normalize("NFC", reads)


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("$O(n^2)$", "O(n²)"),
        (r"$O(n\log n)$ and $n \log n$", "O(n log n) and n log n"),
        (r"$C\log^2 n\log\log n$", "C log² n log log n"),
        (r"$\mathbb{R}^d$, $x\in\mathbb{F}_{q^m}$", "ℝᵈ, x∈F_(qᵐ)"),
        (r"$x^{abc}$ $x_{\max}$ $x_{\max}y$ $a^q$ $L_{i,j}$", "x^(abc) x_max x_max y a^q L_(i,j)"),
        (r"$\frac{a}{b}$, $\frac{a+1}{b}x$, $x^{\frac12}$", "a/b, (a+1)/b x, x^(1/2)"),
        (r"$\sqrt{n}$ $\sqrt n$ $\sqrt{n+1}$ $\sqrt[3]{2n}$", "√n √n √(n+1) ∛(2n)"),
        (r"$p\geq t\geq 2s$ but $n \geq 1$", "p≥t≥2s but n ≥ 1"),
        (r"$\widetilde{\mathcal{O}}\left(1/\sqrt{n}\right)$", "Õ(1/√n)"),
        (r"$\hat{x}_1$ $\overline{AB}$ $\widehat{abc}$ $f'(x)$", "x̂₁ A̅B̅ hat(abc) f′(x)"),
        (r"$90^\circ$, $T^\star$, $A^\top$, $10^{-3}$", "90°, T*, Aᵀ, 10⁻³"),
        (r"\(x\) \[y\] $$z$$ $a$$b$ $ c $", "x y z ab c"),
        (r"$\mbox{SSIM $=0.6$}$ and $\alpha\text{ is }b$", "SSIM =0.6 and α is b"),
        (r"a $-$ b, $-$0.5, 4$\times$4, mAP${50}$, $90$\%", "a – b, -0.5, 4×4, mAP50, 90%"),
        (r"R^2=0.51, 10^-2, O(n^{1/2}), 2^10.5", "R²=0.51, 10⁻², O(n^(1/2)), 2^10.5"),
        (r"$\{0,1\}^n$ but {0, 1} and {name}", "{0,1}ⁿ but {0, 1} and {name}"),
        (r"($ 3-5 \times$ speed-up)", "(3-5 × speed-up)"),
        (r"$\binom{n}{2} \pmod{p}$", "(n choose 2) (mod p)"),
        (r"$\KL(p) + \GF{13}$", "KL(p) + GF(13)"),
    ],
)
def test_it_reads_formulas(source, reads):
    assert readable(source) == unicodedata.normalize("NFC", reads)


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (r"as in~\cite{roe20} (Sec.~\ref{s:x})\footnote{See \url{https://example.org/~a_b--c}.}",
         "as in [roe20] (Sec. [s:x]) (See https://example.org/~a_b--c.)"),
        (r"\href{https://example.org/x}{Our code}, \href{https://example.org}{https://example.org}.",
         "Our code (https://example.org/x), https://example.org."),
        (r"\textbf{N}ews \textsc{Event} {\em here} \textcolor{red}{now}", "News Event here now"),
        (r"\method{} beats \ours by 5\,dB; \rev{new} \gemini", "method beats ours by 5 dB; new gemini"),
        (r"cut short\footnote{The code and", "cut short The code and"),
        (r"`Ingest\_substance' and ``x\"", "‘Ingest_substance’ and “x”"),
        ("run --help, <!-- x -->, ~5k of 10~20 at /~home", "run --help, <!-- x -->, ~5k of 10~20 at /~home"),
    ],
)  # fmt: skip
def test_it_reads_commands_of_running_text(source, reads):
    assert readable(source) == reads


@pytest.mark.parametrize(
    "text",
    [
        "$5 to $10 million", "US$5 and US$10", "A$/US$5", "from $1 trillion to $200k", "only $0.003/query and $3",
        "set $HOME and $PATH", "$5", "earn $1 Million ($2 in all)", "between $5/$10 and $7-$8",
        "costs $5 for readers and A$ for others",
    ],
)  # fmt: skip
def test_it_leaves_money_alone(text):
    assert readable(text) == text


def test_it_tells_money_from_formulas_in_one_sentence():
    assert (
        readable(r"At $5 per hour, $2\times$ more for $x=3$ costs $10.") == "At $5 per hour, 2× more for x=3 costs $10."
    )


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("<p>One <i>E. coli</i> in H<sub>2</sub>O<sup>+</sup></p><p>Two<br/>Three", "One E. coli in H₂O⁺ Two Three"),
        ("<jats:title>Abstract</jats:title><jats:p>In <jats:italic>vitro</jats:italic></jats:p>", "In vitro"),
        ("<jats:title>Methods</jats:title> <jats:p>We measured.</jats:p>", "Methods: We measured."),
        ("<b class='x'>bold</b> a<i>c", "bold a<i>c"),
        ("if a<b>c", "if a<b>c"),
        ("x<sup>abc</sup> the 5<sup>th</sup>", "x^(abc) the 5ᵗʰ"),
        ("R&amp;D &#8217; AT&T &amp;lt; ?a=1&copy=2", "R&D ’ AT&T < ?a=1&copy=2"),
        ("&lt;b&gt;x&lt;/b&gt;", "<b>x</b>"),
        ("Let's <think>\n about\tLLMs: <s> x</s> x<y>z", "Let's <think> about LLMs: <s> x</s> x<y>z"),
    ],
)
def test_it_reads_known_markup_only(source, reads):
    assert readable(source) == reads


def test_half_stripped_tex_is_left_alone():
    assert readable("infty-LLMs and textbf of R2") == "infty-LLMs and textbf of R2"


def test_invisible_characters_go_and_joiners_stay_where_they_join():
    assert readable("e\u0301\u202etxt.exe\x00") == "étxt.exe"
    assert readable("pay\u200bpal\u200d e\u200d\u0301") == "paypal é"
    assert readable("👩\u200d🔬 क्\u200dष") == "👩\u200d🔬 क्\u200dष"


@given(st.sampled_from("^_"), st.text("0123456789abcdefghijklmnopqrstuvwxyz+-=()n ", min_size=1, max_size=6))
def test_a_script_says_the_same_as_its_source(kind, content):
    back = {small: plain for plain, small in SCRIPTS[kind].items() if plain != "−"}
    plain = "".join(back.get(c, c) for c in script(kind, content)).replace(" ", "")
    assert plain.removeprefix(kind).strip("()") == content.replace(" ", "").strip("()")


@pytest.mark.parametrize(
    "unit", ["{", "\\", "$", "$x ", "^", "\\frac", "\\hat", "\\textbf{", "`a ", "<i>", "&amp;", "a~", "[", "\\c ",
             "\\'", "\\'{", "\\h{", "\\~\\^", "{\\'a ", "\\eg", "\\foo{", "\\textquoteright ", "\\hat{\\bar "]
)  # fmt: skip
def test_a_hostile_text_costs_linear_time(unit):
    makes = {
        "plain": lambda size: unit * (size // len(unit)),
        "in a formula": lambda size: f"${unit * (size // len(unit))}$",
        "closed again": lambda size: unit * (size // 8) + "}" * (size // 8),
    }
    grown = {name: growth(readable, make(2_500), make(20_000), most=24) for name, make in makes.items()}
    assert max(grown.values()) <= 24, f"linear is 8, quadratic 64: {grown}"


@pytest.mark.parametrize("listing", listings())
def test_recorded_texts_keep_their_words_and_read_the_same_twice(listing):
    papers = list(papers_of(listing))
    assert papers
    for text in (text for paper in papers for text in (paper["title"], paper["summary"], *paper["authors"])):
        out = readable(text)
        assert readable(out) == out
        if not re.search(r"[\\$`~^<&{}]|--", text):
            assert out == unicodedata.normalize("NFC", " ".join(text.split()))


def test_the_benchmark_says_what_it_cannot_read():
    missing = subprocess.run(
        [sys.executable, "-m", "benchmarks.text", "nowhere.jsonl.gz"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "nowhere.jsonl.gz" in missing.stderr


@given(st.text(), st.integers(20, 400))
def test_a_shortened_text_fits(text, limit):
    assert len(shorten(text, limit)) <= limit


def test_it_cuts_after_a_sentence_where_one_ends_late_enough():
    text = "First sentence is here. " * 20
    assert shorten(text, 100) == ("First sentence is here. " * 4).strip()
    assert shorten("word " * 100, 50).endswith("word…")


def test_it_never_cuts_inside_a_grapheme():
    scientist = "👩🏽\u200d🔬"
    assert shorten(scientist * 9, 20) == scientist * 4 + "…"
    assert shorten("a\u0323\u0301" * 9, 20) == "a\u0323\u0301" * 6 + "…"
