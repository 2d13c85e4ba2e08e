from argparse import Namespace

import numpy as np
import pytest

from benchmarks.storage.__main__ import main
from benchmarks.storage.drawing import POPULAR, UNIFORM, Crowd, by_candidate
from benchmarks.storage.measured import measure
from digest.models import Digest
from subscriptions.models import Subscriber


@pytest.mark.parametrize("model", [UNIFORM, POPULAR])
def test_each_reader_is_sent_so_many_different_candidates(model):
    picks = Crowd(300, seed=1).day(model, candidates=20, papers=7)
    assert picks.shape == (300, 7)
    assert all(len(set(line)) == 7 and set(line) <= set(range(20)) for line in picks.tolist())


def test_popular_candidates_are_sent_to_more_readers_and_those_of_own_topics_too():
    crowd = Crowd(3000, seed=1)
    even, popular = (np.bincount(crowd.day(m, 50, 5).ravel(), minlength=50) for m in (UNIFORM, POPULAR))
    assert even.max() < 2 * even.min()
    assert popular[:5].sum() > 2 * even[:5].sum()
    assert (np.sort(crowd.likes, axis=1)[:, -4:] > 1).sum(axis=1).tolist() == [3] * 3000


def test_a_day_by_candidate_holds_the_same_facts_with_ascending_readers():
    picks = Crowd(40, seed=1).day(POPULAR, candidates=30, papers=3)
    turned = {candidate: readers.tolist() for candidate, readers in by_candidate(picks, 30)}
    assert all(readers == sorted(set(readers)) for readers in turned.values())
    assert {(r, c) for c, readers in turned.items() for r in readers} == {
        (reader, candidate) for reader, line in enumerate(picks.tolist()) for candidate in line
    }


def test_more_papers_than_candidates_are_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--papers", "5", "--candidates", "4"])
    assert ended.value.code == 2
    assert "5 papers cannot be drawn from 4 candidates" in capsys.readouterr().err


@pytest.mark.django_db
def test_a_small_run_gives_every_figure():
    seen: list[str] = []
    sizes = {"readers": 60, "candidates": 12, "papers": 4, "chunk": 25, "days": 10, "seed": 1}
    found = dict(measure(Namespace(**sizes), step=seen.append))
    for what in ("  bitmaps, uniform", "  rows of Sent, popular", "Digest.picks, octets per reader and day"):
        assert float(found[what].replace(",", "")) > 0, what
    planned = [what for what in found if what.startswith("planning")]
    assert planned[0] == "planning, daily: 12 candidates, 0 with a bitmap", "none of today's was sent on a closed day"
    assert planned[1].startswith("planning, weekly: 96 candidates"), "eight days"
    assert any("digests, seconds" in what for what in found)
    assert any("erasing a reader" in what for what in found)
    assert len(set(seen)) == len(seen)
    assert not Digest.objects.filter(folded=False).exists()
    assert not Subscriber.objects.filter(pk=1).exists()
