import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from digest import approval, editions, fetching, freshness, retention
from digest.health import waiting
from digest.models import SourceRun
from digest.rendering import sentences
from digest.sources import calendar
from digest.sources.base import Incomplete, OtherDay, Rejected, SourceError
from tests.conftest import NOW, TODAY, make_paper, make_record

WEDNESDAY = date(2026, 3, 18)
MORNING, EVENING = datetime(2026, 3, 18, 7, tzinfo=UTC), datetime(2026, 3, 19, 7, tzinfo=UTC)
SATURDAY, AFTER_MLK_DAY = date(2026, 3, 21), date(2026, 1, 20)


def records(number, *, category="cs.CL", day=WEDNESDAY, source="arxiv_rss", first=0):
    for n in range(first, first + number):
        yield make_record(n, source=source, categories=(category,), announced_on=day)


@pytest.fixture
def serve(monkeypatch, db):
    """Read a source that gives these things, and raises what is an error, for a day at an instant."""

    def collect(*things, source="arxiv_rss", day=WEDNESDAY, now=EVENING):
        def fetch(_):
            for thing in things:
                if isinstance(thing, Exception):
                    raise thing
                yield thing

        monkeypatch.setitem(fetching.SOURCES, source, replace(fetching.SOURCES[source], fetch=fetch))
        return fetching.collect(source, day, now)

    return collect


def shows(day):
    return OtherDay(f"arxiv_rss shows {day}", shows=day)


def test_papers_make_a_day_fresh(serve):
    assert serve(*records(3)).state == "fresh"


def test_nothing_is_waiting_until_the_batch_is_due_and_then_quiet(serve):
    run = serve(source="huggingface", now=MORNING)
    assert (run.state, run.reason) == ("waiting", "nothing yet; due by 19 Mar 00:00 UTC")
    run = serve(source="huggingface", now=EVENING)
    assert (run.state, run.reason) == ("quiet", "empty list")


def test_a_weekend_and_a_holiday_are_quiet_by_their_names(serve):
    weekend = serve(source="huggingface", day=SATURDAY)
    holiday = serve(shows(date(2026, 1, 16)), day=AFTER_MLK_DAY, now=datetime(2026, 1, 20, 12, tzinfo=UTC))
    assert (weekend.state, weekend.reason) == ("quiet", "weekend")
    assert (holiday.state, holiday.reason) == ("quiet", "arXiv holiday: Martin Luther King Jr. Day")


def test_papers_on_a_holiday_are_papers(serve):
    assert serve(*records(3, day=AFTER_MLK_DAY), day=AFTER_MLK_DAY).state == "fresh"


def test_yesterdays_feed_is_waiting_until_the_new_one_is_due_and_then_stalled(serve):
    early = serve(shows(date(2026, 3, 17)), now=datetime(2026, 3, 18, 5, tzinfo=UTC))
    late = serve(shows(date(2026, 3, 17)), now=datetime(2026, 3, 18, 9, tzinfo=UTC))
    assert (early.state, late.state) == ("waiting", "stalled")
    assert "shows 2026-03-17" in late.reason


def test_papers_beside_a_part_that_lags_are_kept_and_the_day_is_not_called_fresh(serve):
    run = serve(*records(3), shows(date(2026, 3, 17)), now=EVENING)
    assert (run.state, run.received) == ("stalled", 3)


def test_a_category_that_shows_an_earlier_days_papers_again_is_stalled_and_named(serve, settings):
    settings.ARXIV_CATEGORIES = ["cs.AI", "cs.CL"]
    tuesday = WEDNESDAY - timedelta(days=1)
    serve(*records(8, category="cs.AI", day=tuesday), day=tuesday)
    again = serve(*records(8, category="cs.AI"), *records(8, category="cs.CL", first=100))
    assert (again.state, again.reason) == (
        "stalled",
        "cs.AI: still the papers of an earlier day; was due by 18 Mar 07:00 UTC",
    )


def test_reading_the_same_day_again_is_fresh(serve):
    serve(*records(8))
    assert serve(*records(8), now=EVENING + timedelta(hours=1)).state == "fresh"


def test_a_few_papers_cross_listed_later_do_not_stall_a_category(serve, settings):
    settings.ARXIV_CATEGORIES = ["cs.CL"]
    tuesday = WEDNESDAY - timedelta(days=1)
    serve(*records(4, day=tuesday), day=tuesday)
    assert serve(*records(12)).state == "fresh"


