"""The proxy in front: its configuration, what it keeps from gunicorn, and what sees that it is missing."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.test import RequestFactory

from digest.demo.processes import free_port
from digest.health import configured as verdicts
from digest.health import site
from digest.health.verdict import State
from subscriptions import guard
from tests import environment as test_run

ROOT = Path(__file__).resolve().parent.parent
CONF = (ROOT / "config" / "nginx.conf").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
NGINX = shutil.which("nginx") or (shutil.which("nginx", path="/usr/sbin"))
needs_nginx = pytest.mark.skipif(not NGINX, reason="the proxy's configuration: needs nginx")
SLOW = 32


def written(folder, app, port):
    """The file with this machine's ports and folders in the place of the container's."""
    text = CONF.replace("http://web:8000", f"http://127.0.0.1:{app}").replace("listen 8080", f"listen 127.0.0.1:{port}")
    text = text.replace("/tmp/nginx", f"{folder}/nginx").replace("worker_processes auto", "worker_processes 1")
    text = text.replace("/dev/stdout", f"{folder}/access.log").replace("/dev/stderr", f"{folder}/error.log")
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


@needs_nginx
def test_nginx_takes_the_configuration(tmp_path):
    ran = subprocess.run(
        [str(NGINX), "-t", "-c", written(tmp_path, 1, 8080)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "warn" not in ran.stderr


def test_it_buffers_and_limits_and_logs_no_path():
    for line in ("proxy_request_buffering on;", "proxy_buffering on;", "limit_req zone=", "limit_conn connections"):
        assert line in CONF
    for name in ("client_header_timeout", "client_body_timeout", "send_timeout", "client_max_body_size"):
        assert re.search(rf"{name} \w+;", CONF)
    logged = CONF[CONF.index("log_format") : CONF.index("access_log")]
    assert not re.search(r"\$(request|request_uri|uri|args|http_\w+|remote_addr)\b", logged)
    assert "error_log /dev/stderr alert;" in CONF


def test_leaving_is_counted_nowhere():
    assert re.search(r'"~\^/\(\?:u\|anymail\|healthz\)\(\?:/\|\$\)" "";', CONF)
    assert CONF.count("limit_conn_zone $counted") == CONF.count("limit_req_zone $counted") == 1


def test_the_compose_file_lets_nobody_past_the_proxy():
    web = COMPOSE[COMPOSE.index("\n  web:") : COMPOSE.index("\n  proxy:")]
    proxy = COMPOSE[COMPOSE.index("\n  proxy:") : COMPOSE.index("\n  worker:")]
    assert "ports:" not in web
    assert ":8080" in proxy
    assert "./config/nginx.conf:/etc/nginx/nginx.conf:ro" in proxy
    assert "BEHIND_PROXY: ${BEHIND_PROXY:-true}" in COMPOSE


# --- With a real gunicorn ---------------------------------------------------------------------------


def answers(port, *, path="/healthz", timeout=60, **headers):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as connection:
        connection.request("GET", path, headers={"Host": "papers.example.org", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()


def wait_for(port):
    for _ in range(1200):
        try:
            return answers(port)
        except OSError:
            time.sleep(0.1)
    return pytest.fail("it did not start")


@contextmanager
def started(*command, **environment):
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **test_run.test_environment("sqlite://:memory:", "redis://127.0.0.1:1/0"), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def gunicorn():
    """One worker of two threads: two slow bodies stop it."""
    port = free_port()
    command = (sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "2")
    with started(*command, ALLOWED_HOSTS="127.0.0.1"):
        wait_for(port)
        yield port


@pytest.fixture(scope="module")
def nginx(gunicorn, tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("nginx")
    with started(NGINX, "-g", "daemon off;", "-c", str(written(folder, gunicorn, port))):
        wait_for(port)
        yield port, folder


@contextmanager
def slow_bodies(port, count):
    """So many visitors who began to send a form and do not go on."""
    head = (
        "POST /subscribe/ HTTP/1.1\r\nHost: papers.example.org\r\nX-Forwarded-Proto: https\r\n"
        f"Cookie: csrftoken={'a' * 32}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 5000\r\n\r\nemail="
    )
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    try:
        for connection in slow:
            connection.sendall(head.encode())
        time.sleep(0.5)
        yield
    finally:
        for connection in slow:
            connection.close()


@needs_nginx
@pytest.mark.one_database
def test_slow_bodies_stop_gunicorn_in_the_open_and_not_behind_the_proxy(gunicorn, nginx):
    port, folder = nginx
    with slow_bodies(port, SLOW):
        assert [answers(port)[0] for _ in range(5)] == [200] * 5
    with slow_bodies(gunicorn, SLOW), pytest.raises(TimeoutError):
        answers(gunicorn, timeout=2)
    token = "0000" + "aB3" * 9 + "xY"
    answers(port, path=f"/u/{token}/?mail=quagga@zoo.example")
    said = (folder / "access.log").read_text()
    assert "page=u " in said
    assert "page=healthz" in said
    assert token[:10] not in said
    assert "zoo" not in said


@pytest.mark.one_database
def test_the_doctor_sees_whether_somebody_waits_for_slow_bodies(gunicorn):
    assert site.buffering(f"http://127.0.0.1:{gunicorn}", patience=60).state is State.FAULT


@needs_nginx
@pytest.mark.one_database
def test_the_doctor_is_content_behind_the_proxy(nginx):
    assert site.buffering(f"http://127.0.0.1:{nginx[0]}", patience=1).state is State.OK


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", State.FAULT),
        (b"HTTP/1.1 411 Length Required\r\n\r\n", State.NOT_CHECKED),
        (b"", State.NOT_CHECKED),
        (b"\xff nonsense", State.NOT_CHECKED),
        (b"  ", State.NOT_CHECKED),
        (None, State.OK),
    ],
)
def test_the_doctor_takes_only_the_sites_own_refusal_for_one(answer, state):
    server, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve():
        with server, server.accept()[0] as visitor:
            visitor.recv(4096)
            if answer is None:
                ended.wait()
            else:
                visitor.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    found = site.buffering(f"http://127.0.0.1:{server.getsockname()[1]}", patience=0.3 if answer is None else 60)
    ended.set()
    thread.join()
    assert found.state is state


def test_the_doctor_says_so_where_the_site_cannot_be_reached():
    assert site.buffering(f"http://127.0.0.1:{free_port()}").state is State.NOT_CHECKED
    assert site.buffering("http://").state is State.NOT_CHECKED


def test_the_doctor_names_a_proxy_that_django_was_not_told_of():
    assert verdicts.behind_proxy("https://x.example", trusted=False, hops=0).state is State.WARNING
    assert verdicts.behind_proxy("https://x.example", trusted=True, hops=1).state is State.OK
    assert verdicts.behind_proxy("http://127.0.0.1", trusted=False, hops=0).state is State.OK
    assert verdicts.hsts(0).state is State.WARNING
    assert "604800" in verdicts.hsts(3600).said


# --- Whose address counts -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forwarded(tmp_path_factory):
    """What reaches the application through the proxy: a server that answers with its request's head."""
    server = socket.create_server(("127.0.0.1", 0))
    port, folder = free_port(), tmp_path_factory.mktemp("forwarded")
    server.settimeout(0.2)
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            try:
                visitor = server.accept()[0]
            except TimeoutError:
                continue
            with visitor:
                head = visitor.recv(65536)
                visitor.sendall(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head)
                )

    thread = threading.Thread(target=serve)
    thread.start()
    with started(NGINX, "-g", "daemon off;", "-c", str(written(folder, server.getsockname()[1], port))):
        wait_for(port)
        yield port
    ended.set()
    thread.join()
    server.close()


