import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from digest.selection import ENOUGH, Candidate, Slate, Wish, choose

TREND = {paper: 10 - paper / 10 for paper in range(1, 21)}


def slate_of(papers=range(1, 21)):
    return Slate([Candidate(paper, place, TREND.get(paper, 0.0)) for place, paper in enumerate(papers, start=1)])


def found(slate, *papers, score=1.0):
    return slate.queue(dict.fromkeys(papers, score))


def chosen(slate, wish):
    """The papers that one reader gets."""
    return [slate.candidates[number].paper for number in choose(slate, [wish])[0]]


def numbers(slate, papers):
    return tuple(slate.number[paper] for paper in papers)


def by_hand(slate, wish):
    """The same, told step by step and for one reader: interests take turns, then popular papers fill up."""
    fresh = [at for at in range(len(slate)) if at not in wish.barred]
    queues = [[at for at in queue.order.tolist() if at in fresh] for queue in wish.queues]
    order = []
    for round_ in range(len(slate)):
        order += [queue[round_] for queue in queues if round_ < len(queue)]
    matched = list(dict.fromkeys(order))
    popular = [at for at in fresh if at not in wish.muted and at not in matched]
    if wish.queues and wish.only_topics:
        popular = []
    matched, popular = once_first(slate, matched, popular)
    most = wish.limit if wish.everything or not wish.queues else max(len(matched), ENOUGH)
    return sorted((matched + popular)[: min(most, wish.limit)])


def once_first(slate, *parts):
    """Of each part those first that tell what nobody told before in any part."""
    told, ordered = set(), []
    for part in parts:
        first = []
        for at in part:
            if slate.groups[at] not in told:
                told.add(slate.groups[at])
                first.append(at)
        ordered.append(first + [at for at in part if at not in first])
    return ordered


def grouped_slate():
    """Twenty papers, among which three and two tell nearly the same."""
    slate = slate_of()
    slate.group(near_alike([0, 4, 11], [2, 3], *([at] for at in range(20) if at not in {0, 2, 3, 4, 11})))
    return slate


@st.composite
def wishes(draw):
    slate = slate_of()
    papers = st.sets(st.sampled_from(range(1, 21)), max_size=20)
    queues = [
        slate.queue({paper: draw(st.sampled_from([0.5, 1.0, 2.0])) for paper in draw(papers)})
        for _ in range(draw(st.integers(0, 4)))
    ]
    return Wish(
        queues,
        draw(st.integers(1, 20)),
        draw(st.booleans()),
        tuple(draw(st.sets(st.integers(0, 19)))),
        tuple(draw(st.sets(st.integers(0, 19)))),
        draw(st.booleans()),
    )


@given(st.lists(wishes(), min_size=1, max_size=5))
def test_many_readers_at_once_get_what_each_would_get_by_hand(asked):
    for slate in (slate_of(), grouped_slate()):
        assert choose(slate, asked) == [by_hand(slate, wish) for wish in asked]


@given(st.lists(wishes(), min_size=1, max_size=5))
def test_no_pick_was_barred_and_nobody_gets_more_than_the_limit(asked):
    for wish, picks in zip(asked, choose(slate_of(), asked), strict=True):
        assert len(picks) == len(set(picks)) <= wish.limit
        assert not set(picks) & set(wish.barred)
        wanted = {at for queue in wish.queues for at in queue.order.tolist()}
        assert not set(picks) & set(wish.muted) - wanted
        if wish.queues and wish.only_topics:
            assert set(picks) <= wanted


def test_interests_of_every_kind_take_turns_and_a_loud_one_drowns_nobody():
    slate = slate_of()
    queues = [found(slate, 20), found(slate, 18, 19), found(slate, *range(1, 18), score=100.0)]
    assert chosen(slate, Wish(queues, limit=5)) == [1, 2, 18, 19, 20]
    assert chosen(slate, Wish(queues, limit=3)) == [1, 18, 20], "each has one before any has two"


def test_too_few_matches_are_filled_from_the_top_unless_unwanted():
    slate = slate_of(range(1, 9))
    assert chosen(slate, Wish([found(slate, 5)])) == [1, 2, 5]
    assert chosen(slate, Wish([found(slate, 5)], only_topics=True)) == [5]
    assert chosen(slate, Wish([found(slate)], only_topics=True)) == []
    assert chosen(slate, Wish([], only_topics=True)) == [1, 2, 3, 4, 5, 6, 7, 8], "who wants nothing gets the ranking"


def test_what_is_left_out_makes_room_for_the_next_of_the_same_interest():
    slate = slate_of()
    queues = [found(slate, 1, 2, 3), found(slate, 11, 12, 13)]
    assert chosen(slate, Wish(queues, 2, barred=numbers(slate, [1, 2]))) == [3, 11]


