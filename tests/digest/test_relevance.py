import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.relevance import (
    KEPT_WORDS,
    Model,
    PaperText,
    Reading,
    TopicTerms,
    Words,
    in_proportion,
    name_words,
    same_name,
    tastes,
)

SAME: dict[str, str] = json.loads(Path("digest/same_words.json").read_text())
WORDS = ["ana", "Bela", "Çelik", "O'Brien", "van", "der", "Øster", "J.", "M", "Jean-Pierre", "王", "Jr."]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


def reading(*papers):
    """By words alone."""
    return Reading(papers, Model.without_words(SAME))


def phrase(text, title="", abstract="", keywords=()):
    return bool(reading(PaperText(1, title, abstract, keywords=keywords)).phrase(text))


def follows(wanted, *authors):
    return bool(reading(PaperText(1, "A title", authors=authors)).author(wanted))


def test_a_phrase_is_found_as_whole_words_in_title_abstract_and_keywords():
    assert phrase("Protein folding", title="On protein-folding")
    assert phrase("protein folding", abstract="We study protein  foldings.")
    assert phrase("protein folding", keywords=("Protein Folding",))
    assert not phrase("protein folding", abstract="Protein. Folding.", keywords=("protein", "folding"))
    assert not phrase("art", title="Part of the start")
    assert phrase("c++", title="Fast C++ code")
    assert not phrase("c", title="Music theory, fast C++ code and the CS of it")


def test_a_phrase_in_the_title_weighs_more_than_in_the_text():
    found = reading(PaperText(1, "About", "folding"), PaperText(2, "Folding"), PaperText(3, "Else")).phrase("folding")
    assert found[2].score > found[1].score
    assert 3 not in found


@pytest.mark.parametrize(
    "poison", ["((((", ".*", "c++", "[", "\\", "(?P<t0>x)", "$^", "--", "x" * 80, "蛋白质", "%s{0}"]
)
def test_a_poisonous_phrase_is_harmless_text(poison):
    assert not phrase(poison, "An ordinary title", "An ordinary text about protein folding.", ("robot",))
    assert phrase(poison, title=f"About {poison} now") == bool(poison.strip("-"))


@given(st.text(max_size=80), st.text(max_size=300))
def test_no_phrase_and_no_author_breaks_looking_for_it(text, body):
    words = reading(PaperText(1, body, body, authors=(body, text)))
    words.phrase(text)
    words.author(text)
    assert words.names(text) == words.phrase(text).keys()


@given(
    st.text(st.characters(categories=["L"]), min_size=1, max_size=20), st.sampled_from(["{}", "the {} of it", "({})"])
)
def test_a_word_is_found_wherever_it_stands_by_itself(word, sentence):
    assert phrase(word, abstract=sentence.format(word))


@pytest.mark.parametrize("asked", ["LLMs", "llm", "large language models", "Large-Language Model"])
@pytest.mark.parametrize("said", ["LLM", "LLMs", "Large language models", "a large-language model"])
def test_short_forms_plurals_and_hyphens_are_the_same_words_to_phrases_topics_and_muted_words(asked, said):
    found = reading(PaperText(1, f"On {said}."))
    assert found.phrase(asked)
    assert found.names(asked) == {1}
    assert found.topic(TopicTerms(1, "Models", (), (asked,)))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("modelling", "Modeling"),
        ("colour", "Colors"),
        ("quantisation", "Quantization"),
        ("Schrödinger bridge", "Schrodinger bridges"),
        ("study", "Studies"),
        ("loss", "Losses"),
        ("matrix", "Matrices"),
        ("bias", "Biases"),
        ("Parkinson's disease", "Parkinson disease"),
        ("human-computer interaction", "Human–computer interaction"),
    ],
)
def test_spellings_accents_and_plurals_do_not_matter_either_way(asked, said):
    assert phrase(asked, title=said)
    assert phrase(said, title=f"A {asked} here")


@pytest.mark.parametrize(
    ("asked", "said"), [("new", "Newton"), ("physic", "Physics"), ("corp", "Corpus"), ("lone", "LLM")]
)
def test_words_that_only_look_alike_are_not_the_same(asked, said):
    assert not phrase(asked, title=said)


