from hypothesis import given
from hypothesis import strategies as st

from digest.relevance import Match
from digest.selection import Candidate, pick

CANDIDATES = [Candidate(paper, paper, 10 - paper / 10) for paper in range(1, 21)]
AUTHOR, PHRASE = ("author", "Ana Unal"), ("phrase", "folding")


def found(*papers, topic=0):
    return {paper: Match(topic, "x", 1.0) for paper in papers}


def papers(picks):
    return [p.paper for p in picks]


def test_interests_of_every_kind_take_turns():
    matches = {AUTHOR: found(20), PHRASE: found(18, 19), 7: found(*range(1, 18), topic=7)}
    assert papers(pick(CANDIDATES, matches, [AUTHOR, PHRASE, 7], limit=5)) == [1, 2, 18, 19, 20]


def test_a_muted_paper_comes_only_for_an_interest_that_matches_it():
    assert papers(pick(CANDIDATES, {}, [], muted={1, 3}, limit=3)) == [2, 4, 5]
    assert papers(pick(CANDIDATES, {7: found(3, topic=7)}, [7], muted={1, 3}, limit=3)) == [2, 3, 4]


@given(
    st.dictionaries(st.sampled_from([AUTHOR, PHRASE, 7]), st.sets(st.integers(1, 20)), max_size=3),
    st.sets(st.integers(1, 20)),
    st.sets(st.integers(1, 20)),
    st.integers(1, 20),
    st.booleans(),
)
def test_no_pick_was_sent_before_and_each_is_wanted_or_at_least_not_muted(wanted, sent, muted, limit, only):
    matches = {key: found(*own) for key, own in wanted.items()}
    picks = pick(CANDIDATES, matches, matches, sent=sent, muted=muted, limit=limit, only_topics=only)
    matched = {paper for own in wanted.values() for paper in own}
    assert len(picks) <= limit
    assert not sent & set(papers(picks))
    assert not (muted - matched) & set(papers(picks))
    if matches and only:
        assert set(papers(picks)) <= matched
