"""The site as a visitor meets it: whether something in front of gunicorn waits for slow bodies in its place."""

import socket
import ssl
from contextlib import closing
from urllib.parse import urlsplit

from digest.health.verdict import Verdict, fault, not_checked, ok

NAME = "A proxy that buffers"
PATIENCE = 3.0  # seconds; gunicorn's answer takes a tenth of one
LONGEST_ANSWER = 1024  # octets
REMEDY = (
    "Put a proxy in front that takes a request in before it hands it on (config/nginx.conf, proxy_request_buffering), "
    "and let gunicorn's port be reached by that one alone: a few slow visitors stop the site."
)


def buffering(url: str, patience: float = PATIENCE) -> Verdict:
    """Announce a body to the public address and send none of it.

    A proxy that buffers waits for the body, and nothing is answered. Without one the request has reached Django, which
    refuses it (403, no CSRF cookie) without having read any of it. An answer of another kind is a proxy's own, unless
    it names gunicorn as the server: nginx puts its own name there.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    request = (
        f"POST /healthz HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: daily-papers doctor\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
    )
    try:
        with closing(_connected(host, port, patience, tls=parts.scheme == "https")) as connection:
            connection.sendall(request.encode("ascii"))
            try:
                answer = connection.recv(LONGEST_ANSWER)
            except TimeoutError:
                return ok(NAME, f"{host} waits for the whole request")
    except (OSError, ValueError) as error:
        why = f"{host} cannot be reached from this machine ({type(error).__name__})"
        return not_checked(NAME, why, "Run it where the public address answers.")
    status = answer.split(b" ", 2)[1:2]
    if status == [b"403"] or b"\r\nServer: gunicorn" in answer:
        return fault(NAME, f"{host} hands a request on before its body is there", REMEDY)
    said = status[0].decode("ascii", "replace") if status else "nothing"
    return not_checked(NAME, f"{host} answered {said[:20]} before the body, which the site itself does not")


def _connected(host: str, port: int, patience: float, *, tls: bool) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=patience)
    if not tls:
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise
