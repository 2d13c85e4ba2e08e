from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from digest import board, delivery, editions, fetching, merging, outcomes, papers, planning, sent
from digest.menu import Menu
from digest.models import Digest, EditionPaper, Paper, Sighting
from digest.sources import SOURCES
from digest.sources.base import PaperRecord, Source
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 18, tzinfo=UTC)


def record(source="journal", key="1", **fields):
    """A record whose raw holds all of it, as ``read`` below expects."""
    values = {"title": "Robots that fold shirts", "authors": ("Ana Exemplar",), "submitted_at": MOMENT, **fields}
    whole = PaperRecord(source=source, source_key=key, **values)
    kept = {name: value for name, value in asdict(whole).items() if name != "raw" and value not in (None, "", ())}
    kept |= {name: str(kept[name]) for name in ("featured_on", "announced_on") if name in kept}
    return replace(whole, raw=kept | {"submitted_at": MOMENT.isoformat()})


def read(raw, day):
    days = {n: date.fromisoformat(raw[n]) for n in ("featured_on", "announced_on") if n in raw}
    lists = {n: tuple(raw[n]) for n in ("authors", "categories") if n in raw}
    return PaperRecord(**{**raw, **days, **lists, "submitted_at": datetime.fromisoformat(raw["submitted_at"])})


@pytest.fixture(autouse=True)
def two_sources(monkeypatch):
    monkeypatch.setitem(SOURCES, "journal", Source(lambda day: [], read, trust=1))
    monkeypatch.setitem(SOURCES, "preprints", Source(lambda day: [], read, trust=2))


ON_ARXIV = record("preprints", arxiv_id="2603.00001", categories=("cs.RO",), announced_on=TODAY)
IN_JOURNAL = record("journal", doi="10.1000/182", upvotes=7, featured_on=TODAY, title="Shirts: a study of folding")
FIELDS = [
    f.attname for f in Paper._meta.concrete_fields if not f.name.startswith("merged") and f.name != "stands_alone"
]


def store(*records):
    stored = papers.store(records, TODAY, NOW)
    merging.settle(stored, NOW, by=f"{merging.BY_SOURCE}test")
    return stored


def ids(papers):
    return [paper.pk for paper in papers]


def state(*papers):
    return [[getattr(Paper.objects.get(pk=p.pk), name) for name in FIELDS] for p in papers]


@pytest.fixture
def two_rows():
    store(ON_ARXIV, IN_JOURNAL)
    return Paper.objects.get(doi=None), Paper.objects.get(doi="10.1000/182")


def test_one_row_stands_for_the_work_with_what_all_sources_say(two_rows):
    on_arxiv, in_journal = two_rows
    survivor = merging.merge(ids([in_journal, on_arxiv]), NOW, by="editor")
    assert survivor == on_arxiv
    assert (survivor.upvotes, survivor.categories, survivor.featured_on) == (7, ["cs.RO"], TODAY)
    assert survivor.title == "Robots that fold shirts", "the source with more trust has the title"
    assert list(Paper.objects.shown()) == [on_arxiv]


def test_taking_apart_gives_back_what_was(two_rows):
    before = state(*two_rows)
    merging.merge(ids(two_rows), NOW, by="editor")
    merging.unmerge(Paper.objects.get(pk=two_rows[1].pk))
    assert state(*two_rows) == before
    assert set(Paper.objects.shown()) == set(two_rows)


def test_what_an_editor_wrote_survives_a_merge_and_its_undoing(two_rows):
    Paper.objects.filter(pk=two_rows[0].pk).update(title="As the editor says", edited=["title"])
    assert merging.merge(ids(two_rows), NOW, by="editor").title == "As the editor says"
    merging.unmerge(Paper.objects.get(pk=two_rows[1].pk))
    assert Paper.objects.get(pk=two_rows[0].pk).title == "As the editor says"


def test_later_records_of_a_merged_row_reach_the_row_that_readers_see(two_rows):
    survivor = merging.merge(ids(two_rows), NOW, by="editor")
    store(record("journal", doi="10.1000/182", upvotes=30, featured_on=TODAY, title="Shirts: a study of folding"))
    survivor.refresh_from_db()
    assert survivor.upvotes == 30
    assert Paper.objects.count() == 2


