import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.arxiv import ALIASES, bare_id, says_withdrawn, version_of, with_aliases


@pytest.mark.parametrize(
    ("text", "arxiv_id", "version"),
    [
        ("2604.14268", "2604.14268", None),
        ("2604.14268v3", "2604.14268", 3),
        ("0704.0001v12", "0704.0001", 12),
        ("hep-th/9901001", "hep-th/9901001", None),
        ("solv-int/9901001v2", "solv-int/9901001", 2),
        ("math.GT/0309136v1", "math/0309136", 1),
        ("2604.14268v0", "2604.14268", None),
        ("2604.14268v99999", "2604.14268", None),
        ("2604.14268 v3", None, None),
        ("v3", None, None),
        ("", None, None),
        (None, None, None),
        (2604.14268, None, None),
    ],
)
def test_an_id_has_a_canonical_form_and_perhaps_a_version(text, arxiv_id, version):
    assert bare_id(text) == arxiv_id
    assert version_of(text) == version


@pytest.mark.parametrize(
    "comment",
    [
        "Withdrawn",
        "WITHDRAWN.",
        "withdrawn by the authors due to an error in Lemma 2",
        "  This paper has been withdrawn by the author",
        "This submission is withdrawn",
        "This manuscript has been\n withdrawn due to a sign error",
        "This article has been withdrawn; superseded by arXiv:2601.00001",
        "The paper is withdrawn because of an error in Theorem 2",
        "This paper has been withdrawn from arXiv",
        "arXiv admin note: This paper has been withdrawn by arXiv due to unverifiable authorship",
        "arXiv admin note: withdrawn by arXiv administrators",
        "Paper withdrawn by the author due to a crucial error",
        "The authors have withdrawn this paper",
        "The authors have withdrawn the manuscript owing to a mistake",
        "12 pages. This paper has been withdrawn",
        "12 pages, 3 figures, this paper has been withdrawn",
        "[Withdrawn]",
        "[Withdrawn] A study",
        "8 pages (withdrawn)",
        "We withdraw this paper",
    ],
)
def test_a_comment_that_begins_with_it_says_that_this_paper_is_withdrawn(comment):
    assert says_withdrawn(comment)


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "12 pages, 3 figures",
        "This manuscript supersedes arXiv:2510.00001, which has been withdrawn with the agreement of all authors",
        "supersedes arXiv:2510.00001, withdrawn",
        "incorporates arXiv:2011.00001, which has been withdrawn",
        "The previous version was withdrawn because of an error; this one mends it",
        "v1: withdrawn, v2: a corrected proof",
        "Withdrawn from the workshop, now at the main conference",
        "This paper was withdrawn from a journal and sent to another",
        "Withdrawnness of readers: a study",
        "On papers withdrawn by their authors",
        "This paper has not been withdrawn",
    ],
)
def test_a_comment_on_something_else_that_was_withdrawn_does_not(comment):
    assert not says_withdrawn(comment)


def test_both_names_of_a_category_are_found_by_either():
    assert with_aliases(["math.IT", "cs.LG"]) == ("math.IT", "cs.LG", "cs.IT")
    assert with_aliases(["cs.IT"]) == ("cs.IT", "math.IT")
    assert with_aliases(["cs.IT", "math.IT"]) == ("cs.IT", "math.IT")
    assert with_aliases([]) == ()


@given(st.lists(st.sampled_from([*sum(ALIASES, ()), "cs.CL", "nonsense"]), unique=True))
def test_aliases_keep_the_own_categories_in_front_and_add_nothing_twice(categories):
    both = with_aliases(categories)
    assert list(both[: len(categories)]) == categories
    assert len(set(both)) == len(both)
    assert with_aliases(both) == both
