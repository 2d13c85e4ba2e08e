import json
import signal
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connection

from benchmarks import database
from benchmarks.delivery.servers import far_away
from benchmarks.delivery.verdicts import verdicts
from tests.benchmarks.commands import run


@pytest.fixture
def shared(transactional_db, monkeypatch):
    """The database of the test in the place of one of its own: the rows' processes connect to it by its address."""
    for name, value in database.SETTINGS.items():
        monkeypatch.setenv(name, value)

    @contextmanager
    def own_database(url):
        connection.close()  # commits are counted when nobody is connected
        yield connection.vendor

    monkeypatch.setattr(database, "own_database", own_database)
    ending = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, ending)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the rows of the delivery benchmark are PostgreSQL's")
def test_a_small_run_ends_with_figures_and_verdicts(shared, tmp_path):
    file = tmp_path / "figures.json"
    few = ["--readers", 40, "--warm-up", 20, "--rows", "a,c", "--times", 1, "--smtp", "own"]
    found = run("delivery", *few, "--json", file)
    assert found.returncode == 0, found.stderr
    assert "fsync = on" in found.stdout
    assert "(c) to the smaller of (a) and (a')" in found.stdout
    told = json.loads(file.read_text())
    ours = next(row for row in told["rows"] if row["row"] == "c")
    assert ours["missing"] == ours["runs"][0]["note"] == "", "all were accepted"
    assert ours["runs"][0]["messages"] == 40
    assert 0 < ours["runs"][0]["commits"] <= 40 + 20, "a commit a mail at most, and a few a run"
    assert 30_000 < told["octets"] < 50_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rows", "a,z"], "there is no row z"),
        (["--database-url", "sqlite"], "need PostgreSQL"),
        (["--readers", "0"], "1 or more"),
    ],
)
def test_what_cannot_be_run_is_said_with_exit_code_2(arguments, words):
    found = run("delivery", *arguments)
    assert found.returncode == 2
    assert words in found.stderr


ALL_MET = {
    "a": 1000.0,
    "a2": 800.0,
    "b": 220.0,
    "c": 440.0,
    "f": 500.0,
    "g": 144.0,
    "h": 5000.0,
    "post_office": 220.0,
    "newsletter": 62.8,
}


@pytest.mark.parametrize(
    ("row", "rate", "missed"),
    [
        ("a2", 801.0, "(c) to the smaller of (a) and (a')"),
        ("a", 799.0, ""),
        ("a", 801.0, ""),
        ("b", 221.0, "(c) to (b) Django"),
        ("post_office", 221.0, "(c) to django-post_office"),
        ("newsletter", 62.9, "(c) to django-newsletter"),
        ("f", 499.0, "(f) messages/s over a far connection"),
        ("g", 143.0, "(g) to threads/latency"),
        ("h", 4999.0, "(h) readers/s in batches"),
    ],
)
def test_each_target_is_held_against_its_own_baseline(row, rate, missed):
    assert all(verdict.met for verdict in verdicts(ALL_MET, {}, threads=16, latency=0.1))
    found = verdicts({**ALL_MET, row: rate}, {}, threads=16, latency=0.1)
    assert [verdict.words for verdict in found if not verdict.met] == ([missed] if missed else [])


@pytest.mark.parametrize(("many", "met"), [(110.0, True), (110.2, False), (90.0, True)])
def test_memory_may_grow_by_a_tenth(many, met):
    (verdict,) = verdicts({}, {10_000: 100.0, 200_000: many}, threads=16, latency=0.1)
    assert verdict.met == met


def test_rows_that_were_not_run_are_not_judged():
    assert verdicts({}, {10_000: 100.0}, threads=16, latency=0.1) == []


@pytest.fixture
def echo():
    """A port that says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_the_far_server_is_a_round_trip_away_and_gets_everything_in_order(echo):
    sent = b"".join(f"{number:07}".encode() for number in range(60_000))
    with far_away(echo, 0.05) as port, socket.create_connection(("127.0.0.1", port)) as client:
        begun = time.perf_counter()
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert time.perf_counter() - begun >= 0.05, "a busy machine makes it longer only"
        threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
        came = b""
        while len(came) < len(sent):
            came += client.recv(65536)
    assert came == sent
