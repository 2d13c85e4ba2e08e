import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from digest.rendering import Shelf, authors_line, digest_message
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db


def wire(digest):
    message = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW)
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def parts(mail):
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


@pytest.fixture
def digest(robotics):
    papers = [make_paper(n, f"Robot paper {n}", code_url="https://github.com/x/y") for n in range(1, 11)]
    make_edition(papers)
    digest = make_digest(make_reader("a", robotics), papers)
    for chosen in digest.picks:
        chosen["why"] = [{"topic": robotics.pk, "terms": ["robot"], "category": ""}]
    digest.save()
    return digest


def test_the_headers_are_those_of_a_list_with_one_click_unsubscribe(digest):
    mail = wire(digest)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://papers\.example\.org/u/\w{33}/>", mail["List-Unsubscribe"].strip())
    assert mail["List-Id"] == "Daily Papers <digest.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<digest-{digest.pk}@example.org>"
    assert mail["Date"].datetime == NOW
    for name in ("To", "From", "Subject", "Message-ID", "Date", "List-Unsubscribe", "List-Id"):
        assert len(mail.get_all(name)) == 1


def test_nothing_is_8bit_and_no_line_is_too_long(digest):
    raw = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW).message().as_bytes()
    assert max(raw) < 128
    assert max(map(len, raw.splitlines())) <= 998
    assert b"Content-Transfer-Encoding: 8bit" not in raw


def test_text_comes_first_and_both_parts_have_every_paper_reason_and_the_way_out(digest):
    mail = wire(digest)
    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]
    for body in parts(mail):
        for number in range(1, 11):
            assert f"Robot paper {number}" in body
        assert "Robotics" in body
        assert re.search(r"https://papers\.example\.org/u/\w{33}/", body)
        assert "1 Example Street" in body
        assert "{{" not in body
        assert "{%" not in body


def test_both_parts_carry_the_same_links(digest):
    text, html = parts(wire(digest))
    assert set(re.findall(r"https?://[^\s<>\"]+", text)) == set(re.findall(r'href="([^"]+)"', html))


def test_ten_papers_are_small_and_fifty_fit(digest):
    assert len(parts(wire(digest))[1].encode()) < 30_000
    papers = [make_paper(100 + n, "A long title " * 10, abstract="Long sentence here. " * 60) for n in range(50)]
    big = make_digest(make_reader("b"), papers)
    assert len(parts(wire(big))[1].encode()) < 102_400


def test_text_lines_are_short(digest):
    text, _ = parts(wire(digest))
    assert [line for line in text.splitlines() if len(line) > 78 and "https://" not in line] == []
    assert "\n\n\n" not in text


def test_markup_in_a_paper_is_text_in_the_mail():
    paper = make_paper(1, "<script>alert(1)</script> & <think>", abstract="<img src=x onerror=y> {{ secret }}")
    make_edition([paper])
    text, html = parts(wire(make_digest(make_reader("a"), [paper])))
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;think&gt;" in html
    assert "<think>" in text


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=300))
def test_no_title_adds_a_header_or_breaks_the_mail(title, digest):
    from digest.text import readable  # noqa: PLC0415

    shelf = Shelf.for_digests([digest])
    next(iter(shelf.papers.values())).title = readable(title) or "x"
    raw = digest_message(digest, digest.subscriber, shelf, now=NOW).message().as_bytes()
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail.get_all("Bcc") is None
    assert "\n" not in mail["Subject"]
    assert mail.get_body(("plain",)) is not None


def test_an_editors_blurb_wins_and_its_origin_is_said(digest):
    paper = make_paper(50, "Curated")
    edition = make_edition([paper], digest.day + timedelta(days=1))
    edition.entries.update(blurb="Read this one.")
    text, _ = parts(wire(make_digest(make_reader("c"), [paper])))
    assert "Read this one." in text
    assert "Editor" in text


def test_three_thousand_authors_fit_a_line():
    assert authors_line([f"Author {n}" for n in range(3303)]) == "Author 0, Author 1, Author 2 and 3,300 others"
    assert authors_line(["A", "B", "C", "D"]) == "A, B, C and 1 other"
    assert authors_line([]) == ""


def test_a_mail_without_papers_is_refused(digest):
    with pytest.raises(ValueError, match="no paper"):
        digest_message(
            digest,
            digest.subscriber,
            Shelf.for_digests([digest]),
            now=NOW,
            without=[p["paper"] for p in digest.picks],
        )
