import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pyroaring import BitMap64

from digest import outcomes, planning, sent
from digest.models import DayTotal, Digest, Edition, Sent
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
STATES = list(Digest.State.values)


def test_the_sum_adds_up_in_every_mixture_of_states():
    paper = make_paper(1)
    for n, state in enumerate(STATES):
        make_digest(make_reader(f"r{n}"), [paper], state=state)
    total = outcomes.sum_of(TODAY)
    assert (total.planned, total.to_go, total.adds_up) == (len(STATES), 3, True)


def test_the_sum_is_the_same_before_and_after_closing_and_after_the_rows_are_gone():
    paper = make_paper(1)
    for n, state in enumerate(("accepted", "accepted", "rejected", "skipped", "uncertain")):
        make_digest(make_reader(f"r{n}"), [paper], state=state, reason=state if state != "accepted" else "")
    before = outcomes.sum_of(TODAY)
    closed = outcomes.close_day(TODAY, outcomes.closes_at(TODAY))
    Digest.objects.all().delete()
    assert before == closed == outcomes.sum_of(TODAY)
    assert closed.reasons["rejected", "rejected"] == 1


def test_a_day_closes_when_it_has_ended_in_the_last_zone_and_lateness_is_over():
    assert outcomes.closes_at(TODAY) == datetime(2026, 3, 22, 0, 0, tzinfo=UTC)
    make_digest(make_reader("a"), [make_paper(1)])
    assert outcomes.days_to_close(NOW + timedelta(days=1)) == []
    with pytest.raises(outcomes.TooEarly):
        outcomes.close_day(TODAY, NOW)
    assert outcomes.days_to_close(NOW + timedelta(days=2)) == [TODAY]


def test_closing_ends_what_is_still_planned_and_refuses_what_is_on_its_way():
    paper = make_paper(1)
    planned = make_digest(make_reader("a"), [paper])
    sending = make_digest(make_reader("b"), [paper], state="sending")
    end = outcomes.closes_at(TODAY)
    with pytest.raises(outcomes.TooEarly, match="in a worker's hands"):
        outcomes.close_day(TODAY, end)
    planned.refresh_from_db()
    assert planned.state == "planned", "a refused closing changes nothing"
    Digest.objects.filter(pk=sending.pk).update(state="accepted")
    total = outcomes.close_day(TODAY, end)
    assert (total["skipped"], total["accepted"]) == (1, 1)


def test_folding_remembers_readers_by_paper_and_twice_is_harmless():
    one, two = make_paper(1), make_paper(2)
    readers = [make_reader(f"r{n}") for n in range(3)]
    make_digest(readers[0], [one, two], state="accepted")
    make_digest(readers[1], [one], state="uncertain")
    make_digest(readers[2], [one], state="rejected")
    make_edition([one, two])
    for _ in range(2):
        outcomes.close_day(TODAY, outcomes.closes_at(TODAY))
    assert sent.readers_of(Sent.objects.get(paper=one)) == BitMap64([readers[0].pk, readers[1].pk])
    assert sent.readers_of(Sent.objects.get(paper=two)) == BitMap64([readers[0].pk])
    assert DayTotal.objects.count() == 1
    assert Edition.objects.get().state == "closed"
    assert outcomes.days_to_close(NOW + timedelta(days=9)) == []


def test_a_day_waits_for_word_of_digests_that_are_uncertain_for_less_than_a_day():
    reader, paper = make_reader("a"), make_paper(1)
    end = outcomes.closes_at(TODAY)
    make_digest(reader, [paper], state="uncertain", handed_at=end - timedelta(hours=1))
    assert outcomes.days_to_close(end) == []
    with pytest.raises(outcomes.TooEarly, match="uncertain for less than a day"):
        outcomes.close_day(TODAY, end)
    assert not DayTotal.objects.exists()
    later = end + timedelta(hours=23)
    assert outcomes.days_to_close(later) == [TODAY]
    outcomes.resolve_uncertain(later)
    total = outcomes.close_day(TODAY, later)
    assert (total["outcome unknown"], total["failed"], total.adds_up) == (1, 0, True)


def test_a_day_is_not_closed_before_planning_has_said_who_of_it_was_too_late():
    paper, reader = make_paper(1), make_reader("planned", due=NOW + timedelta(days=9))
    make_edition([paper])
    make_digest(reader, [paper], state="accepted", accepted_at=NOW)
    make_reader("not-planned", due=NOW - timedelta(minutes=5))
    back = outcomes.closes_at(TODAY) + timedelta(days=2)  # planning was off for three days
    assert outcomes.days_to_close(back) == []
    with pytest.raises(outcomes.TooEarly, match="1 readers who were due"):
        outcomes.close_day(TODAY, back)
    planning.plan_due(back)
    total = outcomes.close_day(TODAY, back)
    assert total.counts == {"accepted": 1, "skipped": 1}
    assert outcomes.audit(TODAY, back).adds_up


def test_nothing_changes_a_digest_of_a_closed_day():
    digest = make_digest(make_reader("a"), [make_paper(1)], state="uncertain")
    end = outcomes.closes_at(TODAY)
    before = outcomes.close_day(TODAY, end)
    assert not outcomes.resolve_uncertain(end + timedelta(days=9))
    assert not outcomes.arrived(digest)
    with pytest.raises(outcomes.NotAgain):
        outcomes.send_again(digest, NOW)
    assert outcomes.sum_of(TODAY) == before


def test_the_command_gives_up_what_nobody_will_know_before_it_closes():
    make_digest(make_reader("a"), [make_paper(1)], state="uncertain", reason="connection lost")
    out = StringIO()
    call_command("close_day", day=TODAY, now=outcomes.closes_at(TODAY), stdout=out)
    assert outcomes.sum_of(TODAY).counts == {"outcome unknown": 1}
    assert "outcome unknown" in out.getvalue()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="folding at once: SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_two_days_that_are_folded_at_once_forget_no_reader():
    paper = make_paper(1)
    both = threading.Barrier(2)

    def fold(reader):
        both.wait()
        for number in range(20):
            sent.add({paper.pk: [reader + 10 * number]})
        connection.close()

    threads = [threading.Thread(target=fold, args=(reader,)) for reader in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent.readers_of(Sent.objects.get())) == 40