def test_a_record_with_both_ids_makes_two_rows_one_and_an_editor_can_undo_it_for_good(two_rows):
    both = replace(ON_ARXIV, doi="10.1000/182")
    store(both)
    on_arxiv, in_journal = two_rows
    in_journal.refresh_from_db()
    assert (in_journal.merged_into, in_journal.merged_by) == (on_arxiv, "source test")
    merging.unmerge(in_journal)
    store(replace(both, version=2))
    in_journal.refresh_from_db()
    assert in_journal.merged_into is None
    assert in_journal.stands_alone


def test_a_row_that_learns_of_anothers_arxiv_id_becomes_its_twin(two_rows):
    store(replace(IN_JOURNAL, arxiv_id="2603.00001"))
    assert Paper.objects.get(pk=two_rows[1].pk).merged_into == two_rows[0]


def test_a_row_with_a_doi_takes_the_arxiv_id_that_comes_later():
    store(IN_JOURNAL)
    assert store(replace(ON_ARXIV, doi="10.1000/182")).created == 0
    paper = Paper.objects.get()
    assert (paper.key, paper.arxiv_id, paper.doi) == ("arxiv:2603.00001", "2603.00001", "10.1000/182")
    assert Sighting.objects.count() == 2


def test_less_than_two_or_a_merged_row_cannot_be_merged(two_rows):
    with pytest.raises(merging.CannotMerge, match="at least two"):
        merging.merge(ids(two_rows[:1]), NOW, by="editor")
    merging.merge(ids(two_rows), NOW, by="editor")
    with pytest.raises(merging.CannotMerge, match="take it apart first"):
        merging.merge(ids([two_rows[1], make_paper(9)]), NOW, by="editor")


def test_nobody_who_was_sent_one_row_gets_the_other(two_rows):
    on_arxiv, in_journal = two_rows
    sent.add({in_journal.pk: [1, 2]})
    make_edition([on_arxiv])

    def had(reader):
        return set(Menu(board.read_board(NOW), (TODAY,)).sent_to([reader, 4]).get(reader, ()))

    assert not had(1)
    merging.merge(ids(two_rows), NOW, by="editor")
    assert had(1) == {0}, "the only candidate"
    assert not had(3)
    assert Menu(board.read_board(NOW), (TODAY,)).numbers_of({in_journal.pk}) == {0}, "an open digest counts too"
    merging.unmerge(Paper.objects.get(pk=in_journal.pk))
    assert not had(1)


def test_the_union_reaches_from_planning_to_the_closed_day(two_rows):
    on_arxiv, in_journal = two_rows
    reader = make_reader()
    yesterday = TODAY - timedelta(days=1)
    make_digest(reader, [in_journal], state="accepted", day=yesterday, content_to=yesterday)
    outcomes.close_day(yesterday, NOW + timedelta(days=3))
    make_edition([on_arxiv, make_paper(5)])
    merging.merge(ids(two_rows), NOW, by="editor")
    planning.plan_due(NOW)
    picks = Digest.objects.get(subscriber=reader, day=TODAY).picks
    assert [p["paper"] for p in picks] == [Paper.objects.get(arxiv_id="2603.00005").pk]


def test_a_work_is_in_an_edition_once_and_in_no_second_edition(two_rows):
    on_arxiv, in_journal = two_rows
    edition = make_edition([in_journal, on_arxiv], day=TODAY - timedelta(days=1))
    survivor = merging.merge(ids(two_rows), NOW, by="editor")
    assert [e.paper for e in edition.entries.shown()] == [survivor]
    assert editions.draft(TODAY, NOW) is None
    merging.unmerge(Paper.objects.get(pk=in_journal.pk))
    assert [e.paper for e in edition.entries.shown()] == [in_journal, on_arxiv]


def test_an_entry_that_an_editor_hid_stays_hidden(two_rows):
    edition = make_edition(two_rows)
    EditionPaper.objects.filter(paper=two_rows[1]).update(hidden=True, hidden_reason="off topic")
    merging.merge(ids(two_rows), NOW, by="editor")
    merging.unmerge(Paper.objects.get(pk=two_rows[1].pk))
    assert [e.paper for e in edition.entries.shown()] == [two_rows[0]]


def test_the_page_of_a_twin_leads_to_the_work(client, two_rows):
    merging.merge(ids(two_rows), NOW, by="editor")
    answer = client.get(f"/papers/{two_rows[1].pk}/", follow=True)
    assert answer.redirect_chain == [(f"/papers/{two_rows[0].pk}/", 302)]
    assert answer.context["paper"] == two_rows[0]


