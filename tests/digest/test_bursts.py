"""Many bounces or complaints at once hold the edition, and a release starts anew."""

from datetime import timedelta

import pytest

from digest import approval, outcomes
from digest.models import Digest, Edition
from tests.conftest import NOW, TODAY, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
LATER = NOW + HOUR


@pytest.fixture
def edition():
    return make_edition([make_paper(1)])


@pytest.fixture
def told():
    return []


def mails(number, *, bounced=0, complained=0, accepted_at=NOW, **fields):
    """So many accepted mails, of which the first ones bounced for ever or were complained of."""
    start = Digest.objects.count()
    values = {"day": TODAY, "content_from": TODAY - timedelta(days=1), "content_to": TODAY, "state": "accepted"}
    values |= {"due_at": NOW, "planned_at": NOW, "accepted_at": accepted_at, **fields}
    Digest.objects.bulk_create(
        Digest(
            **values,
            zone=f"z{start + n}",
            bounced_at=LATER if n < bounced else None,
            complained_at=LATER if n < complained else None,
        )
        for n in range(number)
    )


def look(told, now=LATER):
    return outcomes.hold_bursts(now, alert=lambda subject, text: told.append((subject, text)))


@pytest.mark.parametrize(
    ("number", "bad", "held"),
    [
        (200, {"bounced": 20}, True),
        (201, {"bounced": 20}, False),
        (100, {"bounced": 19}, False),
        (20, {"bounced": 20}, True),
        (1000, {"complained": 5}, True),
        (1001, {"complained": 5}, False),
        (10, {"complained": 4}, False),
        (1000, {"complained": 6, "bounced": 50}, True),
    ],
)
def test_it_takes_both_a_number_and_a_share(edition, told, number, bad, held):
    mails(number, **bad)
    assert look(told) == ([edition] if held else [])
    edition.refresh_from_db()
    assert (edition.held, edition.held_by, len(told)) == (held, "burst" if held else "", int(held))


def test_the_alert_says_how_many_and_what_to_do_and_comes_once(edition, told):
    mails(100, bounced=30)
    look(told)
    assert look(told) == []
    [(subject, text)] = told
    assert subject == f"The edition of {TODAY} is held: 30 of 100 mails bounced for ever"
    assert "Release" in text
    edition.refresh_from_db()
    assert edition.held_reason == "30 of 100 mails bounced for ever"


def test_a_release_counts_anew_and_a_new_burst_holds_again(edition, told):
    mails(100, bounced=30)
    look(told)
    approval.release(edition)
    assert look(told) == []
    mails(100, bounced=19, accepted_at=LATER)
    assert look(told) == []
    mails(1, bounced=1, accepted_at=LATER)
    assert look(told) == [edition]
    assert told[-1][0].endswith("20 of 101 mails bounced for ever")


@pytest.mark.parametrize(
    ("off", "bad"), [("HOLD_AT_BOUNCES", {"bounced": 50}), ("HOLD_AT_COMPLAINTS", {"complained": 50})]
)
def test_zero_turns_each_off_alone(edition, told, settings, off, bad):
    mails(50, **bad)
    setattr(settings, off, 0.0)
    assert look(told) == []
    other = {"HOLD_AT_BOUNCES": {"complained": 50}, "HOLD_AT_COMPLAINTS": {"bounced": 50}}[off]
    mails(50, **other)
    assert look(told) == [edition]


@pytest.mark.parametrize(
    "fields",
    [
        {"content_to": TODAY - timedelta(days=1)},
        {"state": "rejected"},
        {"accepted_at": NOW - timedelta(days=3)},
        {"accepted_at": None, "state": "planned"},
    ],
    ids=["of another edition", "never accepted", "long ago", "to go"],
)
def test_mails_of_something_else_do_not_count(edition, told, fields):
    mails(50, bounced=50, **fields)
    mails(1, bounced=1)
    assert look(told) == []


@pytest.mark.parametrize("fields", [{"state": "draft"}, {"state": "closed"}, {"held": True, "held_by": "ana"}])
def test_an_edition_that_is_not_leaving_is_left_alone(edition, told, fields):
    Edition.objects.update(**fields)
    mails(50, bounced=50)
    assert (look(told), told) == ([], [])
    assert Edition.objects.get().held_by == fields.get("held_by", "")


def test_an_edition_of_which_all_has_left_is_told_once_and_not_held(edition, told):
    make_edition([make_paper(2)], day=TODAY + timedelta(days=1))
    mails(50, bounced=50)
    assert look(told) == []
    assert look(told, LATER + HOUR) == []
    [(subject, text)] = told
    assert subject == f"The edition of {TODAY}: 50 of 50 mails bounced for ever"
    assert "nothing is held" in text
    assert not Edition.objects.filter(held=True).exists()


def test_an_older_edition_with_mails_to_go_is_held(edition, told):
    make_edition([make_paper(2)], day=TODAY + timedelta(days=1))
    mails(50, bounced=50)
    mails(1, state="planned", accepted_at=None)
    assert look(told) == [edition]


def test_the_newest_edition_is_held_for_those_whose_hour_is_still_to_come(edition, told):
    make_reader("west", due=NOW + 9 * HOUR)
    mails(50, bounced=50)
    assert look(told) == [edition]
    assert not Digest.objects.open().exists()


def test_an_editor_who_was_faster_keeps_the_hold(edition, told, monkeypatch):
    mails(50, bounced=50)
    publish = Edition.objects.published

    def meanwhile():
        approval.hold(edition, "seen it", by="ana")
        return publish()

    monkeypatch.setattr(Edition.objects, "published", meanwhile)
    assert (look(told), told) == ([], [])
    assert Edition.objects.get().held_by == "ana"
