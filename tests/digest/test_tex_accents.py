"""Accents, letters, signs and commands of TeX, made up by rule and compared with Unicode's own composition."""

import itertools
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text

from digest.text import readable

MARKS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "h": "\u0309", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327",
    "k": "\u0328", "b": "\u0331",
}  # fmt: skip
NAMES = {mark: name for name, mark in MARKS.items()}
LETTERS = {r"\o": "ø", r"\ae": "æ", r"\aa": "å", r"\O": "Ø", r"\AE": "Æ", r"\l": "ł", r"\ohorn": "ơ", r"\UHORN": "Ư"}
VIETNAMESE = [
    letter
    for letter in map(chr, itertools.chain(range(0xC0, 0x1B1), range(0x1EA0, 0x1EFA)))
    if unicodedata.decomposition(letter) and unicodedata.normalize("NFD", letter)[0] in "AEIOUYaeiouy"
    and {*unicodedata.normalize("NFD", letter)[1:]} <= {*"\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"}
]  # fmt: skip
PEOPLE = ["Nguyễn", "Văn", "Hồ", "Trần", "Lê", "Phạm", "Huỳnh", "Hoàng", "Võ", "Đặng", "Bùi", "Đỗ", "Ngô", "Dương", "Lý", "Phượng", "Quốc", "Thắng", "Thủy", "Thị", "Hữu", "Ấn", "Ổn", "Ỷ", "Ứng", "Đức", "Bảo", "Khánh", "Vũ", "Tuấn", "Mỹ", "Kỳ", "Nhật", "Quỳnh", "Hằng", "Sơn", "Lộc", "Chí", "Thế", "Viễn", "Tường"]  # fmt: skip


def composed(base, *marks):
    return unicodedata.normalize("NFC", base + "".join(marks))


# How accents are put: the command's name, then what it stands over.
ways = st.sampled_from(["\\%s{%s}", "{\\%s{%s}}", "{\\%s %s}", "\\%s{{%s}}", "\\%s{ %s}", "{{\\%s{%s}}}"])


def put(way, name, over):
    if " %s" in way and not name.isalpha():
        way = way.replace(" %s", "%s")
    return way % (name, over)


@given(st.sampled_from(sorted(set(MARKS) - {"h"})), st.sampled_from("aeiouyAEIOUYcnsztdglrk"), ways)
def test_an_accent_on_a_letter_is_unicode_s_composition(name, letter, way):
    assert readable(f"x{put(way, name, letter)}x") == composed(f"x{letter}", MARKS[name], "x")


@pytest.mark.parametrize("inner", sorted(MARKS))
@pytest.mark.parametrize("outer", sorted(MARKS))
def test_of_two_accents_the_inner_one_is_nearer_to_the_letter(inner, outer):
    for letter in "aeiouyAEIOU" if "h" in (inner, outer) else "aeiouyAEIOUcs":
        expected, turned = composed(letter, MARKS[inner], MARKS[outer]), composed(letter, MARKS[outer], MARKS[inner])
        if len(expected) > 1 and len(turned) == 1:
            expected = turned  # only the other order is a letter of any language
        bare = f"{inner} {letter}" if inner.isalpha() else inner + letter
        for text in (f"\\{outer}{{\\{inner}{{{letter}}}}}", f"{{\\{outer}{{\\{bare}}}}}"):
            assert readable(f"N{text}n") == f"N{expected}n", text


@given(st.sampled_from(VIETNAMESE), st.lists(ways, min_size=3, max_size=3))
def test_every_letter_of_vietnamese_is_read_whichever_of_its_marks_is_outside(letter, chosen):
    base, *marks = list(unicodedata.normalize("NFD", letter))
    horned = {"o": r"\ohorn", "u": r"\uhorn", "O": r"\OHORN", "U": r"\UHORN"}
    if "\u031b" in marks:
        base = horned[base]
        marks.remove("\u031b")
    for order in itertools.permutations(marks):
        text = base
        for mark, way in zip(order, chosen, strict=False):
            text = put(way, NAMES[mark], text)
        assert readable(f"{{{text}}}" if text == base else text) == letter


