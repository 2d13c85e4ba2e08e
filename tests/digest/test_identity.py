import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.identity import Identity, Works, short_name
from digest.models import Paper
from digest.sources.base import PaperRecord
from tests.conftest import NOW

RECORD = PaperRecord(
    source="journal",
    source_key="17",
    title="Robots that fold shirts quickly",
    authors=("Ana Exemplar", "Bo Sample"),
    submitted_at=datetime(2026, 1, 5, tzinfo=UTC),
)
ON_ARXIV = replace(RECORD, source="huggingface", source_key="2601.00001", arxiv_id="2601.00001")
IN_JOURNAL = replace(RECORD, doi="10.1000/182")


def paper_of(record, **fields):
    """The row that the record would make."""
    named = Identity(record)
    return Paper(
        **{
            "pk": 1,
            "key": named.key,
            "arxiv_id": named.arxiv_id,
            "doi": named.doi,
            "fingerprint": named.fingerprint,
            "title": named.title,
            "submitted_at": record.submitted_at,
            "first_seen_at": NOW,
            **fields,
        }
    )


def found(record, *papers):
    return Works(papers).find(Identity(record))


def test_the_key_is_the_arxiv_id_else_the_doi_else_the_title_else_the_sources_own():
    assert Identity(replace(IN_JOURNAL, arxiv_id="2601.00001")).key == "arxiv:2601.00001"
    assert Identity(IN_JOURNAL).key == "doi:10.1000/182"
    assert re.fullmatch(r"title:[0-9a-f]{32}:2026", Identity(RECORD).key)
    assert Identity(replace(RECORD, title="Editorial")).key == "journal:17"


@pytest.mark.parametrize("arxiv_id", ["2601.00001", "math.GT/0309136"])
def test_arxivs_own_doi_is_an_arxiv_id_and_never_a_journals(arxiv_id):
    named = Identity(replace(RECORD, doi=f"https://doi.org/10.48550/arXiv.{arxiv_id}"))
    assert (named.arxiv_id, named.doi) == (arxiv_id.replace(".GT", ""), None)


@pytest.mark.parametrize("doi", ["10.1000/ABC", "doi:10.1000/abc", "https://dx.doi.org/10.1000/aBc"])
def test_a_doi_is_one_however_it_is_written(doi):
    assert Identity(replace(RECORD, doi=doi)).doi == "10.1000/abc"


@pytest.mark.parametrize("doi", ["", "n/a", "10.1/x", "10.1000/", "https://doi.org/"])
def test_what_is_no_doi_names_nothing(doi):
    assert Identity(replace(RECORD, doi=doi)).doi is None


def test_a_record_with_both_ids_finds_the_work_under_either():
    both = replace(ON_ARXIV, doi="10.1000/182")
    assert found(both, paper_of(ON_ARXIV))
    assert found(both, paper_of(IN_JOURNAL))


def test_title_first_author_and_year_are_one_work_and_a_year_apart_is_near_enough():
    paper = paper_of(ON_ARXIV)
    same = replace(IN_JOURNAL, title="Robots That Fold Shirts, Quickly!", authors=("Exemplar, A.", "Sample, B."))
    assert found(same, paper)
    assert found(replace(same, submitted_at=datetime(2027, 3, 1, tzinfo=UTC)), paper)
    assert not found(replace(same, submitted_at=datetime(2028, 3, 1, tzinfo=UTC)), paper)
    assert not found(replace(same, submitted_at=None), paper), "a title without a year says too little"
    assert not found(replace(same, authors=("Bo Sample",)), paper)


@pytest.mark.parametrize(
    "title", ["Comment on the folding of shirts", "Reply to: robots and shirts", "Editorial for this issue", "Shirts"]
)
def test_titles_that_many_works_have_make_nothing_one(title):
    one = replace(RECORD, title=title)
    assert not found(replace(one, source_key="18"), paper_of(one))