def test_a_list_that_is_yesterdays_is_stalled(serve):
    serve(*records(6, source="huggingface"), source="huggingface", day=WEDNESDAY - timedelta(days=1))
    early = serve(*records(6, source="huggingface"), source="huggingface", now=MORNING)
    late = serve(*records(6, source="huggingface"), source="huggingface", now=EVENING)
    assert (early.state, late.state) == ("waiting", "stalled")
    assert "the list: still the papers of an earlier day" in late.reason


def test_a_weekend_that_shows_fridays_list_is_a_weekend(serve):
    friday = SATURDAY - timedelta(days=1)
    serve(*records(6, source="huggingface"), source="huggingface", day=friday)
    run = serve(*records(6, source="huggingface"), source="huggingface", day=SATURDAY)
    assert (run.state, run.reason) == ("quiet", "weekend")


def test_a_day_that_waited_and_was_not_read_since_stands_still(serve, settings):
    settings.SOURCES = ["huggingface"]
    serve(source="huggingface", now=MORNING)
    name = ("huggingface", WEDNESDAY)
    assert freshness.readings([WEDNESDAY], MORNING)[name].state == "waiting"
    later = freshness.readings([WEDNESDAY], EVENING)[name]
    assert (later.state, later.reason.split(":")[0]) == ("stalled", "not read since it was due")


def test_a_weekend_asked_for_on_monday_was_a_weekend(serve):
    run = serve(OtherDay("shows Monday", shows=date(2026, 3, 23)), day=SATURDAY)
    assert (run.state, run.reason) == ("quiet", "weekend")


def test_refusals_are_listed_though_a_later_reading_refused_nothing(serve, settings, capsys):
    settings.SOURCES = ["arxiv_rss"]
    serve(Rejected("no title", {}), *records(1))
    serve(*records(1), now=EVENING + timedelta(hours=1))
    call_command("sources", "--rejected", "--day", str(WEDNESDAY))
    assert "no title" in capsys.readouterr().out


def test_one_interface_of_arxiv_that_is_busy_rests_them_all(serve, settings):
    settings.SOURCES = ["arxiv_rss", "arxiv_api", "huggingface"]
    serve(SourceError("429", transient=True, busy=True, wait=7200), now=NOW, day=TODAY)
    assert {source for source, _ in fetching.runs_due(NOW + timedelta(minutes=61))} == {"huggingface"}


def test_a_list_of_which_nothing_can_be_read_is_no_quiet_day(serve):
    run = serve(*[Rejected("paper.upvotes is not a count", {})] * 40, source="huggingface")
    assert (run.state, run.reason) == ("failed", "all 40 records were refused")


@pytest.mark.parametrize("refused", [5, 10, 45, 49])
def test_a_list_of_which_a_share_was_refused_is_partial_and_everybody_knows(serve, settings, refused, mailoutbox):
    settings.SOURCES, settings.ADMINS = ["huggingface"], [("Op", "op@example.org")]
    things = [*records(50 - refused, source="huggingface"), *[Rejected("no upvotes", {})] * refused]
    run = serve(*things, source="huggingface")
    assert (run.state, run.reason) == ("partial", f"{refused} of 50 records were refused")
    assert fetching.is_news(run)
    assert not fetching.is_news(serve(*things, source="huggingface", now=EVENING + timedelta(hours=1)))
    serve(SourceError("answered 503", transient=True), source="huggingface", now=EVENING + timedelta(hours=2))
    [said] = freshness.standing_on(WEDNESDAY)
    assert said["state"] == "partial"
    assert said["reason"].startswith(run.reason)
    [line] = sentences.freshness_lines([said], WEDNESDAY)
    assert "a part of the list could not be read" in line
    verdict = waiting.sources(EVENING)
    assert (verdict.state, run.reason in verdict.said) == ("warning", True)


def test_one_odd_record_of_many_leaves_a_day_fresh(serve):
    assert serve(*records(29, source="huggingface"), Rejected("odd", {}), source="huggingface").state == "fresh"


def test_what_a_source_itself_deleted_is_not_lost(serve):
    deleted = Rejected("deleted at the source", {}, is_lost=False)
    assert serve(*records(2), deleted, deleted).state == "fresh"


