"""A row of equal refusals is about us, however it is cut into rounds and runs, and no shorter one is."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.hand_over import Outcome
from digest.delivery.refusals import EqualRefusals
from digest.models import Digest

NEEDED = 5
YES = Outcome("accepted")


def no(answer="a", needed=NEEDED):
    return Outcome("rejected", "refused (550)", answer=answer, equal_at=needed)


def digest(number):
    return Digest(pk=number, subscriber_id=1000 + number)


def states_after(rounds, threads=1):
    """What becomes of digests 1, 2, ... : ``rounds`` are lists of outcomes, None begins a new run."""
    kept: dict = {}
    states: dict = {}
    number = 0
    row = EqualRefusals(lambda: kept, threads)
    place = 0
    for outcomes in rounds:
        if outcomes is None:
            kept, place = row.row() if row.changed or row.known else kept, 0
            row = EqualRefusals(lambda left=kept: left, threads)
            continue
        pairs, places = [], {}
        for outcome in outcomes:
            number, place = number + 1, place + 1
            pairs.append((digest(number), outcome))
            places[number] = place
        if any(outcome.equal_at for outcome in outcomes):
            row.learn()
        judged, back = row.judge(pairs, places)
        states |= {one.pk: outcome.state for one, outcome in judged}
        assert all(states[pk] == "rejected" for pk in back)
        states |= dict.fromkeys(back, "planned")
    return [states[n] for n in sorted(states)]


@given(
    answers=st.lists(st.sampled_from("yyab"), max_size=60),
    cuts=st.lists(st.integers(1, 9), max_size=60),
    runs=st.sets(st.integers(0, 30)),
)
def test_rows_of_five_are_ours_and_no_others_however_they_are_cut(answers, cuts, runs):
    outcomes = [YES if said == "y" else no(said) for said in answers]
    expected = []
    for said, alike in groupby(answers):
        length = len(list(alike))
        state = "accepted" if said == "y" else "planned" if length >= NEEDED else "rejected"
        expected += [state] * length
    rounds, at = [], 0
    for number, size in enumerate([*cuts, len(outcomes)]):
        rounds.append(outcomes[at : at + size])
        at += size
        if number in runs:
            rounds.append(None)
    assert states_after(rounds) == expected


def test_one_reader_who_is_refused_again_and_again_is_one():
    row = EqualRefusals(dict, 1)
    row.learn()
    for place in range(1, 20):
        judged, back = row.judge([(Digest(pk=place, subscriber_id=7), no())], {place: place})
        assert [outcome.state for _, outcome in judged] == ["rejected"]
        assert not back


def test_a_row_waits_for_what_was_handed_over_before_its_end():
    """A yes takes longer than a refusal: of many threads the refusals are heard first."""
    row = EqualRefusals(dict, 8)
    row.learn()
    places = {number: number for number in range(1, 13)}
    refused = [(digest(number), no()) for number in range(1, 12, 2)]
    judged, _ = row.judge(refused, places)
    assert {outcome.state for _, outcome in judged} == {"rejected"}
    judged, back = row.judge([(digest(number), YES) for number in range(2, 13, 2)], places)
    assert ({outcome.state for _, outcome in judged}, back) == ({"accepted"}, set())


def test_what_was_on_the_wire_when_the_limit_was_reached_belongs_to_the_row():
    row = EqualRefusals(dict, 4)
    row.learn()
    places = {number: number for number in range(1, 20)}
    row.judge([(digest(number), YES) for number in range(1, 9)], places)
    row.judge([(digest(10), no()), (digest(9), no())], places)
    row.judge([(digest(11), YES)], places)  # the fortieth, which overtook two others
    judged, back = row.judge([(digest(number), no()) for number in range(12, 17)], places)
    assert {outcome.state for _, outcome in judged} == {"planned"}
    assert back == {9, 10}


def test_a_hanging_connection_keeps_no_row_open_for_long():
    row = EqualRefusals(dict, 2)
    row.learn()
    places = {number: number for number in range(1, 100)}  # the first one hangs
    for number in range(2, 4 * NEEDED + 1):
        judged, _ = row.judge([(digest(number), no())], places)
        assert judged[0][1].state == "rejected"
    judged, back = row.judge([(digest(4 * NEEDED + 1), no())], places)
    assert judged[0][1].state == "planned"
    assert len(back) == 4 * NEEDED - 1
