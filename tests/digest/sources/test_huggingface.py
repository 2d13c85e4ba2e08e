import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import huggingface
from digest.sources.base import Incomplete, OtherDay, PaperRecord, Rejected, SourceError
from tests.digest.sources.loopback import Reply

PATH = "/api/daily_papers"
DAY = date(2026, 1, 5)


def element(number: int, **changes) -> dict:
    paper = {
        "id": f"2601.{number:05}",
        "title": f"Paper {number}",
        "authors": [{"name": "Ann Lee"}],
        "upvotes": number,
        "publishedAt": "2026-01-02T00:00:00.000Z",
    }
    return {"paper": paper | changes, "numComments": 1}


def day_of(*elements) -> bytes:
    return json.dumps(elements).encode()


def fetch(day: date = DAY) -> list:
    return list(huggingface.fetch(day))


def test_it_reads_every_field_of_a_record(server, payload):
    server.answer(PATH, payload("huggingface.json"))
    record = fetch()[0]
    assert record == PaperRecord(
        source="huggingface",
        source_key="2601.00001",
        arxiv_id="2601.00001",
        title="Let's <pause> Before We Answer:\n  A Study of infty-Steps",
        authors=("Aïda Øst", "Ben Weir"),
        abstract="We study models that pause.\nThey answer $1 < 2$ questions.",
        summary="Pausing helps.",
        keywords=("pause tokens", "reasoning"),
        submitted_at=datetime(2026, 1, 2, tzinfo=UTC),
        featured_on=DAY,
        upvotes=31,
        comments=4,
        stars=120,
        code_url="https://github.com/example/pause",
        project_url="https://example.org/pause",
        raw=json.loads(payload("huggingface.json"))[0],
    )


def test_it_asks_for_the_day_and_the_longest_page(server):
    server.answer(PATH, b"[]")
    fetch()
    assert [asked.query for asked in server.asked] == [{"date": "2026-01-05", "p": "0", "limit": "100"}]


def test_it_keeps_a_bad_record_aside_and_reads_the_rest(server, payload):
    server.answer(PATH, payload("huggingface.json"))
    records = fetch()
    assert [type(record) for record in records] == [PaperRecord, Rejected, PaperRecord]
    assert records[1].reason == "paper.title is missing or empty"
    assert records[1].raw["paper"]["heading"] == "A renamed title"


def test_what_is_missing_or_of_another_type_is_unknown(server, payload):
    server.answer(PATH, payload("huggingface.json"))
    record = fetch()[2]
    assert record.arxiv_id == "math/0601003"
    assert (record.upvotes, record.comments, record.stars) == (0, 0, None)
    assert (record.code_url, record.project_url, record.keywords, record.summary) == ("", "", (), "")
    assert record.announced_on is None
    assert record.featured_on == DAY


def test_a_day_without_papers_is_no_error(server):
    server.answer(PATH, b"[]")
    assert fetch() == []


@pytest.mark.parametrize("answer", [b"", b'[{"paper": {"id": "2601.0', b"[1, 2", b"\xff\xfe[", b"1" * 5000])
def test_broken_json_is_a_transient_failure(server, answer):
    server.answer(PATH, answer)
    with pytest.raises(SourceError, match="huggingface answered with broken JSON") as caught:
        fetch()
    assert caught.value.transient


@pytest.mark.parametrize("answer", [b'{"error": "down"}', b"null", b'"x"', b"1"])
def test_json_that_is_no_list_is_a_transient_failure(server, answer):
    server.answer(PATH, answer)
    with pytest.raises(SourceError, match="instead of a list") as caught:
        fetch()
    assert caught.value.transient


def test_a_web_page_is_a_transient_failure(server):
    server.answer(PATH, b"<!doctype html><title>Hugging Face</title>")
    with pytest.raises(SourceError, match="an HTML page instead of JSON") as caught:
        fetch()
    assert caught.value.transient


NOON = {"Date": "Mon, 05 Jan 2026 12:00:00 GMT"}


@pytest.mark.parametrize("status", [400, 404])
def test_a_refused_day_is_a_failure_with_the_reason(server, status):
    server.answer(PATH, Reply(b'{"error":"Invalid date"}', status, NOON))
    with pytest.raises(SourceError, match=f'{status} .*"Invalid date"') as caught:
        fetch()
    assert not isinstance(caught.value, OtherDay)
    assert not caught.value.transient


def test_a_day_that_has_not_begun_on_the_servers_clock_is_another_day(server):
    server.answer(PATH, Reply(b'{"error":"Invalid date"}', 400, NOON))
    with pytest.raises(OtherDay, match="has 2026-01-05 still; 2026-01-06 was asked for") as caught:
        fetch(date(2026, 1, 6))
    assert caught.value.shows == DAY
    assert caught.value.transient


@pytest.mark.parametrize("reply", [Reply(b"", 404, NOON), Reply(b"", 400, {"Date": ""})])
def test_only_a_400_with_the_servers_time_is_taken_for_that(server, reply):
    server.answer(PATH, reply)
    with pytest.raises(SourceError) as caught:
        fetch(date(2026, 1, 6))
    assert not isinstance(caught.value, OtherDay)


def test_a_withdrawal_that_the_list_names_is_kept():
    record = huggingface.read(element(1, withdrawnAt="2026-01-05T08:00:00.000Z", id="2601.00001v2"), DAY)
    assert record.withdrawn_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert record.version == 2
    assert huggingface.read(element(1, withdrawnAt=None), DAY).withdrawn_at is None