def test_a_muted_paper_comes_only_for_an_interest_that_matches_it():
    slate = slate_of()
    assert chosen(slate, Wish([], 3, muted=numbers(slate, [1, 3]))) == [2, 4, 5]
    assert chosen(slate, Wish([found(slate, 3)], 3, muted=numbers(slate, [1, 3]))) == [2, 3, 4]


def test_relevance_and_trend_are_multiplied():
    slate = Slate([Candidate(1, 1, trend=3.0), Candidate(2, 2, trend=0.0)])
    assert chosen(slate, Wish([slate.queue({1: 1.0, 2: 3.9})], 1)) == [1]
    assert chosen(slate, Wish([slate.queue({1: 1.0, 2: 4.1})], 1)) == [2]


def test_a_pinned_paper_is_first_in_every_interest_that_finds_it_and_in_no_other():
    slate = Slate([Candidate(1, 1, 0.1, pinned=True), Candidate(2, 2, 9.0), Candidate(3, 3, 9.0)])
    assert chosen(slate, Wish([found(slate, 1, 2, 3)], 1)) == [1]
    assert chosen(slate, Wish([found(slate, 2, 3)], 1, only_topics=True)) == [2]


def test_equal_scores_fall_back_to_the_ranking_whatever_order_they_came_in():
    slate = Slate([Candidate(paper, paper) for paper in (3, 1, 2)])
    matches = dict.fromkeys((2, 3, 1), 1.0)
    assert chosen(slate, Wish([slate.queue(matches)], 2)) == [1, 2]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_score_that_is_no_number_or_nothing_is_no_match(score):
    slate = slate_of()
    assert chosen(slate, Wish([found(slate, 7, score=score)], only_topics=True)) == []


def near_alike(*groups):
    """Vectors of papers: those of one group point nearly the same way."""
    rows = np.zeros((sum(map(len, groups)), len(groups) + sum(map(len, groups))))
    for axis, group in enumerate(groups):
        for at in group:
            rows[at, axis] = 1.0
            rows[at, len(groups) + at] = 0.3
    return csr_matrix(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_of_papers_that_tell_nearly_the_same_the_second_comes_last():
    slate = slate_of(range(1, 7))
    slate.group(near_alike([0, 1, 2], [3], [4], [5]))
    own = found(slate, *range(1, 7))
    assert chosen(slate, Wish([own], 4)) == [1, 4, 5, 6], "one of 1, 2 and 3"
    assert chosen(slate, Wish([own], 5)) == [1, 2, 4, 5, 6], "and more of them where there is room"
    assert chosen(slate, Wish([], 4)) == [1, 4, 5, 6], "popular ones likewise"


def test_a_group_that_is_larger_than_the_digest_gives_one_to_a_reader_whoever_else_is_planned():
    slate = slate_of(range(1, 41))
    slate.group(near_alike(list(range(20)), *([at] for at in range(20, 40))))
    own, other = Wish([found(slate, *range(1, 41))], 3), Wish([], 25)
    assert choose(slate, [own]) == choose(slate, [own, other])[:1] == [[0, 20, 21]]


def test_what_was_learned_comes_first_for_who_chose_nothing_and_the_ranking_fills_up():
    slate = slate_of()
    assert chosen(slate, Wish([found(slate, 20)], 5, everything=True)) == [1, 2, 3, 4, 20]


def test_a_reader_who_wants_less_of_something_gets_it_last_in_the_queue():
    slate = slate_of(range(1, 5))
    queue = slate.reordered(found(slate, 1, 2, 3, 4), np.array([0.1, 1.0, 1.0, 1.0]))
    assert chosen(slate, Wish([queue], 3)) == [2, 3, 4]


def test_an_empty_day_a_day_of_one_and_a_day_of_five_thousand():
    assert choose(slate_of([]), [Wish([]), Wish([], only_topics=True)]) == [[], []]
    one = slate_of([1])
    assert chosen(one, Wish([found(one, 1)])) == [1]
    many = slate_of(range(1, 5001))
    assert chosen(many, Wish([found(many, 4999), found(many, *range(1, 4000))], 3)) == [1, 2, 4999]


def test_five_hundred_interests_of_one_reader_each_have_a_turn():
    slate = slate_of(range(1, 601))
    wish = Wish([found(slate, paper) for paper in range(500, 0, -1)], limit=20)
    assert chosen(slate, wish) == [*range(481, 501)], "the first twenty turns"


def test_more_readers_than_fit_at_once_are_each_served(monkeypatch):
    monkeypatch.setattr("digest.selection.CELLS", 50)
    slate = slate_of()
    asked = [Wish([found(slate, paper)], 1) for paper in range(1, 21)]
    assert choose(slate, asked) == [[at] for at in range(20)]