def test_a_list_that_did_not_come_whole_is_partial(serve):
    run = serve(*records(3), Incomplete("arxiv_rss gave 3 of 9"))
    assert (run.state, run.reason) == ("partial", "arxiv_rss gave 3 of 9")
    assert serve(Incomplete("gave 0 of 9")).state == "failed"


def test_a_day_that_was_fresh_stays_so_whatever_a_later_reading_met(serve, settings):
    settings.SOURCES = ["huggingface"]
    serve(*records(9, source="huggingface"), source="huggingface", now=MORNING)
    serve(SourceError("answered 503", transient=True), source="huggingface", now=EVENING)
    [said] = freshness.standing_on(WEDNESDAY)
    assert said == {
        "source": "huggingface",
        "state": "fresh",
        "reason": "last reading failed: answered 503",
        "papers": "9",
    }


def test_an_edition_names_the_sources_that_were_not_read_too(serve, settings):
    settings.SOURCES = ["huggingface", "arxiv_rss"]
    serve(*records(1))
    assert [(s["source"], s["state"]) for s in freshness.standing_on(WEDNESDAY)] == [
        ("huggingface", "not read"),
        ("arxiv_rss", "fresh"),
    ]


def test_a_source_that_answers_only_now_and_then_reaches_every_day(serve, settings):
    settings.SOURCES = ["huggingface"]
    busy = SourceError("429", transient=True, busy=True, wait=600)
    asked = []
    for hour in range(3):
        now = NOW + timedelta(hours=2 * hour)
        _, day = fetching.runs_due(now)[0]
        asked.append(day)
        serve(busy, source="huggingface", day=day, now=now)
    assert sorted(asked) == [TODAY - timedelta(days=back) for back in (2, 1, 0)]


def test_a_later_batch_than_asked_for_is_a_failure_that_says_so(serve):
    run = serve(OtherDay("the feed holds only the newest batch", shows=date(2026, 3, 19)))
    assert (run.state, run.reason) == ("failed", "the feed holds only the newest batch")


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    hours=st.integers(-24, 96),
    received=st.integers(0, 5),
    error=st.sampled_from(["", "early", "late", "broken"]),
    batch=st.sampled_from([calendar.any_day, calendar.weekdays, calendar.arxiv_feed]),
)
def test_every_reading_has_one_word_and_every_word_but_fresh_a_reason(day, hours, received, error, batch):
    errors = {
        "": None,
        "early": shows(day - timedelta(days=1)),
        "late": shows(day + timedelta(days=1)),
        "broken": SourceError("broken", transient=True),
    }
    now = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hours)
    state, reason = freshness.judge(batch(day), day, now, received=received, error=errors[error])
    assert state in {"fresh", "waiting", "quiet", "stalled", "failed"}
    assert bool(reason) == (state != "fresh")
    assert not (state == "waiting" and now >= batch(day).due_at)


def test_five_kinds_of_day_have_five_words_in_the_table(serve, settings, capsys):
    settings.SOURCES = ["huggingface"]
    week = {  # Monday 16 to Friday 20, and Saturday
        date(2026, 3, 16): [SourceError("answered with a web page", transient=True)],
        date(2026, 3, 17): list(records(6, source="huggingface")),
        date(2026, 3, 18): list(records(6, source="huggingface")),
        date(2026, 3, 19): [],
        date(2026, 3, 20): list(records(6, source="huggingface", first=50)),
        SATURDAY: [],
    }
    for day, things in week.items():
        read_at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=36)
        serve(*things, source="huggingface", day=day, now=read_at)
    call_command("sources", "--json", "--days", "6", "--now", "2026-03-21T12:00")
    words = {row["day"]: (row["state"], row["reason"]) for row in json.loads(capsys.readouterr().out)}
    assert [words[str(day)][0] for day in week] == ["failed", "fresh", "stalled", "quiet", "fresh", "quiet"]
    assert words["2026-03-19"][1] == "empty list"
    assert words["2026-03-21"][1] == "weekend"
    call_command("sources", "--days", "6", "--now", "2026-03-21T12:00")
    table = capsys.readouterr().out
    for word in ("failed", "fresh", "stalled", "quiet", "weekend", "answered"):
        assert word in table


def test_every_refused_record_is_listed_with_its_reason(serve, settings, capsys):
    settings.SOURCES = ["arxiv_rss"]
    refused = [Rejected(f"reason {n}", {"title": f"[{n}]"}) for n in range(fetching.WHOLE_REJECTIONS + 5)]
    serve(*refused, *records(1))
    call_command("sources", "--rejected", "--json", "--day", str(WEDNESDAY))
    listed = json.loads(capsys.readouterr().out)
    assert [row["reason"] for row in listed] == [r.reason for r in refused]
    call_command("sources", "--rejected", "--day", str(WEDNESDAY))
    assert "reason 17" in capsys.readouterr().out


