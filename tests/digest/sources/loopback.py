"""A web server of this process that answers as a test tells it to, and remembers what it was asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit


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


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), {k.lower(): v for k, v in self.headers.items()})
            server.asked.append(asked)
            route = server.routes.get(parts.path, lambda _: Reply(b"no such page", 404))
            answer = route(asked)
            reply = Reply(answer) if isinstance(answer, bytes) else answer
            self.send_response_only(reply.status)
            headers = {"Date": self.date_time_string(), "Content-Length": str(len(reply.body))}
            for name, value in (headers | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(reply.body)
            except OSError:  # the client has read enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler
