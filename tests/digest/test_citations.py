"""References as BibTeX, RIS and CSL JSON, read back by programs that others keep."""

import json
import random
import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from digest.citations import Name, Reference, bibtex, csl_json, keys_of, name_of, ris

ROBOTS = Reference(
    key="arxiv:2603.00004",
    title="The Robots of LLaMA-3: 100% & more",
    authors=("Ana Ünal", "Ludwig van Beethoven", "MiroMind Team"),
    day=date(2026, 3, 4),
    arxiv_id="2603.00004",
    category="cs.RO",
    url="https://arxiv.org/abs/2603.00004",
)
JOURNAL = Reference(
    "doi:10.1000/a_b", "Of shirts", ("Bo Li",), date(2025, 1, 1), "", "", "10.1000/a_b", "https://doi.org/10.1000/a_b"
)
BARE = Reference("title:1:2026", "機器人")
odd = st.text(st.sampled_from("ab Zé9{}\\%&$#_^~\"'@,=<>|\n\r\t\x00\x0b\x85\u2028機器人🤖\u200d"), max_size=30)
names = st.one_of(odd, st.sampled_from(["Ana Ünal", "Unal, Ana", "X and Y", "others", "B. Li, Jr.", "a,b,c,d", ":"]))
references = st.builds(
    Reference,
    key=st.uuids().map(str),
    title=odd,
    authors=st.lists(names, max_size=4).map(tuple),
    day=st.none() | st.dates(date(1991, 1, 1), date(2099, 12, 31)),
    arxiv_id=st.sampled_from(["", "2603.00004", "hep-th/9901001"]),
    category=st.sampled_from(["", "cs.RO"]),
    doi=st.sampled_from(["", "10.1000/a_b{c}"]),
    url=st.sampled_from(["", "https://x.example/%7E{a}_b#c&d"]),
    note=odd,
)
lists = st.lists(references, max_size=5)