def test_a_day_that_was_not_read_is_said_to_be_so(settings, db, capsys):
    settings.SOURCES = ["huggingface"]
    call_command("sources", "--day", "2026-03-18")
    assert "not read" in capsys.readouterr().out


def test_a_source_that_asks_for_hours_is_left_alone_for_hours(serve, settings):
    settings.SOURCES = ["arxiv_rss"]
    run = serve(SourceError("429", transient=True, busy=True, wait=7200), now=NOW, day=TODAY)
    assert run.state == "failed"
    assert NOW + timedelta(minutes=120) <= run.retry_at < NOW + timedelta(minutes=121)
    assert fetching.runs_due(NOW + timedelta(minutes=119)) == []
    assert fetching.runs_due(NOW + timedelta(minutes=121)) == [("arxiv_rss", TODAY)]


def test_a_source_that_stays_busy_is_asked_less_and_less_often(serve):
    busy = SourceError("503", transient=True, busy=True)
    waits = [
        serve(busy, now=NOW + timedelta(hours=6 * n), day=TODAY).retry_at - NOW - timedelta(hours=6 * n)
        for n in range(5)
    ]
    assert [round(wait.total_seconds() / 3600) for wait in waits] == [1, 2, 4, 6, 6]
    serve(*records(1), now=NOW + timedelta(hours=30), day=TODAY)
    rest = serve(busy, now=NOW + timedelta(hours=31), day=TODAY).retry_at - NOW - timedelta(hours=31)
    assert round(rest.total_seconds() / 3600) == 1


def test_an_edition_waits_for_a_batch_that_is_not_in_and_says_what_it_stands_on(serve, settings):
    settings.SOURCES = ["arxiv_rss"]
    at_six = datetime(2026, 3, 20, 6, tzinfo=UTC)
    make_paper(1)
    editions.draft(TODAY, at_six)
    serve(shows(date(2026, 3, 19)), day=TODAY, now=at_six)
    assert approval.approve_due(at_six + timedelta(minutes=5)) == []
    serve(*records(2, day=TODAY, first=7), day=TODAY, now=at_six + timedelta(minutes=61))
    [edition] = approval.approve_due(at_six + timedelta(minutes=62))
    [source] = edition.standing_on
    assert (source["source"], source["state"], source["papers"]) == ("arxiv_rss", "fresh", "2")


def test_a_run_that_still_goes_on_says_nothing_yet(db):
    SourceRun.objects.create(source="huggingface", day=TODAY, started_at=NOW)
    assert freshness.readings([TODAY]) == {}


@pytest.mark.parametrize("state", ["waiting", "failed", "stalled"])
def test_an_edition_waits_for_a_source_that_may_still_come(db, settings, state):
    settings.SOURCES = ["huggingface"]
    for back in range(3):
        day = TODAY - timedelta(days=back)
        SourceRun.objects.create(source="huggingface", day=day, started_at=NOW, finished_at=NOW, state=state)
    assert not fetching.all_in(NOW, TODAY)
    SourceRun.objects.update(state="quiet")
    assert fetching.all_in(NOW, TODAY)
    SourceRun.objects.create(source="huggingface", day=TODAY, started_at=NOW)
    assert not fetching.all_in(NOW, TODAY), "it is being read"


def test_a_lost_race_is_run_once_more_and_loses_nothing(serve, monkeypatch):
    real, calls = fetching.store, []

    def unlucky(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise OperationalError("deadlock detected")
        return real(*arguments)

    monkeypatch.setattr(fetching, "store", unlucky)
    run = serve(*records(3))
    assert (run.state, run.received, len(calls)) == ("fresh", 3, 2)


def test_a_fresh_day_is_fresh_when_old_runs_are_gone(serve, settings):
    settings.SOURCES = ["huggingface"]
    serve(*records(9, source="huggingface"), source="huggingface", now=MORNING)
    serve(SourceError("answered 503", transient=True), source="huggingface", now=EVENING)
    retention.prune(EVENING + timedelta(days=30))
    assert freshness.standing_on(WEDNESDAY)[0]["state"] == "fresh"
