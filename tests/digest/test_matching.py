from hypothesis import given
from hypothesis import strategies as st

from digest.relevance import Model, PaperText, Reading, TopicTerms


def match(paper, topic):
    return Reading([paper], Model.without_words({})).topic(topic).get(paper.id)


ROBOTS = TopicTerms(1, "Robotics", ("cs.RO",), ("robot", "robot arm", "c++"))


def test_terms_match_whole_words_with_plural_and_hyphen():
    def terms(title):
        found = match(PaperText(1, title), ROBOTS)
        return found.terms if found else None

    assert terms("Robots everywhere") == ("Robots",)
    assert terms("A robot-arm study") == ("robot-arm",)
    assert terms("Robotically inclined") is None
    assert terms("Fast C++ code") == ("c++",)


def test_a_category_is_enough_and_the_match_says_why():
    found = match(PaperText(1, "On grasping", categories=("cs.AI", "cs.RO")), ROBOTS)
    assert found.why == "is listed in cs.RO"
    assert match(PaperText(1, "Two robots"), ROBOTS).why == 'names "robots"'


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_no_text_and_no_term_breaks_matching(text, terms):
    match(PaperText(1, text, text), TopicTerms(1, "x", (), tuple(terms)))
