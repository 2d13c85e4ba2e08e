from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import arxiv_api, arxiv_rss, payload
from digest.sources.base import Incomplete, PaperRecord, Rejected, SourceError
from tests.digest.sources.loopback import Reply

PATH = "/api/query"
DAY = date(2026, 1, 2)
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/"
 xmlns:{prefix}="http://arxiv.org/schemas/atom"><title>q</title>
<o:totalResults>{total}</o:totalResults>{entries}</feed>"""
ENTRY = """<entry><id>{id}</id><title>{title}</title><summary>{summary}</summary>
<published>{published}</published><category term="cs.AI"/><{prefix}:primary_category term="{primary}"/>
<author><name>{author}</name></author></entry>"""


def entry(number: int = 1, prefix: str = "arxiv", **changes: str) -> str:
    values = {
        "id": f"http://arxiv.org/abs/2601.{number:05}v1",
        "title": f"Paper {number}",
        "summary": "Text.",
        "published": "2026-01-02T18:59:58Z",
        "primary": "cs.CL",
        "author": "Ann Lee",
    }
    quotes = {'"': "&quot;"}
    return ENTRY.format(prefix=prefix, **{name: escape(text, quotes) for name, text in (values | changes).items()})


def feed(*entries: str, total: int | str | None = None, prefix: str = "arxiv") -> bytes:
    count = len(entries) if total is None else total
    return FEED.format(total=count, entries="".join(entries), prefix=prefix).encode()


def read(body: bytes) -> list:
    parsed = payload.read_feed(body, source="test")
    return [arxiv_api.read(arxiv_api._raw(parsed, item)) for item in parsed.entries]


def test_it_reads_every_field_of_an_entry(server, payload):
    server.answer(PATH, payload("arxiv_api.xml"))
    record = next(iter(arxiv_api.fill_in(["2601.00001", "math/0601003"])))
    assert record == PaperRecord(
        source="arxiv_api",
        source_key="2601.00001",
        arxiv_id="2601.00001",
        title="Let's <pause> When $a < b$:\n  A Study",
        authors=("Aïda Øst", "Ben Weir, Jr."),
        abstract="We study $\\infty$-steps & naïve pauses.",
        doi="10.9999/Pause.1",
        categories=("cs.CL", "cs.AI"),
        submitted_at=datetime(2026, 1, 2, 18, 59, 58, tzinfo=UTC),
        comment="9 pages",
        version=2,
        raw=record.raw,
    )


def test_old_ids_keep_their_archive(server, payload):
    server.answer(PATH, payload("arxiv_api.xml"))
    assert [record.arxiv_id for record in arxiv_api.fill_in(["math/0601003"])] == [
        "2601.00001",
        "math/0601003",
    ]


def test_it_asks_for_fifty_ids_at_a_time_each_once(server):
    server.answer(PATH, feed())
    ids = [f"2601.{number:05}" for number in range(120)]
    assert list(arxiv_api.fill_in([*ids, "2601.00007v3"])) == []
    assert [asked.query["max_results"] for asked in server.asked] == ["50", "50", "20"]
    assert ",".join(asked.query["id_list"] for asked in server.asked) == ",".join(ids)


def test_without_ids_it_asks_nothing(server):
    assert list(arxiv_api.fill_in([])) == []
    assert server.asked == []


def test_what_is_no_arxiv_id_is_rejected_and_not_asked_for(server):
    server.answer(PATH, feed(entry(1)))
    records = list(arxiv_api.fill_in(["abc", "2601.00001", ""]))
    assert [type(record) for record in records] == [Rejected, Rejected, PaperRecord]
    assert server.asked[0].query["id_list"] == "2601.00001"


def test_an_error_that_comes_as_a_feed_is_final_and_gives_the_reason(server, payload):
    server.answer(PATH, payload("arxiv_api_error.xml"))
    with pytest.raises(SourceError, match="arxiv_api: incorrect id format for abc") as caught:
        list(arxiv_api.fill_in(["2601.00001"]))
    assert not caught.value.transient


def test_a_refusal_gives_the_reason_of_its_feed(server, payload):
    server.answer(PATH, Reply(payload("arxiv_api_error.xml"), 400))
    with pytest.raises(SourceError, match=r"answered 400 .*incorrect id format for abc") as caught:
        list(arxiv_api.fill_in(["2601.00001"]))
    assert not caught.value.transient


@pytest.mark.parametrize("status", [403, 406])
@pytest.mark.parametrize("ask", [lambda: arxiv_api.fill_in(["2601.00001"]), lambda: arxiv_rss.fetch(DAY)])
def test_arxivs_way_to_say_busy_is_transient(server, ask, status):
    server.answer(PATH, Reply(status=status))
    server.answer("/rss/cs.CL+cs.AI", Reply(status=status))
    with pytest.raises(SourceError, match=str(status)) as caught:
        list(ask())
    assert caught.value.transient


def test_a_paper_titled_error_is_a_paper(server):
    server.answer(PATH, feed(entry(1, title="Error"), entry(2)))
    assert len(list(arxiv_api.fill_in(["2601.00001", "2601.00002"]))) == 2


@pytest.mark.parametrize("body", [b"", feed(entry())[:-10], b"<html>busy</html>", b'{"a": 1}'])
def test_what_is_no_whole_feed_is_a_transient_failure(server, body):
    server.answer(PATH, body)
    with pytest.raises(SourceError) as caught:
        list(arxiv_api.fill_in(["2601.00001"]))
    assert caught.value.transient


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "http://arxiv.org/api/errors#x"}, "arXiv paper"),
        ({"id": "http://example.org/abs/2601.00001v1"}, "arXiv paper"),
        ({"title": ""}, "title"),
        ({"author": " "}, "authors"),
        ({"published": "once"}, "submission"),
    ],
)
def test_an_entry_without_the_necessary_is_rejected_and_the_rest_read(server, changes, reason):
    server.answer(PATH, feed(entry(1, **changes), entry(2)))
    bad, good = arxiv_api.fill_in(["2601.00001", "2601.00002"])
    assert isinstance(bad, Rejected)
    assert reason in bad.reason
    assert good.arxiv_id == "2601.00002"


def test_another_prefix_for_arxivs_namespace_changes_nothing():
    assert read(feed(entry(1, "ax"), prefix="ax"))[0].categories == ("cs.CL", "cs.AI")


def test_accents_stay_what_they_are_whatever_header_and_declaration_say(server):
    body = feed(entry(1, author="Łukasz Größe")).replace(b"UTF-8", b"latin-1")
    server.answer(PATH, Reply(body, headers={"Content-Type": "application/atom+xml; charset=latin-1"}))
    assert next(iter(arxiv_api.fill_in(["2601.00001"]))).authors == ("Łukasz Größe",)


def test_it_searches_the_day_of_submission_in_all_categories(server):
    server.answer(PATH, feed(entry(1)))
    assert [record.arxiv_id for record in arxiv_api.fetch(DAY)] == ["2601.00001"]
    assert server.asked[0].query == {
        "search_query": "(cat:cs.CL OR cat:cs.AI) AND submittedDate:[202601020000 TO 202601022359]",
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
        "start": "0",
        "max_results": "200",
    }


def test_it_reads_page_after_page_and_every_paper_once(server):
    def page(asked):
        start = int(asked.query["start"])
        first = start - 1 if start else 0  # one paper was added in between
        return feed(*[entry(number) for number in range(first, min(start + 200, 450))], total=450)

    server.routes[PATH] = page
    records = list(arxiv_api.fetch(DAY))
    assert [record.arxiv_id for record in records] == [f"2601.{number:05}" for number in range(450)]
    assert len(server.asked) == 3


def test_an_empty_page_before_the_end_is_asked_for_again(server):
    first = feed(*[entry(number) for number in range(200)], total=201)
    server.answer(PATH, first, feed(total=201), feed(entry(200), total=201))
    assert len(list(arxiv_api.fetch(DAY))) == 201


@given(st.integers(1, 450), st.lists(st.tuples(st.booleans(), st.sampled_from([200, 200, 100, 0])), max_size=8))
def test_a_day_is_whole_or_says_that_it_is_not(server, total, faults):
    """However the server repeats, cuts and turns round its pages."""
    left = list(faults)

    def page(asked):
        repeats, length = left.pop(0) if left else (False, 200)
        start = 0 if repeats else int(asked.query["start"])
        return feed(*map(entry, reversed(range(start, min(start + length, total)))), total=total)

    server.routes[PATH] = page
    came = set()
    try:
        for record in arxiv_api.fetch(DAY):
            came.add(record.arxiv_id)
    except Incomplete:
        assert len(came) < total
    else:
        assert len(came) == total


def test_ids_that_are_missing_are_asked_for_once_more_in_any_order(server):
    server.answer(PATH, feed(entry(3), entry(1), entry(1), total=3), feed(entry(2)))
    ids = ["2601.00001", "2601.00002", "2601.00003"]
    assert {record.arxiv_id for record in arxiv_api.fill_in(ids)} == set(ids)
    assert server.asked[1].query["id_list"] == "2601.00002"


def test_ids_that_stay_missing_are_named(server):
    server.answer(PATH, feed(entry(1), total=2), feed(total=1))
    records = arxiv_api.fill_in(["2601.00001", "2601.00002"])
    assert next(records).arxiv_id == "2601.00001"
    with pytest.raises(Incomplete, match=r"1 of 2 papers that were asked for, not 2601\.00002"):
        next(records)


def test_a_page_that_stays_empty_is_a_transient_failure(server):
    server.answer(PATH, feed(total=7))
    with pytest.raises(SourceError, match="empty page at 0 of 7") as caught:
        list(arxiv_api.fetch(DAY))
    assert caught.value.transient
    assert len(server.asked) == 2


@pytest.mark.parametrize("total", ["", "many"])
def test_a_feed_without_a_total_is_a_transient_failure(server, total):
    server.answer(PATH, feed(entry(1), total=total))
    with pytest.raises(SourceError, match="how many results") as caught:
        list(arxiv_api.fetch(DAY))
    assert caught.value.transient


def test_a_day_without_papers_is_no_error(server):
    server.answer(PATH, feed())
    assert list(arxiv_api.fetch(DAY)) == []


def test_pages_without_end_are_bounded(server, monkeypatch):
    monkeypatch.setattr(arxiv_api, "MAX_PAGES", 3)
    server.routes[PATH] = lambda asked: feed(entry(int(asked.query["start"])), total=10**6)
    records = arxiv_api.fetch(DAY)
    assert len([next(records) for _ in range(3)]) == 3
    with pytest.raises(Incomplete, match="more than 600 are not read"):
        next(records)
    assert len(server.asked) == 6  # each page is short, and asked for twice


def test_a_server_that_repeats_its_page_is_a_transient_failure(server):
    server.answer(PATH, feed(entry(1), entry(2, title=""), total=10**6))
    records = arxiv_api.fetch(DAY)
    assert [type(next(records)), type(next(records))] == [PaperRecord, Rejected]
    with pytest.raises(SourceError, match="repeats its page at 200 of 1000000") as caught:
        next(records)
    assert caught.value.transient


texts = st.text(max_size=40)


@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(["id", "title", "published", "primary", "author"], texts))
    )
)
def test_any_entry_gives_one_record_or_one_rejection(changes):
    for record in read(feed(*[entry(number, **change) for number, change in enumerate(changes)])):
        assert isinstance(record, PaperRecord | Rejected)
