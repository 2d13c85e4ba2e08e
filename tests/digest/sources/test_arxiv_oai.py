from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import arxiv_oai
from digest.sources.base import Incomplete, PaperRecord, Rejected, SourceError
from tests.digest.sources.loopback import Reply

PATH = "/oai"
DAY = date(2026, 1, 7)  # a Wednesday: what was announced on Tuesday evening in New York
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{}</OAI-PMH>"""
RECORD = """<record><header><identifier>oai:arXiv.org:{id}</identifier><datestamp>2026-01-07</datestamp></header>
<metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{id}</id><created>2026-01-06</created>
<authors><author><keyname>{name}</keyname></author></authors><title>{title}</title></arXiv></metadata></record>"""


def record(number: int, title: str = "T", name: str = "Lee") -> str:
    return RECORD.format(id=f"2601.{number:05}", title=escape(title), name=escape(name))


def page(*records: str, token: str | None = None) -> bytes:
    more = "" if token is None else f"<resumptionToken>{escape(token)}</resumptionToken>"
    return PAGE.format(f"<ListRecords>{''.join(records)}{more}</ListRecords>").encode()


def error(code: str, text: str = "") -> bytes:
    return PAGE.format(f"<error code='{code}'>{text}</error>").encode()


def raw(**changes) -> dict:
    values = {"id": "2601.00001", "title": "T", "created": "2026-01-06", "datestamp": "2026-01-07"}
    return {**values, "authors": [{"keyname": "Lee", "forenames": "Ann"}], **changes}


@pytest.fixture(autouse=True)
def one_category(settings):
    settings.ARXIV_CATEGORIES = ["cs.CL"]


def fetch(day: date = DAY) -> list:
    return list(arxiv_oai.fetch(day))


def test_it_reads_every_field_of_a_record(server, payload):
    server.answer(PATH, payload("arxiv_oai.xml"), page())
    first = fetch()[0]
    assert first.raw["license"] == "http://creativecommons.org/licenses/by/4.0/"
    assert first == PaperRecord(
        source="arxiv_oai",
        source_key="2601.00001",
        arxiv_id="2601.00001",
        title="Let's <pause> When $a < b$:\n  A Study",
        authors=("Aïda Øst", "Ben Weir Jr.", "Pause Collaboration"),
        abstract="We study $\\infty$-steps & naïve pauses.\n  A second paragraph.",
        doi="10.9999/Pause.1",
        categories=("cs.CL", "cs.AI"),
        submitted_at=datetime(2026, 1, 6, tzinfo=UTC),
        announced_on=DAY,
        comment="9 pages",
        raw=first.raw,
    )


def test_a_record_that_only_changed_is_not_new(server, payload):
    server.answer(PATH, payload("arxiv_oai.xml"), page())
    _, updated, _, old = fetch()
    assert (updated.arxiv_id, updated.announced_on) == ("2512.00002", None)
    assert updated.comment == "This paper has been withdrawn by the author"
    assert (old.arxiv_id, old.announced_on, old.submitted_at) == ("math/0601004", None, None)


def test_a_deleted_record_is_no_paper(server, payload):
    server.answer(PATH, payload("arxiv_oai.xml"), page())
    deleted = fetch()[2]
    assert isinstance(deleted, Rejected)
    assert deleted.reason == "deleted at the source"
    assert deleted.raw["identifier"] == "oai:arXiv.org:2601.00003"


def test_it_asks_for_the_changes_of_the_day_in_the_set_of_each_category(server, settings):
    settings.ARXIV_CATEGORIES = ["cs.CL", "hep-th", "cs.CL"]
    server.answer(PATH, error("noRecordsMatch"))
    assert fetch() == []
    common = {"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-01-07", "until": "2026-01-07"}
    assert [asked.query for asked in server.asked] == [
        common | {"set": "cs:cs:CL"},
        common | {"set": "physics:hep-th"},
    ]


def test_a_paper_in_two_sets_comes_once(server, settings):
    settings.ARXIV_CATEGORIES = ["cs.CL", "cs.AI"]
    server.answer(PATH, page(record(1), record(2)), page(record(2), record(3)))
    assert [paper.arxiv_id for paper in fetch()] == ["2601.00001", "2601.00002", "2601.00003"]


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("cs.AI", "cs:cs:AI"),
        ("cs", "cs:cs"),
        ("stat.ML", "stat:stat:ML"),
        ("q-bio.NC", "q-bio:q-bio:NC"),
        ("econ.GN", "econ:econ:GN"),
        ("eess.AS", "eess:eess:AS"),
        ("math.AG", "math:math:AG"),
        ("math-ph", "physics:math-ph"),
        ("hep-th", "physics:hep-th"),
        ("astro-ph.CO", "physics:astro-ph:CO"),
        ("physics.optics", "physics:physics:optics"),
    ],
)
def test_every_category_has_its_set(category, name):
    assert arxiv_oai.set_of(category) == name


@pytest.mark.parametrize("last", [page(record(2)), page(record(2), token="")])
def test_the_token_leads_to_the_next_page_as_it_stands(server, last):
    token = "verb%3DListRecords%26set%3Dcs%253Acs%26skip%3D1 +&="
    server.answer(PATH, page(record(1), token=token), last)
    assert [paper.arxiv_id for paper in fetch()] == ["2601.00001", "2601.00002"]
    assert server.asked[1].query == {"verb": "ListRecords", "resumptionToken": token}


def test_a_token_that_comes_again_ends_the_loop(server):
    server.answer(PATH, page(record(1), token="a"), page(record(2), token="b"), page(record(3), token="a"))
    records = arxiv_oai.fetch(DAY)
    assert [next(records).arxiv_id for _ in range(3)] == ["2601.00001", "2601.00002", "2601.00003"]
    with pytest.raises(SourceError, match="same resumption token again") as caught:
        next(records)
    assert caught.value.transient
    assert len(server.asked) == 3


def test_pages_without_end_are_bounded(server, monkeypatch):
    monkeypatch.setattr(arxiv_oai, "MAX_PAGES", 4)
    server.routes[PATH] = lambda _: page(record(len(server.asked)), token=str(len(server.asked)))
    with pytest.raises(SourceError, match="goes on after 4 pages") as caught:
        fetch()
    assert not caught.value.transient
    assert len(server.asked) == 4


def test_a_token_that_has_expired_is_a_transient_failure(server):
    server.answer(PATH, page(record(1), token="a"), error("badResumptionToken", "It has expired."))
    with pytest.raises(SourceError, match=r"badResumptionToken: It has expired\.") as caught:
        fetch()
    assert caught.value.transient


@pytest.mark.parametrize("code", ["badArgument", "cannotDisseminateFormat", ""])
def test_any_other_error_is_final_and_gives_the_reason(server, code):
    server.answer(PATH, error(code, "Set\n does not exist"))
    with pytest.raises(SourceError, match=f"arxiv_oai: {code}: Set does not exist") as caught:
        fetch()
    assert not caught.value.transient


def test_a_control_character_does_not_lose_the_page(server):
    server.answer(PATH, page(record(1, title="Bad \x0b & byte"), record(2)).replace(b"byte", b"\xff"))
    assert [paper.title for paper in fetch()] == ["Bad  & \N{REPLACEMENT CHARACTER}", "T"]


def test_accents_stay_what_they_are_whatever_header_and_declaration_say(server):
    body = page(record(1, name="Łukasz Größe")).replace(b"UTF-8", b"latin-1")
    server.answer(PATH, Reply(body, headers={"Content-Type": "text/xml; charset=latin-1"}))
    assert fetch()[0].authors == ("Łukasz Größe",)


def test_a_bomb_of_entities_does_not_go_off(server):
    bomb = "<!DOCTYPE b [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY a{n} '{'&a' + (str(n - 1) if n else '') + ';'}{'&a' + (str(n - 1) if n else '') + ';'}'>"
        for n in range(30)
    )
    body = page(record(1)).replace(b"<OAI-PMH", f"{bomb}]><OAI-PMH".encode(), 1).replace(b"<title>T", b"<title>&a29;")
    server.answer(PATH, body)
    with pytest.raises(SourceError, match="declares a document type") as caught:
        fetch()
    assert caught.value.transient


@pytest.mark.parametrize(
    ("created", "datestamp", "is_new"),
    [
        ("2026-01-06", "2026-01-07", True),  # sent in on Tuesday before 14:00 in New York
        ("2026-01-06", "2026-01-08", True),  # after it
        ("2026-01-06", "2026-01-09", True),  # held until the next announcement
        ("2026-01-06", "2026-01-12", False),
        ("2026-01-07", "2026-01-10", False),  # nothing is announced on a Friday evening
        ("2026-01-07", "2026-01-12", True),  # the next is on Sunday evening
        ("2026-01-07", "2026-01-13", False),
        ("2026-01-06", "2026-01-06", False),  # before it could be announced
        ("2026-01-09", "2026-01-12", True),  # Friday's are announced on Sunday
        ("2026-01-16", "2026-01-21", True),  # Monday is a holiday
        ("2026-01-06", "soon", False),
        ("soon", "2026-01-07", False),
        ("", "", False),
        ("9999-12-31", "9999-12-31", False),
        ("0001-01-01", "0001-01-01", False),
    ],
)
def test_a_paper_is_new_only_at_the_time_of_its_first_announcement(created, datestamp, is_new):
    paper = arxiv_oai.read(raw(created=created, datestamp=datestamp))
    assert paper.announced_on == (date.fromisoformat(datestamp) if is_new else None)


def test_a_paper_that_says_it_was_updated_is_never_new():
    assert arxiv_oai.read(raw(updated="2026-01-07")).announced_on is None
    assert arxiv_oai.read(raw(updated="2026-01-07")).submitted_at == datetime(2026, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arxiv_id", "created", "fits"),
    [
        ("2601.00001", "2026-01-31", True),
        ("2602.00001", "2026-01-31", True),
        ("2601.00001", "2025-12-31", True),
        ("2508.00001", "2025-12-16", False),  # a later version
        ("2601.00001", "2026-02-01", False),
        ("hep-th/9901001", "1998-12-31", True),
        ("hep-th/9901001", "2026-01-06", False),
    ],
)
def test_the_date_of_a_later_version_is_no_date_of_submission(arxiv_id, created, fits):
    assert (arxiv_oai.read(raw(id=arxiv_id, created=created)).submitted_at is not None) is fits


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "nonsense"}, "arXiv id"),
        ({"title": " "}, "no title"),
        ({"authors": []}, "no authors"),
        ({"authors": [{"keyname": ""}, None, "Ann Lee"]}, "no authors"),
    ],
)
def test_a_record_without_the_necessary_is_rejected(changes, reason):
    rejected = arxiv_oai.read(raw(**changes))
    assert isinstance(rejected, Rejected)
    assert reason in rejected.reason


def test_a_record_without_metadata_is_rejected_and_the_rest_read(server):
    server.answer(PATH, page("<record/>", "<record><header/></record>", record(1)))
    records = fetch()
    assert [type(item) for item in records] == [Rejected, Rejected, PaperRecord]


@pytest.mark.parametrize(
    "pages",
    [
        [page(record(1), token="a"), page(token="b"), page(record(2))],
        [page(record(1), token="a"), page(record(1), token="b"), page(record(2))],
        [page(record(1), token="a"), error("noRecordsMatch")],
        [
            page(record(1), token="a").replace(b"<resumptionToken>", b"<resumptionToken completeListSize='3'>"),
            page(record(2)),
        ],
    ],
)
def test_a_list_that_ends_before_its_end_says_so_and_keeps_what_came(server, pages):
    server.answer(PATH, *pages)
    records = arxiv_oai.fetch(DAY)
    assert next(records).arxiv_id == "2601.00001"
    with pytest.raises(Incomplete):
        list(records)


def test_a_paper_is_withdrawn_when_its_latest_version_is_empty(server, payload):
    server.answer(PATH, payload("arxiv_oai_raw.xml"))
    assert arxiv_oai.is_withdrawn("2512.00002v2") is True
    assert server.asked[0].query == {
        "verb": "GetRecord",
        "metadataPrefix": "arXivRaw",
        "identifier": "oai:arXiv.org:2512.00002",
    }


@pytest.mark.parametrize(
    ("old", "new", "withdrawn"),
    [
        (b"<size>0kb", b"<size>12kb", False),
        (b"<source_type>I", b"<source_type>D", False),
        (b"<source_type>I", b"<source_type>AI", True),  # with files beside it
        (b"<source_type>I</source_type>", b"", False),
        (b'"v1"', b'"v3"', False),  # whatever the order: the highest counts
        (b'"v2"', b'"v10"', True),
        (b'"v2"', b'"?"', False),
    ],
)
def test_only_the_latest_version_counts_and_both_its_signs(server, payload, old, new, withdrawn):
    server.answer(PATH, payload("arxiv_oai_raw.xml").replace(old, new))
    assert arxiv_oai.is_withdrawn("2512.00002") is withdrawn


@pytest.mark.parametrize(
    ("body", "transient"),
    [
        (error("idDoesNotExist", "nothing"), False),
        (error("noRecordsMatch"), True),
        (PAGE.format("<GetRecord/>").encode(), True),
        (b"<html>login</html>", True),
    ],
)
def test_without_an_answer_nobody_says_withdrawn(server, body, transient):
    server.answer(PATH, body)
    with pytest.raises(SourceError) as caught:
        arxiv_oai.is_withdrawn("2512.00002")
    assert caught.value.transient is transient


def test_what_is_no_arxiv_id_is_not_asked_for(server):
    with pytest.raises(SourceError, match="not an arXiv id"):
        arxiv_oai.is_withdrawn("2512.00002 OR 1=1")
    assert server.asked == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_date_ever_raises(created, datestamp):
    assert isinstance(arxiv_oai.read(raw(created=created, datestamp=datestamp)), PaperRecord)
