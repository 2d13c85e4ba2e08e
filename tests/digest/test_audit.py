"""The audit of a day: what adds up, what does not, and what became of every reader's mail."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from digest import outcomes, planning
from digest.models import DayTotal, Digest
from subscriptions.models import Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def paper():
    return make_paper(1)


def audit_day(*args, now=NOW):
    out = StringIO()
    call_command("audit_day", *args, now=now, stdout=out)
    return out.getvalue()


def faults(now=NOW, day=TODAY):
    return outcomes.audit(day, now).faults


def test_a_good_day_adds_up_by_cadence(paper):
    for n, (state, cadence) in enumerate(
        [("accepted", "daily"), ("accepted", "weekly"), ("skipped", "daily"), ("planned", "now")]
    ):
        make_digest(
            make_reader(f"r{n}"),
            [paper],
            state=state,
            cadence=cadence,
            accepted_at=NOW if state == "accepted" else None,
        )
    audit = outcomes.audit(TODAY, NOW)
    assert audit.adds_up
    assert {cadence: own.counts for cadence, own in audit.sums.items()} == {
        "daily": {"accepted": 1, "skipped": 1},
        "now": {"planned": 1},
        "weekly": {"accepted": 1},
    }
    assert (audit.total.planned, audit.total["accepted"], audit.total.to_go) == (4, 2, 1)


ROW = st.tuples(
    st.sampled_from(Digest.State.values),
    st.sampled_from(Digest.Cadence.values),
    st.sampled_from(["", "poison", "too late", "outcome unknown"]),
)


@given(rows=st.lists(ROW, max_size=12), close=st.booleans())
def test_any_mixture_adds_up_and_the_cadences_add_up_to_the_whole_before_and_after_closing(db, rows, close):
    Digest.objects.all().delete()
    DayTotal.objects.all().delete()
    for n, (state, cadence, reason) in enumerate(rows):
        values = {"state": state, "cadence": cadence, "reason": reason, "zone": f"z{n}", "day": TODAY}
        values["accepted_at"] = NOW if state == "accepted" else None
        Digest.objects.create(due_at=NOW, planned_at=NOW, free_at=NOW + 999 * HOUR, **values)
    if close:
        Digest.objects.filter(state__in=Digest.OPEN).update(state="skipped")
        outcomes.close_day(TODAY, outcomes.closes_at(TODAY) + 24 * HOUR)
    audit = outcomes.audit(TODAY, NOW)
    assert audit.faults == ()
    assert audit.total.planned == len(rows) == sum(own.planned for own in audit.sums.values())
    for line in outcomes.ENDED:
        assert audit.total[line] == sum(own[line] for own in audit.sums.values())
    assert len(list(audit.outcomes())) == len(rows)
    assert sum(1 for _ in audit.outcomes({"outcome unknown"})) == audit.total["outcome unknown"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": "vanished"}, "1 digests are 'vanished', which is no state"),
        ({"state": "accepted", "accepted_at": None}, "accepted without an instant: reader"),
        ({"state": "planned", "accepted_at": NOW}, "were accepted and are on their way again"),
        ({"state": "sending", "free_at": NOW - HOUR}, "a worker whose lease lapsed long ago"),
        ({"state": "claimed", "free_at": NOW - HOUR}, "a worker whose lease lapsed long ago"),
        ({"state": "claimed", "free_at": None}, "a worker whose lease lapsed long ago"),
        ({"state": "uncertain", "handed_at": NOW - 25 * HOUR}, "uncertain for more than a day"),
        ({"state": "uncertain", "planned_at": NOW - 25 * HOUR}, "uncertain for more than a day"),
    ],
)
def test_a_row_that_should_not_be_is_found_with_its_reader(paper, fields, said):
    reader = make_reader()
    make_digest(reader, [paper], **fields)
    [fault] = faults()
    assert said in fault
    assert (f"reader {reader.pk}" in fault) == ("no state" not in fault)
    assert "@" not in fault


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "sending", "free_at": NOW - timedelta(minutes=5)},
        {"state": "claimed", "free_at": NOW + HOUR},
        {"state": "uncertain", "handed_at": NOW - 23 * HOUR},
        {"state": "planned", "free_at": NOW - HOUR},
    ],
)
def test_what_the_next_ticks_will_settle_is_no_fault(paper, fields):
    make_digest(make_reader(), [paper], **fields)
    assert faults() == ()


def test_a_sum_that_was_stored_wrong_is_found(paper):
    make_digest(make_reader("a"), [paper], state="accepted", accepted_at=NOW)
    make_digest(make_reader("b"), [paper], state="failed", reason="poison")
    closing = outcomes.closes_at(TODAY)
    outcomes.close_day(TODAY, closing)
    assert faults(closing) == ()
    Digest.objects.filter(state="failed").update(state="accepted", reason="", accepted_at=NOW)
    assert faults(closing) == (
        "The day was closed with 1 daily accepted, and 2 rows say so now.",
        "The day was closed with 1 daily failed poison, and 0 rows say so now.",
    )
    Digest.objects.all().delete()
    audit = outcomes.audit(TODAY, closing)
    assert (audit.faults, audit.closed, audit.total.planned) == ((), True, 2), "its rows may go"


def test_a_reader_who_was_passed_over_is_found(paper, robotics):
    make_edition([paper])
    here, lost = make_reader("here", robotics), make_reader("lost", robotics)
    planning.plan_due(NOW)
    assert faults() == ()
    Digest.objects.filter(subscriber=lost).delete()
    assert faults() == (f"1 readers were due and have no digest: reader {lost.pk}.",)
    assert Digest.objects.get().subscriber == here


@pytest.mark.parametrize(
    ("zone", "due", "day"),
    [
        ("Pacific/Auckland", datetime(2026, 3, 19, 18, 0, tzinfo=UTC), date(2026, 3, 20)),  # 07:00 on the 20th
        ("Pacific/Kiritimati", datetime(2026, 3, 19, 10, 30, tzinfo=UTC), date(2026, 3, 20)),  # UTC+14
        ("Pacific/Pago_Pago", datetime(2026, 3, 21, 10, 30, tzinfo=UTC), date(2026, 3, 20)),  # UTC-11
    ],
)
def test_it_is_the_readers_own_date_that_counts(zone, due, day):
    reader = make_reader(zone=zone)
    Subscriber.objects.update(last_due_at=due)
    for offset in (-1, 0, 1):
        said = faults(day=day + timedelta(days=offset))
        assert bool(said) == (offset == 0)
    make_digest(reader, [], state="skipped", day=day, due_at=due)
    assert faults(day=day) == ()


@pytest.mark.parametrize(("cadence", "earlier"), [("daily", 0), ("now", 3)], ids=["due", "asked for before"])
def test_a_reader_who_moved_to_another_zone_since_was_not_passed_over(cadence, earlier):
    reader = make_reader(zone="Pacific/Auckland")
    due = datetime(2026, 3, 19, 18, 0, tzinfo=UTC)
    Subscriber.objects.update(last_due_at=due, zone="America/Lima")
    day, asked = date(2026, 3, 20), due - earlier * HOUR
    make_digest(reader, [], state="skipped", day=day, due_at=asked, cadence=cadence)
    assert faults(day=date(2026, 3, 19)) == faults(day=date(2026, 3, 20)) == ()


@pytest.mark.parametrize(("hours", "found"), [(3, True), (11, True), (12, False), (23, False)])
def test_two_digests_of_one_reader_on_one_date_are_half_a_day_apart(paper, hours, found):
    reader = make_reader()
    make_digest(reader, [paper], zone="Pacific/Auckland")
    make_digest(reader, [paper], zone="Pacific/Honolulu", due_at=NOW - hours * HOUR)
    assert bool(faults()) == found
    make_digest(make_reader("other"), [paper], zone="UTC")
    assert bool(faults()) == found, "another reader's is no second one"


def test_the_command_shows_the_sum_and_the_readers_by_outcome(paper):
    readers = [make_reader(f"r{n}") for n in range(4)]
    make_digest(readers[0], [paper], state="accepted", accepted_at=NOW)
    make_digest(readers[1], [paper], state="failed", reason="outcome unknown", cadence="weekly")
    make_digest(readers[2], [paper], state="failed", reason="poison")
    erased = make_digest(readers[3], [paper], state="cancelled", reason="erased")
    Digest.objects.filter(pk=erased.pk).update(subscriber=None)
    said = audit_day()
    for word in ("daily", "weekly", "all", "accepted", "outcome unknown", "poison", "open", str(TODAY)):
        assert word in said
    assert "reader" not in said
    said = audit_day("--list", "--day", TODAY.isoformat())
    assert f"reader {readers[0].pk}: accepted\n" in said
    assert f"reader {readers[2].pk}: failed (poison)\n" in said
    assert "erased: cancelled (erased)\n" in said
    assert "@" not in said
    said = audit_day("--outcome", "unknown", "accepted")
    assert f"reader {readers[1].pk}: outcome unknown" in said
    assert f"reader {readers[0].pk}: accepted" in said
    assert f"reader {readers[2].pk}" not in said


def test_the_command_prints_json_a_line_each(paper):
    reader = make_reader()
    make_digest(reader, [paper], state="rejected", reason="550")
    day, row = map(json.loads, audit_day("--json", "--list").splitlines())
    assert (day["day"], day["closed"], day["faults"]) == ("2026-03-20", False, [])
    assert (day["total"]["planned"], day["sums"]["daily"]["rejected"], day["total"]["to go"]) == (1, 1, 0)
    assert row == {"reader": reader.pk, "line": "rejected", "reason": "550"}


def test_the_command_ends_with_the_faults(paper):
    make_digest(make_reader(), [paper], state="vanished")
    with pytest.raises(CommandError, match=r"The sum does not add up: 1 digests are 'vanished'"):
        audit_day("--json")


def test_a_day_without_digests_adds_up():
    assert "planned" in audit_day()
    assert faults() == ()


def test_an_audit_changes_nothing(paper):
    make_digest(make_reader(), [paper], state="uncertain", handed_at=NOW - 30 * HOUR)
    before = list(Digest.objects.values())
    outcomes.audit(TODAY, NOW)
    assert list(Digest.objects.values()) == before


def test_a_day_of_many_rows_takes_the_queries_of_a_day_of_few(paper, django_assert_num_queries):
    def fill(number):
        Digest.objects.bulk_create(
            Digest(day=TODAY, zone=f"{number} {n}", state="skipped", due_at=NOW, planned_at=NOW) for n in range(number)
        )

    fill(3)
    for _ in range(2):
        with django_assert_num_queries(9):
            outcomes.audit(TODAY, NOW)
        fill(300)