def test_a_work_that_is_withdrawn_leaves_also_where_its_other_row_stands(two_rows):
    edition = make_edition([two_rows[1]])
    merging.merge(ids(two_rows), NOW, by="editor")
    Paper.objects.filter(pk=two_rows[0].pk).update(withdrawn_at=NOW)
    assert not edition.entries.shown().exists()


def test_a_mail_that_was_planned_before_the_merge_has_the_work_once(two_rows, mailoutbox):
    make_edition(two_rows)
    digest = make_digest(make_reader(), [two_rows[1], two_rows[0], make_paper(5)])
    merging.merge(ids(two_rows), NOW, by="editor")
    delivery.send_digests(lambda: NOW)
    digest.refresh_from_db()
    assert digest.state == "accepted"
    assert "Shirts: a study of folding" in mailoutbox[0].body
    assert "Robots that fold shirts" not in mailoutbox[0].body


def test_a_mail_with_one_row_of_the_work_still_has_it_after_the_merge(two_rows, mailoutbox):
    make_edition(two_rows)
    digest = make_digest(make_reader(), [two_rows[1]])
    merging.merge(ids(two_rows), NOW, by="editor")
    delivery.send_digests(lambda: NOW)
    digest.refresh_from_db()
    assert (digest.state, len(mailoutbox)) == ("accepted", 1)


def test_who_catches_up_on_two_days_gets_the_work_once(two_rows):
    yesterday = TODAY - timedelta(days=1)
    make_edition([two_rows[1]], yesterday)
    make_edition([two_rows[0], make_paper(5)])
    reader = make_reader()
    make_digest(reader, [], state="skipped", day=date(2026, 3, 18), content_to=date(2026, 3, 18))
    merging.merge(ids(two_rows), NOW, by="editor")
    planning.plan_due(NOW)
    picks = [p["paper"] for p in Digest.objects.get(subscriber=reader, day=TODAY).picks]
    assert len(picks) == 2
    assert len({*picks} & set(ids(two_rows))) == 1


def test_what_an_editor_did_to_a_twin_in_a_draft_is_there_again_when_it_is_taken_apart(two_rows):
    edition = editions.draft(TODAY, NOW)
    edition.entries.filter(paper=two_rows[1]).update(pinned=True, blurb="Read this.")
    merging.merge(ids(two_rows), NOW, by="editor")
    editions.draft(TODAY, NOW)
    assert [e.paper for e in edition.entries.shown()] == [two_rows[0]]
    merging.unmerge(two_rows[1])
    editions.draft(TODAY, NOW)
    entries = {e.paper_id: e for e in edition.entries.shown()}
    assert entries[two_rows[1].pk].blurb == "Read this."
    assert not entries[two_rows[0].pk].pinned


def test_a_work_of_yesterdays_edition_leaves_todays_draft(two_rows):
    draft = editions.draft(TODAY, NOW)
    assert draft.entries.count() == 2
    draft.entries.filter(paper=two_rows[0]).delete()
    make_edition([two_rows[0]], TODAY - timedelta(days=1))
    make_paper(5)
    merging.merge(ids(two_rows), NOW, by="editor")
    editions.draft(TODAY, NOW)
    assert [e.paper.arxiv_id for e in draft.entries.shown()] == ["2603.00005"]


def test_a_work_of_which_a_twin_was_in_an_edition_is_in_no_second_one(two_rows):
    make_edition([two_rows[1]], TODAY - timedelta(days=1))
    merging.merge(ids(two_rows), NOW, by="editor")
    assert editions.draft(TODAY, NOW) is None


def test_of_two_twins_without_the_survivor_the_first_listed_is_seen_and_hiding_either_hides_the_work(two_rows):
    third = make_paper(7)
    edition = make_edition([two_rows[1], third])
    merging.merge(ids([*two_rows, third]), NOW, by="editor")
    assert [e.paper for e in edition.entries.shown()] == [two_rows[1]]
    for paper in (two_rows[1], third):
        edition.entries.update(hidden=False)
        edition.entries.filter(paper=paper).update(hidden=True)
        assert not edition.entries.shown().exists()


