import math
from datetime import timedelta

import pytest

from digest import approval, editions, fetching
from digest.models import Edition, EditionPaper, Signal
from tests.conftest import NOW, TODAY, make_edition, make_paper

pytestmark = pytest.mark.django_db


def titles(edition):
    return [e.paper.upvotes for e in edition.entries.all()]


@pytest.fixture
def everything_read(monkeypatch):
    monkeypatch.setattr(fetching, "all_in", lambda now, day: True)


def test_a_draft_ranks_the_windows_papers_by_trend():
    for upvotes in (3, 50, 7):
        make_paper(upvotes)
    make_paper(99, day=TODAY - timedelta(days=9))
    make_paper(98, withdrawn_at=NOW)
    assert titles(editions.draft(TODAY, NOW)) == [50, 7, 3]


def test_what_came_too_late_for_yesterday_is_in_todays_and_nothing_is_twice():
    yesterday = TODAY - timedelta(days=1)
    make_edition([make_paper(5, day=yesterday)], yesterday)
    make_paper(6, day=yesterday)
    make_paper(1)
    assert sorted(titles(editions.draft(TODAY, NOW))) == [1, 6]


def test_a_redraft_keeps_what_the_editor_did_and_takes_new_papers():
    for upvotes in (30, 20, 10):
        make_paper(upvotes)
    edition = editions.draft(TODAY, NOW)
    EditionPaper.objects.filter(paper__upvotes=10).update(pinned=True, blurb="Read this.")
    EditionPaper.objects.filter(paper__upvotes=30).update(hidden=True, hidden_reason="off topic")
    make_paper(40)
    editions.draft(TODAY, NOW)
    assert titles(edition) == [10, 40, 30, 20]
    assert edition.entries.get(paper__upvotes=10).blurb == "Read this."
    assert [e.paper.upvotes for e in edition.entries.shown()] == [10, 40, 20]


def test_an_edition_holds_so_many_papers_and_all_that_the_editor_touched(settings):
    settings.EDITION_SIZE = 2
    for upvotes in (1, 2, 3, 4):
        make_paper(upvotes)
    edition = editions.draft(TODAY, NOW)
    assert titles(edition) == [4, 3]
    make_paper(5)
    edition.entries.filter(paper__upvotes=3).update(pinned=True)
    editions.draft(TODAY, NOW)
    assert titles(edition) == [3, 5]


def test_a_hidden_paper_keeps_its_place_and_reason_however_many_come(settings):
    settings.EDITION_SIZE = 2
    for upvotes in (3, 4):
        make_paper(upvotes)
    edition = editions.draft(TODAY, NOW)
    edition.entries.filter(paper__upvotes=3).update(hidden=True, hidden_reason="off topic")
    for upvotes in (5, 6):
        make_paper(upvotes)
    editions.draft(TODAY, NOW)
    assert titles(edition) == [6, 3]
    assert edition.entries.get(paper__upvotes=3).hidden_reason == "off topic"


def test_an_approved_edition_is_not_drafted_again():
    edition = make_edition([make_paper(1)])
    make_paper(2)
    assert titles(editions.draft(TODAY, NOW)) == [1]
    assert TODAY not in editions.days_to_draft(NOW)
    assert edition.state == "approved"


def test_no_papers_make_no_edition():
    assert editions.draft(TODAY, NOW) is None
    assert not Edition.objects.exists()


def test_it_approves_by_itself_at_its_hour_when_everything_is_read(everything_read):
    make_edition([make_paper(1)], state="draft")
    assert approval.approve_due(NOW - timedelta(hours=1, minutes=1)) == []
    [edition] = approval.approve_due(NOW, by="worker")
    assert (edition.state, edition.approved_by) == ("approved", "worker")


def test_it_waits_for_its_sources_but_not_for_ever(settings):
    settings.SOURCES = ["huggingface"]
    make_edition([make_paper(1)], state="draft")
    assert approval.approve_due(NOW) == []
    assert len(approval.approve_due(NOW + timedelta(hours=1))) == 1


def test_a_paper_that_came_with_the_last_reading_is_in(everything_read):
    editions.draft(TODAY, NOW) or make_edition([make_paper(1)], state="draft")
    make_paper(2)
    [edition] = approval.approve_due(NOW)
    assert titles(edition) == [2, 1]


def test_a_held_edition_and_an_empty_one_are_not_approved(everything_read):
    edition = make_edition([make_paper(1)], state="draft")
    approval.hold(edition, "check no. 1", by="editor")
    assert approval.approve_due(NOW) == []
    edition.refresh_from_db()
    with pytest.raises(approval.NotApproved, match=r"check no\. 1"):
        approval.approve(edition, NOW, by="editor")
    approval.release(edition)
    edition.refresh_from_db()
    edition.entries.update(hidden=True)
    with pytest.raises(approval.NotApproved, match="no paper"):
        approval.approve(edition, NOW, by="editor")


def test_never_means_by_hand_only(everything_read, settings):
    settings.EDITION_APPROVE_AT = None
    make_edition([make_paper(1)], state="draft")
    assert approval.approve_due(NOW) == []


def test_of_equal_counts_the_paper_that_rises_after_a_quiet_time_is_first():
    rising, settled = make_paper(1, upvotes=50), make_paper(2, upvotes=50)
    Signal.objects.create(paper=rising, hour=NOW - timedelta(hours=20), upvotes=5)
    Signal.objects.create(paper=settled, hour=NOW - timedelta(hours=20), upvotes=50)
    edition = editions.draft(TODAY, NOW)
    assert [e.paper for e in edition.entries.all()] == [rising, settled]
    growth = [e.ingredients["growth"] for e in edition.entries.all()]
    assert growth[0] > growth[1] == 1


def test_an_old_count_does_not_dilute_how_fast_a_paper_rises_now():
    for number, hours in ((1, 4), (2, 100)):
        paper = make_paper(number, upvotes=64)
        Signal.objects.create(paper=paper, hour=NOW - timedelta(hours=hours), upvotes=8)
    growths = [e.ingredients["growth"] for e in editions.draft(TODAY, NOW).entries.order_by("paper")]
    assert growths[0] > growths[1] > 1
    assert growths[1] == pytest.approx(1 + 0.1 * math.log2(65 / 9) / 12, abs=1e-4), "as if counted twelve hours ago"
