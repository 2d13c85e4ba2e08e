from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import fetching, filling
from digest.models import Paper, Sighting, Signal, SourceRun
from digest.sources.base import PaperRecord, Rejected, SourceError
from tests.conftest import NOW, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]  # rows are locked and written together

RECORD = PaperRecord(
    source="huggingface",
    source_key="2603.00001",
    arxiv_id="2603.00001",
    title="A title",
    authors=("Ana Exemplar",),
    abstract="Text.",
    featured_on=TODAY,
    upvotes=5,
    comments=1,
)


def serve(monkeypatch, *records, day=TODAY):
    """A source that gives these, or raises the last one."""

    def fetch(day):
        for record in records:
            if isinstance(record, Exception):
                raise record
            yield record

    monkeypatch.setitem(fetching.SOURCES, "huggingface", replace(fetching.SOURCES["huggingface"], fetch=fetch))
    return fetching.collect("huggingface", day, NOW)


def test_a_run_stores_papers_counts_and_the_sources_own_record(monkeypatch):
    run = serve(
        monkeypatch,
        replace(RECORD, raw={"x": 1}),
        replace(RECORD, source_key="2603.00002", arxiv_id="2603.00002"),
    )
    assert (run.state, run.received, run.created) == ("fresh", 2, 2)
    assert Sighting.objects.get(source_key="2603.00001").raw == {"x": 1}
    assert [s.upvotes for s in Signal.objects.all()] == [5, 5]


def test_reading_again_makes_no_second_paper_and_takes_the_new_count(monkeypatch):
    serve(monkeypatch, RECORD)
    run = serve(monkeypatch, replace(RECORD, upvotes=9))
    assert run.created == 0
    assert Paper.objects.get().upvotes == 9
    assert Signal.objects.get().upvotes == 9, "one reading an hour"


def test_one_work_from_two_sources_is_one_paper(monkeypatch):
    twin = replace(RECORD, source="arxiv_rss", source_key="oai:1", arxiv_id=None, doi="10.48550/arXiv.2603.00001",
                   title=r"A $\infty$-title", categories=("cs.CL",), announced_on=date(2026, 3, 18), upvotes=None)  # fmt: skip
    serve(monkeypatch, RECORD, twin)
    paper = Paper.objects.get()
    assert paper.categories == ["cs.CL"]
    assert (paper.announced_on, paper.featured_on, paper.upvotes) == (date(2026, 3, 18), TODAY, 5)
    assert paper.title == "A ∞-title", "arXiv keeps its TeX whole"
    assert Sighting.objects.count() == 2


def test_a_bad_record_is_kept_aside_with_its_reason_and_the_rest_goes_on(monkeypatch):
    run = serve(monkeypatch, Rejected("no id", {"title": "x\x00"}), replace(RECORD, title=" \n"), RECORD)
    assert run.received == 1
    assert [r["reason"] for r in run.rejected] == ["no id", "no title"]
    assert Paper.objects.count() == 1


def test_a_record_that_the_database_refuses_does_not_stop_its_batch(monkeypatch):
    broken = replace(RECORD, source_key="b", arxiv_id="2603.00009", upvotes=2**80)
    run = serve(monkeypatch, broken, RECORD)
    run.refresh_from_db()
    assert run.created == 1
    assert len(run.rejected) == 1
    assert [p.arxiv_id for p in Paper.objects.all()] == ["2603.00001"]


def test_a_source_that_is_down_is_a_failed_run_and_no_crash(monkeypatch):
    run = serve(monkeypatch, RECORD, SourceError("answered with an HTML page instead of JSON", transient=True))
    assert (run.state, run.reason) == ("failed", "answered with an HTML page instead of JSON")
    assert run.finished_at


