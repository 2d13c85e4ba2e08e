import gzip
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from digest.sources import client
from digest.sources.base import SourceError
from digest.sources.client import Refused
from tests.digest.sources.loopback import Reply


def get(url: str, **options) -> bytes:
    return client.get(url, {"q": "a b"}, **{"source": "test", "accept": "application/json", **options})


def test_it_says_who_asks_and_what_for(server, settings):
    server.answer("/list", b"[]")
    assert get(f"{server.url}/list") == b"[]"
    asked = server.asked[0]
    assert asked.headers["user-agent"] == "DailyPapers/0.1 (+https://papers.example.org; team@example.org)"
    assert asked.headers["accept"] == "application/json"
    assert asked.query == {"q": "a b"}


@pytest.mark.parametrize("contact", ["", "Jürgen\r\nX-Evil: 1"])
def test_a_strange_contact_still_makes_a_header(server, settings, contact):
    settings.SOURCE_CONTACT = contact
    server.answer("/list", b"[]")
    assert get(f"{server.url}/list") == b"[]"
    assert "x-evil" not in server.asked[0].headers


def test_a_closed_port_is_a_transient_failure():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match="test could not be read: ConnectError") as caught:
        get(f"http://127.0.0.1:{port}/list")
    assert caught.value.transient


def test_a_server_that_says_nothing_is_a_transient_failure(server, settings):
    settings.SOURCE_TIMEOUT = 0.05
    done = threading.Event()
    server.routes["/list"] = lambda _: Reply(b"[]" if done.wait(2) else b"")
    try:
        with pytest.raises(SourceError, match="ReadTimeout") as caught:
            get(f"{server.url}/list")
    finally:
        done.set()
    assert caught.value.transient
    assert len(server.asked) == 3


def test_a_server_that_drips_is_given_up(server, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUTS_PER_ANSWER", 0)
    server.answer("/list", b"[]")
    with pytest.raises(SourceError, match="too slowly") as caught:
        get(f"{server.url}/list")
    assert caught.value.transient


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failing_server_is_asked_again(server, status):
    server.answer("/list", Reply(status=status), Reply(status=status), b"[1]")
    assert get(f"{server.url}/list") == b"[1]"
    assert len(server.asked) == 3


def test_a_server_that_goes_on_failing_is_a_transient_failure(server):
    server.answer("/list", Reply(b"<html>oops</html>", 500))
    with pytest.raises(SourceError, match=r"^test answered 500 Internal Server Error$") as caught:
        get(f"{server.url}/list")
    assert caught.value.transient
    assert len(server.asked) == 3


def test_a_short_wait_that_the_server_asks_for_is_taken(server):
    server.answer("/list", Reply(status=429, headers={"Retry-After": "0"}), b"[1]")
    assert get(f"{server.url}/list") == b"[1]"


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_is_not_slept_through_but_named(server, status):
    server.answer("/list", Reply(status=status, headers={"Retry-After": "120"}))
    with pytest.raises(SourceError, match=f"answered {status} .* asks to wait 120 s") as caught:
        get(f"{server.url}/list")
    assert (caught.value.transient, caught.value.busy, caught.value.wait) == (True, True, 120.0)
    assert len(server.asked) == 1


def test_a_wait_of_hours_is_passed_on_at_once(server, monkeypatch):
    server.answer("/list", Reply(status=429, headers={"Retry-After": "7200"}))
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"slept {seconds} s"))
    with pytest.raises(SourceError) as caught:
        get(f"{server.url}/list")
    assert (caught.value.transient, caught.value.busy, caught.value.wait) == (True, True, 7200.0)
    assert len(server.asked) == 1


def test_a_short_wait_is_taken_twice_and_then_passed_on(server):
    server.answer("/list", Reply(status=503, headers={"Retry-After": "1"}))
    with pytest.raises(SourceError) as caught:
        get(f"{server.url}/list")
    assert (caught.value.busy, caught.value.wait) == (True, 1.0)
    assert len(server.asked) == 3


def test_a_wait_may_be_given_as_a_date(server):
    then = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server.answer("/list", Reply(status=503, headers={"Retry-After": then}))
    with pytest.raises(SourceError, match=r"asks to wait (3600|359\d) s"):
        get(f"{server.url}/list")


