"""What real requests leave in the log: no token, however it was damaged, no address, and one line for a refusal."""

import io
import logging
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_letters, digits
from urllib.parse import quote

import pytest
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st

from config.logs import Line, scrub
from digest.demo.processes import free_port
from subscriptions.tokens import Purpose, make
from tests import environment as test_run

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent
PIECE = 10  # characters of a token that must not stand in a row
PATHS = (
    "/u/%s/",
    "/r/%s/",
    "/r/%s/preferences/",
    "/c/%s/not-me/",
    "/f/%s/export/",
    "/m/%s",
    "/left/%s/",
    "/say/%s/3/more/",
)
ADDRESSES = (
    "quagga.okapi@zoo.example",
    '"quagga okapi"@zoo.example',
    "quagga＠zoo.example",
    "okapi+quagga@zoo.example",
)

tokens = st.builds(
    lambda number, minutes: make(
        Purpose.MANAGE, number, datetime.fromtimestamp(1_700_000_000 + minutes * 60, UTC), ["k" * 32]
    ),
    st.integers(1, 10**9),
    st.integers(0, 10**6),
)
between = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="?#"), min_size=1, max_size=3)


@st.composite
def damaged(draw):
    """A token that lost or gained something, was cut, glued, or encoded; and the token."""
    token = draw(tokens)
    at = draw(st.integers(1, len(token) - 1))
    kind = draw(st.sampled_from(("lost", "gained", "cut", "head", "tail", "encoded", "twice", "glued", "case", "line")))
    return token, {
        "lost": token[: at - 1] + token[at:],
        "gained": token[:at] + draw(between) + token[at:],
        "cut": f"{token[:at]}/{token[at:]}",
        "head": token[:at],
        "tail": token[at:],
        "encoded": "".join(f"%{ord(one):02X}" if number % 3 == 0 else one for number, one in enumerate(token)),
        "twice": "".join(f"%25{ord(one):02x}" if number % 2 else one for number, one in enumerate(token)),
        "glued": token + draw(between),
        "case": token.swapcase(),
        "line": f"{token[:at]}=%0D%0A{token[at:]}",
    }[kind]


def pieces(token, size=PIECE):
    return {token[start : start + size] for start in range(len(token) - size + 1)}


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def taken(stream):
    said = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return said


@given(damage=damaged(), path=st.sampled_from(PATHS), method=st.sampled_from(("get", "post")))
def test_no_piece_of_a_damaged_token_is_left_by_a_request(log, damage, path, method):
    token, text = damage
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    where = path % quote(text, safe="%/")
    getattr(client, method)(where, HTTP_REFERER=f"https://elsewhere.example{where}")
    said = taken(log)
    assert not [piece for piece in pieces(token) | pieces(token.swapcase()) if piece in said], said


@given(damage=damaged(), before=st.sampled_from(("", "GET ", "https://papers.example.org", "next=", '"', "request: ")))
def test_no_piece_of_a_damaged_token_is_left_wherever_its_path_stands(damage, before):
    token, text = damage
    for path in PATHS:
        plain = (path % text).replace(" ", "%20")  # a space ends a path in a sentence
        for written in (plain, quote(path % text, safe=""), quote(quote(path % text, safe=""), safe="")):
            said = scrub(before + written)
            found = [piece for piece in pieces(token) if piece in said]
            assert not found, (said, found)


@given(
    name=st.text(ascii_letters + digits + ".+-", min_size=6, max_size=20),
    written=st.sampled_from(
        (
            "{}@zoo.example",
            "{}%40zoo.example",
            "{}%2540zoo.example",
            "{}&#64;zoo.example",
            "{}＠zoo.example",
            '"{} x"@zoo.example',
        )
    ),
    path=st.sampled_from(("/subscribe/%s", "/u/%s/", "/days/%s/", "/%s")),
)
def test_no_address_is_left_by_a_request(log, name, written, path):
    client = Client(raise_request_exception=False)
    client.get(path % quote(written.format(name), safe="%"), HTTP_HOST="testserver")
    said = taken(log)
    assert "Not Found" in said
    assert "zoo" not in said
    assert name not in said.replace(path.split("%")[0], "")


@pytest.mark.parametrize(
    "text",
    [
        "redis://:hunter2@127.0.0.1:6379/0",
        "postgres://papers:hunter2@db/papers",
        "EMAIL_HOST_PASSWORD=hunter2",
        "{'password': 'hunter2', 'x': 1}",
        '"api_key": "hunter2"',
        "Authorization: Basic hunter2",
        "authorization: Bearer hunter2",
        "Cookie: sessionid=hunter2",
        "csrftoken=hunter2; path=/",
        "SECRET_KEY = hunter2",
        "?server_token=hunter2&x=1",
    ],
)
def test_what_is_named_a_secret_is_taken_out(text):
    assert "hunter2" not in scrub(text)
    assert "<" in scrub(text)


def test_names_in_code_and_numbers_stay():
    kept = (
        "SMTPRecipientsRefused NotADirectoryError TooManyFieldsSent DoesNotExist IPv4Address UnicodeDecodeError"
        " RequestDataTooBig subscriptions.lifecycle.joining 20260320 1770000000000 0305e82c3301 digest-17"
        " /days/2026-03-20/mail/ /papers/12/ GET HTTP/1.1 /usr/lib/python3.11/site-packages/django/http/request.py"
        " CSRF cookie not set. status=400.5 rate=40 1,000,000"
    )
    assert scrub(kept) == kept
    assert scrub("/r/abc/preferences/?saved=hour.zone") == "/r/<token>/preferences/?saved=hour.zone"