@pytest.mark.parametrize("name", PEOPLE)
def test_vietnamese_names_are_read_in_every_spelling(name):
    for way in ("\\%s{%s}", "{\\%s{%s}}", "\\%s%s", "{\\%s %s}"):
        text = ""
        for letter in name:
            base, *marks = list(unicodedata.normalize("NFD", letter))
            spelt = {"đ": r"{\dj}", "Đ": r"{\DJ}"}.get(base, base)
            if "\u031b" in marks:
                spelt = {"o": r"{\ohorn}", "u": r"{\uhorn}", "O": r"{\OHORN}", "U": r"{\UHORN}"}[base]
                marks.remove("\u031b")
            for mark in sorted(marks, key=lambda mark: mark not in "\u0302\u0306"):
                accent = NAMES[mark]
                bare = way == "\\%s%s" and not accent.isalpha() and len(spelt) == 1
                spelt = way % (accent, spelt) if bare or way != "\\%s%s" else f"\\{accent}{{{spelt}}}"
                if way == "{\\%s %s}" and not accent.isalpha():
                    spelt = spelt.replace(f"\\{accent} ", f"\\{accent}")
            text += spelt
        assert readable(text) == name, text


@given(st.sampled_from(sorted(LETTERS)), st.sampled_from(["'", "`", "^", '"', "~", "=", "v"]), st.sampled_from("rnz"))
def test_the_space_after_a_letter_s_name_goes_with_the_name(letter, accent, after):
    after = after.upper() if LETTERS[letter].isupper() else after
    expected = composed("S" + LETTERS[letter], MARKS[accent], after)
    for text in (f"S\\{accent}{letter} {after}", f"S\\{accent}{{{letter}}}{after}", f"S\\{accent}{letter}{{}}{after}"):
        assert readable(text) == expected
    assert readable(f"S{letter} {after}") == f"S{LETTERS[letter]}{after}"


@given(st.sampled_from(["'", "`", "^", '"', "~", "=", "u", "v"]), st.sampled_from("ij"))
def test_letters_without_a_dot_get_their_accent_and_the_word_goes_on(accent, letter):
    expected = composed("Mart" + letter, MARKS[accent], "nez")
    for dotless in (f"\\{letter} ", f"{{\\{letter}}}", f"\\{letter}{{}}", f" \\{letter} ", f" {{\\{letter}}}"):
        assert readable(f"Mart\\{accent}{dotless}nez") == expected
    assert readable(f"Mart{{\\{accent}\\{letter}}}nez") == expected


@given(
    st.sampled_from(["'", "`", "^", '"', "~", "=", ".", "u", "v", "H", "c", "k", "d", "r"]),
    st.sampled_from("aeouAEOUcnsz"),
    st.sampled_from(["\\%s{%s}", "{\\%s{%s}}"]),
    st.none() | st.sampled_from(["'", "`", "~"]),
)
@example("^", "e", "\\%s{%s}", "~")
def test_pylatexenc_reads_the_same_letter(inner, letter, way, outer):
    text = way % (inner, letter)
    if outer:
        text = way % (outer, text)
    theirs = unicodedata.normalize("NFC", LatexNodes2Text().latex_to_text(text))
    if len(theirs) == 1:
        assert readable(text) == theirs


