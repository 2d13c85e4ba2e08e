import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import stamina
from django.core.cache import cache

from digest.sources import arxiv_api, arxiv_rss, huggingface

# The checkout's neighbour with real answers, which are not part of the project.
SHARED = Path(__file__).parents[4] / "shared" / "data" / "payloads"


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    url: str
    routes: dict[str, Callable[[Asked], Reply | bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, path: str, *replies: Reply | bytes) -> None:
        """Give these replies one after the other, and the last one for ever."""
        left = list(replies)
        self.routes[path] = lambda _: left.pop(0) if len(left) > 1 else left[0]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), {k.lower(): v for k, v in self.headers.items()})
            server.asked.append(asked)
            route = server.routes.get(parts.path, lambda _: Reply(b"no such page", 404))
            answer = route(asked)
            reply = Reply(answer) if isinstance(answer, bytes) else answer
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(reply.body)
            except OSError:  # the client has read enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def server(settings) -> Iterator[Server]:
    """A web server on the loopback, which all sources ask instead of the real ones."""
    loopback = Server("")
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(loopback)) as http:
        loopback.url = f"http://127.0.0.1:{http.server_port}"
        settings.HUGGINGFACE_URL = settings.ARXIV_RSS_URL = settings.ARXIV_API_URL = loopback.url
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield loopback
        http.shutdown()
        thread.join()


@pytest.fixture
def payload() -> Callable[[str], bytes]:
    return lambda name: (Path(__file__).parent / "payloads" / name).read_bytes()


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"needs recorded answers of the real services in {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def quick_and_alone(settings, monkeypatch) -> Iterator[None]:
    """No waiting between requests, a cache of this process, no proxy of the machine."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "sources"}
    }
    settings.SOURCE_TIMEOUT = 5
    settings.SITE_URL = "https://papers.example.org"
    settings.SOURCE_CONTACT = "team@example.org"
    settings.ARXIV_CATEGORIES = ["cs.CL", "cs.AI"]
    cache.clear()
    for module in (arxiv_api, arxiv_rss, huggingface):
        monkeypatch.setattr(module, "SECONDS_BETWEEN_REQUESTS", 0.0)
    monkeypatch.setenv("NO_PROXY", "*")
    with stamina.set_testing(True, attempts=3):
        yield
