import json
from datetime import date

import pytest

from benchmarks import replay
from digest.models import Paper
from digest.sources import huggingface

pytestmark = pytest.mark.django_db(transaction=True)
MONDAY, TUESDAY = date(2026, 3, 16), date(2026, 3, 17)


def element(number, upvotes=3):
    return {
        "paper": {
            "id": f"2603.{number:05}",
            "title": f"A study of matter number {number}",
            "authors": [{"name": "Ana Exemplar"}],
            "publishedAt": "2026-03-15T00:00:00.000Z",
            "upvotes": upvotes,
        }
    }


@pytest.fixture
def twice(settings, monkeypatch):
    """Both readings of these days, through the real client."""
    monkeypatch.setattr(huggingface, "SECONDS_BETWEEN_REQUESTS", 0.0)
    settings.HUGGINGFACE_URL = ""

    def read(days):
        with replay.loopback(replay.answers(days)) as url:
            return [replay.read_all(list(days), url, hours) for hours in (23, 30)]

    return read


def test_each_id_is_one_paper_and_the_second_reading_makes_none(twice):
    days = {MONDAY: [element(1), element(2)], TUESDAY: [element(2, upvotes=9), element(3), {"paper": {"id": "?"}}]}
    first, second = readings = twice(days)
    assert (first.created, second.created, Paper.objects.count()) == (3, 0, 3)
    assert first.refused == ["paper.id is not an arXiv id"]
    assert replay.check(days, readings) == []


def test_what_does_not_hold_is_said(twice):
    days = {MONDAY: [element(1)]}
    readings = twice(days)
    Paper.objects.all().delete()
    readings[1].created = 1
    readings[0].refused = [""]
    said = " ".join(replay.check(days, readings))
    for fault in ("0 papers, but 1 arXiv ids", "the second reading created 1", "without a reason"):
        assert fault in said


def test_a_day_that_was_not_recorded_is_an_empty_list():
    assert replay.answers({})("/api/daily_papers", {"date": "2026-03-16", "p": "0"}) == (200, b"[]")
    status, body = replay.answers({MONDAY: [1]})("/", {"date": "2026-03-16", "p": "1"})
    assert (status, json.loads(body)) == (200, []), "one page a day"