def test_two_arxiv_ids_are_never_one_work_nor_two_dois():
    assert not found(replace(ON_ARXIV, arxiv_id="2601.00002"), paper_of(ON_ARXIV))
    assert not found(replace(IN_JOURNAL, doi="10.1000/183"), paper_of(IN_JOURNAL))
    parts = replace(ON_ARXIV, doi="10.1000/182")
    assert not found(replace(parts, arxiv_id="2601.00002"), paper_of(parts)), "two parts share their journal's DOI"


def test_a_row_that_an_editor_took_out_of_a_merge_is_found_by_its_own_names_only():
    alone = paper_of(IN_JOURNAL, stands_alone=True)
    assert found(IN_JOURNAL, alone)
    assert not found(replace(ON_ARXIV, doi="10.1000/182"), alone)
    assert not found(RECORD, alone)


def test_a_record_that_proves_two_rows_to_be_one_work_names_the_twin_and_the_survivor():
    on_arxiv, in_journal = paper_of(ON_ARXIV), paper_of(IN_JOURNAL, pk=2)
    both = Identity(replace(ON_ARXIV, doi="10.1000/182"))
    assert Works([on_arxiv, in_journal]).doubles(on_arxiv, both) == [(in_journal, on_arxiv)]
    assert Works([on_arxiv, in_journal]).doubles(in_journal, both) == [(in_journal, on_arxiv)]


@pytest.mark.parametrize("alone", [0, 1])
def test_nothing_is_proved_of_a_row_that_an_editor_took_apart(alone):
    rows = paper_of(ON_ARXIV), paper_of(IN_JOURNAL, pk=2)
    rows[alone].stands_alone = True
    assert Works(rows).doubles(rows[0], Identity(replace(ON_ARXIV, doi="10.1000/182"))) == []


def test_another_arxiv_id_with_the_doi_of_a_merged_row_is_another_work():
    survivor = paper_of(ON_ARXIV)
    twin = paper_of(IN_JOURNAL, pk=2, merged_into=survivor)
    part_two = replace(ON_ARXIV, arxiv_id="2601.00002", doi="10.1000/182")
    assert found(part_two, survivor, twin) is None
    works = Works([survivor, twin])
    works.name(twin, Identity(replace(IN_JOURNAL, arxiv_id="2601.00002")))
    assert twin.arxiv_id is None


def test_two_people_of_one_family_name_wrote_two_works():
    one = replace(RECORD, title="A survey of large models", authors=("Ana Exemplar",))
    assert not found(replace(one, doi="10.1000/9", authors=("Bo Exemplar",)), paper_of(one))


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Ana Ünal", "a unal"),
        ("Ünal, Ana", "a unal"),
        ("A. B. Unal", "a unal"),
        ("Ana Exemplar, Jr.", "a exemplar"),
        ("Ana Exemplar III", "a exemplar"),
        ("van der Beispiel, A.", "a van der beispiel"),
        ("III", "iii"),
        ("", ""),
    ],
)
def test_a_name_is_the_same_however_it_is_written(name, short):
    assert short_name(name) == short


@given(
    title=st.text(),
    authors=st.lists(st.text(), max_size=3).map(tuple),
    doi=st.none() | st.text() | st.from_regex(r"10\.[0-9]{4}/\S{1,300}", fullmatch=True),
    key=st.text(max_size=300),
    day=st.none() | st.dates(date(1990, 1, 1), date(2030, 1, 1)),
)
def test_every_record_has_one_name_that_fits_and_finds_its_own_row(title, authors, doi, key, day):
    record = PaperRecord(source="x", source_key=key, title=title, authors=authors, doi=doi, announced_on=day)
    named = Identity(record)
    assert 0 < len(named.key) <= 330
    assert len(named.doi or "") <= 255
    assert named.key == Identity(replace(record)).key
    assert found(record, paper_of(record, announced_on=day)) is not None
