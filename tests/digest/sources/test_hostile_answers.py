"""What a hostile server can cost: memory, measured as the peak of a process of its own (ru_maxrss), and time."""

# ruff: noqa: PLW0108, T201 - a table of makers; the figures are shown by pytest -s

import gzip
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from digest.sources import client

pytestmark = [pytest.mark.one_database, pytest.mark.long]

MOST_MEGABYTES = 200  # that the peak may grow by, beyond what the process has before it asks
FULL = client.MAX_BYTES - 200  # the greatest body that is taken
NS = 'xmlns="http://www.openarchives.org/OAI/2.0/"'


def gzipped(make: Callable[[], Iterator[bytes]], times: int = 1) -> bytes:
    """The parts packed, also several times over, without having them whole."""
    parts = make()
    for _ in range(times):
        parts = _packed(parts)
    return b"".join(parts)


def _packed(parts: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


def zeros(megabytes: int) -> Callable[[], Iterator[bytes]]:
    return lambda: (bytes(1024 * 1024) for _ in range(megabytes))


def rss(inner: str) -> bytes:
    return f'<rss version="2.0"><channel><title>x</title>{inner}</channel></rss>'.encode()


def oai(inner: str) -> bytes:
    return f"<OAI-PMH {NS}><ListRecords>{inner}</ListRecords></OAI-PMH>".encode()


def up_to(size: int, piece: str) -> str:
    return piece * (size // len(piece.encode()))


LAUGHS = (
    "<!DOCTYPE b [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)) + "]>"
)
EMOJI = "\U0001f600"  # one of them makes Python keep four bytes for each character
JSON = {
    "100 MB of lists": lambda: b"[" + b",".join([b"[]"] * 33_000_000) + b"]",
    "as many lists as fit": lambda: f"[{up_to(FULL, '[],')}[]]".encode(),
    "lists, as many as are counted": lambda: f"[{up_to(299_000, '[],')}[]]".encode(),
    "objects, as many as are counted": lambda: b"[" + b'{"":0},' * 90_000 + b"0]",
    "keys, as many as are counted": lambda: ("{" + ",".join(f'"{n}":0' for n in range(199_000)) + "}").encode(),
    "nested lists": lambda: b"[" * 100_000 + b"]" * 100_000,
    "nested objects": lambda: b'{"a":' * 900 + b"0" + b"}" * 900,
    "elements nested as deep as Python goes": lambda: b"[" * 400 + b"]" * 400,
    "a huge number": lambda: b"[" + b"9" * 3_000_000 + b"]",
    "a huge float": lambda: b"[" + b"9" * 3_000_000 + b".0]",
    "one text": lambda: json.dumps([EMOJI + "x" * 3_000_000], ensure_ascii=False).encode(),
    "one escaped text": lambda: b'["' + b"\\ud83d\\ude00" * 300_000 + b'"]',
    "comments before a page": lambda: b"<!---->" * 26 + b"[]",
    "comments to the end": lambda: b"<!---->" * (3_900_000 // 7) + b"[]",
    "spaces": lambda: b" " * 3_900_000,
}
XML = {
    "billion laughs": lambda: LAUGHS.encode() + b"<rss><a>&a11;</a></rss>",
    "nested elements": lambda: b"<a>" * 500_000 + b"</a>" * 500_000,
    "nested within": lambda: rss("<item>" * 100_000 + "</item>" * 100_000),
    "items": lambda: rss(up_to(1_400_000, "<item/>")),
    "records": lambda: oai(up_to(2_000_000, "<record/>")),
    "items with children": lambda: rss(up_to(2_900_000, "<item><title>a</title><guid>b</guid></item>")),
    "attributes": lambda: rss("<item " + " ".join(f'a{n}=""' for n in range(90_000)) + "/>"),
    "attributes without end": lambda: rss("<item " + " ".join(f'a{n}=""' for n in range(700_000)) + "/>"),
    "namespaces": lambda: rss("<item " + " ".join(f'xmlns:a{n}="u{n}"' for n in range(90_000)) + "/>"),
    "one text": lambda: rss(f"<item><title>{EMOJI}{'x' * (FULL - 200)}</title></item>"),
    "one text of a record": lambda: oai(f"<record><header>{EMOJI}{'x' * (FULL - 300)}</header></record>"),
    "entities": lambda: rss(f"<item><title>{up_to(FULL - 200, '&lt;')}</title></item>"),
    "markup in a text": lambda: rss(f"<item><description>{up_to(FULL - 300, '&lt;b&gt;')}</description></item>"),
    "a comment": lambda: rss(f"<!--{'-x' * (FULL // 2 - 100)}-->"),
    "comments at the end": lambda: rss("") + b"<!--x-->" * 250_000 + b"x",
    "a name": lambda: f"<{'a' * (FULL - 10)}/>".encode(),
    "broken": lambda: rss(up_to(2_000_000, "<item><title>a &nbsp; b</title>")),
    "not UTF-8": lambda: b"<rss>" + b"\xff" * (FULL - 100) + b"</rss>",
}
PACKED = {
    "gzip of 1 GB": ("gzip", lambda: gzipped(zeros(1000))),
    "gzip twice": ("gzip, gzip", lambda: gzipped(zeros(4000), 2)),
    "gzip three times": ("gzip, gzip, gzip", lambda: gzipped(zeros(4000), 3)),
    "gzip twice, one named": ("gzip", lambda: gzipped(zeros(4000), 2)),
    "deflate": ("deflate", lambda: zlib.compress(bytes(500_000_000), 9)),
    "identity and gzip": ("identity, gzip", lambda: gzipped(zeros(1000))),
    "an unknown coding": ("br", lambda: b"[]"),
    "gzip without an end": ("gzip", lambda: gzip.compress(b"[]" * 1000)[:-9]),
    "gzip and more": ("gzip", lambda: gzip.compress(b"[]") + gzip.compress(b"[]") * 1000),
}


class Hostile(BaseHTTPRequestHandler):
    """Answers every address with ``write``."""

    write: Callable[["Hostile"], None]

    def do_GET(self) -> None:
        try:
            type(self).write(self)
        except OSError:  # the client has had enough
            self.close_connection = True

    def begin(self, **headers: str) -> None:
        self.send_response_only(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(write: Callable[[Hostile], None]) -> Iterator[str]:
    handler = type("Handler", (Hostile,), {"write": write})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def child() -> Iterator[subprocess.Popen]:
    """A process that forks one for each question."""
    command = [sys.executable, "-m", "tests.digest.sources.hostile_child"]
    env = os.environ | {"NO_PROXY": "*", "no_proxy": "*"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def asked(child) -> Callable[[str, Callable[[Hostile], None]], dict]:
    """How the source fares with a server that writes so. Whatever happens, it is a SourceError or a list."""

    def ask(source: str, write: Callable[[Hostile], None]) -> dict:
        with serving(write) as url:
            child.stdin.write(f"{source} {url}\n")
            child.stdin.flush()
            said = json.loads(child.stdout.readline())
        print(f"{source}: grew by {said['grown']:.0f} MB, took {said['seconds']:.1f} s: {said['end'][:100]}")
        assert said["end"].startswith("SourceError") or said["end"].endswith(" records")
        assert said["grown"] < MOST_MEGABYTES
        return said

    return ask


def body(content: bytes, coding: str = "") -> Callable[[Hostile], None]:
    def write(answer: Hostile) -> None:
        answer.begin(Content_Length=str(len(content)), **({"Content_Encoding": coding} if coding else {}))
        answer.wfile.write(content)

    return write


@pytest.mark.parametrize("name", JSON)
def test_no_json_costs_more_memory_than_is_given(asked, name):
    asked("huggingface", body(JSON[name]()))


@pytest.mark.parametrize("source", ["arxiv_rss", "arxiv_api", "arxiv_oai"])
@pytest.mark.parametrize("name", XML)
def test_no_xml_costs_more_memory_than_is_given(asked, name, source):
    asked(source, body(XML[name]()))


@pytest.mark.parametrize("name", PACKED)
def test_nothing_that_is_packed_costs_more_memory_than_is_given(asked, name):
    coding, content = PACKED[name]
    assert asked("huggingface", body(content(), coding))["end"].startswith("SourceError")


@pytest.mark.parametrize("piece", [b"[]," * 20_000, b" " * 60_000], ids=["lists", "spaces"])
def test_a_body_without_an_end_is_given_up(asked, piece):
    def write(answer: Hostile) -> None:
        answer.begin(Content_Type="application/json")
        while True:
            answer.wfile.write(piece)

    assert "more than" in asked("huggingface", write)["end"]


def test_packed_blocks_that_hold_nothing_and_never_end_are_given_up(asked):
    def write(answer: Hostile) -> None:
        answer.begin(Content_Encoding="gzip")
        answer.wfile.write(gzip.compress(b"")[:10])
        while True:
            answer.wfile.write(b"\x00\x00\x00\xff\xff" * 10_000)

    assert "more than" in asked("huggingface", write)["end"]


def test_a_body_that_drips_is_given_up(asked):
    over = Event()

    def write(answer: Hostile) -> None:
        answer.begin(Content_Type="application/json")
        while not over.wait(0.2):
            answer.wfile.write(b" ")

    try:
        assert "too slowly" in asked("huggingface", write)["end"]
    finally:
        over.set()
