import socket
import threading
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.cache.backends import base, locmem

from digest.sources import client, gate
from digest.sources.base import SourceError


def get(url: str, **options) -> bytes:
    return client.get(url, {}, **{"source": "test", "accept": "application/json", **options})


@pytest.fixture
def slept(monkeypatch):
    """The seconds that were slept at a gate, by a clock that nothing else moves."""
    slept: list[float] = []

    def now():
        return 1_000.0 + sum(slept)

    monkeypatch.setattr(gate, "time", SimpleNamespace(monotonic=now, sleep=slept.append))
    for module in (base, locmem):  # when a key of the cache is over
        monkeypatch.setattr(module, "time", SimpleNamespace(time=now))
    gate._locals.clear()
    return slept


def test_requests_through_one_gate_keep_their_distance(server, slept):
    server.answer("/list", b"[]")
    get(f"{server.url}/list", min_interval=3, gate="a")
    get(f"{server.url}/list", min_interval=3, gate="b")
    assert sum(slept) == 0, "the other gate was open"
    get(f"{server.url}/list", min_interval=3, gate="a")
    assert 3 <= sum(slept) < 3.2


def test_another_workers_turn_is_waited_for(server, slept):
    server.answer("/list", b"[]")
    cache.set("source-gate:c", 1, timeout=2)  # another worker has just asked
    get(f"{server.url}/list", min_interval=0.1, gate="c")
    assert 2 <= sum(slept) < 2.2
    assert cache.get("source-gate:c") == 1


def test_a_turn_that_does_not_come_is_a_transient_failure(server, slept):
    cache.set("source-gate:d", 1, timeout=600)
    with pytest.raises(SourceError, match="no turn to ask d") as caught:
        get(f"{server.url}/list", min_interval=0.1, gate="d")
    assert caught.value.transient
    assert server.asked == []
    assert 60 <= sum(slept) < 60.2


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


def test_without_a_cache_the_distance_is_kept_within_the_process(server, settings, caplog, slept):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": f"redis://127.0.0.1:{port}/0"}}
    server.answer("/list", b"[]")
    for _ in range(2):
        get(f"{server.url}/list", min_interval=3, gate="f")
    assert sum(slept) == pytest.approx(3)
    assert "within this process only" in caplog.text
