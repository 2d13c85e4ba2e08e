from hypothesis import given
from hypothesis import strategies as st

from digest.relevance import Match, PaperText, TopicTerms, match, match_all
from digest.selection import Candidate, pick

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


@st.composite
def days(draw):
    papers = draw(st.lists(st.integers(1, 60), unique=True, max_size=40))
    candidates = [Candidate(p, place, draw(st.floats(0, 20))) for place, p in enumerate(papers, start=1)]
    matches = {
        topic: {p: Match(topic, "t", draw(st.floats(0.5, 4))) for p in papers if draw(st.booleans())}
        for topic in range(4)
    }
    return candidates, matches


@given(days(), st.lists(st.integers(0, 6)), st.sets(st.integers(1, 60)), st.integers(1, 20), st.booleans())
def test_picks_are_few_enough_new_ranked_and_explained(day, topics, sent, limit, only):
    candidates, matches = day
    picks = pick(candidates, matches, topics, sent=sent, limit=limit, only_topics=only)
    assert len(picks) <= limit
    assert len({p.paper for p in picks}) == len(picks)
    assert not sent & {p.paper for p in picks}
    assert [p.place for p in picks] == sorted(p.place for p in picks)
    if topics and only:
        assert all(p.reasons for p in picks)
    for p in picks:
        assert {m.topic for m in p.reasons} == {t for t in topics if p.paper in matches.get(t, {})}
    assert picks == pick(candidates, matches, topics, sent=sent, limit=limit, only_topics=only)


def test_a_loud_topic_cannot_drown_a_quiet_one():
    candidates = [Candidate(p, p, 10 - p / 10) for p in range(1, 21)]
    matches = {1: {p: Match(1, "loud", 4) for p in range(1, 20)}, 2: {20: Match(2, "quiet", 1)}}
    assert 20 in [p.paper for p in pick(candidates, matches, [1, 2], limit=5)]


def test_too_few_matches_are_filled_from_the_top_unless_unwanted():
    candidates = [Candidate(p, p) for p in range(1, 9)]
    matches = match_all([PaperText(5, "A robot")], [ROBOTS])
    filled = pick(candidates, matches, [1])
    assert [(p.paper, bool(p.reasons)) for p in filled] == [(1, False), (2, False), (5, True)]
    assert [p.paper for p in pick(candidates, matches, [1], only_topics=True)] == [5]
    assert pick(candidates, {}, [1], only_topics=True) == []