def test_every_short_form_is_the_same_as_its_long_form_and_chains_nowhere():
    words = Words(SAME)
    for form, stands_for in SAME.items():
        assert words.flat(form) == words.flat(stands_for) == Words({}).flat(stands_for), form


def test_of_two_forms_that_begin_alike_the_longer_is_read():
    words = Words({"big model": "short", "big model zoo": "long"})
    assert words.flat("a big-model zoo, a big model") == "a long , a short"


def test_a_phrase_is_found_inside_text_without_spaces():
    assert phrase("折叠", title="关于蛋白质折叠的研究")
    assert phrase("蛋白质 折叠", abstract="蛋白质折叠")
    assert phrase("기계학습", title="기계학습을 위한")
    assert not phrase("折质", title="蛋白质折叠")


@pytest.mark.parametrize("unit", ["word ", "蛋", "a ", "the ", "c++ ", "(", "x", "llm "])
def test_a_very_long_phrase_costs_no_more_than_reading_it(unit):
    found = reading(*(PaperText(n, "蛋白质 word " * 9, unit * 300) for n in range(20)))
    assert not found.phrase(unit * 10_000)


def test_a_match_shows_the_words_as_the_paper_writes_them():
    (found,) = reading(PaperText(1, "Agents", "We use LLMs  for\nit.")).phrase("large language model").values()
    assert (found.terms, found.kind, found.why) == (("LLMs",), "phrase", 'names "LLMs"')
    topic = TopicTerms(7, "Robots", ("cs.RO",), ("robot", "robot arm", "grasp", "dexterous hand", "gripper"))
    paper = PaperText(1, "Robot-arms grasp", "A Gripper or a dexterous   hand", ("cs.RO",))
    (match,) = reading(paper).topic(topic).values()
    assert match.terms == ("Robot-arms", "grasp", "dexterous hand"), (
        "the longer instead of what it contains, three at most"
    )
    assert (match.topic, match.name, match.category) == (7, "Robots", "cs.RO")


@given(st.text(max_size=200), st.text(max_size=200), st.data())
def test_whatever_is_shown_as_found_stands_in_the_paper_and_says_what_was_asked(title, abstract, data):
    paper = PaperText(1, title, abstract)
    asked = data.draw(st.sampled_from(f"{title} {abstract}".split() or ["x"]))
    read = [" ".join(unicodedata.normalize("NFC", part).split()).casefold() for part in (title, abstract)]
    for match in reading(paper).phrase(asked).values():
        (term,) = match.terms
        assert any(term.casefold() in part for part in read)
        assert f" {Words(SAME).flat(asked)} " in f" {Words(SAME).flat(term)} "


@pytest.mark.parametrize(
    "author",
    [
        "Ana Ünal",
        "ANA UNAL",
        "Unal, Ana",
        "A. Unal",
        "Ünal, A.",
        "Ana M. Unal",
        "Unal, Ana, Jr.",
        "Ana Unal PhD",
        "A.M. Unal",
    ],
)
@pytest.mark.parametrize("wanted", ["Ana Unal", "Ünal, Ana", "A. Unal", "ana ünal"])
def test_an_author_is_followed_however_the_name_is_written(wanted, author):
    assert follows(wanted, "Bo Sample", author)


@pytest.mark.parametrize(
    ("wanted", "author"),
    [
        ("Unal", "Ana Unal"),
        ("Ana Unal", "Unal"),
        ("Unal", "U. Unal"),
        ("Ana Unal", "Bela Unal"),
        ("Ana Unal", "B. Unal"),
        ("Ana Unal", "Ana Unalan"),
        ("Ana Maria Unal", "Ana Luisa Unal"),
        ("Jan van der Berg", "Jan van der Bergen"),
        ("", "Ana Unal"),
        (",", ","),
    ],
)
def test_a_family_name_alone_or_another_given_name_is_somebody_else(wanted, author):
    assert not follows(wanted, author)


def test_names_of_several_words_and_letters_without_a_plain_form_agree():
    assert follows("van der Berg, Jan", "Jan van der Berg")
    assert follows("Soren Ostergaard", "Søren Østergaard")
    assert follows("J.-P. Dupont", "Jean-Pierre Dupont")
    assert follows("Lukasz Kaiser", "Łukasz Kaiser")