def test_each_source_and_day_is_read_once_an_hour(monkeypatch, settings):
    settings.SOURCES = ["huggingface"]
    due = fetching.runs_due(NOW)
    assert due == [("huggingface", TODAY - timedelta(days=back)) for back in (2, 1, 0)]
    for _, day in due:
        serve(monkeypatch, replace(RECORD, source_key=str(day)), day=day)
    assert fetching.runs_due(NOW + timedelta(minutes=59)) == []
    assert fetching.all_in(NOW + timedelta(minutes=59), TODAY)
    assert len(fetching.runs_due(NOW + timedelta(minutes=60))) == 3


def test_papers_without_categories_are_filled_in_from_arxiv(monkeypatch):
    serve(monkeypatch, RECORD)
    asked = []

    def fill_in(ids):
        asked.extend(ids)
        yield replace(RECORD, source="arxiv_api", categories=("cs.RO", "cs.AI"), upvotes=None, featured_on=None)

    monkeypatch.setattr(filling, "FILL_IN", fill_in)
    assert filling.fill_in(NOW).state == "fresh"
    assert asked == ["2603.00001"]
    assert Paper.objects.get().categories == ["cs.RO", "cs.AI"]
    assert filling.fill_in(NOW) is None


def test_text_that_looks_like_an_escape_stops_nothing(monkeypatch):
    odd = {"title": "the text \\u0000 and a real \x00"}
    run = serve(monkeypatch, Rejected("no id", odd), replace(RECORD, raw=odd))
    run.refresh_from_db()
    assert (run.state, run.received, len(run.rejected)) == ("fresh", 1, 1)


def test_a_defect_of_ours_ends_the_run_all_the_same(monkeypatch):
    run = serve(monkeypatch, RECORD, ZeroDivisionError())
    assert (run.state, run.reason) == ("failed", "a defect of ours: ZeroDivisionError")
    assert run.finished_at


def test_no_source_overrules_an_editor(monkeypatch):
    serve(monkeypatch, replace(RECORD, code_url="https://bad.example"))
    Paper.objects.update(code_url="", edited=["code_url"])
    serve(monkeypatch, replace(RECORD, code_url="https://bad.example", upvotes=6))
    assert (Paper.objects.get().code_url, Paper.objects.get().upvotes) == ("", 6)


def test_a_defect_while_filling_in_ends_the_run_too(monkeypatch):
    serve(monkeypatch, RECORD)
    monkeypatch.setattr(filling, "FILL_IN", lambda ids: 1 / 0)
    run = filling.fill_in(NOW)
    assert (run.state, run.reason) == ("failed", "a defect of ours: ZeroDivisionError")
    assert not SourceRun.objects.filter(state="running").exists()


def test_an_address_that_is_not_the_webs_is_dropped(monkeypatch):
    serve(monkeypatch, replace(RECORD, code_url="javascript:alert(1)", project_url="https://x.example/<b>"))
    assert (Paper.objects.get().code_url, Paper.objects.get().project_url) == ("", "")


@given(
    title=st.text(min_size=1),
    author=st.text(),
    abstract=st.text(),
    raw=st.dictionaries(st.text(), st.text() | st.floats()),
)
def test_no_text_breaks_storing(title, author, abstract, raw, django_db_blocker):
    record = replace(RECORD, title=title, authors=(author,), abstract=abstract, raw=raw)
    with pytest.MonkeyPatch.context() as monkeypatch:
        run = serve(monkeypatch, record)
    assert run.state == "fresh" or run.rejected, run.reason


def test_the_hour_of_the_first_reading_stays_when_a_later_one_has_lost_or_changed_it(monkeypatch):
    first, later = NOW - timedelta(hours=5), NOW - timedelta(hours=1)
    serve(monkeypatch, replace(RECORD, featured_at=first))
    serve(monkeypatch, replace(RECORD, featured_at=later, upvotes=6))
    assert Paper.objects.get().featured_at == first
    serve(monkeypatch, replace(RECORD, featured_at=None, upvotes=7))
    assert Paper.objects.get().featured_at == first


def test_without_an_hour_that_at_which_the_paper_was_first_seen_counts(monkeypatch):
    serve(monkeypatch, RECORD)
    assert Paper.objects.get().featured_at == NOW