@pytest.mark.parametrize(
    ("until", "wait"), [("Mon, 05 Jan 2026 14:00:00 GMT", 7200.0), ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0)]
)
def test_a_date_to_wait_for_is_read_by_the_servers_own_clock(server, until, wait):
    headers = {"Retry-After": until, "Date": "Mon, 05 Jan 2026 12:00:00 GMT"}
    server.answer("/list", Reply(status=503, headers=headers))
    with pytest.raises(SourceError) as caught:
        get(f"{server.url}/list")
    assert caught.value.wait == wait


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "-1"}])
def test_too_many_requests_without_a_readable_wait_is_left_to_the_next_round(server, headers):
    server.answer("/list", Reply(status=429, headers=headers))
    with pytest.raises(SourceError, match="too many requests") as caught:
        get(f"{server.url}/list")
    assert (caught.value.transient, caught.value.busy, caught.value.wait) == (True, True, None)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_final_and_gives_the_servers_reason(server, status):
    server.answer("/list", Reply(b'<error>bad\n "date"</error>', status))
    with pytest.raises(SourceError, match=f'answered {status} .*: bad "date"$') as caught:
        get(f"{server.url}/list")
    assert (caught.value.transient, caught.value.busy) == (False, False)
    assert len(server.asked) == 1


def test_a_refusal_carries_the_status_and_the_servers_time(server):
    server.answer("/list", Reply(status=404, headers={"Date": "Mon, 05 Jan 2026 12:00:00 GMT"}))
    with pytest.raises(Refused) as caught:
        get(f"{server.url}/list")
    assert caught.value.status == 404
    assert caught.value.server_time == datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "Mon, 99 Foo 2026"])
def test_a_server_without_a_readable_time_has_none(server, text):
    server.answer("/list", Reply(status=404, headers={"Date": text}))
    with pytest.raises(Refused) as caught:
        get(f"{server.url}/list")
    assert caught.value.server_time is None


@pytest.mark.parametrize(("headers", "wait"), [({}, None), ({"Retry-After": "600"}, 600.0)])
def test_a_status_that_this_source_uses_for_later_is_transient(server, headers, wait):
    server.answer("/list", Reply(b"<html>busy</html>", 403, headers))
    with pytest.raises(SourceError, match=r"403 Forbidden") as caught:
        get(f"{server.url}/list", busy={403})
    assert (caught.value.transient, caught.value.busy, caught.value.wait) == (True, True, wait)
    assert len(server.asked) == 1


def test_a_redirect_on_the_same_host_is_followed(server):
    server.answer("/list", Reply(status=301, headers={"Location": "/new?a=1"}))
    server.answer("/new", b"[1]")
    assert get(f"{server.url}/list") == b"[1]"


def test_a_redirect_to_a_login_on_another_host_is_refused(server):
    login = server.url.replace("127.0.0.1", "localhost") + "/login"
    server.answer("/list", Reply(status=302, headers={"Location": login}))
    server.answer("/login", b"[1]")
    with pytest.raises(SourceError, match=r"another host \(http://localhost\): a login page\?") as caught:
        get(f"{server.url}/list")
    assert not caught.value.transient
    assert [asked.path for asked in server.asked] == ["/list"]


def test_redirects_in_a_circle_end(server):
    server.answer("/list", Reply(status=302, headers={"Location": "/list"}))
    with pytest.raises(SourceError, match="redirects more than 5 times"):
        get(f"{server.url}/list")


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\xef\xbb\xbf\n<HTML lang=en>", b"<!-- x -->\n<html>"])
def test_a_web_page_in_place_of_data_is_a_transient_failure(server, page):
    server.answer("/list", page)
    with pytest.raises(SourceError, match="answered with an HTML page instead of JSON") as caught:
        get(f"{server.url}/list")
    assert caught.value.transient


def test_a_huge_answer_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 1000)
    server.answer("/fits", b"x" * 1000)
    server.answer("/huge", b"x" * 1001)
    assert len(get(f"{server.url}/fits")) == 1000
    with pytest.raises(SourceError, match="more than 1000 bytes"):
        get(f"{server.url}/huge")


def test_an_answer_that_unpacks_to_something_huge_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 1000)
    server.answer("/bomb", Reply(gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SourceError, match="more than 1000 bytes"):
        get(f"{server.url}/bomb")


@pytest.mark.parametrize(
    "broken",
    [
        Reply(b"[1", headers={"Content-Length": "1000", "Connection": "close"}),
        Reply(b"this is not gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_a_broken_transfer_is_tried_again(server, broken):
    server.answer("/list", broken, b"[1]")
    assert get(f"{server.url}/list") == b"[1]"


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "papers", "http://[::1", "http://a\x00b/"])
def test_a_wrong_address_is_final(url):
    with pytest.raises(SourceError) as caught:
        get(url)
    assert not caught.value.transient


def test_a_wrong_proxy_is_a_source_error(monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", "nonsense://proxy")
    with pytest.raises(SourceError, match="cannot be asked"):
        get("http://example.org/")
