import json
from datetime import date

import pytest

from digest.sources import arxiv_api, arxiv_rss, huggingface
from digest.sources.base import PaperRecord, Rejected, SourceError
from tests.digest.sources.loopback import Reply

RSS = "/rss/cs.CL+cs.AI"


@pytest.mark.parametrize(
    ("day", "number"),
    [
        ("2024-05-27", 13),
        ("2025-01-27", 4),
        ("2025-09-30", 50),
        ("2025-10-01", 37),
        ("2026-04-17", 22),
        ("2026-08-21", 17),
    ],
)
def test_recorded_days_of_huggingface_are_read_whole(server, shared, day, number):
    server.answer("/api/daily_papers", (shared / "hf" / "days" / f"{day}.json").read_bytes())
    records = list(huggingface.fetch(date.fromisoformat(day)))
    assert [record for record in records if isinstance(record, Rejected)] == []
    assert len(records) == number
    assert {record.featured_on.isoformat() for record in records} == {day}


def test_recorded_odd_records_are_read(shared):
    odd = json.loads((shared / "hf" / "tricky_records.json").read_text())
    records = [huggingface.read(item["record"], date.fromisoformat(item["date"])) for item in odd]
    assert len(records) == 27
    assert all(isinstance(record, PaperRecord) for record in records)


@pytest.mark.parametrize(
    ("name", "day", "new"),
    [
        ("rss_cs.LG+cs.AI+cs.CL+stat.ML_2026-09-24.xml", "2026-09-24", None),
        ("atom_cs.LG_2026-09-25.xml", "2026-09-25", 2),
        ("GENERATED_rss_fullday_cs.CL_2026-04-28.xml", "2026-04-28", None),
        ("GENERATED_rss_empty_weekend_cs.CL.xml", "2026-06-27", 0),
    ],
)
def test_recorded_feeds_of_arxiv_are_read_whole(server, shared, name, day, new):
    body = (shared / "arxiv" / "rss" / name).read_bytes()
    server.answer(RSS, body)
    records = list(arxiv_rss.fetch(date.fromisoformat(day)))
    kinds = [body.count(f"<arxiv:announce_type>{kind}</".encode()) for kind in ("new", "cross")]
    assert all(isinstance(record, PaperRecord) for record in records)
    assert len(records) == sum(kinds)
    assert new in (None, len(records))


def test_a_recorded_error_feed_is_a_failure(server, shared):
    server.answer(RSS, (shared / "arxiv" / "rss" / "GENERATED_rss_error_bad_category.xml").read_bytes())
    with pytest.raises(SourceError, match="Bad subject class 'XX'"):
        list(arxiv_rss.fetch(date(2026, 6, 27)))


@pytest.mark.parametrize("index", range(13))
def test_recorded_answers_of_arxivs_api_are_read_whole(server, shared, index):
    facts = json.loads((shared / "arxiv" / "atom" / "index.json").read_text())[index]
    body = (shared / "arxiv" / "atom" / facts["file"]).read_bytes()
    server.answer("/api/query", Reply(body, facts["status_code"]))
    if facts["status_code"] != 200:
        with pytest.raises(SourceError, match="incorrect id format for abc"):
            list(arxiv_api.fill_in(["2601.00001"]))
        return
    records = list(arxiv_api.fill_in(["2601.00001"]))
    assert len(records) == facts["entries"]
    assert all(isinstance(record, PaperRecord) for record in records)
    assert not any("Ã" in name for record in records for name in record.authors)
