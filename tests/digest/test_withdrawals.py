from dataclasses import replace
from datetime import timedelta

import pytest

from digest import delivery, fetching, filling, merging
from digest.models import Paper, SourceRun
from digest.sources.base import PaperRecord, SourceError
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, make_record

pytestmark = pytest.mark.django_db
ANSWER = PaperRecord(
    source="arxiv_api",
    source_key="2603.00001",
    arxiv_id="2603.00001",
    title="A robot study",
    authors=("Ana Exemplar",),
    categories=("cs.RO",),
    version=2,
)
WITHDRAWN = replace(ANSWER, comment="This paper has been withdrawn by the authors due to an error in section 3")


@pytest.fixture
def arxiv(monkeypatch):
    """arXiv, which says this of the one paper, and whether it confirms a withdrawal."""
    asked = []

    def says(record, *, confirms=True):
        def confirm(arxiv_id):
            asked.append(arxiv_id)
            if isinstance(confirms, Exception):
                raise confirms
            return confirms

        monkeypatch.setattr(filling, "FILL_IN", lambda ids: iter([record] if record.arxiv_id in ids else []))
        monkeypatch.setattr(filling, "CONFIRM_WITHDRAWAL", confirm)
        return asked

    return says


def test_a_paper_of_an_edition_that_arxiv_withdrew_leaves_it_and_the_mails_that_are_not_sent(arxiv, mailoutbox):
    gone, stays = make_paper(1), make_paper(2, "Something else")
    edition = make_edition([gone, stays])
    digest = make_digest(make_reader(), [gone, stays])
    arxiv(WITHDRAWN)
    filling.fill_in(NOW)
    gone.refresh_from_db()
    assert gone.withdrawn_at == NOW
    assert [e.paper for e in edition.entries.shown()] == [stays]
    delivery.send_digests(lambda: NOW)
    digest.refresh_from_db()
    assert digest.state == "accepted"
    assert "A robot study" not in mailoutbox[0].body
    assert "Something else" in mailoutbox[0].body


def test_a_mail_of_withdrawn_papers_only_is_skipped_with_its_reason(arxiv, mailoutbox):
    gone = make_paper(1)
    make_edition([gone])
    digest = make_digest(make_reader(), [gone])
    arxiv(WITHDRAWN)
    filling.fill_in(NOW)
    delivery.send_digests(lambda: NOW)
    digest.refresh_from_db()
    assert (digest.state, digest.reason, len(mailoutbox)) == ("skipped", "papers withdrawn", 0)


def test_a_comment_alone_withdraws_nothing(arxiv):
    make_edition([make_paper(1)])
    asked = arxiv(WITHDRAWN, confirms=False)
    filling.fill_in(NOW)
    assert asked == ["2603.00001"]
    assert Paper.objects.get().withdrawn_at is None


def test_what_cannot_be_asked_now_is_asked_in_an_hour(arxiv):
    make_edition([make_paper(1)])
    arxiv(WITHDRAWN, confirms=SourceError("down", transient=True))
    run = filling.fill_in(NOW)
    assert run.state == "fresh"
    assert Paper.objects.get().withdrawn_at is None
    arxiv(WITHDRAWN)
    filling.fill_in(NOW + timedelta(hours=1))
    assert Paper.objects.get().withdrawn_at == NOW + timedelta(hours=1)


def test_a_paper_that_speaks_of_another_ones_withdrawal_stays(arxiv):
    make_edition([make_paper(1)])
    asked = arxiv(replace(ANSWER, version=1, comment="Supersedes arXiv:2601.00001, which has been withdrawn"))
    filling.fill_in(NOW)
    assert asked == []
    assert Paper.objects.get().withdrawn_at is None


@pytest.mark.parametrize(
    "told",
    [
        {"comment": "Paper withdrawn by the author"},
        {"comment": "12 pages. This paper has been withdrawn"},
        {"title": "[Withdrawn] A robot study"},
        {"abstract": "The authors have withdrawn this paper because of an error."},
        {"version": 3},
        {},
    ],
)
def test_a_withdrawal_is_noticed_by_words_or_by_its_version_and_can_be_taken_back(arxiv, told):
    make_edition([make_paper(1)])
    record = replace(ANSWER, **told)
    arxiv(record)
    filling.fill_in(NOW)
    assert Paper.objects.get().withdrawn_at == NOW
    filling.fill_in(NOW + timedelta(hours=1))
    assert Paper.objects.get().withdrawn_at == NOW
    arxiv(replace(ANSWER, version=4), confirms=False)
    filling.fill_in(NOW + timedelta(hours=2))
    assert Paper.objects.shown().exists()


