from types import SimpleNamespace

import pytest

from benchmarks.digests.truth import bare, falsehood, loose_terms, may_be
from digest.sources import huggingface
from tests.benchmarks.commands import run


def test_some_days_end_without_a_repeat_an_empty_digest_or_a_false_reason(made, recorded, monkeypatch):
    monkeypatch.setattr(huggingface, "SECONDS_BETWEEN_REQUESTS", 0.0)  # as the benchmark does; it ends with the test
    found = run("digests", "--data", recorded, "--readers", 20, "--days", 3, "--earlier", 5)
    assert found.returncode == 0, found.stdout + found.stderr
    told = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in found.stdout.splitlines() if "│" in line}
    assert int(told["digests"]) > 20
    assert told["papers a reader got twice, by works"] == told["digests without a paper"] == "0"
    assert told["reasons that are not true"] == "0"
    assert told["promises that were broken: limits, mutes, nothing but matches"] == "0"
    assert told["first 10 of the day that a reader without topics got"] == "100.0%"


PAPER = SimpleNamespace(
    title="Steering LLMs: a study of vision-language policies",
    abstract="We train <b>diffusion</b> models. Their agents plan.",
    blurb="",
    keywords=["Tool use"],
    categories=["cs.LG", "math.IT"],
    authors=["Zoë Ünal", "J. Q. Public"],
)
TOPIC = SimpleNamespace(name="Language models", terms=["large language model"], description="", categories=["cs.IT"])
WANTED = [("topic", 1), ("phrase", "Large Language Model"), ("phrase", "robots"), ("author", "Zoe Unal")]


def topical(**said):
    return {"topic": 1, "terms": [], "category": "", **said}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"phrase": "Large Language Model"}, ""),
        ({"phrase": "robots"}, "does not name"),
        ({"phrase": "tool use"}, "never asked for"),
        ({"author": "Zoe Unal"}, ""),
        ({"author": "J. Public"}, "does not follow"),
        ({"like": 7, "terms": ["vision language policy"]}, ""),
        ({"like": 7, "terms": ["robots"]}, "does not name"),
        ({"like": 8, "terms": []}, "never liked"),
        (topical(terms=["LLMs"]), ""),
        (topical(category="cs.IT"), ""),
        (topical(terms=["agents"]), "no word of the topic"),
        (topical(terms=["speech"]), "does not name"),
        (topical(category="cs.LG"), "is not of both"),
        (topical(), "says nothing"),
        ({**topical(terms=["LLMs"]), "topic": 2}, "did not choose"),
    ],
)
def test_a_reason_that_is_not_true_is_found(reason, words):
    said = falsehood(reason, PAPER, WANTED, {1: TOPIC}, {7})
    assert (words in said) if words else (said == "")


def test_a_term_that_only_touches_its_topic_is_called_loose():
    assert loose_terms(topical(terms=["MLLMs", "LLMs", "diffusion models"]), {1: TOPIC}) == ["diffusion models"]


@pytest.mark.parametrize(
    ("one", "many"),
    [("patch", "patches"), ("cache", "caches"), ("VAE", "VAEs"), ("policy", "policies"), ("use", "uses")],
)
def test_a_word_and_its_plural_are_the_same(one, many):
    assert bare(one) == bare(many)


@pytest.mark.parametrize(
    ("name", "same"), [("J. Public", True), ("Jane Q. Public", True), ("Q. Public", False), ("Jane Republic", False)]
)
def test_an_initial_stands_for_a_first_name(name, same):
    assert may_be("Jane Public", name) == same
