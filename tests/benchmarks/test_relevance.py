import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from benchmarks.relevance.__main__ import main
from benchmarks.relevance.data import HALVES, citeulike, csfcube, keywords, number
from benchmarks.relevance.figures import average_precision, compare, interval, ndcg, r_precision, recall
from benchmarks.relevance.spellings import plain, short_forms

FIELDS = ("quantum qubit circuit decoder threshold", "speech audio speaker dialect prosody")
COLD = [n for n in range(40) if number(n) % 5 == 0]


def text(field, n):
    words = FIELDS[field].split()
    return " ".join([words[n % 5], words[(n + 1) % 5], words[(n + 2) % 5], "model"])


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def data(tmp_path):
    """Two fields of twenty papers each; the keywords, grades and libraries of a paper are those of its field."""
    docs = [{"id": str(n), "title": text(n // 20, n), "abstract": text(n // 20, n + 1)} for n in range(40)]
    write(tmp_path / "csfcube/docs.jsonl.gz", map(json.dumps, docs))
    queries = [{"qid": f"{n}-method", "paper_id": str(n), "facet": "method"} for n in (1, 22)]
    (tmp_path / "csfcube/queries.json").write_text(json.dumps(queries))
    judged = [(q["qid"], n, 3 * (n // 20 == int(q["paper_id"]) // 20)) for q in queries for n in range(10, 30)]
    (tmp_path / "csfcube/qrels.tsv").write_text("".join("\t".join(map(str, line)) + "\n" for line in judged))
    borne = [["Quantum codes", "qubit"], ["speech", "Dialects", "llm"]]
    papers = [
        {"id": doc["id"], "title": doc["title"], "summary": doc["abstract"], "ai_keywords": borne[n // 20]}
        for n, doc in enumerate(docs)
    ]
    write(
        tmp_path / "hf_daily_papers.jsonl.gz",
        [json.dumps({"response": [{"paper": p} for p in (*papers, {"id": "x", "title": "", "summary": ""})]})],
    )
    libraries = [range(20), range(20, 40), [1, 2, 3], [21, 22, 23], *([n, n + 10] for n in range(30))]
    write(tmp_path / "citeulike-t/users.dat.gz", [" ".join(map(str, [len(own), *own])) for own in libraries])
    bags = [{5 * (n // 20) + k % 5: 1 + n % 2 for k in range(n, n + 3)} for n in range(40)]
    write(
        tmp_path / "citeulike-t/mult.dat.gz",
        [f"{len(bag)} " + " ".join(f"{word}:{times}" for word, times in bag.items()) for bag in bags],
    )
    write(tmp_path / "citeulike-t/vocabulary.dat.gz", map(str, range(10)))
    return tmp_path


def test_figures_are_as_counted_by_hand():
    scores, relevant = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    assert ndcg(scores, np.array([3, 0, 1, 0])) == pytest.approx((3 + 1 / 2) / (3 + 1 / np.log2(3)))
    assert average_precision(scores, relevant) == pytest.approx((1 + 2 / 3) / 2)
    assert r_precision(scores, relevant) == 0.5
    assert recall(scores, [0, 2], 2) == 0.5
    nothing = np.zeros(4, dtype=bool)
    assert ndcg(scores, nothing) == average_precision(scores, nothing) == r_precision(scores, nothing) == 0


def test_equal_scores_keep_their_order():
    assert r_precision(np.zeros(3), np.array([True, False, False])) == 1
    assert r_precision(np.zeros(3), np.array([False, False, True])) == 0


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30).filter(any), st.randoms())
def test_figures_are_those_of_scikit_learn(grades, rng):
    scores = np.array(rng.sample(range(100), len(grades)), dtype=float)
    gains = np.array(grades)
    assert ndcg(scores, gains) == pytest.approx(ndcg_score([gains], [scores], k=10))
    assert average_precision(scores, gains >= 1) == pytest.approx(average_precision_score(gains >= 1, scores))


def test_intervals_are_repeatable_and_hold_the_mean():
    differences = np.array([0.1, -0.1, 0.3, 0.2])
    low, high = interval(differences, 700, 1)
    assert (low, high) == interval(differences, 700, 1)
    assert low < differences.mean() < high
    assert interval(np.full(4, 0.2), 50, 3) == pytest.approx((0.2, 0.2))


def test_a_verdict_needs_an_interval_on_one_side_of_zero():
    better, mixed = {"f": {"a": 0.5, "b": 0.7}}, {"f": {"a": 0.5, "b": 0.1}}
    worse = {"f": {"b": 0.2, "a": 0.1}}
    assert [line.verdict for line in compare(better, worse, 100, 1)] == ["gain"]
    assert [line.verdict for line in compare(worse, better, 100, 1)] == ["loss"]
    assert [line.verdict for line in compare(mixed, worse, 100, 1)] == ["no evidence"]
    assert compare(better, worse, 100, 1)[0].difference == pytest.approx(0.45)


def test_spellings_of_a_keyword_come_from_the_keywords_alone():
    said = ["Diffusion Models (LDMs)"] * 3 + ["model context protocol (MCP)"] * 2
    assert short_forms(said) == {"ldm": "diffusion model"}
    assert plain("Chain-of-Thoughts (CoT)") == "chain of thought"


def test_every_unit_has_one_half_and_cold_articles_are_in_nobodys_library(data):
    papers, queries = csfcube(data)
    assert {query.half for query in queries} == {*HALVES}
    assert all(query.paper not in query.pool for query in queries)
    papers, topics = keywords(data)
    assert len(papers) == 40, "papers without keywords are left out"
    assert not any(paper.keywords for paper in papers)
    assert {t.unit: int(t.bears.sum()) for t in topics} == dict.fromkeys(
        ["dialects", "llm", "quantum codes", "qubit", "speech"], 20
    )
    assert all(topic.half == HALVES[number(topic.unit) % 2] for topic in topics)
    counts, cold, readers = citeulike(data)
    assert (counts.shape, cold.shape) == ((40, 10), (len(COLD), 10))
    for reader in readers:
        assert not {*reader.warm} & {*COLD}
        assert reader.cold
        assert {COLD[at] for at in reader.cold} <= {*range(40)}


def test_the_command_prints_both_halves_beside_both_baselines(data, capsys):
    assert main(["--data", str(data), "--half", "both", "--resamples", "50"]) in (0, 1)
    printed = capsys.readouterr().out
    for words in ("The tuning half", "The held-out half", "TF-IDF alone", "BM25", "recall@100", "by TF-IDF alone;"):
        assert words in printed


def test_the_command_prints_what_was_tried(data, capsys):
    assert main(["--data", str(data), "--tried", "--resamples", "20"]) == 0
    assert "tastes in turn" in capsys.readouterr().out


def test_a_loss_ends_with_1(data, monkeypatch, capsys):
    monkeypatch.setattr("digest.relevance.Reading.relevance", lambda self, topic: -np.arange(len(self.papers)))
    assert main(["--data", str(data), "--half", "both", "--resamples", "50"]) == 1
    assert "Below TF-IDF alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    "broken", [None, "hf_daily_papers.jsonl.gz", "csfcube/queries.json", "citeulike-t/mult.dat.gz"]
)
def test_data_that_cannot_be_read_are_named_and_end_with_2(data, broken, capsys):
    if broken:
        (data / broken).write_text("not this")
    assert main(["--data", str(data if broken else data / "nowhere")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_data_without_a_query_of_the_half_end_with_2(data, capsys):
    (data / "csfcube/queries.json").write_text("[]")
    assert main(["--data", str(data)]) == 2
    assert "no query of the held-out half" in capsys.readouterr().err