def test_questions_are_bounded_and_a_silent_version_is_asked_about_once_a_day(arxiv, monkeypatch):
    make_edition([make_paper(n) for n in range(1, 31)])
    asked = arxiv(ANSWER, confirms=False)
    answers = [replace(make_record(n, source="arxiv_api"), version=2) for n in range(1, 31)]
    monkeypatch.setattr(filling, "FILL_IN", lambda ids: iter(answers))
    for hour in range(4):
        filling.fill_in(NOW + timedelta(hours=hour))
    assert len(asked) == len(set(asked)) == 30
    assert Paper.objects.shown().count() == 30


def test_hugging_faces_own_mark_withdraws_at_once(monkeypatch):
    record = replace(ANSWER, source="huggingface", upvotes=3, featured_on=TODAY, withdrawn_at=NOW)
    source = replace(fetching.SOURCES["huggingface"], fetch=lambda day: iter([record]))
    monkeypatch.setitem(fetching.SOURCES, "huggingface", source)
    fetching.collect("huggingface", TODAY, NOW)
    assert not Paper.objects.shown().exists()


def test_an_editor_can_say_that_it_is_not_withdrawn_and_stays_right(arxiv):
    make_edition([make_paper(1)])
    Paper.objects.update(edited=["withdrawn_at"])
    arxiv(WITHDRAWN)
    filling.fill_in(NOW)
    assert Paper.objects.get().withdrawn_at is None


def test_papers_that_are_in_no_edition_are_not_asked_about(arxiv):
    make_paper(1)
    arxiv(WITHDRAWN)
    assert filling.fill_in(NOW) is None
    assert not SourceRun.objects.exists()


def test_an_edition_of_days_ago_is_asked_about_as_long_as_readers_may_be_sent_it(arxiv):
    old = make_paper(1)
    make_edition([old], TODAY - timedelta(days=6))
    arxiv(WITHDRAWN)
    filling.fill_in(NOW)
    old.refresh_from_db()
    assert old.withdrawn_at == NOW


def test_a_work_is_asked_about_when_the_edition_has_its_other_row(arxiv):
    on_arxiv, twin = make_paper(1), make_paper(2)
    Paper.objects.filter(pk=twin.pk).update(arxiv_id=None, key="doi:10.1000/1")
    edition = make_edition([twin])
    merging.merge([on_arxiv.pk, twin.pk], NOW, by="editor")
    arxiv(WITHDRAWN)
    filling.fill_in(NOW)
    assert not edition.entries.shown().exists()


def test_reading_arxivs_list_does_not_keep_from_asking_about_withdrawals(arxiv):
    make_edition([make_paper(1)])
    SourceRun.objects.create(source="arxiv_api", day=TODAY, started_at=NOW, state="fresh")
    arxiv(WITHDRAWN)
    assert filling.fill_in(NOW).source == "fill_in"
    assert Paper.objects.get().withdrawn_at == NOW


def test_nobody_is_asked_while_arxiv_wants_to_be_left_alone(arxiv):
    make_edition([make_paper(1)])
    SourceRun.objects.create(source="arxiv_api", day=TODAY, started_at=NOW, retry_at=NOW + timedelta(hours=2))
    arxiv(WITHDRAWN)
    assert filling.fill_in(NOW) is None


def test_arxiv_that_wants_to_be_left_alone_while_it_is_asked_is_left_alone(arxiv):
    make_edition([make_paper(1)])
    asked = arxiv(WITHDRAWN, confirms=SourceError("429", transient=True, busy=True, wait=7200))
    run = filling.fill_in(NOW)
    assert (run.state, len(asked)) == ("failed", 1)
    assert filling.fill_in(NOW + timedelta(hours=1)) is None
    assert filling.fill_in(NOW + timedelta(hours=3)) is not None


def test_the_newest_papers_without_categories_are_asked_about_first(arxiv, monkeypatch):
    monkeypatch.setattr(fetching, "BATCH", 2)
    for number in (1, 2, 3):
        make_paper(number, categories=[], first_seen_at=NOW - timedelta(hours=number))
    asked = []

    def nothing(ids):
        asked.extend(ids)
        return []

    monkeypatch.setattr(filling, "FILL_IN", nothing)
    filling.fill_in(NOW)
    assert asked == ["2603.00001", "2603.00002"]