@pytest.mark.parametrize("gone", ["withdrawn_at", "hidden_at"])
@pytest.mark.parametrize("row", [0, 1])
def test_a_row_that_is_gone_takes_the_work_out_of_editions_and_mails(two_rows, mailoutbox, gone, row):
    edition = make_edition([two_rows[1]])
    digest = make_digest(make_reader(), [two_rows[1]])
    merging.merge(ids(two_rows), NOW, by="editor")
    Paper.objects.filter(pk=two_rows[row].pk).update(**{gone: NOW})
    assert not edition.entries.shown().exists()
    assert not Paper.objects.shown().exists()
    delivery.send_digests(lambda: NOW)
    digest.refresh_from_db()
    assert (digest.state, len(mailoutbox)) == ("skipped", 0)


def test_an_entry_of_the_work_that_is_hidden_after_planning_keeps_the_mail_back(two_rows, mailoutbox):
    edition = make_edition(two_rows)
    digest = make_digest(make_reader(), [two_rows[1]])
    merging.merge(ids(two_rows), NOW, by="editor")
    edition.entries.filter(paper=two_rows[0]).update(hidden=True, hidden_reason="off topic")
    delivery.send_digests(lambda: NOW)
    digest.refresh_from_db()
    assert (digest.state, len(mailoutbox)) == ("skipped", 0)


def test_rows_that_were_hidden_before_are_hidden_after(two_rows):
    Paper.objects.update(hidden_at=NOW, hidden_reason="plagiarism")
    merging.merge(ids(two_rows), NOW, by="editor")
    merging.unmerge(two_rows[1])
    assert not Paper.objects.shown().exists()


def test_a_new_count_does_not_bring_back_what_an_editor_decided(two_rows):
    Paper.objects.filter(pk=two_rows[1].pk).update(withdrawn_at=NOW)
    merging.merge(ids(two_rows), NOW, by="editor")
    Paper.objects.update(withdrawn_at=None, edited=["withdrawn_at"])
    store(record("journal", doi="10.1000/182", upvotes=31, featured_on=TODAY, title="Shirts: a study of folding"))
    assert Paper.objects.get(pk=two_rows[0].pk).upvotes == 31
    assert Paper.objects.shown().exists()


def test_an_editors_own_word_on_the_surviving_row_is_above_that_on_a_twin(two_rows):
    for row, title in zip(two_rows, ("Of the survivor", "Of the twin"), strict=True):
        Paper.objects.filter(pk=row.pk).update(title=title, edited=["title"])
    assert merging.merge(ids(two_rows), NOW, by="editor").title == "Of the survivor"


def test_sources_leave_a_paper_that_an_editor_pinned_to_people(two_rows):
    edition = editions.draft(TODAY, NOW)
    edition.entries.filter(paper=two_rows[1]).update(pinned=True)
    store(replace(ON_ARXIV, doi="10.1000/182"))
    assert not Paper.objects.exclude(merged_into=None).exists()


def test_what_a_source_merged_before_comes_along_with_its_arxiv_row():
    for key in ("2", "3"):
        store(replace(IN_JOURNAL, source_key=key, doi=None, title=f"Title {key} of the whole thing"))
    for key in ("2", "3"):
        store(replace(IN_JOURNAL, source_key=key, title=f"Title {key} of the whole thing"))
    store(ON_ARXIV)
    store(replace(ON_ARXIV, doi="10.1000/182"))
    assert [p.arxiv_id for p in Paper.objects.shown()] == ["2603.00001"]


def test_a_row_made_by_hand_learns_nothing_and_so_has_nothing_to_forget(two_rows):
    by_hand = make_paper(9, "As it was typed", day=None)
    before = state(by_hand)
    Paper.objects.filter(pk=two_rows[0].pk).update(arxiv_id=None, key="x")
    merging.merge([by_hand.pk, two_rows[0].pk], NOW, by="editor")
    merging.unmerge(two_rows[0])
    assert state(by_hand) == before


def test_a_paper_featured_again_was_featured_on_the_first_day(two_rows):
    tomorrow = TODAY + timedelta(days=1)
    again = record("journal", doi="10.1000/182", upvotes=9, featured_on=tomorrow, title="Shirts: a study of folding")
    papers.store([again], tomorrow, NOW + timedelta(days=1))
    merging.rebuild(two_rows[1].pk)
    assert Paper.objects.get(pk=two_rows[1].pk).featured_on == TODAY


