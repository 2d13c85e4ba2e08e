import json
from datetime import date
from xml.sax.saxutils import escape

import pytest

from digest.sources import arxiv_api, arxiv_oai, arxiv_rss, huggingface
from digest.sources.arxiv import says_withdrawn
from digest.sources.base import PaperRecord, Rejected, SourceError
from tests.digest.sources.loopback import Reply
from tests.recorded import FEEDS, OURS, answers_of_the_api, day_of, recorded

RSS = "/rss/cs.CL+cs.AI"


@pytest.mark.parametrize("path", recorded("hf/days/*.json"))
def test_recorded_days_of_huggingface_are_read_whole(server, path):
    body = path.read_bytes()
    server.answer("/api/daily_papers", body, b"[]")
    records = list(huggingface.fetch(date.fromisoformat(path.stem)))
    assert [record for record in records if isinstance(record, Rejected)] == []
    assert len(records) == len(json.loads(body))
    assert {record.featured_on.isoformat() for record in records} <= {path.stem}


@pytest.mark.parametrize("path", recorded("hf/tricky_records.json"))
def test_recorded_odd_records_are_read(path):
    odd = json.loads(path.read_text())
    assert len(odd) >= 19
    for item in odd:
        assert isinstance(huggingface.read(item["record"], date.fromisoformat(item["date"])), PaperRecord), item["why"]


@pytest.mark.parametrize("path", recorded(*FEEDS))
def test_recorded_feeds_of_arxiv_are_read_whole(server, path):
    body = path.read_bytes()
    server.answer(RSS, body)
    records = list(arxiv_rss.fetch(day_of(path)))
    kinds = [body.count(f"<arxiv:announce_type>{kind}</".encode()) for kind in ("new", "cross")]
    assert all(isinstance(record, PaperRecord) for record in records)
    assert len(records) == sum(kinds)
    assert bool(records) != ("weekend" in path.name)


@pytest.mark.parametrize("path", recorded("arxiv/rss/*error*.xml"))
def test_a_recorded_error_feed_is_a_failure(server, path):
    server.answer(RSS, path.read_bytes())
    with pytest.raises(SourceError, match="Bad subject class 'XX'"):
        list(arxiv_rss.fetch(date(2026, 6, 27)))


@pytest.mark.parametrize(("path", "facts"), answers_of_the_api(200, 400))
def test_recorded_answers_of_arxivs_api_are_read_whole(server, path, facts):
    server.answer("/api/query", Reply(path.read_bytes(), facts["status_code"]))
    if facts["status_code"] != 200:
        with pytest.raises(SourceError, match="incorrect id format for abc"):
            list(arxiv_api.fill_in(["2601.00001"]))
        return
    records = list(arxiv_api.fill_in(["2601.00001"]))
    assert len(records) == facts["entries"]
    assert all(isinstance(record, PaperRecord) for record in records)
    assert not any("Ã" in name for record in records for name in record.authors)


# Of each list of changes: its category and OAI set; of each paper when it was announced and submitted, as far as that
# is known (where "created" is the date of a later version, it is not); how the authors of the first paper end; what is
# refused.
CHANGES = {
    "ListRecords_arXiv_cs.CL_2026-01-07.xml": (
        "cs.CL",
        "cs:cs:CL",
        {
            "2601.10050": ("2026-01-07", "2026-01-06"),
            "2512.10051": (None, "2025-12-20"),
            "2504.10052": (None, None),
            "2512.10054": (None, "2025-12-01"),
            "hep-th/9901001": (None, "1999-01-01"),
        },
        "Ana Exemplar, Bo Sample Jr., EXEMPLAR Collaboration",
        ["deleted at the source"],
    ),
    "ListRecords_arXiv_plasm-ph_2026-01-05.xml": (
        "physics.plasm-ph",
        "physics:physics:plasm-ph",
        {"2504.11237": (None, "2025-04-15"), "2508.21012": (None, None), "2510.07502": (None, None)},
        "Zoltán Harman",
        [],
    ),
}


@pytest.mark.parametrize("path", recorded("arxiv/oai/ListRecords*.xml"))
def test_recorded_changes_of_a_day_are_read_whole_and_only_what_is_new_is_announced(server, settings, path):
    category, name, papers, authors, refused = CHANGES[path.name]
    settings.ARXIV_CATEGORIES = [category]
    server.answer("/oai", path.read_bytes())
    found = list(arxiv_oai.fetch(day_of(path)))
    records = [record for record in found if isinstance(record, PaperRecord)]
    assert server.asked[0].query["set"] == name
    assert {record.arxiv_id: (_day(record.announced_on), _day(record.submitted_at)) for record in records} == papers
    assert ", ".join(records[0].authors).endswith(authors)
    assert [record.reason for record in found if isinstance(record, Rejected)] == refused


def _day(moment):
    return moment and moment.isoformat()[:10]


def test_a_recorded_withdrawal_is_told_by_its_comment(server):
    path = OURS / "arxiv" / "oai" / "ListRecords_arXiv_cs.CL_2026-01-07.xml"
    server.answer("/oai", path.read_bytes())
    records = [record for record in arxiv_oai.fetch(day_of(path)) if isinstance(record, PaperRecord)]
    assert [record.arxiv_id for record in records if says_withdrawn(record.comment)] == ["2512.10054"]


@pytest.fixture(params=recorded("arxiv/nasty.jsonl"))
def nasty(request) -> list[dict]:
    """Records of arXiv papers that were chosen for what they hold."""
    papers = [json.loads(line) for line in request.param.read_text().splitlines()]
    assert len(papers) >= 40
    for facts in papers:  # among the categories are a few lists of ACM classes ("I.5.4; I.2.6")
        facts["categories"] = [name for name in facts["categories"] if " " not in name]
    return papers


def _same(records: list, nasty: list[dict]) -> None:
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


def test_odd_papers_come_out_of_the_daily_list_as_they_went_in(server, nasty):
    elements = [
        {
            "paper": {
                "id": facts["id"],
                "title": facts["title"],
                "authors": [{"name": name} for name in facts["authors"]],
                "summary": facts["summary"],
                "upvotes": 1,
                "publishedAt": "2026-01-02T00:00:00Z",
            }
        }
        for facts in nasty
    ]
    server.answer("/api/daily_papers", json.dumps(elements).encode(), b"[]")
    _same(list(huggingface.fetch(date(2026, 1, 5))), [facts | {"categories": []} for facts in nasty])


def test_three_thousand_authors_keep_their_order(server):
    names = [f"Ana Exemplar {n * 7919 % 3303}" for n in range(3303)]
    paper = {"id": "2601.00001", "title": "T", "upvotes": 1, "publishedAt": "2026-01-02T00:00:00Z"}
    paper["authors"] = [{"name": name} for name in names]
    server.answer("/api/daily_papers", json.dumps([{"paper": paper}]).encode())
    (record,) = huggingface.fetch(date(2026, 1, 5))
    assert record.authors == tuple(names)


def test_no_recorded_comment_of_a_living_paper_is_taken_for_a_withdrawal(nasty):
    assert [facts["id"] for facts in nasty if says_withdrawn(facts["comment"] or "")] == []
