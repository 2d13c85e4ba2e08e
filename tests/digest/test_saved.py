"""The saved list and what was learned: the reader's own pages of what they said, and the files to take along."""

import json
import re
from datetime import date, timedelta
from html import unescape
from itertools import pairwise

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from digest import feedback, fetching, merging, profiles
from digest.feedback import begin_anew, lessons, say
from digest.models import Feedback, Paper
from subscriptions import links, privacy, tokens
from subscriptions.tokens import Purpose
from tests.conftest import NOW, make_edition, make_paper, make_reader
from tests.sizes import size
from tests.subscriptions.doors import everything, take_clock

pytestmark = pytest.mark.django_db
MORE, LESS, SAVE = Feedback.Verb.MORE, Feedback.Verb.LESS, Feedback.Verb.SAVE
PAGES = ("saved", "saved-bib", "saved-ris", "saved-json", "learned", "begin-anew")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def reader(db):
    return make_reader("sam.reader")


@pytest.fixture
def paper(db):
    return make_paper(3, "Robots that fold shirts")


def path_of(reader, name="saved", made_at=NOW):
    return reverse(name, args=[links.manage_token(reader, made_at)])


def text_of(answer):
    return " ".join(unescape(answer.content.decode()).split())


def status_of(answer):
    return text_of(answer).partition('role="status">')[2].partition("</div>")[0]


def titles_of(answer):
    return re.findall(r'<p class="tried-title"[^>]*>(?:<a[^>]*>)?([^<]*)', unescape(answer.content.decode()))


def save(reader, *papers):
    """One a minute."""
    for minute, paper in enumerate(papers):
        say(reader.pk, paper, SAVE, NOW + timedelta(minutes=minute))


def hide(paper):
    Paper.objects.filter(pk=paper.pk).update(hidden_at=NOW)


# --- the pages in common -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_looking_changes_nothing_whatever_the_address_says(client, reader, paper, name):
    say(reader.pk, paper, MORE, NOW)
    save(reader, paper)
    before = everything()
    queries = "?page=9&removed=1&silent=1&back=1&remove=1&forgot=more&paper=1&again=1&anew=1"
    for query in ("", queries, f"?removed={paper.pk}&paper={paper.pk}", "?page=x&removed=x&paper=²"):
        for method in (client.get, client.head):
            assert method(path_of(reader, name) + query).status_code == 200
    assert everything() == before


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_by_its_own_kind_of_link_alone_and_is_private(client, clock, reader, name):
    answer = client.get(path_of(reader, name))
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "sam.reader@" not in text_of(answer)
    for purpose in set(Purpose) - {Purpose.MANAGE}:
        path = reverse(name, args=[tokens.make(purpose, reader.pk, NOW, configured.LINK_KEYS)])
        assert {client.get(path).status_code, client.post(path).status_code} <= {404, 405}
    clock.push(days=30)
    assert client.get(path_of(reader, name)).status_code == 410
    clock.push(days=-30)
    assert privacy.erase(reader.pk, NOW)
    assert client.get(path_of(reader, name)).status_code == 410


@pytest.mark.parametrize("name", ["saved", "learned", "begin-anew"])
def test_a_press_needs_the_pages_form_and_an_erased_reader_presses_nothing(reader, paper, name):
    save(reader, paper)
    strict, path = Client(enforce_csrf_checks=True), path_of(reader, name)
    assert strict.post(path).status_code == 403
    assert lessons([reader.pk])
    assert strict.post(path, {"back": paper.pk, "more": paper.pk, "csrfmiddlewaretoken": "x"}).status_code == 303
    assert privacy.erase(reader.pk, NOW)
    assert Client().post(path, {"back": paper.pk, "save": paper.pk}).status_code == 410
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("name", ["saved", "learned"])
@pytest.mark.parametrize("number", ["", "0", "-1", "x", "²", "1.5", "9" * 18, "9" * 5000, "12345"])
def test_a_button_of_no_paper_is_404_and_changes_nothing(client, reader, paper, name, number):
    save(reader, paper)
    before = everything()
    for button in ("remove", "back", "more", "less", "save", "nonsense"):
        assert client.post(path_of(reader, name), {button: number}).status_code == 404
    assert client.post(path_of(reader, name)).status_code == 404
    assert everything() == before