def line(text):
    """As a file can hold it: in one line, without signs of control."""
    return " ".join(re.sub(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]", "", text).split())


def entries(written):
    """As pybtex reads a .bib file."""
    return pytest.importorskip("pybtex.database").parse_string(written, "bibtex").entries


def records(written):
    """As rispy reads a .ris file."""
    return pytest.importorskip("rispy").loads(written)


TEX = get_default_latex_context_db()
# Signs of ASCII by their names in LaTeX: pylatexenc does not know two of them, and takes the third for an accent.
SIGNS = {"textbraceleft": "{", "textbraceright": "}", "textasciicircum": "^"}
TEX.add_context_category("signs", prepend=True, macros=[MacroTextSpec(*sign) for sign in SIGNS.items()])


def untexed(value):
    """As TeX prints it."""
    return LatexNodes2Text(TEX, keep_comments=False, strict_latex_spaces=True).latex_to_text(value)


def unquoted(text):
    """Without the difference of quotes that TeX's ligatures make."""
    return re.sub("''|[“”]", '"', text).replace("’", "'")


# --- BibTeX ------------------------------------------------------------------------------------------------------------


def test_a_preprint_is_misc_with_the_fields_of_arxiv():
    entry = entries(bibtex([ROBOTS]))["unal2026robots"]
    assert entry.type == "misc"
    fields = {**entry.fields}
    assert (fields["eprint"], fields["archivePrefix"], fields["primaryClass"]) == ("2603.00004", "arXiv", "cs.RO")
    assert (fields["year"], fields["url"]) == ("2026", ROBOTS.url)
    assert "doi" not in fields
    ana, ludwig, team = entry.persons["author"]
    assert (ana.first_names, ana.last_names) == (["Ana"], [r"{\"{U}}nal"])
    assert untexed(ana.last_names[0]) == "Ünal"
    assert (ludwig.prelast_names, ludwig.last_names) == (["van"], ["Beethoven"])
    assert str(team) == "{MiroMind Team}"


def test_what_has_a_doi_alone_is_an_article_and_addresses_are_as_they_are():
    entry = entries(bibtex([JOURNAL]))["li2025shirts"]
    assert (entry.type, entry.fields["doi"], entry.fields["url"]) == ("article", JOURNAL.doi, JOURNAL.url)
    assert "eprint" not in entry.fields


def test_words_that_small_letters_would_change_are_kept_by_braces():
    assert entries(bibtex([ROBOTS]))["unal2026robots"].fields["title"] == r"The Robots of {LLaMA-3:} {100\%} \& more"


@given(lists)
@example([Reference("k", "{", ("}", "\\"), note="}{")])
@example([Reference("k", "@article{x, title={y}}", ("a and b",))])
def test_whatever_is_in_a_title_bibtex_reads_every_entry_and_tex_prints_the_title(works):
    found = entries(bibtex(works))
    keys = keys_of(works)
    assert list(found) == [keys[work.key] for work in works]
    for work in works:
        entry = found[keys[work.key]]
        assert unquoted(untexed(entry.fields.get("title", ""))) == unquoted(line(work.title))
        assert unquoted(untexed(entry.fields.get("note", ""))) == unquoted(line(work.note))
        named = [author for author in work.authors if any(sign.isalnum() for sign in author)]
        assert len(entry.persons.get("author", [])) == len(named)


# --- RIS and CSL JSON --------------------------------------------------------------------------------------------------


@given(lists)
def test_whatever_is_in_a_title_ris_says_it_in_one_line(works):
    written = ris(works)
    assert re.sub("\r\n", "", written).isprintable() or "\u200d" in written
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - .*", one) for one in written.split("\r\n") if one)
    found = records(written)
    assert len(found) == len(works)
    for work, entry in zip(works, found, strict=True):
        assert entry.get("title", "") == line(work.title)
        assert len(entry.get("authors", [])) == sum(any(sign.isalnum() for sign in one) for one in work.authors)


def test_ris_says_kind_names_day_and_where_it_is():
    preprint, article = records(ris([ROBOTS, JOURNAL]))
    assert preprint["authors"] == ["Ünal, Ana", "van Beethoven, Ludwig", "MiroMind Team"]
    assert (preprint["type_of_reference"], preprint["year"], preprint["date"]) == ("UNPB", "2026", "2026/03/04")
    assert preprint["urls"] == [ROBOTS.url]
    assert (article["type_of_reference"], article["doi"]) == ("JOUR", JOURNAL.doi)
    assert ris([ROBOTS]).endswith("ER  - \r\n\r\n")


@given(lists)
def test_csl_json_says_all_as_it_is_and_its_ids_are_the_keys_of_the_bib_file(works):
    keys = keys_of(works)
    found = json.loads(csl_json(works))
    assert [item["id"] for item in found] == [keys[work.key] for work in works]
    for work, item in zip(works, found, strict=True):
        assert item.get("title", "") == line(work.title)
        assert item["type"] in {"article", "article-journal"}
        assert item.get("DOI", "") == work.doi
        assert item.get("issued") == (
            {"date-parts": [[work.day.year, work.day.month, work.day.day]]} if work.day else None
        )
        assert all(
            {*name} <= {"family", "given", "suffix"} or {*name} == {"literal"} for name in item.get("author", [])
        )


def test_a_reference_of_which_little_is_known_says_little():
    assert json.loads(csl_json([BARE])) == [{"id": "anon", "type": "article", "title": "機器人"}]
    assert records(ris([BARE])) == [{"type_of_reference": "GEN", "title": "機器人"}]


# --- keys and names ----------------------------------------------------------------------------------------------------


@given(lists, st.randoms())
def test_keys_are_unique_plain_and_the_same_in_whatever_order_the_list_is(works, luck):
    keys = keys_of(works)
    assert len({key.lower() for key in keys.values()}) == len(works)
    assert all(re.fullmatch(r"[a-z0-9]+(-[0-9]+)?", key) for key in keys.values())
    assert keys_of(luck.sample(works, len(works))) == keys


def test_of_two_works_that_would_have_one_key_the_later_has_a_number():
    twins = [Reference(f"arxiv:2603.0000{n}", "Robots", ("Ana Ünal",), date(2026, 3, 4)) for n in (5, 4, 6)]
    random.shuffle(twins)
    assert keys_of(twins) == {
        "arxiv:2603.00004": "unal2026robots",
        "arxiv:2603.00005": "unal2026robots-2",
        "arxiv:2603.00006": "unal2026robots-3",
    }


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Ana Ünal", Name("Ünal", "Ana")),
        ("Unal, Ana B.", Name("Unal", "Ana B.")),
        ("Ludwig van Beethoven", Name("van Beethoven", "Ludwig")),
        ("Maria de la Cruz Santos", Name("de la Cruz Santos", "Maria")),
        ("Bo Li, Jr.", Name("Li", "Bo", "Jr.")),
        ("Li, Jr., Bo", Name("Li", "Bo", "Jr.")),
        ("C. D. Rivera III", Name("Rivera", "C. D.", "III")),
        ("ana b. unal", Name("unal", "ana b.")),
        ("MiroMind Team", Name("MiroMind Team")),
        ("Foo and Bar", Name("Foo and Bar")),
        ("NVIDIA", Name("NVIDIA")),
        ("王 小明", Name("王 小明")),
        ("a, b, c", Name("a, b, c")),
    ],
)
def test_a_name_is_taken_apart_where_that_is_safe(author, name):
    assert name_of(author) == name