@given(names, names)
def test_being_one_person_goes_both_ways_and_includes_oneself(one, other):
    a, b = name_words(one), name_words(other)
    assert same_name(a, b) == same_name(b, a)
    assert same_name(a, a)


@given(st.lists(st.sampled_from(["Ana", "Bela", "Çağla", "Unal"]), min_size=2, max_size=4))
def test_given_names_first_or_last_with_a_comma_are_one_name(words):
    assert name_words(" ".join(words)) == name_words(f"{words[-1]}, {' '.join(words[:-1])}")


def test_the_same_words_of_many_readers_are_looked_up_once_and_memory_is_bounded():
    words = reading(PaperText(1, "Protein folding", authors=("Ana Unal",)))
    for _ in range(1000):
        words.phrase("protein folding")
        words.author("Ana Unal")
    assert (words.phrase.cache_info().misses, words.author.cache_info().misses) == (1, 1)
    assert words.phrase.cache_info().maxsize == words.author.cache_info().maxsize == KEPT_WORDS


FIELDS = {
    "quantum": [
        "quantum",
        "qubit",
        "circuit",
        "error",
        "correction",
        "code",
        "decoder",
        "noise",
        "threshold",
        "surface",
        "gate",
    ],
    "speech": [
        "speech",
        "audio",
        "recognition",
        "speaker",
        "voice",
        "acoustic",
        "phoneme",
        "transcript",
        "dialect",
        "prosody",
    ],
}


@pytest.fixture
def library():
    """Twenty papers of each of two fields, every one with six words of its field and some of all papers."""
    papers: list[PaperText] = []
    for words in FIELDS.values():
        for n in range(20):
            said = [words[(n + 3 * k) % len(words)] for k in range(6)]
            papers.append(
                PaperText(len(papers) + 1, " ".join(said[:3]).title(), " ".join([*said[2:], "model", "data"]))
            )
    return papers


@pytest.fixture
def fitted(library):
    return Reading(library, Model.fit(library, SAME))


def test_a_topic_finds_papers_that_share_many_of_its_words_and_says_which(fitted, library):
    described = "Quantum circuits: noise, decoders, thresholds and surface codes."
    found = fitted.topic(TopicTerms(1, "Quantum error correction", (), ("stabilizer",), described))
    assert found
    assert found.keys() <= set(range(1, 21))
    for match in found.values():
        paper = library[next(iter(p for p in range(40) if match is found.get(p + 1)))]
        assert 0 < len(match.terms) <= 3
        assert all(term.lower() in f"{paper.title} {paper.text}".lower() for term in match.terms)
        assert match.why.startswith("names ")


def test_a_topic_of_one_short_phrase_is_that_phrase_and_nothing_near_it(fitted):
    assert not fitted.topic(TopicTerms(1, "Quantum speech", (), ("quantum speech",)))


def test_who_names_a_term_comes_before_who_is_only_near(fitted):
    topic = TopicTerms(1, "Quantum", (), ("decoder",), "Quantum circuits: noise, thresholds, surface codes and gates.")
    named = fitted.names("decoder")
    found = fitted.topic(topic)
    assert named < found.keys()
    assert min(found[paper].score for paper in named) > max(found[p].score for p in found.keys() - named)


def test_scores_of_all_papers_are_those_of_the_matches(fitted, library):
    topic = TopicTerms(1, "Quantum", (), ("decoder", "qubit"), "Quantum circuits: noise, surface codes and gates.")
    scores = fitted.relevance(topic)
    found = fitted.topic(topic)
    assert scores.shape == (len(library),)
    assert {p: m.score for p, m in found.items()} == pytest.approx({p: float(scores[p - 1]) for p in found})


def test_the_form_that_was_asked_for_comes_before_others_of_the_same_words():
    found = reading(PaperText(1, "Large language models"), PaperText(2, "LLMs")).phrase("LLMs")
    assert found[2].score > found[1].score > 0


def test_two_interests_of_one_reader_are_two_tastes(fitted):
    ids = [1, 21, 2, 22, 3, 23, 4]
    found = tastes(fitted.vectors[[at - 1 for at in ids]], ids)
    assert [taste.papers for taste in found] == [(1, 2, 3, 4), (21, 22, 23)]
    for taste, words in zip(found, FIELDS.values(), strict=True):
        assert {*" ".join(taste.terms(fitted.model, 5)).split()} <= {*words}


