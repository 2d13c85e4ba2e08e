from datetime import timedelta

import pytest

from digest import planning
from digest.models import Digest, Paper
from digest.relevance import Reading
from subscriptions.models import Interest
from tests.conftest import NOW, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
Kind = Interest.Kind


def reader_with(name="a", *topics, phrases=(), authors=(), muted_topics=(), muted_words=(), **fields):
    reader = make_reader(name, *topics, **fields)
    texts = ((Kind.PHRASE, phrases), (Kind.AUTHOR, authors), (Kind.MUTED_WORD, muted_words))
    for kind, own in texts:
        for text in own:
            Interest.objects.create(subscriber=reader, kind=kind, text=text)
    for topic in muted_topics:
        Interest.objects.create(subscriber=reader, kind=Kind.MUTED_TOPIC, topic=topic)
    return reader


def picked(reader):
    """{title: why} of the reader's digest, planned now."""
    planning.plan_due(NOW)
    digest = Digest.objects.get(subscriber=reader)
    titles = dict(Paper.objects.values_list("pk", "title"))
    return {titles[p["paper"]]: p["why"] for p in digest.picks}


@pytest.fixture
def day(robotics, speech):
    papers = [
        make_paper(1, "A robot arm", authors=["Bo Sample"]),
        make_paper(2, "Protein folding by hand", authors=["Ünal, A."], categories=["q-bio.BM"]),
        make_paper(3, "Speech recognition for robots", authors=["Cy Else"], categories=["eess.AS"]),
        make_paper(4, "Graph theory", authors=["Ana Unal"], categories=["math.CO"]),
        make_paper(5, "Quantum gravity", authors=["Di Other"], categories=["gr-qc"], keywords=["string theory"]),
    ]
    make_edition(papers)
    return papers


def test_an_own_phrase_brings_its_papers_with_the_phrase_as_reason(day):
    reader = reader_with(phrases=["protein folding"], only_my_topics=True)
    assert picked(reader) == {"Protein folding by hand": [{"phrase": "protein folding"}]}


def test_a_followed_author_brings_the_papers_under_every_spelling(day):
    reader = reader_with(authors=["Ana Ünal"], only_my_topics=True)
    why = [{"author": "Ana Ünal"}]
    assert picked(reader) == {"Protein folding by hand": why, "Graph theory": why}


def test_only_my_topics_means_any_wanted_interest(day, robotics):
    reader = reader_with("a", robotics, phrases=["graph theory"], only_my_topics=True)
    assert list(picked(reader)) == ["A robot arm", "Speech recognition for robots", "Graph theory"]


def test_all_reasons_are_kept_the_strongest_first(day, robotics):
    reader = reader_with("a", robotics, phrases=["robot arm"], authors=["Bo Sample"], only_my_topics=True)
    assert picked(reader)["A robot arm"] == [
        {"author": "Bo Sample"},
        {"topic": robotics.pk, "terms": ["robot"], "category": "cs.RO"},
        {"phrase": "robot arm"},
    ]


def test_a_reader_with_a_phrase_and_no_topic_is_not_a_reader_of_everything(day):
    reader = reader_with(phrases=["graph theory"])
    assert len(picked(reader)) == 3, "filled up like one whose topic has few papers, not with the whole ranking"


def test_a_phrase_without_a_paper_is_no_mail_for_who_wants_nothing_else(day):
    reader = reader_with(phrases=["basket weaving"], only_my_topics=True)
    assert picked(reader) == {}
    assert Digest.objects.get().reason == "no match in your topics"


def test_muted_words_drop_papers_also_wanted_ones(day, robotics):
    reader = reader_with("a", robotics, muted_words=["speech recognition", "string theory", "rob"])
    assert list(picked(reader)) == ["A robot arm", "Protein folding by hand", "Graph theory"]


def test_a_reader_with_mutes_only_gets_the_ranking_without_the_muted(day, robotics):
    reader = reader_with(muted_topics=[robotics], muted_words=["gravity"], only_my_topics=True)
    assert picked(reader) == {"Protein folding by hand": [], "Graph theory": []}


def test_a_muted_topic_spares_what_another_interest_matches(day, robotics, speech):
    reader = reader_with("a", speech, muted_topics=[robotics])
    assert list(picked(reader)) == ["Protein folding by hand", "Speech recognition for robots", "Graph theory"]


def test_when_all_is_muted_it_says_that_nothing_is_new(day):
    reader = reader_with(muted_words=["robot", "folding", "robots", "theory", "gravity", "speech"])
    assert picked(reader) == {}
    assert Digest.objects.get().reason == "no new papers"


def test_a_narrow_interest_has_its_turn_before_many_broad_ones(day, robotics, speech):
    reader = reader_with("a", robotics, speech, authors=["Di Other"], paper_limit=1)
    assert list(picked(reader)) == ["Quantum gravity"]


def test_queries_and_lookups_do_not_grow_with_readers_of_the_same_phrase(
    day, monkeypatch, django_assert_max_num_queries
):
    looked_up = []

    def counting(really):
        def counted(self, text):
            looked_up.append(text)
            return really(self, text)

        return counted

    for name in ("_phrase", "_names"):
        monkeypatch.setattr(Reading, name, counting(getattr(Reading, name)))
    for n in range(60):
        reader_with(f"r{n}", phrases=["protein folding"], authors=["Ana Unal"], muted_words=["gravity"])
    with django_assert_max_num_queries(25):
        planning.plan_due(NOW)
    assert Digest.objects.filter(state="planned").count() == 60
    assert sorted(looked_up) == ["gravity", "protein folding"]


def test_todays_asked_for_by_hand_knows_the_interests_too(day):
    reader = reader_with(phrases=["graph theory"], only_my_topics=True, due=NOW + timedelta(hours=5))
    assert [p["why"] for p in planning.plan_one(reader, NOW).picks] == [[{"phrase": "graph theory"}]]


@pytest.mark.parametrize("poison", ["((((", "c++", ".*", "x" * 80, "蛋白质折叠", "\\"])
def test_a_poisonous_phrase_costs_nobody_a_digest(day, poison):
    reader = reader_with(phrases=[poison], authors=[poison], muted_words=[poison])
    other = make_reader("other")
    assert len(picked(reader)) == 3
    assert Digest.objects.get(subscriber=other).state == "planned"
