"""DOIs and arXiv ids in every way they are written: one form, and one work."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.dois import dois_in
from digest.identity import Identity
from digest.models import Paper
from digest.papers import store
from digest.sources.arxiv import bare_id, version_of
from digest.sources.base import PaperRecord
from tests.conftest import NOW, TODAY

SUFFIX = r"[a-z0-9]{1,8}([./_()-][a-z0-9]{1,6}){0,4}"
RECORD = PaperRecord(
    source="journal",
    source_key="17",
    title="Shirts: a study of folding",
    authors=("Ana Exemplar",),
    submitted_at=datetime(2026, 1, 5, tzinfo=UTC),
    featured_on=TODAY,
)


def is_balanced(text):
    """Whether its brackets are pairs: what is closed only belongs to the text around it."""
    depths = [text[:at].count("(") - text[:at].count(")") for at in range(len(text) + 1)]
    return min(depths) == depths[-1] == 0


suffixes = st.from_regex(SUFFIX, fullmatch=True).filter(is_balanced)
dois = st.builds("10.{}/{}".format, st.from_regex(r"[1-9][0-9]{3,6}(\.[0-9]{1,3})?", fullmatch=True), suffixes)
before = st.sampled_from(
    ["", " ", "doi:", "DOI: ", "doi ", "https://doi.org/", "http://dx.doi.org/", "HTTPS://DOI.ORG/", "doi.org/",
     "https://www.doi.org/", "info:doi/", "urn:doi:", "\u200b", "\ufeff", "<", "“", "https://dl.acm.org/doi/abs/"]
)  # fmt: skip
behind = st.sampled_from(
    ["", " ", ",", ".", ";", ", ", ").", "]", ">", "”", ".,", "\u200b", "\n", "\u00a0", "</doi>", "/"]
)
spelling = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        lambda doi: quote(doi, safe=""),
        lambda doi: quote(quote(doi, safe=""), safe=""),
        lambda doi: doi.replace("/", "%2F", 1),
        lambda doi: doi.replace("/", "%2f", 1).upper().replace("%2F", "%2f"),
        lambda doi: doi.replace("/", " / ", 1),
        lambda doi: doi.replace(".", ".\u200b", 1),
        lambda doi: doi.replace("_", "\\_"),
        lambda doi: doi.replace("-", "\u2010"),
    ]
)


@given(dois, before, behind, spelling)
def test_a_doi_has_one_form_however_it_is_written(doi, before, behind, spelling):
    assert dois_in(f"{before}{spelling(doi)}{behind}") == (doi,)
    assert dois_in(doi) == dois_in(dois_in(doi)[0])


@given(
    st.lists(dois, min_size=2, max_size=3, unique=True),
    st.sampled_from(
        [" ", ", ", "; ", ",", ";", " and ", " & ", "|", "\n", ", doi:", " https://doi.org/", ",https://doi.org/"]
    ),
    spelling,
)
def test_each_doi_of_a_field_is_found_in_its_order(several, between, spelling):
    assert dois_in(between.join(map(spelling, several))) == tuple(several)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.1016/0304-3975(90)90054-1).", ["10.1016/0304-3975(90)90054-1"]),
        ("10.1002%2F(SICI)1097-0258(19980815)17%3A15%3C1661%3A%3AAID-SIM968%3E3.0.CO%3B2-2",
         ["10.1002/(sici)1097-0258(19980815)17:15<1661::aid-sim968>3.0.co;2-2"]),
        ("10.1002/(SICI)1097&lt;1661::AID&gt;3.0.CO;2-2", ["10.1002/(sici)1097<1661::aid>3.0.co;2-2"]),
        ("10.1103/PhysRevLett. 116.061102", ["10.1103/physrevlett.116.061102"]),
        ("https://doi.org/10.1000/182?utm_source=x#y, 10.1000/183", ["10.1000/182", "10.1000/183"]),
        ("10.1000/182 (erratum: 10.1000/183)", ["10.1000/182", "10.1000/183"]),
        ("10.1000/10.1000/182", ["10.1000/10.1000/182"]),
        ("110.1000/182", []),
        ("10.1/x", []),
        ("10.1000/", []),
        ("10.1000/...", []),
        ("n/a", []),
        ("https://doi.org/", []),
        ("10.1000/" + "x" * 300, []),
    ],
)  # fmt: skip
def test_brackets_escapes_and_line_breaks_of_dois(text, found):
    assert list(dois_in(text)) == found


@given(
    st.text()
    | st.lists(st.sampled_from(["10.1000/", "doi:", "(", ")", "a", " ", ",", "%2F", "%", "&lt;", "."])).map("".join)
)
def test_any_text_gives_clean_dois_or_none(text):
    for doi in dois_in(text):
        assert dois_in(doi) == (doi,)
        assert not any(map(str.isspace, doi))
        assert doi == doi.lower()


# --- arXiv ids -----------------------------------------------------------------------------------------------------------

new_ids = st.from_regex(r"[0-2][0-9](0[1-9]|1[0-2])\.[0-9]{5}", fullmatch=True)
old_ids = st.builds(
    "{}/{}".format,
    st.sampled_from(["hep-th", "math", "cs", "solv-int", "astro-ph", "acc-phys"]),
    st.from_regex(r"9[0-9](0[1-9]|1[0-2])[0-9]{3}", fullmatch=True),
)
subject = st.sampled_from(["", ".GT", ".AI", ".gt"])
versions = st.sampled_from(["", "v1", "v12", "V2"])
around = st.sampled_from(
    ["{}", " {} ", "arXiv:{}", "arxiv: {}", "ARXIV:{}", "https://arxiv.org/abs/{}", "http://www.arxiv.org/abs/{}",
     "https://arxiv.org/pdf/{}.pdf", "https://arxiv.org/pdf/{}", "https://export.arxiv.org/abs/{}", "arxiv.org/abs/{}",
     "10.48550/arXiv.{}", "10.48550/ARXIV.{}", "https://doi.org/10.48550/arXiv.{}", "doi:10.48550/arXiv.{}", "ARXIV.{}",
     "oai:arXiv.org:{}", "{},", "{}.", "({})", "[{}]", "arXiv:{} [cs.LG]", "\u200b{}\ufeff", "https://arxiv.org/abs/{}?context=cs",
     "https://arxiv.org/html/{}#S1"]
)  # fmt: skip
cases = st.sampled_from([str, str.lower, lambda text: text.replace("/", "%2F") if "://" not in text else text])


def with_class(arxiv_id, subject_class):
    archive, slash, number = arxiv_id.partition("/")
    return f"{archive}{subject_class}{slash}{number}" if slash else arxiv_id


@given(new_ids | old_ids, subject, versions, around, cases)
def test_an_arxiv_id_has_one_form_however_it_is_written(arxiv_id, subject_class, version, around, case):
    text = case(around.format(with_class(arxiv_id, subject_class) + version))
    assert bare_id(text) == arxiv_id
    assert version_of(text) == (int(version[1:]) if version else None)


@given(new_ids | old_ids, subject, versions, st.sampled_from(["10.48550/arXiv.{}", "10.48550/ARXIV.{}", "10.48550%2FarXiv.{}"]),
       st.sampled_from([str, str.upper, str.lower]), behind)  # fmt: skip
@example("2608.01234", "", "V2", "10.48550/ARXIV.{}", str.upper, "")
@example("hep-th/9901001", "", "", "10.48550/ARXIV.{}", str.upper, "")
def test_a_doi_of_arxivs_is_the_arxiv_id(arxiv_id, subject_class, version, doi, case, behind):
    written = case(doi.format(with_class(arxiv_id, subject_class) + version)).replace("%2f", "%2F") + behind
    named = Identity(replace(RECORD, doi=written))
    assert (named.arxiv_id, named.doi, named.key) == (arxiv_id, None, f"arxiv:{arxiv_id}")
    both = Identity(replace(RECORD, doi=f"{written} 10.1000/182,"))
    assert (both.arxiv_id, both.doi) == (arxiv_id, "10.1000/182")


@pytest.mark.parametrize(
    "text", ["2604.14268 v3", "arXiv:", "10.48550/arXiv.", "hep-th", "26.1", "2604.142681", "math/1", "x" * 999]
)
def test_what_is_no_arxiv_id_is_none(text):
    assert bare_id(text) is None


# --- one work -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written",
    ["10.1000/182,", "10.1000/182.", "10.1000%2F182", "https://doi.org/10.1000/182", "doi: 10.1000/182", "(10.1000/182)",
     "10.1000/\u200b182", "10.1000/182 10.1000/183", "10.1000/183, 10.1000/182"],
)  # fmt: skip
def test_one_doi_written_otherwise_is_the_same_work(written):
    store([replace(RECORD, doi="10.1000/182")], TODAY, NOW)
    other = replace(RECORD, source="other", source_key="x", title="Folding of shirts, studied", doi=written)
    store([other], TODAY, NOW)
    assert Paper.objects.get().doi == "10.1000/182"


@pytest.mark.django_db
def test_an_arxiv_doi_in_capitals_is_the_work_that_arxiv_has():
    store([replace(RECORD, source="arxiv_rss", arxiv_id="2608.01234")], TODAY, NOW)
    store([replace(RECORD, source_key="x", title="Otherwise", doi="10.48550/ARXIV.2608.01234V2")], TODAY, NOW)
    assert Paper.objects.get().key == "arxiv:2608.01234"


@pytest.mark.django_db
@pytest.mark.parametrize("term", ["https://doi.org/10.1000%2F182", "10.1000/182,", "doi:10.1000/182"])
def test_an_editor_finds_a_paper_by_its_doi_however_it_is_written(admin_client, term):
    store([replace(RECORD, doi="10.1000/182")], TODAY, NOW)
    store([replace(RECORD, source_key="18", title="Another study of other things", doi="10.1000/183")], TODAY, NOW)
    page = admin_client.get("/admin/digest/paper/", {"q": term}).content.decode()
    assert RECORD.title in page
    assert "Another study" not in page