def test_it_reads_page_after_page(server):
    everything = [element(number) for number in range(1, 241)]

    def page(asked):
        start = int(asked.query["p"]) * int(asked.query["limit"])
        return day_of(*everything[start : start + 100])

    server.routes[PATH] = page
    assert [record.upvotes for record in fetch()] == list(range(1, 241))
    assert len(server.asked) == 3


def test_a_server_that_repeats_its_page_gives_every_paper_once(server):
    server.answer(PATH, day_of(*[element(number) for number in range(1, 101)]))
    records = huggingface.fetch(DAY)
    assert len([next(records) for _ in range(100)]) == 100
    with pytest.raises(Incomplete, match="repeats its page 1"):
        next(records)
    assert len(server.asked) == 2


def test_a_server_that_repeats_bad_records_ends_too(server):
    server.answer(PATH, day_of(*[{"paper": number} for number in range(100)]))
    records = huggingface.fetch(DAY)
    assert len([next(records) for _ in range(100)]) == 100
    with pytest.raises(Incomplete, match="repeats its page 1"):
        next(records)
    assert len(server.asked) == 2


def test_pages_without_end_are_bounded(server):
    def page(asked):
        start = int(asked.query["p"]) * 100
        return day_of(*[element(number) for number in range(start, start + 100)])

    server.routes[PATH] = page
    records = huggingface.fetch(DAY)
    assert len([next(records) for _ in range(2000)]) == 2000
    with pytest.raises(Incomplete, match="goes on after 20 pages"):
        next(records)
    assert len(server.asked) == 20


def test_a_paper_that_comes_twice_in_a_page_is_one(server):
    server.answer(PATH, day_of(element(1), element(1, id="2601.00001v2"), element(2)))
    assert [record.arxiv_id for record in fetch()] == ["2601.00001", "2601.00002"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "not-an-id"}, "arXiv id"),
        ({"id": 2601.00001}, "arXiv id"),
        ({"id": None}, "arXiv id"),
        ({"title": " \n"}, "title"),
        ({"authors": []}, "authors"),
        ({"authors": [{"fullname": "X"}, None]}, "authors"),
        ({"authors": "Ann Lee"}, "authors"),
        ({"upvotes": None}, "upvotes"),
        ({"upvotes": True}, "upvotes"),
        ({"upvotes": -1}, "upvotes"),
        ({"upvotes": 10**20}, "upvotes"),
        ({"upvotes": "12"}, "upvotes"),
        ({"publishedAt": "soon"}, "publishedAt"),
        ({"publishedAt": 1767312000}, "publishedAt"),
        ({"publishedAt": "0001-01-01T00:00:00+12:00"}, "publishedAt"),
    ],
)
def test_a_record_without_the_necessary_is_rejected(changes, reason):
    record = huggingface.read(element(1, **changes), DAY)
    assert isinstance(record, Rejected)
    assert reason in record.reason


@pytest.mark.parametrize(
    ("given_id", "canonical"),
    [
        ("2601.00001v3", "2601.00001"),
        ("0704.0001", "0704.0001"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("solv-int/9901001v1", "solv-int/9901001"),
        ("math.GT/0309136", "math/0309136"),
    ],
)
def test_ids_are_canonical(given_id, canonical):
    assert huggingface.read(element(1, id=given_id), DAY).arxiv_id == canonical


def test_the_day_of_the_list_is_the_papers_own_when_it_says_so():
    record = huggingface.read(element(1, submittedOnDailyAt="2026-01-06T00:00:00.000Z"), DAY)
    assert record.featured_on == date(2026, 1, 6)
    assert huggingface.read(element(1, submittedOnDailyAt="?"), DAY).featured_on == DAY


def test_what_a_database_cannot_keep_is_taken_out(server):
    server.answer(PATH, day_of(element(1, title="A\0B\ud800C", x=float("inf"), y=[float("nan")])))
    record = fetch()[0]
    assert record.title == "AB?C"
    assert (record.raw["paper"]["x"], record.raw["paper"]["y"]) == (None, [None])


def test_accents_stay_what_they_are_whatever_the_header_says(server):
    body = json.dumps([element(1, title="Théorie naïve")], ensure_ascii=False).encode()
    server.answer(PATH, Reply(body, headers={"Content-Type": "application/json; charset=latin-1"}))
    assert fetch()[0].title == "Théorie naïve"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
paper_keys = ["id", "title", "authors", "upvotes", "publishedAt", "submittedOnDailyAt"]
paper_keys += ["summary", "ai_summary", "ai_keywords", "githubStars", "githubRepo", "projectPage"]
good_paper = element(1)["paper"]


@given(
    json_values
    | st.fixed_dictionaries({}, optional={"paper": json_values, "numComments": json_values})
    | st.fixed_dictionaries(
        {
            "paper": st.dictionaries(st.sampled_from(paper_keys), json_values).map(
                lambda changes: good_paper | changes
            ),
            "numComments": json_values,
        }
    )
)
def test_any_element_gives_one_record_or_one_rejection(anything):
    record = huggingface.read(anything, DAY)
    assert isinstance(record, PaperRecord | Rejected)
    assert record.raw is anything
    if isinstance(record, PaperRecord):
        assert record.arxiv_id
        assert record.authors
        assert record.submitted_at is not None
        assert record.submitted_at.utcoffset().total_seconds() == 0
