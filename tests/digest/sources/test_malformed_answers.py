"""What is wrong with whole answers, for each source that asks a server, through the real client."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import pytest

from digest.sources import SOURCES, arxiv_api, arxiv_oai, client
from digest.sources.base import SourceError
from tests.digest.sources.loopback import Reply


@dataclass
class Case:
    path: str
    payload: str
    ask: Callable[[], Iterable]


CASES = {
    "huggingface": Case(
        "/api/daily_papers", "huggingface.json", lambda: SOURCES["huggingface"].fetch(date(2026, 1, 5))
    ),
    "arxiv_rss": Case("/rss/cs.CL", "arxiv_rss.xml", lambda: SOURCES["arxiv_rss"].fetch(date(2026, 1, 6))),
    "arxiv_api": Case("/api/query", "arxiv_api.xml", lambda: SOURCES["arxiv_api"].fetch(date(2026, 1, 2))),
    "fill_in": Case("/api/query", "arxiv_api.xml", lambda: arxiv_api.fill_in(["2601.00001"])),
    "arxiv_oai": Case("/oai", "arxiv_oai.xml", lambda: SOURCES["arxiv_oai"].fetch(date(2026, 1, 7))),
    "is_withdrawn": Case("/oai", "arxiv_oai_raw.xml", lambda: [arxiv_oai.is_withdrawn("2512.00002")]),
}


@pytest.fixture(params=CASES)
def case(request, settings) -> Case:
    settings.ARXIV_CATEGORIES = ["cs.CL"]
    return CASES[request.param]


def failure(case: Case) -> SourceError:
    with pytest.raises(SourceError) as caught:
        list(case.ask())
    return caught.value


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_an_answer_that_is_cut_off_is_a_transient_failure(server, payload, case, share):
    body = payload(case.payload)
    server.answer(case.path, body[: int(len(body) * share)])
    assert failure(case).transient


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>Service unavailable</body></html>",
        b"upstream connect error or disconnect/reset before headers",
        b"\x1f\x8b\x08\x00garbage",
        b"\x00\xff\xfe" * 50,
        b'{"error": "down"}',
        b"<?xml version='1.0'?><note>other XML</note>",
        b"null",
    ],
)
def test_a_200_with_something_else_is_a_transient_failure(server, case, body):
    server.answer(case.path, body)
    assert failure(case).transient


def test_the_right_answer_with_a_wrong_type_is_read(server, payload, case):
    headers = {"Content-Type": "text/html; charset=latin-1"}
    body = payload(case.payload).replace(b"<resumptionToken", b"<!-- ").replace(b"</resumptionToken>", b" -->")
    server.answer(case.path, Reply(body, headers=headers))
    assert list(case.ask())


def test_a_redirect_to_a_login_elsewhere_is_final(server, case):
    login = server.url.replace("127.0.0.1", "localhost") + "/login"
    server.answer(case.path, Reply(status=302, headers={"Location": login}))
    error = failure(case)
    assert "a login page?" in str(error)
    assert not error.transient


def test_a_redirect_to_a_login_on_the_same_host_is_a_transient_failure(server, case):
    server.answer(case.path, Reply(status=302, headers={"Location": "/login"}))
    server.answer("/login", b"<html><form>Log in</form></html>")
    error = failure(case)
    assert "HTML page" in str(error)
    assert error.transient


def test_an_answer_over_the_cap_is_final(server, payload, case, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 500)
    server.answer(case.path, payload(case.payload))
    error = failure(case)
    assert "more than 500 bytes" in str(error)
    assert not error.transient


def test_a_source_that_asks_for_hours_of_rest_is_left_alone(server, case):
    server.answer(case.path, Reply(status=429, headers={"Retry-After": "7200"}))
    error = failure(case)
    assert (error.transient, error.busy, error.wait) == (True, True, 7200.0)
    assert len(server.asked) == 1