@pytest.mark.parametrize("name", ["saved", "learned", "begin-anew"])
def test_every_page_has_one_heading_of_the_first_kind_skips_none_and_no_two_buttons_say_the_same(client, reader, name):
    papers = [make_paper(number, f"Of part {number}") for number in range(1, 5)]
    save(reader, *papers[:3])
    say(reader.pk, papers[3], LESS, NOW)
    page = client.get(path_of(reader, name)).content.decode()
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    said = [re.sub(r"<[^>]*>", "", button) for button in re.findall(r"<button.*?</button>", page, re.DOTALL)]
    assert len(said) == len(set(said)) > 0
    assert "<script" not in page
    assert "style=" not in page


def test_the_readers_page_leads_to_both(client, reader):
    text = text_of(client.get(path_of(reader, "reader")))
    assert all(f'href="{path_of(reader, name)}"' in text for name in ("saved", "learned"))


# --- the list ----------------------------------------------------------------------------------------------------------


def test_the_list_shows_the_newest_saving_first_with_authors_day_and_link(client, reader, paper):
    save(reader, paper, make_paper(4, "Another"))
    save(make_reader("other"), make_paper(5, "Of somebody else"))
    page = client.get(path_of(reader))
    assert titles_of(page) == ["Another", "Robots that fold shirts"]
    text = text_of(page)
    assert f'href="{paper.get_absolute_url()}"' in text
    assert "Ana Exemplar, Bo Sample" in text
    assert '<time datetime="2026-03-20">20 March 2026</time>' in text
    assert "2 papers, the newest on top." in text


def test_an_empty_list_says_how_to_fill_it_and_offers_no_file(client, reader):
    text = text_of(client.get(path_of(reader)))
    assert "Nothing is saved yet." in text
    assert "a link “Save”" in text
    assert "BibTeX" not in text
    assert "<form" not in text


def test_a_paper_is_removed_by_one_press_twice_is_once_and_undo_puts_it_back(client, clock, reader, paper):
    other = make_paper(4, "Another")
    save(reader, paper, other)
    path = path_of(reader)
    for _ in range(2):
        answer = client.post(path, {"remove": paper.pk})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?page=1&removed={paper.pk}")
    assert "?page=7&" in client.post(f"{path}?page=7", {"remove": paper.pk}).headers["Location"]
    page = client.get(answer.headers["Location"])
    assert "Robots that fold shirts" in status_of(page)
    assert titles_of(page) == ["Another"]
    clock.push(hours=1)
    for _ in range(2):
        assert client.post(path, {"back": paper.pk}).headers["Location"] == path
    assert titles_of(client.get(path)) == ["Robots that fold shirts", "Another"]
    assert not status_of(client.get(f"{path}?removed={paper.pk}"))
    assert set(lessons([reader.pk])[reader.pk].liked) == {paper.pk, other.pk}


def test_a_paper_that_taught_nothing_is_put_back_as_it_was(client, reader, paper):
    save(reader, paper)
    begin_anew(reader.pk)
    assert "Your digests do not learn from it." in text_of(client.get(path_of(reader)))
    page = client.get(client.post(path_of(reader), {"remove": paper.pk}).headers["Location"])
    assert '<input type="hidden" name="silent" value="1">' in status_of(page)
    client.post(path_of(reader), {"back": paper.pk, "silent": "1"})
    assert titles_of(client.get(path_of(reader))) == ["Robots that fold shirts"]
    assert lessons([reader.pk]) == {}


def test_removing_leaves_the_opinion_and_other_readers_lists_alone(client, reader, paper):
    other = make_reader("other")
    save(reader, paper)
    save(other, paper)
    say(reader.pk, paper, LESS, NOW)
    client.post(path_of(reader), {"remove": paper.pk})
    assert {*Feedback.objects.values_list("subscriber", "verb")} == {(reader.pk, "less"), (other.pk, "save")}


