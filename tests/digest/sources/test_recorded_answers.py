import json
from datetime import date
from xml.sax.saxutils import escape

import pytest

from digest.sources import arxiv_api, arxiv_oai, arxiv_rss, huggingface
from digest.sources.arxiv import says_withdrawn
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
    server.answer("/api/daily_papers", (shared / "hf" / "days" / f"{day}.json").read_bytes(), b"[]")
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


def test_recorded_changes_of_a_day_are_read_whole_and_none_is_new(server, shared, settings):
    settings.ARXIV_CATEGORIES = ["physics.plasm-ph"]
    server.answer("/oai", (shared / "arxiv" / "oai" / "ListRecords_arXiv_plasm-ph_2026-01-05.xml").read_bytes())
    records = list(arxiv_oai.fetch(date(2026, 1, 5)))
    assert server.asked[0].query["set"] == "physics:physics:plasm-ph"
    assert [record.arxiv_id for record in records] == ["2504.11237", "2508.21012", "2510.07502"]
    assert [record.announced_on for record in records] == [None, None, None]
    # Of the second and third, "created" is the date of a later version.
    assert [record.submitted_at and record.submitted_at.date().isoformat() for record in records] == [
        "2025-04-15",
        None,
        None,
    ]
    assert records[0].authors[-1] == "Zoltán Harman"


@pytest.fixture
def nasty(shared) -> list[dict]:
    """Records of arXiv papers that were chosen for what they hold."""
    papers = [json.loads(line) for line in (shared / "arxiv" / "nasty.jsonl").read_text().splitlines()]
    for facts in papers:  # among the categories are a few lists of ACM classes ("I.5.4; I.2.6")
        facts["categories"] = [name for name in facts["categories"] if " " not in name]
    return papers


def _same(records: list, nasty: list[dict]) -> None:
    assert len(records) == len(nasty) == 104
    for record, facts in zip(records, nasty, strict=True):
        assert record.arxiv_id == facts["id"]
        assert record.title == facts["title"]
        assert record.authors == tuple(facts["authors"])
        assert record.categories == tuple(facts["categories"])
        assert record.abstract == facts["summary"]


def _authors(facts: dict, template: str) -> str:
    return "".join(template.format(escape(name)) for name in facts["authors"])


def test_odd_papers_come_out_of_the_feed_as_they_went_in(server, nasty):
    items = "".join(
        f"<item><title>{escape(facts['title'])}</title><guid>oai:arXiv.org:{facts['id']}v1</guid>"
        f"<description>arXiv:{facts['id']}v1 Announce Type: new \nAbstract: {escape(facts['summary'])}</description>"
        + "".join(f"<category>{name}</category>" for name in facts["categories"])
        + f"<dc:creator>{escape(', '.join(facts['authors']))}</dc:creator></item>"
        for facts in nasty
    )
    head = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
    day = "<pubDate>Tue, 06 Jan 2026 00:00:00 -0500</pubDate>"
    server.answer(RSS, f"{head}{day}{items}</channel></rss>".encode())
    _same(list(arxiv_rss.fetch(date(2026, 1, 6))), nasty)


def test_odd_papers_come_out_of_the_api_as_they_went_in(server, nasty):
    entries = {
        facts["id"]: f"<entry><id>http://arxiv.org/abs/{facts['id']}v1</id><title>{escape(facts['title'])}</title>"
        f"<summary>{escape(facts['summary'])}</summary><published>2026-01-06T00:00:00Z</published>"
        + _authors(facts, "<author><name>{}</name></author>")
        + "".join(f'<category term="{name}"/>' for name in facts["categories"])
        + "</entry>"
        for facts in nasty
    }

    def answered(asked):
        wanted = asked.query["id_list"].split(",")
        total = f'<o:totalResults xmlns:o="http://a9.com/-/spec/opensearch/1.1/">{len(wanted)}</o:totalResults>'
        found = "".join(entries[name] for name in wanted)
        return f'<feed xmlns="http://www.w3.org/2005/Atom">{total}{found}</feed>'.encode()

    server.routes["/api/query"] = answered
    _same(list(arxiv_api.fill_in([*entries])), nasty)


def test_odd_papers_come_out_of_the_archive_as_they_went_in(server, nasty):
    records = "".join(
        f"<record><header><identifier>oai:arXiv.org:{facts['id']}</identifier></header><metadata>"
        f'<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{facts["id"]}</id><authors>'
        + _authors(facts, "<author><keyname>{}</keyname></author>")
        + f"</authors><title>{escape(facts['title'])}</title><categories>{' '.join(facts['categories'])}</categories>"
        f"<abstract>{escape(facts['summary'])}</abstract></arXiv></metadata></record>"
        for facts in nasty
    )
    body = f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{records}</ListRecords></OAI-PMH>'
    server.answer("/oai", body.encode())
    _same(list(arxiv_oai.fetch(date(2026, 1, 6))), nasty)


def test_three_thousand_authors_keep_their_order(server, nasty):
    facts = max(nasty, key=lambda facts: len(facts["authors"]))
    assert len(facts["authors"]) == 3303
    paper = {"id": facts["id"], "title": "T", "upvotes": 1, "publishedAt": "2026-01-02T00:00:00Z"}
    names = [{"name": name} for name in facts["authors"]]
    server.answer("/api/daily_papers", json.dumps([{"paper": paper | {"authors": names}}]).encode())
    (record,) = huggingface.fetch(date(2026, 1, 5))
    assert record.authors == tuple(facts["authors"])


def test_no_recorded_comment_of_a_living_paper_is_taken_for_a_withdrawal(nasty):
    assert [facts["id"] for facts in nasty if says_withdrawn(facts["comment"] or "")] == []