def test_accents_in_formulas_nest_as_well():
    assert readable(r"$\tilde{\hat{x}}$, $\bar{\mathbf{\hat x}}_1$") == composed("x\u0302\u0303, x\u0302\u0304₁")
    assert readable(r"$\acute{\hat{a}}$") == "ấ"


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (r"Nguy{\~{\^e}}n, H{\`{\^o}}, \'{\^a}, \h{a}, Nguy\~\^en", "Nguyễn, Hồ, ấ, ả, Nguyễn"),
        (r"Mart\'\i nez, S\'\ae r, Mart\'\i L\'opez", "Martínez, Sǽr, Martí López"),
        (r"\textcommabelow{s}, \capitalcaron{C}, \G{a}, {\abreve}, \'{\ecircumflex}, \horn{o}", "ș, Č, ȁ, ă, ế, ơ"),
        (r"{Nguy{\~{\^e}}n V{\u a}n}, {{\'E}}mile, {Andr\'e}, {x: \'a}", "Nguyễn Văn, Émile, André, {x: á}"),
        (r"so \h and \G are ours, \h{text}, \G(x)", "so h and G are ours, h(text), G(x)"),
    ],
)
def test_it_reads_names_and_leaves_commands_of_authors(source, reads):
    assert readable(source) == reads


# --- signs and commands of running text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair",
    [
        (r"\textquotedblleft", r"\textquotedblright", "“quote”"),
        (r"\textquoteleft", r"\textquoteright", "‘quote’"),
        (r"\quotedblbase", r"\textquotedblleft", "„quote“"),
        (r"\guillemotleft", r"\guillemotright", "«quote»"),
        (r"\guillemetleft", r"\guillemetright", "«quote»"),
        (r"\guilsinglleft", r"\guilsinglright", "‹quote›"),
        (r"\glqq", r"\grqq", "„quote“"),
        (r"\flqq", r"\frqq", "«quote»"),
        (r"\lq", r"\rq", "‘quote’"),
    ],
)
def test_an_opening_quote_wants_no_space_after_its_name(pair):
    opening, closing, reads = pair
    for text in (f"{opening} quote{closing}", f"{opening}{{}}quote{closing}{{}}", f"{{{opening}}}quote{{{closing}}}"):
        assert readable(f"a {text}, b") == f"a {reads}, b"


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (r"don\textquoteright t, O\textquoteright Brien, readers\textquoteright own", "don’t, O’Brien, readers’ own"),
        (r"1990\textendash 2000 and \textdollar 5", "1990–2000 and $5"),
        (r"\textexclamdown Hola! \textbraceleft x\textbraceright", "¡Hola! {x}"),
        (r"\textquotedblleft LLMs\textquotedblright and more", "“LLMs” and more"),
    ],
)
def test_signs_by_name_stand_where_tex_puts_them(source, reads):
    assert readable(source) == reads


@given(
    st.sampled_from([("eg", "e.g."), ("ie", "i.e."), ("etc", "etc."), ("etal", "et al."), ("wrt", "w.r.t."), ("vs", "vs."),
                     ("iid", "i.i.d."), ("cf", "cf."), ("Eg", "E.g."), ("aka", "a.k.a.")]),
    st.sampled_from([", LSTM", " LSTM", ".", ". Next", ".,", ") of", "; and", "{} LSTM", "{}, LSTM"]),
)  # fmt: skip
def test_an_abbreviation_is_written_out_with_its_dots_once(pair, after):
    name, reads = pair
    rest = after.removeprefix("{}")
    assert readable(f"(\\{name}{after}") == f"({reads}{rest.removeprefix('.')}"


@given(st.from_regex(r"[A-Z]{3,8}q", fullmatch=True), st.sampled_from(["n", "2", "k,n", "x y", "fast"]))
def test_an_unknown_command_keeps_its_name_beside_its_argument(name, argument):
    assert readable(f"\\{name}{{{argument}}}: a family") == f"{name}({argument}): a family"
    assert readable(f"${{\\{name}}}{{{argument}}}$").startswith(name)


def test_what_marks_words_shows_the_words():
    assert readable(r"\rev{new} \hl{words} by \ac{llm}s, \red{now}, \textsw{here}") == "new words by llms, now, here"
    assert readable(r"\ECUAS{n}: a family of \method{} and \ours") == "ECUAS(n): a family of method and ours"