def test_a_withdrawn_paper_says_so_and_a_hidden_one_is_not_there(client, reader, paper):
    hidden, twin = make_paper(4, "What an editor hid"), make_paper(5, "A twin")
    save(reader, paper, hidden)
    Paper.objects.filter(pk=paper.pk).update(withdrawn_at=NOW)
    hide(hidden)
    page = client.get(path_of(reader))
    assert titles_of(page) == ["Robots that fold shirts"]
    assert "<strong>Withdrawn.</strong>" in text_of(page)
    assert "1 paper, the newest on top." in text_of(page)
    assert f'href="{paper.url}"' in text_of(page)
    assert "What an editor hid" not in text_of(client.get(path_of(reader) + f"?removed={hidden.pk}"))
    for name in ("saved-bib", "saved-ris", "saved-json"):
        file = client.get(path_of(reader, name)).content.decode()
        assert "Withdrawn" in file
        assert "editor hid" not in file
    hide(twin)
    merging.merge([paper.pk, twin.pk], NOW, by="ana")
    assert titles_of(client.get(path_of(reader))) == []


def test_two_rows_of_one_work_are_one_paper_of_the_list_and_go_together(client, reader, paper):
    twin = make_paper(4, "Shirts, folded")
    save(reader, paper, twin)
    begin_anew(reader.pk)
    say(reader.pk, paper, SAVE, NOW)
    work = merging.merge([paper.pk, twin.pk], NOW, by="ana")
    page = client.get(path_of(reader))
    assert titles_of(page) == [work.title]
    assert "do not learn" not in text_of(page)
    client.post(path_of(reader), {"remove": work.pk})
    assert not Feedback.objects.exists()


def test_many_papers_are_pages_of_fifty_and_one_file_by_few_queries(client, reader, django_assert_max_num_queries):
    pages = size(5, 40)
    count = 50 * pages
    rows = [
        Paper(key=f"arxiv:2603.{n:05}", arxiv_id=f"2603.{n:05}", title=f"Part {n}", first_seen_at=NOW)
        for n in range(count)
    ]
    papers = Paper.objects.bulk_create(rows)
    Feedback.objects.bulk_create(
        Feedback(subscriber=reader, paper=paper, verb=SAVE, said_at=NOW + timedelta(seconds=n))
        for n, paper in enumerate(papers)
    )
    with django_assert_max_num_queries(5):
        last = client.get(path_of(reader) + f"?page={pages}")
    assert titles_of(last) == [f"Part {n}" for n in range(49, -1, -1)]
    assert 'rel="prev"' in text_of(last)
    assert 'rel="next"' not in text_of(last)
    assert f"Page {pages} of {pages}" in text_of(last)
    assert f"{count} papers" in text_of(last) or f"{count:,} papers" in text_of(last)
    with django_assert_max_num_queries(3):
        file = json.loads(client.get(path_of(reader, "saved-json")).content)
    assert len({item["id"] for item in file}) == count


# --- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("saved-bib", "application/x-bibtex; charset=utf-8", "  eprint = {2603.00003},\n"),
        ("saved-ris", "application/x-research-info-systems; charset=utf-8", "TI  - Robots that fold shirts\r\n"),
        ("saved-json", "application/vnd.citationstyles.csl+json", '"title": "Robots that fold shirts"'),
    ],
)
def test_a_file_is_offered_by_its_kind_and_holds_the_list(client, reader, paper, name, kind, said):
    save(reader, paper)
    answer = client.get(path_of(reader, name))
    assert answer.headers["Content-Type"] == kind
    ending = name.removeprefix("saved-")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="daily-papers.{ending}"'
    assert said in answer.content.decode()
    assert client.post(path_of(reader, name)).status_code == 405
    assert path_of(reader, name) in text_of(client.get(path_of(reader)))


def test_the_sample_papers_go_through_every_file(client, reader):
    fetching.collect("sample", date(2026, 3, 18), NOW, by="test")
    papers = list(Paper.objects.order_by("pk"))
    assert papers
    save(reader, *papers)
    items = json.loads(client.get(path_of(reader, "saved-json")).content)
    assert {item["title"] for item in items} == {paper.title for paper in papers}
    assert client.get(path_of(reader, "saved-bib")).content.decode().count("\n@misc{") == len(papers) - 1
    assert client.get(path_of(reader, "saved-ris")).content.decode().count("\r\nER  - ") == len(papers)


# --- what was learned --------------------------------------------------------------------------------------------------


def test_a_reader_who_said_nothing_hears_how_to_say_it(client, reader):
    text = text_of(client.get(path_of(reader, "learned")))
    assert "Nothing yet: your digests go by your topics alone." in text
    assert "<form" not in text


