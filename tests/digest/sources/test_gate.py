import socket
import threading
import time

import pytest
from django.core.cache import cache

from digest.sources import client, gate
from digest.sources.base import SourceError


def get(url: str, **options) -> bytes:
    return client.get(url, {}, **{"source": "test", "accept": "application/json", **options})


def test_requests_through_one_gate_keep_their_distance(server):
    server.answer("/list", b"[]")
    gate._locals.clear()
    start = time.monotonic()
    get(f"{server.url}/list", min_interval=0.2, gate="a")
    get(f"{server.url}/list", gate="b")
    first_two = time.monotonic() - start
    get(f"{server.url}/list", min_interval=0.2, gate="a")
    assert time.monotonic() - start >= 0.2
    assert first_two < 0.9  # the other gate was open


def test_another_workers_turn_is_waited_for(server):
    server.answer("/list", b"[]")
    cache.set("source-gate:c", 1, timeout=0.2)  # another worker has just asked
    start = time.monotonic()
    get(f"{server.url}/list", min_interval=0.1, gate="c")
    assert time.monotonic() - start >= 0.15
    assert cache.get("source-gate:c") == 1


def test_a_turn_that_does_not_come_is_a_transient_failure(server, monkeypatch):
    monkeypatch.setattr(gate, "PATIENCE_SECONDS", 0.05)
    cache.set("source-gate:d", 1, timeout=60)
    with pytest.raises(SourceError, match="no turn to ask d") as caught:
        get(f"{server.url}/list", min_interval=0.1, gate="d")
    assert caught.value.transient
    assert server.asked == []


def test_threads_of_one_process_go_one_at_a_time(monkeypatch):
    monkeypatch.setattr(gate, "PATIENCE_SECONDS", 0.05)
    with gate.turn("e", 0.01, 1.0):
        failures = []

        def other() -> None:
            try:
                with gate.turn("e", 0.01, 1.0):
                    pass
            except SourceError as error:
                failures.append(error)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(failures) == 1


def test_without_a_cache_the_distance_is_kept_within_the_process(server, settings, caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": f"redis://127.0.0.1:{port}/0"}}
    server.answer("/list", b"[]")
    start = time.monotonic()
    for _ in range(2):
        get(f"{server.url}/list", min_interval=0.2, gate="f")
    assert time.monotonic() - start >= 0.2
    assert "within this process only" in caplog.text
