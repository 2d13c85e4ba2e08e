import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import sample
from digest.sources.base import PaperRecord, Rejected, SourceError


def test_every_day_of_the_sample_has_papers_that_can_be_read():
    assert sample.days()
    for day in sample.days():
        records = list(sample.fetch(day))
        assert records
        assert all(isinstance(record, PaperRecord) for record in records), day
        assert {record.featured_on for record in records} == {day}
        assert len({record.source_key for record in records}) == len(records)
        assert all(record.title and record.authors and record.categories and record.summary for record in records)


def test_days_come_in_order():
    assert sample.days() == sorted(set(sample.days()))


def test_a_day_without_papers_is_no_error():
    assert list(sample.fetch(date(1999, 1, 1))) == []


def test_a_bad_record_is_kept_aside_and_the_rest_read(tmp_path, monkeypatch):
    good = {"id": "2601.00001", "title": "T", "authors": ["A"], "categories": ["cs.AI"], "stars": None}
    bad = [{"id": "x"}, {"id": "2601.00002"}, None, good | {"announced_on": "soon"}]
    path = tmp_path / "sample.json"
    path.write_text(json.dumps({"days": [{"date": "2026-01-05", "papers": [*bad, good]}]}))
    monkeypatch.setattr(sample, "PATH", path)
    records = list(sample.fetch(date(2026, 1, 5)))
    assert [type(record) for record in records] == [Rejected] * 4 + [PaperRecord]
    assert records[-1].stars is None


@pytest.mark.parametrize("text", [None, "", "[]", '{"days": [{}]}', '{"days": [{"date": "x", "papers": []}]}'])
def test_a_missing_or_broken_file_is_final(tmp_path, monkeypatch, text):
    path = tmp_path / "sample.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(sample, "PATH", path)
    with pytest.raises(SourceError, match=r"sample\.json cannot be read") as caught:
        sample.days()
    assert not caught.value.transient


values = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=2)
keys = ["id", "title", "authors", "categories", "submitted_at", "announced_on", "upvotes", "code_url"]


@given(values | st.dictionaries(st.sampled_from(keys), values))
def test_any_element_gives_one_record_or_one_rejection(element):
    assert isinstance(sample.read(element), PaperRecord | Rejected)
