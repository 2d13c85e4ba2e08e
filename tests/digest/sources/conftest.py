import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import stamina
from django.core.cache import cache

from digest.sources import arxiv, huggingface
from tests.digest.sources.loopback import Server, handler


@pytest.fixture
def server(settings) -> Iterator[Server]:
    """A web server on the loopback, which all sources ask instead of the real ones."""
    loopback = Server("")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(loopback)) as http:
        loopback.url = f"http://127.0.0.1:{http.server_port}"
        settings.HUGGINGFACE_URL = settings.ARXIV_RSS_URL = settings.ARXIV_API_URL = loopback.url
        settings.ARXIV_OAI_URL = loopback.url
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield loopback
        http.shutdown()
        thread.join()


@pytest.fixture
def payload() -> Callable[[str], bytes]:
    return lambda name: (Path(__file__).parent / "payloads" / name).read_bytes()


@pytest.fixture(autouse=True)
def quick_and_alone(settings, monkeypatch) -> Iterator[None]:
    """No waiting between requests, a cache of this process, no proxy of the machine."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "sources"}}
    settings.SOURCE_TIMEOUT = 5
    settings.SITE_URL = "https://papers.example.org"
    settings.SOURCE_CONTACT = "team@example.org"
    settings.ARXIV_CATEGORIES = ["cs.CL", "cs.AI"]
    cache.clear()
    for module in (arxiv, huggingface):
        monkeypatch.setattr(module, "SECONDS_BETWEEN_REQUESTS", 0.0)
    monkeypatch.setenv("NO_PROXY", "*")
    with stamina.set_testing(True, attempts=3):
        yield