@needs_nginx
@pytest.mark.parametrize(
    ("sent", "hops", "seen"),
    [
        (None, 1, "127.0.0.1"),  # nothing in front
        ("192.0.2.7", 1, "192.0.2.7"),  # a proxy of ours on this machine
        ("198.51.100.9, 192.0.2.7", 1, "192.0.2.7"),  # and a visitor who wrote an address
        ("198.51.100.9, 192.0.2.7, 203.0.113.1", 2, "192.0.2.7"),  # two of ours
    ],
)
def test_the_guard_counts_the_same_address_with_and_without_a_proxy_in_front(forwarded, settings, sent, hops, seen):
    settings.PROXY_HOPS = hops
    head = answers(forwarded, path="/", **({"X-Forwarded-For": sent} if sent else {}))[1].decode()
    value = re.search(r"(?im)^x-forwarded-for: (.*?)\r?$", head)[1]
    request = RequestFactory().get("/", headers={"x-forwarded-for": value}, REMOTE_ADDR="172.18.0.5")
    assert guard.client_ip(request) == seen
    assert re.search(r"(?im)^x-forwarded-proto: http\r?$", head)
    assert re.search(r"(?im)^host: papers\.example\.org\r?$", head)


@needs_nginx
def test_the_proxy_in_front_says_how_the_visitor_came(forwarded):
    head = answers(forwarded, path="/", **{"X-Forwarded-Proto": "https"})[1].decode()
    assert re.search(r"(?im)^x-forwarded-proto: https\r?$", head)


def test_gunicorn_believes_nobody_and_django_decides_alone(tmp_path):
    code = (
        "import json, sys; from gunicorn.app.wsgiapp import WSGIApplication; sys.argv = ['gunicorn'];"
        "c = WSGIApplication().cfg; print(json.dumps([c.forwarded_allow_ips, c.forwarder_headers, c.worker_class_str,"
        "c.limit_request_line, c.accesslog, c.max_requests > 0 < c.max_requests_jitter]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == '[[], [], "gthread", 8190, null, true]'
    assert configured.DATA_UPLOAD_MAX_NUMBER_FIELDS > 5 * 500
