import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from digest.relevance import VERSION, Model, PaperText, Words
from digest.relevance.vectors import TITLE_TIMES, idf, weighed
from digest.relevance.words import END, composed, terms

SAME = {"llm": "large language model", "colour": "color"}
PAPERS = [
    PaperText(1, "LLMs for protein folding", "We fold proteins with a large language model. Proteins fold."),
    PaperText(2, "Colour, and the Color of C++", "On colours in Schrödinger's 3D world", keywords=("Colour theory",)),
    PaperText(3, "蛋白质折叠", "关于蛋白质的研究 with proteins"),
    PaperText(4, "", "of the and"),
    PaperText(5, "Protein folding again", "protein folding " * 7),
]
WORDS = ["model", "models", "LLM", "of", "the", "data-set", "C++", "étude", "折叠", ".", "(x)", "Physics", "GPUs"]
texts = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
papers = st.lists(st.builds(PaperText, st.just(1), texts, texts, st.just(()), st.lists(texts, max_size=2).map(tuple)))


def counted(paper):
    """What a paper's vector counts, said once more."""
    title, *rest = ([*Words(SAME).tokens(composed(t)).words, END] for t in (paper.title, paper.text, *paper.keywords))
    return terms(title * TITLE_TIMES + [word for part in rest for word in part])


def oracle(fitted_on):
    return TfidfVectorizer(analyzer=counted, sublinear_tf=True).fit(fitted_on)


def test_vectors_are_those_of_scikit_learn():
    expected = oracle(PAPERS)
    model = Model.fit(PAPERS, SAME, min_df=1)
    assert model.vocabulary == {term: int(at) for term, at in sorted(expected.vocabulary_.items())}
    assert model.idf == pytest.approx(expected.idf_, abs=1e-6)
    assert np.abs((model.vectors(PAPERS) - expected.transform(PAPERS)).toarray()).max() < 1e-6


@given(papers, papers)
def test_vectors_are_those_of_scikit_learn_for_any_texts(fitted_on, read):
    if not any(map(counted, fitted_on)):
        return  # scikit-learn refuses an empty vocabulary
    expected, model = oracle(fitted_on), Model.fit(fitted_on, SAME, min_df=1)
    assert [*model.vocabulary] == sorted(expected.vocabulary_)
    if read:
        assert np.abs((model.vectors(read) - expected.transform(read)).toarray()).max() < 1e-6


@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=8))
def test_counts_are_weighed_as_scikit_learn_weighs_them(rows):
    counts = csr_matrix(np.array(rows, dtype=np.float32))
    counts.eliminate_zeros()
    before = counts.copy()
    expected = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    ours = weighed(counts, idf(np.asarray((counts > 0).sum(axis=0)).ravel(), len(rows)))
    assert np.abs((ours - expected).toarray()).max() < 1e-6
    assert (counts != before).nnz == 0


@given(papers, texts)
def test_one_text_asked_has_the_same_row_as_one_read(fitted_on, text):
    model = Model.fit(fitted_on, SAME, min_df=1)
    words = model.words.flat(text).split()
    row, query = model.of_words([words]), model.query(words)
    assert query.columns.tolist() == row.indices.tolist()
    assert query.weights == pytest.approx(row.data, abs=1e-6)


def test_rare_terms_are_left_out_and_the_commonest_are_kept():
    known = Model.fit(PAPERS, SAME, min_df=2).vocabulary
    assert "protein" in known
    assert "schrodinger" not in known
    assert [*Model.fit(PAPERS, SAME, max_terms=1).vocabulary] == ["protein"]


def test_pairs_do_not_reach_over_function_words_signs_and_parts():
    said = ["bridges", "of", "color.", "theory"]
    assert terms(["bridge", "of", "color", ".", "theory", END, "proof", "net"]) == [
        *("bridge", "color", "theory", "proof", "net"),
        "proof net",
    ], said


def test_a_stored_model_is_read_as_it_was():
    model = Model.fit(PAPERS, SAME, min_df=1)
    again = Model.decode(*model.encode(), SAME)
    assert (again.vocabulary, again.idf.tolist(), again.same) == (model.vocabulary, model.idf.tolist(), SAME)
    assert np.abs((again.vectors(PAPERS) - model.vectors(PAPERS)).toarray()).max() == 0
    nothing = Model.without_words(SAME)
    assert Model.decode(*nothing.encode(), SAME).vocabulary == {}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda words, idf: (words[:-3], idf), "damaged"),
        (lambda words, idf: (b"", idf), "damaged"),
        (lambda words, idf: (words, idf[:-4]), "weights"),
        (lambda words, idf: (words, idf[:-1]), "damaged"),
        (lambda words, idf: (words, np.float32(math.nan).tobytes() + idf[4:]), "finite"),
        (lambda words, idf: (words, idf[:-4] + np.float32(math.inf).tobytes()), "finite"),
    ],
)
def test_a_damaged_model_is_refused_with_what_is_wrong(spoil, said):
    stored = Model.fit(PAPERS, SAME, min_df=1).encode()
    with pytest.raises(ValueError, match=said):
        Model.decode(*spoil(*stored), same=SAME)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_break_reading_a_model_but_by_a_value_error(vocabulary, weights):
    with pytest.raises(ValueError, match="damaged"):
        Model.decode(vocabulary, weights, SAME)


def test_the_version_is_raised_with_the_words_that_texts_become():
    """A stored vocabulary fits no other tokens: change what is expected here only together with VERSION."""
    text = "LLMs' state-of-the-art studies: C++ & GPUs, Schrödinger's 折叠 (2×) analyses of physics"
    assert VERSION == 1
    assert Words(SAME).flat(text) == (
        "large language model ' state of the art study : c++ & gpu , schrodinger 折 叠 ( 2 × ) analyse of physics"
    )
