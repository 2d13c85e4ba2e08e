import logging
from datetime import timedelta

import numpy as np
import pytest

from digest import editions, planning, profiles
from digest.models import Digest, Edition, Feedback, Paper, RelevanceModel
from digest.relevance import VERSION, Model
from subscriptions.models import Interest, Topic
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)
FIELDS = {
    "protein": "protein folding with residue contact maps and amino acid sequence alignment",
    "galaxy": "galaxy redshift survey with dark matter halo and stellar mass function",
    "speech": "speech recognition with acoustic encoder and spoken dialogue transcription",
}


@pytest.fixture
def library():
    """Papers of three fields, enough to learn words from."""
    papers: dict[str, list[Paper]] = {name: [] for name in FIELDS}
    for number in range(60):
        name, words = list(FIELDS.items())[number % 3]
        own = words.split()[number // 3 % 7 :]
        title = f"{name.title()} {' '.join(own[:2])}"
        papers[name].append(make_paper(100 + number, title, abstract=f"{words} {' '.join(own)}", categories=[]))
    return papers


def told(reader, paper, verb, minutes=0):
    Feedback.objects.create(subscriber=reader, paper=paper, verb=verb, said_at=NOW - timedelta(minutes=minutes))


def edition_of(papers, **fields):
    return make_edition(papers, relevance_model=profiles.renew(NOW), **fields)


def planned(reader):
    planning.plan_due(NOW)
    return Digest.objects.get(subscriber=reader, day=TODAY).picks


def test_a_model_is_fitted_once_a_day_and_a_draft_is_pinned_to_the_newest(library):
    first = profiles.renew(NOW)
    assert (first.documents, first.version) == (60, VERSION)
    assert profiles.renew(NOW + timedelta(hours=5)) == first
    assert editions.draft(TODAY, NOW).relevance_model == first
    second = profiles.renew(NOW + timedelta(days=1))
    assert second != first
    assert editions.draft(TODAY, NOW + timedelta(days=1)).relevance_model == second


def test_an_approved_edition_keeps_its_model_for_as_long_as_it_may_be_planned_from(library):
    first = profiles.renew(NOW)
    Edition.objects.filter(pk=editions.draft(TODAY, NOW).pk).update(state="approved")
    for days in (1, 5):
        editions.draft(TODAY, NOW + timedelta(days=days))
        profiles.renew(NOW + timedelta(days=days))
    assert Edition.objects.get(day=TODAY).relevance_model == first
    Paper.objects.update(first_seen_at=NOW + timedelta(days=50))
    profiles.renew(NOW + timedelta(days=62))
    assert not RelevanceModel.objects.filter(pk=first.pk).exists()
    assert Edition.objects.get(day=TODAY).relevance_model is None


def test_of_few_papers_nothing_is_learned(db):
    make_paper(1)
    assert profiles.renew(NOW) is None
    assert not RelevanceModel.objects.exists()


def test_a_stored_model_gives_the_vectors_that_it_gave_when_it_was_fitted(library):
    texts = [profiles.paper_text(paper) for paper in Paper.objects.order_by("pk")]
    fitted = Model.fit(texts, profiles.same_words())
    stored = profiles.loaded(profiles.renew(NOW).pk)
    assert list(stored.vocabulary) == list(fitted.vocabulary)
    assert np.array_equal(stored.vectors(texts).toarray(), fitted.vectors(texts).toarray())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": VERSION + 1}, f"of version {VERSION + 1}"),
        ({"vocabulary": b"damaged"}, "damaged"),
        ({"same_words": ["llm"]}, "same words is damaged"),
        ({"idf": np.full(3, np.nan, "<f4").tobytes()}, "damaged"),
        (None, "it is gone"),
    ],
)
def test_without_a_readable_model_interests_are_matched_by_words_and_the_log_says_so(
    library, robotics, caplog, change, said
):
    edition = edition_of([make_paper(1, "A robot arm"), library["protein"][0]])
    rows = RelevanceModel.objects.filter(pk=edition.relevance_model_id)
    if change is None:
        Edition.objects.update(relevance_model=None)
        rows.delete()
        said = "none was fitted"
    else:
        rows.update(**change)
    reader = make_reader("a", robotics, only_my_topics=True)
    with caplog.at_level(logging.ERROR, logger="digest.profiles"):
        picks = planned(reader)
    assert [why["topic"] for pick in picks for why in pick["why"]] == [robotics.pk]
    assert said in caplog.text


def test_what_a_reader_likes_brings_similar_papers_and_the_mail_can_say_which(library):
    proteins, galaxies = library["protein"], library["galaxy"]
    edition_of([*galaxies[:6], *proteins[:6]])
    reader = make_reader("a", paper_limit=5)
    told(reader, proteins[10], "more")
    told(reader, proteins[11], "save")
    picks = planned(reader)
    assert {pick["paper"] for pick in picks} <= {paper.pk for paper in proteins}
    assert {pick["why"][0]["like"] for pick in picks} <= {proteins[10].pk, proteins[11].pk}