def test_each_word_that_teaches_is_shown_and_can_be_forgotten_and_said_again(client, reader):
    papers = [make_paper(number, f"Of part {number}") for number in range(1, 4)]
    for paper, verb in zip(papers, (MORE, LESS, SAVE), strict=True):
        say(reader.pk, paper, verb, NOW)
    before = lessons([reader.pk])
    path = path_of(reader, "learned")
    assert {*titles_of(client.get(path))} == {"Of part 1", "Of part 2", "Of part 3"}
    for paper, verb in zip(papers, (MORE, LESS, SAVE), strict=True):
        for _ in range(2):
            answer = client.post(path, {verb: paper.pk})
            assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?forgot={verb}&paper={paper.pk}")
        page = client.get(answer.headers["Location"])
        assert paper.title in status_of(page)
        assert paper.title not in titles_of(page)
        assert client.post(path, {"again": "1", verb: paper.pk}).headers["Location"] == path
        own, earlier = lessons([reader.pk])[reader.pk], before[reader.pk]
        assert ({*own.liked}, {*own.disliked}) == ({*earlier.liked}, {*earlier.disliked})
        assert not status_of(client.get(answer.headers["Location"]))
    assert titles_of(client.get(path_of(reader))) == ["Of part 3"]


def test_to_forget_that_a_paper_was_saved_leaves_it_on_the_list(client, reader, paper):
    save(reader, paper)
    client.post(path_of(reader, "learned"), {"save": paper.pk})
    assert lessons([reader.pk]) == {}
    assert titles_of(client.get(path_of(reader))) == ["Robots that fold shirts"]


def test_a_hidden_paper_has_no_title_and_can_be_forgotten_all_the_same(client, reader, paper):
    say(reader.pk, paper, MORE, NOW)
    hide(paper)
    page = client.get(path_of(reader, "learned"))
    assert titles_of(page) == ["A paper that is not on our pages any more"]
    assert "Robots" not in text_of(page)
    answer = client.post(path_of(reader, "learned"), {"more": paper.pk}, follow=True)
    assert "Robots" not in text_of(answer)
    assert lessons([reader.pk]) == {}


def test_papers_that_resemble_each_other_are_one_taste_under_its_words(client, reader):
    about = {"folding": "robots fold shirts and towels by grasping cloth", "proteins": "amino acids chains bind drugs"}
    papers = [
        make_paper(number, f"{field} {number}", abstract=text, first_seen_at=NOW)
        for number, (field, text) in enumerate([*about.items()] * 30, start=1)
    ]
    make_edition(papers[:1])
    assert profiles.renew(NOW)
    for paper in papers[:6]:
        say(reader.pk, paper, MORE, NOW)
    page = client.get(path_of(reader, "learned"))
    found = profiles.learned_by(reader.pk)
    assert len(found) == 2
    assert all({paper.pk % 2 for paper in taste.papers} in ({0}, {1}) for taste in found)
    headings = re.findall(r"<h3>(.*?)</h3>", page.content.decode())
    assert [re.sub("<[^>]*>", "", heading) for heading in headings] == [", ".join(taste.words) for taste in found]
    assert sorted(titles_of(page)) == sorted(paper.title for paper in papers[:6])


def test_only_what_teaches_is_shown(client, reader):
    papers = [make_paper(number, f"Of part {number}") for number in range(1, feedback.MOST_LESSONS + 3)]
    for minute, paper in enumerate(papers):
        say(reader.pk, paper, LESS, NOW + timedelta(minutes=minute))
    assert len(titles_of(client.get(path_of(reader, "learned")))) == feedback.MOST_LESSONS


def test_beginning_anew_asks_once_says_what_happened_and_twice_is_once(client, reader, paper):
    say(reader.pk, paper, LESS, NOW)
    save(reader, paper)
    learned = path_of(reader, "learned")
    assert path_of(reader, "begin-anew") in text_of(client.get(learned))
    asked = text_of(client.get(path_of(reader, "begin-anew")))
    assert (asked.count("<h1"), asked.count("<form"), asked.count("<button")) == (1, 1, 1)
    assert lessons([reader.pk])
    assert not status_of(client.get(f"{learned}?anew=1"))
    for _ in range(2):
        answer = client.post(path_of(reader, "begin-anew"))
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{learned}?anew=1")
    assert "Begun anew." in status_of(client.get(answer.headers["Location"]))
    assert lessons([reader.pk]) == {}
    assert titles_of(client.get(path_of(reader))) == ["Robots that fold shirts"]
