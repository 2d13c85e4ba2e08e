"""More or less like a paper, or saved: the page behind a digest's link, what is kept, what it teaches, who sees it."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from hypothesis import given
from hypothesis import strategies as st

from digest import merging
from digest import privacy as digest_privacy
from digest.feedback import Lessons, begin_anew, lessons, let_teach, opinion_on, saving_of, say, undo, work_of
from digest.models import Digest, Feedback, Paper
from subscriptions import lifecycle, links, privacy, tokens
from subscriptions.models import Subscriber
from subscriptions.tokens import Purpose
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, origin
from tests.subscriptions.doors import everything, take_clock
from tests.subscriptions.test_together import paused_after, together

pytestmark = pytest.mark.django_db
MORE, LESS, SAVE = Feedback.Verb.MORE, Feedback.Verb.LESS, Feedback.Verb.SAVE


@pytest.fixture
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def reader(clock):
    return make_reader("sam.reader")


@pytest.fixture
def paper(db):
    return make_paper(3, "Robots that fold shirts")


def path_of(reader, paper, verb="more", made_at=NOW):
    """The link as it stands in a digest that was made then."""
    return reverse("feedback", args=[links.feedback_token(reader, made_at), paper.pk, verb])


def text_of(answer):
    return " ".join(unescape(answer.content.decode()).split())


def status_of(answer):
    return text_of(answer).partition('role="status">')[2].partition("</p>")[0]


def words():
    return list(Feedback.objects.order_by("pk").values_list("subscriber", "paper", "verb"))


# --- the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["more", "less"])
def test_looking_shows_one_button_and_keeps_nothing(client, reader, paper, verb):
    before = everything()
    page = client.get(path_of(reader, paper, verb))
    assert client.head(path_of(reader, paper, verb)).status_code == 200
    assert client.get(path_of(reader, paper, verb) + "?undone=1&undo=1&button=1").status_code == 200
    assert everything() == before
    text = text_of(page)
    assert page.status_code == 200
    assert (text.count("<h1"), text.count("<form"), text.count("<button")) == (1, 1, 1)
    assert f'<button class="button-large" type="submit">{verb.capitalize()} like this</button>' in text
    assert f'<a href="/papers/{paper.pk}/" lang="en" dir="auto">Robots that fold shirts</a>' in text
    assert path_of(reader, paper, "less" if verb == "more" else "more") in text
    assert "Your next digests " in text
    assert 'role="status"' not in text


@pytest.mark.parametrize(("verb", "kept"), [("more", "Noted: more like this"), ("less", "Noted: less like this")])
def test_pressing_keeps_the_word_and_the_same_page_says_so_and_offers_undo(client, reader, paper, verb, kept):
    path = path_of(reader, paper, verb)
    answer = client.post(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert words() == [(reader.pk, paper.pk, verb)]
    assert Feedback.objects.get().said_at == NOW
    page = client.get(path)
    assert kept in status_of(page)
    text = text_of(page)
    assert (text.count("<h1"), text.count("<button")) == (1, 1)
    assert '<button type="submit" name="undo" value="1">Undo</button>' in text
    assert path_of(reader, paper, "less" if verb == "more" else "more") in text


def test_pressing_twice_is_pressing_once_and_the_later_time_is_kept(client, clock, reader, paper):
    client.post(path_of(reader, paper))
    later = clock.push(hours=1)
    assert client.post(path_of(reader, paper)).status_code == 303
    assert words() == [(reader.pk, paper.pk, "more")]
    assert Feedback.objects.get().said_at == later


def test_who_changes_their_mind_has_one_word_the_newest(client, reader, paper):
    client.post(path_of(reader, paper, "more"))
    less = client.get(path_of(reader, paper, "less"))
    assert 'role="status"' not in text_of(less)
    assert "You said the other before." in text_of(less)
    client.post(path_of(reader, paper, "less"))
    assert words() == [(reader.pk, paper.pk, "less")]
    assert "Noted: less like this" in status_of(client.get(path_of(reader, paper, "less")))
    assert 'role="status"' not in text_of(client.get(path_of(reader, paper, "more")))


def test_undo_takes_the_word_back_and_says_so_and_again_is_harmless(client, reader, paper):
    path, other = path_of(reader, paper), make_reader("other")
    for someone in (reader, other):
        client.post(path_of(someone, paper))
    for _ in range(2):
        answer = client.post(path, {"undo": "1"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?undone=1")
        assert words() == [(other.pk, paper.pk, "more")]
    page = client.get(f"{path}?undone=1")
    assert status_of(page).startswith("Taken back.")
    assert '<button class="button-large" type="submit">More like this</button>' in text_of(page)


def test_an_address_typed_by_hand_does_not_claim_that_a_word_was_taken_back(client, reader, paper):
    client.post(path_of(reader, paper))
    for verb in ("more", "less"):
        assert "Taken back" not in text_of(client.get(path_of(reader, paper, verb) + "?undone=1"))


@pytest.mark.parametrize("undone", [False, True])
def test_the_button_needs_its_form_and_no_cookie_origin_or_referer(reader, paper, undone):
    path, body = path_of(reader, paper), {"undo": "1"} if undone else {}
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403, "a program that posts to what it finds"
    assert not words()
    body["csrfmiddlewaretoken"] = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text_of(Client().get(path)))[1]
    for sent in ({}, {"origin": "null"}, {"origin": "https://elsewhere.example"}):
        assert Client(enforce_csrf_checks=True, headers=sent).post(path, body).status_code == 303
        assert len(words()) == (not undone)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client, reader, paper, method):
    assert getattr(client, method)(path_of(reader, paper)).status_code == 405


def test_the_page_is_private_and_names_neither_address_nor_settings(client, reader, paper):
    page = client.get(path_of(reader, paper))
    assert "no-store" in page.headers["Cache-Control"]
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    text = text_of(page)
    assert "example.org" not in text.replace(configured.SITE_URL, "")
    assert reader.masked_email not in text
    assert 'href="/r/' not in text
    assert 'href="/u/' not in text


@pytest.mark.parametrize("state", ["unsubscribed", "pending"])
def test_readers_who_left_may_still_say_it(client, clock, paper, state):
    reader = make_reader("left", state=state)
    assert client.post(path_of(reader, paper)).status_code == 303
    assert words() == [(reader.pk, paper.pk, "more")]


def test_readers_who_paused_may_still_say_it(client, clock, paper):
    reader = make_reader("paused", paused_until=NOW + timedelta(days=9))
    assert client.post(path_of(reader, paper)).status_code == 303
    assert len(words()) == 1


def test_a_paper_is_saved_by_one_button_and_taken_off_by_one(client, reader, paper):
    path = path_of(reader, paper, "save")
    before = everything()
    text = text_of(client.get(path))
    assert everything() == before
    assert (text.count("<h1"), text.count("<form"), text.count("<button")) == (1, 1, 1)
    assert '<button class="button-large" type="submit">Save for later</button>' in text
    assert 'role="status"' not in text
    for _ in range(2):
        answer = client.post(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        assert words() == [(reader.pk, paper.pk, "save")]
    page = client.get(path)
    assert status_of(page).startswith("Saved: it is on your list.")
    assert '<button type="submit" name="undo" value="1">Take it off my list</button>' in text_of(page)
    for _ in range(2):
        assert client.post(path, {"undo": "1"}).headers["Location"] == f"{path}?undone=1"
        assert not words()
    assert status_of(client.get(f"{path}?undone=1")).startswith("Taken off.")


def test_the_page_of_a_saving_says_where_the_list_is_and_opens_nothing_of_the_readers(client, reader, paper):
    client.post(path_of(reader, paper, "save"))
    text = text_of(client.get(path_of(reader, paper, "save")))
    assert "“Your last 14 days” at the end of every digest" in text
    assert reverse("lost-link") in text
    assert 'href="/r/' not in text


def test_an_opinion_and_a_saving_stand_beside_each_other_and_are_taken_back_apart(client, reader, paper):
    for verb in ("save", "more", "less"):
        client.post(path_of(reader, paper, verb))
    assert words() == [(reader.pk, paper.pk, "save"), (reader.pk, paper.pk, "less")]
    client.post(path_of(reader, paper, "more"), {"undo": "1"})
    assert words() == [(reader.pk, paper.pk, "save")]
    client.post(path_of(reader, paper, "less"))
    client.post(path_of(reader, paper, "save"), {"undo": "1"})
    assert words() == [(reader.pk, paper.pk, "less")]


# --- links that open nothing -------------------------------------------------------------------------------------------


def test_a_link_works_for_ninety_days_and_then_says_where_a_new_one_is(client, clock, reader, paper):
    path = path_of(reader, paper)
    clock.push(days=90, minutes=-1)
    assert client.get(path).status_code == 200
    clock.push(minutes=1)
    for answer in (client.get(path), client.post(path), client.post(path, {"undo": "1"})):
        assert answer.status_code == 410
        assert "<h1>This link has expired</h1>" in text_of(answer)
        assert "works for 90 days" in text_of(answer)
        assert answer.headers["X-Robots-Tag"] == "noindex"
    assert not words()


def test_a_forged_link_is_404_and_keeps_nothing(client, reader, paper):
    genuine = links.feedback_token(reader, NOW)
    forged = tokens.make(Purpose.FEEDBACK, reader.pk, NOW, ["a key that nobody here ever had, of some length"])
    for token in (forged, genuine[:-1], genuine + "0", "x"):
        path = reverse("feedback", args=[token, paper.pk, "more"])
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 404
            assert "This link is not complete" in text_of(answer)
    assert not words()


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.FEEDBACK])
def test_a_token_for_another_purpose_does_not_open_it(client, reader, paper, purpose):
    token = tokens.make(purpose, reader.pk, NOW, configured.LINK_KEYS)
    path = reverse("feedback", args=[token, paper.pk, "more"])
    assert client.get(path).status_code == client.post(path).status_code == 404
    assert not words()


def test_its_token_opens_nothing_else(client, reader, paper, robotics):
    token = links.feedback_token(reader, NOW)
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)} - {"feedback"}
    before, answers = everything(), []
    for name in sorted(names):
        _, parts = get_resolver().reverse_dict.getlist(name)[0][0][0]
        if "token" in parts:
            others = {"topic": robotics.pk, "day": NOW.date()}
            path = reverse(name, kwargs={"token": token, **{part: others[part] for part in parts if part in others}})
            answers.append({client.get(path).status_code, client.post(path).status_code})
    assert len(answers) >= 16
    assert all(404 in codes and codes <= {404, 405} for codes in answers)
    assert everything() == before


def test_a_reader_who_was_erased_or_waits_for_it_is_410(client, reader, paper):
    path = path_of(reader, paper)
    Subscriber.objects.filter(pk=reader.pk).update(erase_asked_at=NOW)
    assert client.post(path).status_code == 410
    assert privacy.erase(reader.pk, NOW)
    for answer in (client.get(path), client.post(path), client.post(path, {"undo": "1"})):
        assert answer.status_code == 410
        assert "Nothing is kept for this link" in text_of(answer)
    assert not words()


def test_a_reader_who_is_erased_between_reading_the_link_and_keeping_the_word_leaves_none(
    client, reader, paper, monkeypatch
):
    def erased_meanwhile(pk):
        assert privacy.erase(reader.pk, NOW)
        return work_of(pk)

    monkeypatch.setattr("digest.views.feedback.work_of", erased_meanwhile)
    answer = client.post(path_of(reader, paper))
    assert answer.status_code == 410
    assert "Nothing is kept for this link" in text_of(answer)
    assert not words()


def test_a_mail_to_an_earlier_address_opens_it_no_more_and_one_after_the_move_does(client, reader, paper):
    old = path_of(reader, paper, made_at=NOW - timedelta(minutes=1))
    Subscriber.objects.filter(pk=reader.pk).update(moved_at=NOW + timedelta(seconds=30))
    for answer in (client.get(old), client.post(old)):
        assert answer.status_code == 410
        assert "This link is for another address" in text_of(answer)
    assert not words()
    assert client.post(path_of(reader, paper, made_at=NOW)).status_code == 303


@pytest.mark.parametrize("verb", ["most", "MORE", "more ", "1", "less.", "undo"])
def test_another_word_is_404_with_a_way_on(client, reader, paper, verb):
    for answer in (client.get(path_of(reader, paper, verb)), client.post(path_of(reader, paper, verb))):
        assert answer.status_code == 404
        assert "Of a paper you can say “more”, “less” or “save”" in text_of(answer)
        assert 'href="/"' in text_of(answer)
    assert not words()


@pytest.mark.parametrize("number", [0, 999, 2**63 - 1, 2**63, 10**30])
def test_an_unknown_paper_is_404_with_a_way_on(client, reader, number):
    path = reverse("feedback", args=[links.feedback_token(reader, NOW), number, "more"])
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 404
        assert "We know no paper with the number in this link." in text_of(answer)
    assert not words()


# --- papers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["hidden_at", "withdrawn_at"])
def test_a_paper_that_is_hidden_or_withdrawn_can_be_answered_to_and_shows_no_more_than_its_page(
    client, reader, paper, gone
):
    Paper.objects.filter(pk=paper.pk).update(**{gone: NOW})
    page = client.get(path_of(reader, paper))
    assert page.status_code == 200
    assert "not on our pages any more" in text_of(page)
    assert paper.title not in text_of(page)
    assert client.get(paper.get_absolute_url()).status_code == 404
    client.post(path_of(reader, paper, "less"))
    assert words() == [(reader.pk, paper.pk, "less")]


def test_a_paper_that_the_reader_was_not_sent_can_be_answered_to(client, reader, paper):
    make_digest(make_reader("other"), [paper])
    assert not Digest.objects.filter(subscriber=reader).exists()
    assert client.post(path_of(reader, paper)).status_code == 303
    assert len(words()) == 1


def test_a_title_is_text_whatever_is_in_it(client, reader):
    paper = make_paper(5, '<b onclick="x">$O(n^2)$</b> & so')
    page = client.get(path_of(reader, paper)).content.decode()
    assert "&lt;b onclick=&quot;x&quot;&gt;$O(n^2)$&lt;/b&gt; &amp; so" in page


def merged(*papers):
    return merging.merge([paper.pk for paper in papers], NOW, by="ana")


def test_a_word_on_a_row_that_was_merged_counts_for_the_row_that_stays(client, reader, paper):
    twin = make_paper(4, "Shirts, folded")
    assert merged(paper, twin) == paper
    page = client.get(path_of(reader, twin))
    assert "Robots that fold shirts" in text_of(page)
    client.post(path_of(reader, twin))
    assert words() == [(reader.pk, paper.pk, "more")]
    assert "Noted: more like this" in status_of(client.get(path_of(reader, paper)))


def test_of_words_on_two_rows_that_became_one_work_the_newest_counts_and_undo_takes_both(client, clock, reader, paper):
    twin = make_paper(4)
    client.post(path_of(reader, twin, "less"))
    clock.push(hours=-1)
    client.post(path_of(reader, paper, "more"))
    work = merged(paper, twin)
    assert opinion_on(reader.pk, work).verb == LESS
    assert "Noted: less like this" in status_of(client.get(path_of(reader, paper, "less")))
    clock.push(hours=2)
    client.post(path_of(reader, paper, "more"))
    assert opinion_on(reader.pk, work).verb == MORE
    client.post(path_of(reader, paper, "more"), {"undo": "1"})
    assert opinion_on(reader.pk, work) is None
    assert not words()


def test_taking_a_merge_apart_gives_back_what_was_said_of_each(reader, paper):
    twin = make_paper(4)
    say(reader.pk, paper, MORE, NOW)
    say(reader.pk, twin, LESS, NOW)
    merged(paper, twin)
    merging.unmerge(Paper.objects.get(pk=twin.pk))
    assert {pk: opinion_on(reader.pk, work_of(pk)).verb for pk in (paper.pk, twin.pk)} == {
        paper.pk: MORE,
        twin.pk: LESS,
    }


def test_what_is_said_of_one_paper_is_said_of_no_other_nor_by_anybody_else(reader, paper):
    other, stranger = make_paper(4), make_reader("stranger")
    say(reader.pk, paper, MORE, NOW)
    assert opinion_on(reader.pk, other) is None
    assert opinion_on(stranger.pk, paper) is None
    undo(stranger.pk, paper, MORE)
    undo(reader.pk, other, MORE)
    assert words() == [(reader.pk, paper.pk, "more")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([MORE, LESS, SAVE, "undo", "unsave", "merge", "unmerge"]),
            st.integers(0, 1),
            st.integers(0, 1),
        ),
        max_size=14,
    )
)
def test_whatever_is_said_merged_and_taken_apart_the_newest_word_of_each_kind_counts_on_each_work(world, steps):
    readers, papers = world
    Feedback.objects.all().delete()
    merging.unmerge(Paper.objects.get(pk=papers[1].pk))
    said: dict[tuple[int, int, bool], tuple[int, Feedback.Verb]] = {}  # by reader, row, and whether it is a saving
    together = False

    def rows_of(number):
        return (0, 1) if together else (number,)

    def newest(who, number, saving):
        found = [said[who, row, saving] for row in rows_of(number) if (who, row, saving) in said]
        return max(found, default=(0, None))[1]

    for minute, (what, who, number) in enumerate(steps):
        work = work_of(papers[number].pk)
        if what == "merge" and not together:
            merged(*papers)
            together = True
        elif what == "unmerge":
            merging.unmerge(Paper.objects.get(pk=papers[1].pk))
            together = False
        elif what in {"undo", "unsave"}:
            undo(readers[who].pk, work, SAVE if what == "unsave" else LESS)
            for row in rows_of(number):
                said.pop((who, row, what == "unsave"), None)
        elif what in Feedback.Verb:
            say(readers[who].pk, work, what, NOW + timedelta(minutes=minute))
            said[who, rows_of(number)[0], what == SAVE] = (minute, what)
    taught = lessons(reader.pk for reader in readers)
    for who, number in ((0, 0), (0, 1), (1, 0), (1, 1)):
        reader, work = readers[who].pk, work_of(papers[number].pk)
        opinion, saving = opinion_on(reader, work), saving_of(reader, work)
        assert (opinion and opinion.verb) == newest(who, number, False)
        assert (saving and saving.verb) == newest(who, number, True)
        counts = newest(who, number, False) or newest(who, number, True)
        own = taught.get(reader, Lessons())
        assert (work.pk in own.liked, work.pk in own.disliked) == (counts in {MORE, SAVE}, counts == LESS)


@pytest.fixture
def world(db):
    return [make_reader("r0"), make_reader("r1")], [make_paper(1), make_paper(2)]


# --- what it teaches -----------------------------------------------------------------------------------------------------


def test_more_and_save_are_liked_less_is_disliked_the_newest_word_first(reader):
    papers = [make_paper(number) for number in range(1, 6)]
    for minute, (paper, verb) in enumerate(zip(papers, (MORE, SAVE, LESS, MORE, LESS), strict=True)):
        say(reader.pk, paper, verb, NOW + timedelta(minutes=minute))
    one, two, three, four, five = (paper.pk for paper in papers)
    assert lessons([reader.pk]) == {reader.pk: Lessons(liked=(four, two, one), disliked=(five, three))}


@pytest.mark.parametrize("order", [(LESS, SAVE), (SAVE, LESS)])
def test_an_opinion_counts_more_than_that_the_paper_is_saved_whichever_came_last(reader, paper, order):
    for minute, verb in enumerate(order):
        say(reader.pk, paper, verb, NOW + timedelta(minutes=minute))
    assert lessons([reader.pk]) == {reader.pk: Lessons(disliked=(paper.pk,))}


def test_what_was_said_of_two_rows_of_a_work_teaches_once_under_the_row_that_stands_for_it(reader, paper):
    twin = make_paper(4)
    say(reader.pk, paper, MORE, NOW)
    say(reader.pk, twin, LESS, NOW + timedelta(minutes=1))
    work = merged(paper, twin)
    assert lessons([reader.pk]) == {reader.pk: Lessons(disliked=(work.pk,))}


def test_the_newest_fifty_of_a_kind_teach(reader):
    papers = [make_paper(number) for number in range(1, 53)]
    for minute, paper in enumerate(papers):
        say(reader.pk, paper, MORE, NOW + timedelta(minutes=minute))
    liked = lessons([reader.pk])[reader.pk].liked
    assert liked == tuple(paper.pk for paper in papers[:1:-1])


def test_lessons_of_many_readers_are_one_query_and_who_said_nothing_is_left_out(paper, django_assert_num_queries):
    readers = [make_reader(f"r{number}") for number in range(9)]
    for reader in readers[:8]:
        say(reader.pk, paper, MORE, NOW)
    with django_assert_num_queries(1):
        taught = lessons(reader.pk for reader in readers[1:])
    assert taught == {reader.pk: Lessons(liked=(paper.pk,)) for reader in readers[1:8]}
    assert lessons([]) == {}


def test_beginning_anew_forgets_opinions_keeps_the_list_and_leaves_others_alone(reader, paper):
    other = make_reader("other")
    for someone in (reader, other):
        say(someone.pk, paper, SAVE, NOW)
        say(someone.pk, paper, LESS, NOW)
    for _ in range(2):
        begin_anew(reader.pk)
        assert words() == [(reader.pk, paper.pk, "save"), (other.pk, paper.pk, "save"), (other.pk, paper.pk, "less")]
        assert lessons([reader.pk, other.pk]) == {other.pk: Lessons(disliked=(paper.pk,))}
    say(reader.pk, paper, SAVE, NOW)
    assert lessons([reader.pk]) == {reader.pk: Lessons(liked=(paper.pk,))}


def test_a_saved_paper_can_stop_teaching_and_teach_again_and_stays_on_the_list(reader, paper):
    say(reader.pk, paper, SAVE, NOW)
    let_teach(reader.pk, paper, False)
    assert (lessons([reader.pk]), words()) == ({}, [(reader.pk, paper.pk, "save")])
    let_teach(reader.pk, paper, True)
    assert lessons([reader.pk]) == {reader.pk: Lessons(liked=(paper.pk,))}


def test_nobody_begins_anew_who_was_erased(reader):
    assert privacy.erase(reader.pk, NOW)
    with pytest.raises(Subscriber.DoesNotExist):
        begin_anew(reader.pk)


# --- what is kept of a reader ------------------------------------------------------------------------------------------


def test_the_export_lists_the_words_with_their_papers_and_times(reader, paper):
    other = make_paper(4, "Another")
    say(reader.pk, other, LESS, NOW)
    say(reader.pk, paper, MORE, NOW + timedelta(minutes=5))
    say(make_reader("other").pk, paper, LESS, NOW)
    own = json.loads(json.dumps(privacy.export(reader, NOW)))["digests"]["said_of_papers"]
    assert own == [
        {"title": "Another", "key": "arxiv:2603.00004", "said": "less", "at": "2026-03-20T07:00:00+00:00"},
        {
            "title": "Robots that fold shirts",
            "key": "arxiv:2603.00003",
            "said": "more",
            "at": "2026-03-20T07:05:00+00:00",
        },
    ]


def test_the_export_lists_the_saved_papers_and_whether_each_teaches(reader, paper):
    say(reader.pk, paper, SAVE, NOW)
    begin_anew(reader.pk)
    say(reader.pk, make_paper(4, "Another"), SAVE, NOW + timedelta(minutes=5))
    say(reader.pk, paper, LESS, NOW + timedelta(minutes=6))
    own = json.loads(json.dumps(privacy.export(reader, NOW)))["digests"]
    assert [said["said"] for said in own["said_of_papers"]] == ["less"]
    assert [(saved["title"], saved["at"], saved["digests_learn_from_it"]) for saved in own["saved_papers"]] == [
        ("Robots that fold shirts", "2026-03-20T07:00:00+00:00", False),
        ("Another", "2026-03-20T07:05:00+00:00", True),
    ]


def test_erasing_deletes_the_words_and_those_of_others_stay(reader, paper):
    other = make_reader("other")
    for someone in (reader, other):
        say(someone.pk, paper, MORE, NOW)
    say(reader.pk, paper, SAVE, NOW)
    assert lifecycle.ask_erase(reader, NOW, origin())
    assert words() == [(other.pk, paper.pk, "more")]


def test_a_refused_erasing_keeps_the_words(reader, paper):
    say(reader.pk, paper, MORE, NOW)
    make_digest(reader, [paper], state="sending", free_at=NOW + timedelta(minutes=1))
    with pytest.raises(privacy.NotYet):
        privacy.erase(reader.pk, NOW)
    assert len(words()) == 1


@pytest.mark.django_db(transaction=True)
def test_presses_at_the_same_moment_leave_one_word_of_a_kind_and_no_error(reader, paper):
    presses = [lambda verb=verb: say(reader.pk, paper, verb, NOW) for verb in (MORE, LESS, SAVE, LESS, SAVE)]
    assert together(*presses) == [None] * 5
    assert sorted(verb == SAVE for _, _, verb in words()) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_a_word_that_comes_while_its_reader_is_erased_finds_nobody(reader, paper, monkeypatch):
    say(reader.pk, paper, MORE, NOW)
    deleted = paused_after(
        monkeypatch, digest_privacy, "_papers_sent_to"
    )  # its last step, before the reader's row goes

    def press():
        assert deleted.wait(20)
        say(reader.pk, paper, LESS, NOW)

    erased, pressed = together(lambda: privacy.erase(reader.pk, NOW), press)
    assert erased is True
    assert isinstance(pressed, Subscriber.DoesNotExist)
    assert not words()


# --- the editors' list -------------------------------------------------------------------------------------------------


def changelist():
    return reverse("admin:digest_feedback_changelist")


@pytest.fixture
def staff(client):
    def log_in(*permissions):
        user = User.objects.create_user("ana", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in


def test_editors_see_how_many_want_more_and_less_of_each_paper_and_of_nobody_who(staff, clock, paper):
    other = make_paper(4, "Another")
    make_paper(6, "Of which nothing was said")
    for number in range(4):
        say(make_reader(f"fan{number}").pk, paper, MORE if number else LESS, NOW)
    say(make_reader("last").pk, other, LESS, NOW)
    say(make_reader("keeper").pk, other, SAVE, NOW)
    page = staff("view_feedback").get(changelist())
    rows = [(row.paper.title, row.more, row.less, row.saved) for row in page.context["cl"].result_list]
    assert rows == [("Another", 0, 1, 1), ("Robots that fold shirts", 3, 1, 0)]
    text = text_of(page)
    assert "Robots that fold shirts" in text
    assert "Of which nothing was said" not in text
    assert "example.org" not in text
    assert "reader " not in text.partition("<main")[2]
    assert "/change/" not in text


def test_editors_find_a_paper_by_words_of_its_title(staff, reader, paper):
    say(reader.pk, paper, MORE, NOW)
    say(reader.pk, make_paper(4, "Another"), MORE, NOW)
    page = staff("view_feedback").get(changelist(), {"q": "fold"})
    assert [row.paper for row in page.context["cl"].result_list] == [paper]


def test_no_editor_opens_adds_changes_or_deletes_one_readers_word(staff, admin_client, reader, paper):
    say(reader.pk, paper, MORE, NOW)
    pk = Feedback.objects.get().pk
    editor = staff("view_feedback", "add_feedback", "change_feedback", "delete_feedback")
    assert editor.get(changelist()).status_code == 200
    for who in (editor, admin_client):
        for view, args in (("change", [pk]), ("delete", [pk]), ("history", [pk]), ("add", [])):
            path = reverse(f"admin:digest_feedback_{view}", args=args)
            assert who.get(path).status_code == who.post(path, {"post": "yes"}).status_code == 403
    assert len(words()) == 1


def test_who_may_see_papers_alone_does_not_see_the_words(staff, reader, paper):
    assert staff("view_paper").get(changelist()).status_code == 403


def test_queries_of_the_list_do_not_grow_with_papers_and_words(staff, clock):
    client, readers = staff("view_feedback"), [make_reader(f"r{n}") for n in range(5)]

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(changelist()).status_code == 200
        return len(seen)

    def fill(numbers):
        for number in numbers:
            paper = make_paper(number)
            for reader in readers:
                say(reader.pk, paper, LESS, NOW)
                say(reader.pk, paper, SAVE, NOW)

    fill(range(1, 3))
    few = queries()
    fill(range(3, 40))
    assert queries() == few


def test_the_page_costs_few_queries(client, reader, paper, django_assert_max_num_queries):
    make_edition([paper], TODAY)
    with django_assert_max_num_queries(4):
        client.get(path_of(reader, paper))
