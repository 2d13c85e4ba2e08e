"""What every source of the registry keeps, whatever it reads."""

import json
from collections.abc import Callable, Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import CONFIRM_WITHDRAWAL, FILL_IN, SOURCES, arxiv_api, arxiv_oai, sample
from digest.sources.base import PaperRecord, Rejected, Source
from digest.sources.payload import storable
from tests.recorded import FEEDS, answers_of_the_api, day_of, recorded

DAY = date(2026, 1, 6)
# Of each source with a server: the payload of a day, where it is asked for, and the day.
ANSWERS = {
    "huggingface": ("huggingface.json", "/api/daily_papers", date(2026, 1, 5)),
    "arxiv_rss": ("arxiv_rss.xml", "/rss/cs.CL+cs.AI", date(2026, 1, 6)),
    "arxiv_oai": ("arxiv_oai.xml", "/oai", date(2026, 1, 7)),
    "arxiv_api": ("arxiv_api.xml", "/api/query", date(2026, 1, 2)),
}


def made_again(source: Source, record: PaperRecord | Rejected, day: date) -> PaperRecord | Rejected:
    """The record from what a database keeps of it."""
    return source.read(json.loads(json.dumps(record.raw)), day)


def can_be_made_again(source: Source, records: Iterable[PaperRecord | Rejected], day: date) -> int:
    """Assert that each record comes out the same from what is kept of it, and count the papers."""
    count = 0
    for record in records:
        assert storable(record.raw) == record.raw
        assert made_again(source, record, day) == record
        count += isinstance(record, PaperRecord)
    return count


def test_the_registry_names_the_sources():
    assert set(SOURCES) == {*ANSWERS, "sample"}
    assert FILL_IN is arxiv_api.fill_in
    assert CONFIRM_WITHDRAWAL is arxiv_oai.is_withdrawn


def test_no_two_sources_are_trusted_alike():
    assert len({source.trust for source in SOURCES.values()}) == len(SOURCES)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_record_can_be_made_again_from_what_is_kept(server, settings, payload, name):
    settings.ARXIV_CATEGORIES = ["cs.CL", "cs.AI"]
    file, path, day = ANSWERS[name]
    body = payload(file).replace(b"<resumptionToken", b"<!-- ").replace(b"</resumptionToken>", b" -->")
    server.answer(path, body)
    assert can_be_made_again(SOURCES[name], SOURCES[name].fetch(day), day) >= 1


def test_so_can_the_samples_records():
    for day in sample.days():
        assert can_be_made_again(SOURCES["sample"], sample.fetch(day), day)


@pytest.mark.parametrize("path", recorded("hf/days/*.json"))
def test_so_can_recorded_days_of_huggingface(server, path):
    day = date.fromisoformat(path.stem)
    server.answer("/api/daily_papers", path.read_bytes(), b"[]")
    number = len(json.loads(path.read_text()))
    assert can_be_made_again(SOURCES["huggingface"], SOURCES["huggingface"].fetch(day), day) == number


@pytest.mark.parametrize("path", recorded("hf/tricky_records.json"))
def test_so_can_recorded_odd_records_of_huggingface(path):
    source = SOURCES["huggingface"]
    for item in json.loads(path.read_text()):
        day = date.fromisoformat(item["date"])
        record = source.read(item["record"], day)
        assert can_be_made_again(source, [record], day) == 1


@pytest.mark.parametrize("path", recorded(*FEEDS))
def test_so_can_recorded_feeds_of_arxiv(server, path):
    server.answer("/rss/cs.CL+cs.AI", path.read_bytes())
    day = day_of(path)
    found = can_be_made_again(SOURCES["arxiv_rss"], SOURCES["arxiv_rss"].fetch(day), day)
    assert bool(found) != ("weekend" in path.name)


@pytest.mark.parametrize("path", recorded("arxiv/oai/ListRecords*.xml"))
def test_so_can_recorded_changes_of_arxiv(server, path):
    server.answer("/oai", path.read_bytes())
    day = day_of(path)
    assert can_be_made_again(SOURCES["arxiv_oai"], SOURCES["arxiv_oai"].fetch(day), day) >= 3


@pytest.mark.parametrize(("path", "facts"), answers_of_the_api(200))
def test_so_can_recorded_answers_of_arxivs_api(server, path, facts):
    server.answer("/api/query", path.read_bytes())
    records = arxiv_api.fill_in(["2601.00001"])
    assert can_be_made_again(SOURCES["arxiv_api"], records, DAY) == facts["entries"]


keys = ["id", "guid", "title", "authors", "creator", "categories", "published", "announce_type", "description", "doi"]
keys += ["created", "updated", "datestamp", "status", "abstract", "summary", "comment", "comments", "identifier"]
keys += ["paper", "publishedAt", "submittedOnDailyAt", "withdrawnAt", "upvotes", "name", "keyname", "forenames"]
likely = st.sampled_from(
    ["2601.00001v2", "http://arxiv.org/abs/2601.00001v1", "oai:arXiv.org:math/0601003", "new", "T", "2026-01-02", ""]
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | likely
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=5),
    max_leaves=20,
)
GOOD: dict[str, dict] = {
    "huggingface": {
        "paper": {
            "id": "2601.00001",
            "title": "T",
            "authors": [{"name": "A"}],
            "upvotes": 1,
            "publishedAt": "2026-01-02",
        }
    },
    "arxiv_rss": {"guid": "oai:arXiv.org:2601.00001v1", "announce_type": "new", "title": "T", "creator": "A"},
    "arxiv_oai": {"id": "2601.00001", "title": "T", "authors": [{"keyname": "A"}]},
    "arxiv_api": {
        "id": "http://arxiv.org/abs/2601.00001v1",
        "title": "T",
        "authors": ["A"],
        "published": "2026-01-02",
    },
    "sample": {"id": "2601.00001", "title": "T", "authors": ["A"], "categories": ["cs.AI"]},
}


@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
def test_whatever_was_kept_gives_one_record_or_one_rejection(name, data):
    good = GOOD[name]
    changes: Callable[[dict], st.SearchStrategy] = lambda base: st.dictionaries(  # noqa: E731
        st.sampled_from([*base, *keys]), values, max_size=4
    ).map(lambda change: base | change)
    nested = changes(good["paper"]).map(lambda paper: {"paper": paper}) if "paper" in good else st.nothing()
    raw = data.draw(values | changes(good) | nested)
    result = SOURCES[name].read(raw, DAY)
    assert isinstance(result, PaperRecord | Rejected)
    assert result.raw is raw
    assert made_again(SOURCES[name], result, DAY) == result
    if isinstance(result, PaperRecord):
        assert result.source == name
        assert result.source_key
        assert result.title
        assert result.authors
        assert all(isinstance(text, str) and text for text in (*result.authors, *result.categories))
        for moment in (result.submitted_at, result.withdrawn_at):
            assert moment is None or moment.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("name", GOOD)
def test_the_least_that_is_necessary_is_enough(name):
    assert isinstance(SOURCES[name].read(GOOD[name], DAY), PaperRecord)