def lines(said):
    return said.splitlines()


@pytest.fixture
def visitor():
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def test_a_form_without_its_cookie_is_one_line(log, visitor):
    assert visitor.post("/subscribe/", {"email": "a@b.example"}).status_code == 403
    assert len(lines(taken(log))) == 1


@pytest.mark.parametrize(
    "host", ["evil.example", "a@b.example", "x_y", "[::1", "a b", "evil.example:99999", "x" * 3000]
)
@pytest.mark.parametrize("path", ["/", "/subscribe", "/healthz", "/r/abc/", "/admin/", "/nowhere"])
@pytest.mark.parametrize("redirect", [True, False])
def test_a_wrong_host_is_one_line(log, visitor, host, path, redirect):
    with override_settings(SECURE_SSL_REDIRECT=redirect):
        answer = visitor.get(path, HTTP_HOST=host)
    if answer.status_code == 400:
        said = lines(taken(log))
        assert len(said) == 1
        assert "error=DisallowedHost" in said[0]
        assert "Traceback" not in said[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"&".join(b"a%d=1" % n for n in range(4100)), "application/x-www-form-urlencoded"),
        (b"a" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=" + "b" * 300),
        (b"x=%ff%fe", "application/x-www-form-urlencoded; charset=nonsense"),
        (b"\0", "multipart/form-data; boundary=b"),
    ],
)
@pytest.mark.parametrize("path", ["/subscribe/", "/link/", "/admin/login/", "/"])
def test_a_body_that_cannot_be_read_is_one_line(log, body, kind, path):
    client = Client(raise_request_exception=False)
    answer = client.generic("POST", path, body, content_type=kind)
    assert answer.status_code < 500
    assert len(lines(taken(log))) <= 1


def test_a_visitor_who_goes_away_in_the_middle_of_a_form_is_one_line(log, monkeypatch):
    class Gone(io.BytesIO):
        def read(self, *_):
            raise OSError("the connection is closed")

        readline = read

    client = Client(raise_request_exception=False)
    client.generic(
        "POST",
        "/subscribe/",
        b"",
        **{"wsgi.input": Gone(), "CONTENT_LENGTH": "10", "CONTENT_TYPE": "application/x-www-form-urlencoded"},
    )
    said = lines(taken(log))
    assert len(said) == 1, said
    assert "error=UnreadablePostError" in said[0]


def test_a_fault_of_ours_keeps_its_traceback(log, monkeypatch, client):
    monkeypatch.setattr("digest.views.public._page", lambda *_: 1 / 0)
    client.raise_request_exception = False
    assert client.get("/").status_code == 500
    said = taken(log)
    assert "ZeroDivisionError" in said
    assert "Traceback" in said


def test_arguments_that_do_not_fit_are_not_printed_past_the_formatter():
    record = logging.LogRecord("some", logging.WARNING, "file.py", 1, "%d of %s", ("quagga@zoo.example",), None)
    line = Line().format(record)
    assert "%d of %s" in line
    assert "zoo" not in line


# --- gunicorn's own lines -------------------------------------------------------------------------

TOKEN_ = make(Purpose.UNSUBSCRIBE, 17, datetime(2026, 3, 20, tzinfo=UTC), ["k" * 32])
RAW = (
    f"GET /u/{TOKEN_}/ HTTP/9.9\r\n\r\n",
    f"GET /u/{TOKEN_}/ HTTP/1.1\r\nquagga@zoo.example /u/{TOKEN_}\r\n\r\n",
    f"/u/{TOKEN_[:-1]}/ quagga@zoo.example\r\n\r\n",
    f"GET /u/{TOKEN_[:20]}%20{TOKEN_[20:]}/?mail=quagga@zoo.example{'x' * 9000} HTTP/1.1\r\n\r\n",
    f"GE(T /u/{TOKEN_}/ HTTP/1.1\r\n\r\n",
    f"GET /u/{TOKEN_[1:]}/ HTTP/1.1\r\nHost: quagga@zoo.example\r\n\r\n",
    f"GET /u/{TOKEN_[1:]}/ HTTP/1.1\r\nHost: papers.example.org\r\nContent-Length: quagga@zoo.example\r\n\r\n",
    f"GET /u/{TOKEN_[1:]}/ HTTP/1.1\r\nHost: papers.example.org\r\nCookie: /u/{TOKEN_}\r\n\r\n",
)


@pytest.fixture
def gunicorn(tmp_path):
    """A gunicorn as it is started in production, its address, and what it wrote."""
    port = free_port()
    environment = {
        **os.environ,
        **test_run.test_environment(f"sqlite:///{tmp_path}/x.sqlite3", "redis://127.0.0.1:1/0"),
        "DEBUG": "true",
    }
    with (tmp_path / "log").open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--access-logfile", "-"],
            cwd=ROOT, env=environment, stdout=written, stderr=written,
        )  # fmt: skip
    try:
        for _ in range(1200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, tmp_path / "log"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.one_database
def test_gunicorns_own_lines_are_scrubbed_and_look_like_all_others(gunicorn):
    port, written = gunicorn
    for raw in RAW:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(raw.encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    said = written.read_text()
    assert "logger=gunicorn.error" in said
    assert "logger=gunicorn.access" in said
    assert "zoo" not in said
    assert not [piece for piece in pieces(TOKEN_) if piece in said], said
    ours = re.compile(r"time=\S+ level=\w+ logger=\S+ message=|  ")
    said = said.replace("System check identified no issues (0 silenced).\n", "")
    assert not [line for line in said.splitlines() if not ours.match(line)], said
    assert "Traceback" not in said