def test_a_work_that_an_editor_hid_in_one_row_is_hidden(two_rows):
    edition = make_edition(two_rows)
    EditionPaper.objects.filter(paper=two_rows[0]).update(hidden=True, hidden_reason="off topic")
    merging.merge(ids(two_rows), NOW, by="editor")
    assert not edition.entries.shown().exists()


def test_a_row_that_was_hidden_everywhere_hides_the_work_until_it_is_taken_apart(two_rows):
    Paper.objects.filter(pk=two_rows[1].pk).update(hidden_at=NOW, hidden_reason="plagiarism")
    merging.merge(ids(two_rows), NOW, by="editor")
    assert not Paper.objects.shown().exists()
    merging.unmerge(two_rows[1])
    assert set(Paper.objects.shown()) == {two_rows[0]}


@pytest.mark.parametrize("work", [{"edited": ["title"]}, {"hidden_at": NOW, "hidden_reason": "plagiarism"}])
def test_sources_leave_rows_that_an_editor_worked_on_to_people(two_rows, work):
    Paper.objects.filter(pk=two_rows[1].pk).update(**work)
    store(replace(ON_ARXIV, doi="10.1000/182"))
    assert Paper.objects.get(pk=two_rows[1].pk).merged_into is None
    assert merging.lookalikes(Paper.objects.get(pk=two_rows[0].pk)) == [two_rows[1]]


def test_what_was_typed_of_a_row_made_by_hand_fills_gaps_and_is_the_blurb(two_rows):
    by_hand = Paper.objects.create(
        key="editor:1", title="By hand", blurb="Read it.", blurb_origin="editor", edited=["title", "blurb"], first_seen_at=NOW
    )  # fmt: skip
    survivor = merging.merge([two_rows[0].pk, by_hand.pk], NOW, by="editor")
    assert (survivor.title, survivor.blurb) == ("Robots that fold shirts", "Read it.")
    merging.unmerge(by_hand)
    assert Paper.objects.get(pk=two_rows[0].pk).title == "Robots that fold shirts"
    assert Paper.objects.get(pk=by_hand.pk).title == "By hand"


def test_what_an_editor_corrected_on_a_twin_holds_for_the_work(two_rows):
    Paper.objects.filter(pk=two_rows[1].pk).update(title="As it is spelled", edited=["title"])
    assert merging.merge(ids(two_rows), NOW, by="editor").title == "As it is spelled"


def test_a_row_whose_records_cannot_be_read_any_more_keeps_what_it_has(two_rows, monkeypatch):
    before = state(two_rows[0])
    monkeypatch.delitem(SOURCES, "preprints")
    merging.merge(ids(two_rows), NOW, by="editor")
    merging.unmerge(two_rows[1])
    assert Paper.objects.get(pk=two_rows[0].pk).title == before[0][FIELDS.index("title")]


def test_works_of_several_rows_are_taken_apart_before_people_merge_them_with_others(two_rows):
    by_hand = make_paper(7)
    Paper.objects.filter(pk=two_rows[0].pk).update(arxiv_id=None, key="x")
    merging.merge(ids(two_rows), NOW, by="editor")
    with pytest.raises(merging.CannotMerge, match="take it apart first"):
        merging.merge([two_rows[0].pk, by_hand.pk], NOW, by="editor")


def test_two_rows_without_arxiv_id_that_come_to_bear_one_doi_become_one_work():
    for key in ("2", "3"):
        store(replace(IN_JOURNAL, source_key=key, doi=None, title=f"Title {key} of the whole thing"))
    assert Paper.objects.shown().count() == 2
    for key in ("2", "3"):
        store(replace(IN_JOURNAL, source_key=key, title=f"Title {key} of the whole thing"))
    assert Paper.objects.shown().count() == 1


def test_a_merge_that_fails_leaves_nothing_half_done(two_rows, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(merging, "rebuild", broken)
    source = replace(SOURCES["preprints"], fetch=lambda day: [replace(ON_ARXIV, doi="10.1000/182")])
    monkeypatch.setitem(SOURCES, "preprints", source)
    assert fetching.collect("preprints", TODAY, NOW).state == "failed"
    monkeypatch.undo()
    monkeypatch.setitem(SOURCES, "preprints", source)
    fetching.collect("preprints", TODAY, NOW + timedelta(hours=1))
    assert Paper.objects.shown().count() == 1, "the record speaks again, since it was not stored"
