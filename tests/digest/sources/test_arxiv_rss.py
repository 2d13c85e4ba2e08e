from datetime import date
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import arxiv_rss, payload
from digest.sources.base import Incomplete, OtherDay, PaperRecord, Rejected, SourceError
from tests.digest.sources.loopback import Reply

PATH = "/rss/cs.CL+cs.AI"
DAY = date(2026, 1, 6)
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:{prefix}="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">
<channel><title>{title}</title><description>About it.</description><pubDate>{published}</pubDate>
{items}</channel></rss>"""
ITEM = """<item><title>{title}</title><description>{description}</description>
<guid isPermaLink="false">{guid}</guid><category>cs.CL</category>
<{prefix}:announce_type>{kind}</{prefix}:announce_type><dc:creator>{creator}</dc:creator></item>"""


def item(number: int = 1, prefix: str = "arxiv", **changes: str) -> str:
    values = {
        "title": f"Paper {number}",
        "description": f"arXiv:2601.{number:05}v1 Announce Type: new \nAbstract: Text.",
        "guid": f"oai:arXiv.org:2601.{number:05}v1",
        "kind": "new",
        "creator": "Ann Lee",
    }
    return ITEM.format(prefix=prefix, **{name: escape(text) for name, text in (values | changes).items()})


def feed(*items: str, title="cs.CL updates", published="Tue, 06 Jan 2026 00:00:00 -0500", prefix="arxiv") -> bytes:
    return FEED.format(title=title, published=published, items="".join(items), prefix=prefix).encode()


def fetch(day: date = DAY) -> list:
    return list(arxiv_rss.fetch(day))


def read(body: bytes) -> list:
    parsed = payload.read_feed(body, source="test")
    return [arxiv_rss.read(arxiv_rss._raw(parsed, entry), DAY) for entry in parsed.entries]


def test_it_reads_every_field_of_an_item(server, payload):
    server.answer(PATH, payload("arxiv_rss.xml"))
    record = fetch()[0]
    assert record.raw["announce_type"] == "new"
    assert record == PaperRecord(
        source="arxiv_rss",
        source_key="2601.00001",
        arxiv_id="2601.00001",
        title="Let's <pause> When $a < b$:\n  A Study",
        authors=("Aïda Øst (Univ. of X, Beijing, China)", "Ben Weir, Jr.", "Cy Marsh"),
        abstract="We study $\\infty$-steps & pauses.\n  A second paragraph with a naïve word.",
        doi="10.9999/Pause.1",
        categories=("cs.CL", "cs.AI"),
        announced_on=DAY,
        version=1,
        raw=record.raw,
    )


def test_it_yields_new_papers_and_cross_lists_but_no_replacements(server, payload):
    server.answer(PATH, payload("arxiv_rss.xml"))
    records = fetch()
    assert [record.arxiv_id for record in records[:2]] == ["2601.00001", "2512.00002"]
    assert records[1].categories == ("hep-ph", "cs.CL")
    assert len(records) == 3


def test_it_keeps_a_bad_record_aside_and_reads_the_rest(server, payload):
    server.answer(PATH, payload("arxiv_rss.xml"))
    assert [(record.reason, record.raw["title"]) for record in fetch() if isinstance(record, Rejected)] == [
        ("the guid holds no arXiv id", "Without a Name")
    ]


def drained(records) -> tuple[list[str], SourceError]:
    """The ids that came before the error, and the error."""
    ids: list[str] = []
    with pytest.raises(SourceError) as caught:
        ids.extend(record.arxiv_id for record in records)
    return ids, caught.value


def test_a_feed_that_is_not_built_yet_says_which_day_it_shows(server, payload):
    server.answer(PATH, payload("arxiv_rss.xml"))
    ids, error = drained(arxiv_rss.fetch(date(2026, 1, 7)))
    assert ids == []
    assert isinstance(error, OtherDay)
    assert error.shows == DAY
    assert error.transient
    assert str(error) == "arxiv_rss shows 2026-01-06 for cs.CL, cs.AI; 2026-01-07 was asked for"


def test_a_feed_that_has_gone_on_names_the_sources_of_earlier_days(server, payload):
    server.answer(PATH, payload("arxiv_rss.xml"))
    _, error = drained(arxiv_rss.fetch(date(2026, 1, 5)))
    assert isinstance(error, OtherDay)
    assert "only the newest batch: arxiv_oai and arxiv_api can serve earlier days" in str(error)


def test_categories_of_another_day_do_not_cost_the_others(server, settings):
    settings.ARXIV_CATEGORIES = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
    server.answer("/rss/a+b+c+d", feed(item(1), published="Mon, 05 Jan 2026 00:00:00 -0500"))
    server.answer("/rss/e+f+g+h", feed(item(2)))
    server.answer("/rss/i", feed(item(3), published="Wed, 07 Jan 2026 00:00:00 -0500"))
    ids, error = drained(arxiv_rss.fetch(DAY))
    assert ids == ["2601.00002"]
    assert isinstance(error, OtherDay)
    assert error.shows == date(2026, 1, 5)
    assert "2026-01-05 for a, b, c, d; 2026-01-07 for i; 2026-01-06 was asked for" in str(error)


def test_an_answer_that_fails_does_not_cost_the_ones_before_it(server, settings):
    settings.ARXIV_CATEGORIES = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
    server.answer("/rss/a+b+c+d", feed(item(1)))
    server.answer("/rss/e+f+g+h", Reply(status=429, headers={"Retry-After": "7200"}))
    ids, error = drained(arxiv_rss.fetch(DAY))
    assert ids == ["2601.00001"]
    assert (error.busy, error.wait) == (True, 7200)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "published",
    ["Tue, 06 Jan 2026 00:00:00 -0500", "Tue, 06 Jan 2026 00:30:00 +0900", "2026-01-06T23:30:00-05:00"],
)
def test_the_date_of_a_batch_is_that_of_its_own_offset(server, published):
    server.answer(PATH, feed(item(), published=published))
    assert len(fetch()) == 1


@pytest.mark.parametrize("published", ["", "soon", "Tue, 99 Foo 2026"])
def test_a_feed_without_a_readable_date_is_a_transient_failure(server, published):
    server.answer(PATH, feed(item(), published=published))
    with pytest.raises(SourceError, match="without a readable date") as caught:
        fetch()
    assert caught.value.transient


def test_an_error_that_comes_as_a_feed_is_final_and_gives_the_reason(server):
    server.answer(PATH, feed(title="Feed error for query: cs.XX"))
    with pytest.raises(SourceError, match=r"Feed error for query: cs.XX: About it\.") as caught:
        fetch()
    assert not caught.value.transient


def test_it_asks_for_four_categories_at_a_time_each_once(server, settings):
    settings.ARXIV_CATEGORIES = ["cs.AI", "cs.CL", "cs.CV", "cs.LG", "cs.AI", "stat.ML"]
    server.answer("/rss/cs.AI+cs.CL+cs.CV+cs.LG", feed(item(1)))
    server.answer("/rss/stat.ML", feed(item(2)))
    assert [record.arxiv_id for record in fetch()] == ["2601.00001", "2601.00002"]
    assert len(server.asked) == 2


def test_a_paper_in_two_answers_comes_once_and_as_new(server, settings):
    settings.ARXIV_CATEGORIES = ["a", "b", "c", "d", "e"]
    as_cross = {"kind": "cross", "description": "arXiv:2601.00001v1 Announce Type: cross \nAbstract: Text."}
    server.answer("/rss/a+b+c+d", feed(item(1, **as_cross), item(2)))
    server.answer("/rss/e", feed(item(1), item(2, kind="cross")))
    assert [(record.arxiv_id, record.raw["announce_type"]) for record in fetch()] == [
        ("2601.00001", "new"),
        ("2601.00002", "new"),
    ]


def test_another_prefix_for_arxivs_namespace_changes_nothing(server):
    server.answer(PATH, feed(item(1, "ax"), item(2, "ax", kind="replace"), prefix="ax"))
    assert [record.arxiv_id for record in fetch()] == ["2601.00001"]


def test_the_announce_type_is_found_in_the_description_too():
    text = "arXiv:2601.00001v2 Announce Type: {} \nAbstract: Text."
    records = read(feed(*[item(1, kind="", description=text.format(kind)) for kind in ("new", "replace")]))
    assert [type(record) for record in records] == [PaperRecord, Rejected]
    assert records[0].abstract == "Text."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"guid": "oai:arXiv.org:nonsense"}, "arXiv id"),
        ({"kind": "withdrawn"}, "announce type 'withdrawn'"),
        ({"kind": "", "description": "Text."}, "announce type ''"),
        ({"title": " "}, "no title"),
        ({"creator": ""}, "no authors"),
    ],
)
def test_an_item_without_the_necessary_is_rejected(changes, reason):
    (record,) = read(feed(item(1, **changes)))
    assert isinstance(record, Rejected)
    assert reason in record.reason


@pytest.mark.parametrize(
    ("creator", "names"),
    [
        ("Ann Lee", ("Ann Lee",)),
        ("Ann Lee, Bo Ek,  Cy Ray", ("Ann Lee", "Bo Ek", "Cy Ray")),
        ("Ann Lee, Jr., Bo Ek, III, Cy Ray, Ph.D.", ("Ann Lee, Jr.", "Bo Ek, III", "Cy Ray, Ph.D.")),
        ("Ann Lee (X, (Y, Z)), Bo Ek", ("Ann Lee (X, (Y, Z))", "Bo Ek")),
        ("Ann Lee (X, Bo Ek, Cy Ray", ("Ann Lee (X", "Bo Ek", "Cy Ray")),
        ("Ann Lee) X (, Bo Ek", ("Ann Lee) X (", "Bo Ek")),
        ("ann@example.org (Ann), Bo Ek", ("ann@example.org (Ann)", "Bo Ek")),
        (", ,", ()),
        ("", ()),
    ],
)
def test_authors_are_split_at_commas_that_part_names(creator, names):
    assert arxiv_rss.split_authors(creator) == names
    records = read(feed(item(1, creator=creator)))
    assert getattr(records[0], "authors", ()) == names


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>Sorry</html>", b"<rss>", feed(item())[:-20], b"<a></a>", b"<!-- </rss> -->"]
)
def test_what_is_no_whole_feed_is_a_transient_failure(server, body):
    server.answer(PATH, body)
    with pytest.raises(SourceError, match=r"not a whole feed|not a feed|HTML page instead of a feed") as caught:
        fetch()
    assert caught.value.transient


def test_accents_stay_what_they_are_whatever_header_and_declaration_say(server):
    body = feed(item(1, title="Théorie naïve")).replace(b"UTF-8", b"iso-8859-1")
    server.answer(PATH, Reply(body, headers={"Content-Type": "text/xml; charset=iso-8859-1"}))
    assert fetch()[0].title == "Théorie naïve"


def test_a_wrong_character_does_not_lose_the_feed(server):
    body = feed(item(1, title="Bad \x0b & byte"), item(2)).replace(b"byte", b"\xff")
    server.answer(PATH, body)
    assert [record.arxiv_id for record in fetch()] == ["2601.00001", "2601.00002"]
    assert fetch()[0].title.endswith("\N{REPLACEMENT CHARACTER}")


def test_an_empty_weekend_is_no_error_and_a_full_feed_is_reported(server, monkeypatch):
    monkeypatch.setattr(arxiv_rss, "MAX_ITEMS", 2)
    server.answer(PATH, feed(), feed(item(1), item(2)))
    assert fetch() == []  # dated the day, and empty
    with pytest.raises(Incomplete, match="papers may be missing"):
        fetch()


texts = st.text(max_size=40)


@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(["title", "description", "guid", "kind", "creator"], texts))
    )
)
def test_any_item_gives_one_record_or_one_rejection(changes):
    items = [item(number, **change) for number, change in enumerate(changes)]
    for record in read(feed(*items, published="Tue, 06 Jan 2026 00:00:00 -0500")):
        assert isinstance(record, PaperRecord | Rejected)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_feed_or_a_source_error(body):
    for answer in (
        body,
        body + b"</rss>",
        b"<rss version='2.0'><channel><item>" + body + b"</item></channel></rss>",
    ):
        try:
            records = read(answer)
        except SourceError:
            continue
        assert all(isinstance(record, PaperRecord | Rejected) for record in records)


@given(texts)
def test_splitting_authors_loses_no_letters(creator):
    joined = "".join(arxiv_rss.split_authors(creator))
    assert sorted(c for c in joined if c.isalnum()) == sorted(c for c in creator if c.isalnum())
