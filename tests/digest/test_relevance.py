import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.relevance import KEPT_WORDS, OwnWords, PaperText, name_words, same_name

WORDS = ["ana", "Bela", "Çelik", "O'Brien", "van", "der", "Øster", "J.", "M", "Jean-Pierre", "王", "Jr."]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


def phrase(text, title="", abstract="", keywords=()):
    return bool(OwnWords([PaperText(1, title, abstract, keywords=keywords)]).phrase(text))


def follows(wanted, *authors):
    return bool(OwnWords([PaperText(1, "A title", authors=authors)]).author(wanted))


def test_a_phrase_is_found_as_whole_words_in_title_abstract_and_keywords():
    assert phrase("Protein folding", title="On protein-folding")
    assert phrase("protein folding", abstract="We study protein  foldings.")
    assert phrase("protein folding", keywords=("Protein Folding",))
    assert not phrase("protein folding", abstract="Protein. Folding.", keywords=("protein", "folding"))
    assert not phrase("art", title="Part of the start")
    assert phrase("c++", title="Fast C++ code")
    assert not phrase("c", title="Music theory")


def test_a_phrase_in_the_title_weighs_more_than_in_the_text():
    found = OwnWords([PaperText(1, "About", "folding"), PaperText(2, "Folding"), PaperText(3, "Else")]).phrase(
        "folding"
    )
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
    words = OwnWords([PaperText(1, body, body, authors=(body, text))])
    words.phrase(text)
    words.author(text)


@given(
    st.text(st.characters(categories=["L"]), min_size=1, max_size=20), st.sampled_from(["{}", "the {} of it", "({})"])
)
def test_a_word_is_found_wherever_it_stands_by_itself(word, sentence):
    assert phrase(word, abstract=sentence.format(word))


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
    words = OwnWords([PaperText(1, "Protein folding", authors=("Ana Unal",))])
    for _ in range(1000):
        words.phrase("protein folding")
        words.author("Ana Unal")
    assert (words.phrase.cache_info().misses, words.author.cache_info().misses) == (1, 1)
    assert words.phrase.cache_info().maxsize == words.author.cache_info().maxsize == KEPT_WORDS