def test_one_word_does_not_make_a_digest_of_everything_shorter(library):
    edition_of([*library["galaxy"][:9], *library["protein"][:3]])
    reader = make_reader("a", paper_limit=10)
    told(reader, library["protein"][10], "more")
    picks = planned(reader)
    assert len(picks) == 10
    assert {paper.pk for paper in library["protein"][:3]} <= {pick["paper"] for pick in picks}


def test_what_was_learned_brings_nothing_of_a_muted_topic(library):
    proteins = Topic.objects.create(slug="proteins", name="Proteins", description="Proteins.", terms=["protein"])
    edition_of([*library["galaxy"][:4], *library["protein"][:4]])
    reader = make_reader("a")
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.MUTED_TOPIC, topic=proteins)
    told(reader, library["protein"][10], "more")
    assert not {pick["paper"] for pick in planned(reader)} & {paper.pk for paper in library["protein"]}


def test_readers_who_spoke_of_many_papers_are_read_in_parts(library, monkeypatch):
    monkeypatch.setattr("digest.planning.proposals.AT_ONCE", 2)
    edition_of([*library["galaxy"][:4], *library["protein"][:4]])
    readers = [make_reader(f"r{n}", paper_limit=5) for n in range(4)]
    for n, reader in enumerate(readers):
        told(reader, library["protein"][10 + n], "more")
        told(reader, library["speech"][10 + n], "less")
    planned(readers[0])
    for reader in readers:
        why = [why for pick in Digest.objects.get(subscriber=reader).picks for why in pick["why"]]
        assert {reason["like"] for reason in why} == {library["protein"][10 + readers.index(reader)].pk}


def test_two_things_that_a_reader_likes_take_turns_and_are_never_averaged(library):
    edition_of([*library["speech"][:6], *library["galaxy"][:6], *library["protein"][:6]])
    reader = make_reader("a", paper_limit=5)
    for paper in (*library["galaxy"][10:14], library["protein"][10]):
        told(reader, paper, "more")
    own = {pick["paper"] for pick in planned(reader)}
    shares = {name: len(own & {paper.pk for paper in papers}) for name, papers in library.items()}
    assert shares["galaxy"] > shares["protein"] >= 1
    assert shares["speech"] == 0


def test_what_a_reader_wants_less_of_comes_last_and_is_not_filled_in(library, robotics):
    proteins, galaxies = library["protein"], library["galaxy"]
    edition_of([*proteins[:4], *galaxies[:4]])
    plain, reader = make_reader("plain", paper_limit=5), make_reader("a", robotics)
    told(reader, proteins[10], "less")
    assert {pick["paper"] for pick in planned(reader)} == {paper.pk for paper in galaxies[:3]}
    first = Digest.objects.get(subscriber=plain).picks[0]["paper"]
    assert first == proteins[0].pk, "others get the top of the ranking"


def test_an_opinion_counts_more_than_a_saving_and_nothing_teaches_after_a_new_beginning(library):
    proteins, galaxies = library["protein"], library["galaxy"]
    edition_of([*galaxies[:4], *proteins[:4]])
    reader = make_reader("a")
    told(reader, proteins[10], "save")
    Feedback.objects.update(teaches=False)
    assert planned(reader)[0]["why"] == []


def test_nobody_else_changes_because_a_reader_said_something(library):
    edition_of([*library["galaxy"][:6], *library["protein"][:6]])
    talker, silent = make_reader("talker"), make_reader("silent")
    told(talker, library["protein"][10], "more")
    planned(talker)
    assert all(pick["why"] == [] for pick in Digest.objects.get(subscriber=silent).picks)


def test_the_page_of_what_was_learned_has_the_groups_with_their_words(library):
    reader = make_reader("a")
    profiles.renew(NOW)
    for at in range(3):
        told(reader, library["protein"][at], "more", minutes=at)
        told(reader, library["galaxy"][at], "more", minutes=10 + at)
    told(reader, library["speech"][0], "less")
    groups = profiles.learned_by(reader.pk)
    assert [{paper.title.split()[0] for paper in group.papers} for group in groups] == [{"Protein"}, {"Galaxy"}]
    assert all(group.words for group in groups)
    assert profiles.learned_by(make_reader("other").pk) == []


def test_a_day_that_was_planned_twice_by_other_processes_has_the_same_picks(library, robotics):
    edition_of([*library["galaxy"][:6], *library["protein"][:6]])
    reader = make_reader("a", robotics)
    told(reader, library["protein"][10], "more")
    first = planned(reader)
    Digest.objects.all().delete()
    type(reader).objects.update(next_due_at=reader.next_due_at, last_due_at=None)
    profiles.loaded.cache_clear()
    assert planned(reader) == first


def test_a_liked_paper_itself_does_not_come_again(library):
    liked = library["protein"][0]
    edition_of([liked, *library["protein"][1:4]])
    reader = make_reader("a")
    make_digest(reader, [liked], state="accepted", day=YESTERDAY, content_to=YESTERDAY)
    told(reader, liked, "more")
    assert liked.pk not in {pick["paper"] for pick in planned(reader)}