def test_every_taste_has_its_share_of_the_places_however_small_it_is():
    worth = np.array(
        [[0.9 - at / 100 for at in range(10)] + [0.0] * 10, [0.0] * 10 + [0.3 - at / 100 for at in range(10)]]
    )
    order = np.argsort(-in_proportion([9, 1], worth), kind="stable").tolist()
    assert order[:5] == [0, 1, 2, 3, 4]
    assert 10 in order[:12], "of twenty seats, ten of which are everybody's, the small one has its own"
    assert in_proportion([5], worth[:1]).argmax() == 0


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(0, 30), st.randoms())
def test_what_is_worth_more_to_every_taste_is_never_wanted_less(sizes, papers, rng):
    worth = np.array([[rng.random() for _ in range(papers)] for _ in sizes]).reshape(len(sizes), papers)
    found = in_proportion(sizes, worth)
    assert found.shape == (papers,)
    for one in range(papers):
        for other in range(papers):
            if (worth[:, one] > worth[:, other]).all():
                assert found[one] > found[other]


def test_tastes_are_few_and_learned_from_the_newest_papers():
    papers = [PaperText(n, f"word{n} word{n} other{n}") for n in range(60)]
    vectors = Model.fit(papers, {}, min_df=1).vectors(papers)
    found = tastes(vectors, range(60))
    assert [taste.papers for taste in found] == [(0,), (1,), (2,), (3,), (4,)]
    same = tastes(vectors[[7] * 60], range(60))
    assert [taste.papers for taste in same] == [tuple(range(50))]


def test_nobody_who_liked_nothing_has_a_taste(fitted):
    assert tastes(fitted.vectors[[]], []) == []


@given(st.lists(st.integers(0, 39), unique=True, max_size=30), st.randoms())
def test_every_liked_paper_is_in_one_taste_at_most_and_vectors_have_length_1(chosen, rng):
    papers = [PaperText(n, " ".join(rng.choices("abcdefgh", k=6))) for n in range(40)]
    papers = [PaperText(p.id, " ".join(2 * word for word in p.title.split())) for p in papers]
    vectors = Model.fit(papers, {}, min_df=1).vectors(papers)
    found = tastes(vectors[chosen], chosen)
    spread = [paper for taste in found for paper in taste.papers]
    assert len(spread) == len({*spread})
    assert {*spread} <= {*chosen}
    assert len(found) <= 5
    for taste in found:
        assert list(taste.papers) == sorted(taste.papers, key=chosen.index)
        assert np.linalg.norm(taste.vector.toarray()) == pytest.approx(1, abs=1e-5)


def test_a_weight_that_is_no_number_makes_no_match(library):
    model = Model.fit(library, SAME)
    weights = model.idf.copy()
    weights[:] = np.nan
    broken = Reading(library, Model(model.vocabulary, weights, SAME))
    topic = TopicTerms(1, "Quantum", (), ("decoder",), "Quantum circuits: noise, thresholds, surface codes and gates.")
    found = broken.topic(topic)
    assert found.keys() == broken.names("decoder"), "words are still found"
    assert all(np.isfinite(match.score) for match in (*found.values(), *broken.phrase("qubit").values()))
    assert np.isfinite(broken.similar(broken.vectors)).all()


def test_without_a_model_phrases_and_categories_still_match(library):
    by_words = reading(*library, PaperText(99, "On grasping", categories=("cs.RO",)))
    topic = TopicTerms(1, "Robots", ("cs.RO",), ("qubit",), "Quantum circuits: noise, thresholds and surface codes.")
    assert by_words.topic(topic).keys() == by_words.names("qubit") | {99}
    assert by_words.vectors.shape == (41, 0)
    assert tastes(by_words.vectors[:3], [1, 2, 3])[0].terms(by_words.model, 5) == ()


def test_relevance_is_computed_without_scikit_learn_and_django():
    code = "import sys, digest.relevance; sys.exit(any(name.split('.')[0] in ('sklearn', 'bm25s', 'django') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
