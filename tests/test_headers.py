"""The headers that every answer carries: pages, errors, redirects, static files, the admin."""

from datetime import timedelta

import pytest
from django.test import Client, override_settings

from config.permissions_policy import DENIED
from subscriptions.checks import HSTS_STEPS, next_hsts_step
from tests.conftest import make_edition, make_paper, make_reader
from tests.starts import checked
from tests.subscriptions.test_parameters import no_limits, world  # noqa: F401

pytestmark = pytest.mark.django_db


def is_covered(answer):
    policy = answer["Permissions-Policy"]
    assert all(f"{feature}=()" in policy.split(", ") for feature in DENIED)
    assert {"camera", "geolocation", "microphone", "payment", "usb"} <= set(DENIED)
    assert policy.count("camera=") == 1
    return True


def test_every_public_page_says_that_it_needs_nothing_of_the_device(client, world, no_limits):  # noqa: F811
    for name, path in world.items():
        for answer in (client.get(path), client.head(path), client.options(path), client.post(path)):
            assert is_covered(answer), name
            assert "Content-Security-Policy" in answer, name
            assert answer["X-Content-Type-Options"] == "nosniff", name


def test_every_page_of_the_admin_does(admin_client, client):
    for path in (
        "/admin/",
        "/admin/login/",
        "/admin/digest/edition/",
        "/admin/nowhere/",
        "/admin/digest/edition/77/change/",
    ):
        for visitor in (admin_client, Client()):
            answer = visitor.get(path)
            assert is_covered(answer), path
            assert "Content-Security-Policy" in answer


def test_errors_and_redirects_do(monkeypatch, settings):
    visitor = Client(enforce_csrf_checks=True, raise_request_exception=False)
    many = "&".join(f"topic={n}" for n in range(4100))
    answers = {
        404: visitor.get("/nowhere/"),
        403: visitor.post("/subscribe/", {"email": "a@b.example"}),
        405: visitor.options("/"),
        301: visitor.get("/subscribe"),
        302: visitor.get("/admin/"),
        429: None,
    }
    settings.PREVIEWS_PER_NETWORK = ((timedelta(hours=1), 0),)
    make_edition([make_paper(1)])
    answers[429] = visitor.get("/days/2026-03-20/mail/")
    bad = (visitor.get("/", HTTP_HOST="evil.example"), visitor.get(f"/preview/?{many}"))
    monkeypatch.setattr("digest.views.public._page", lambda *_: 1 / 0)
    broken = visitor.get("/")
    for status, answer in (*answers.items(), *((400, one) for one in bad), (500, broken)):
        assert answer.status_code == status
        assert is_covered(answer), status
        assert "frame-ancestors" in answer["Content-Security-Policy"], status
        assert answer["X-Frame-Options"] == "DENY", status
    with override_settings(SECURE_SSL_REDIRECT=True):
        for answer in (visitor.get("/"), visitor.get("/", HTTP_HOST="evil.example")):
            assert is_covered(answer)


def test_static_files_do(tmp_path, settings):
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path, False
    (tmp_path / "site.css").write_text("p { color: red }")
    visitor = Client()
    answer = visitor.get("/static/site.css")
    assert answer.status_code == 200
    assert is_covered(answer)
    answer.close()
    assert is_covered(visitor.get("/static/nowhere.css"))


def test_a_webhook_and_a_bad_link_do(client):
    make_reader()
    for path in ("/anymail/postmark/tracking/", "/r/nonsense/", "/u/nonsense/", "/healthz", "/readyz"):
        assert is_covered(client.post(path))
        assert is_covered(client.get(path))


# --- HSTS, in steps --------------------------------------------------------------------------------


def strict(client, **settings):
    with override_settings(**settings):
        return Client().get("/healthz", secure=True).get("Strict-Transport-Security", "")


def test_https_is_held_for_an_hour_at_first_and_for_this_host_alone(client):
    assert strict(client) == "max-age=3600"


def test_subdomains_and_lists_come_on_purpose_only():
    def settings_of(**environment):
        found = checked("--deploy", "--fail-level", "WARNING", **environment)
        assert found.returncode == 0, found.stderr
        return found.stderr

    assert "HSTS_SECONDS=604800" in settings_of()
    assert "HSTS_SECONDS=2592000" in settings_of(HSTS_SECONDS="604800")
    assert "I001" not in settings_of(HSTS_SECONDS="31536000")
    assert "I001" not in settings_of(HSTS_SECONDS="31536000", HSTS_INCLUDE_SUBDOMAINS="true", HSTS_PRELOAD="true")


@pytest.mark.parametrize(
    "environment",
    [
        {"HSTS_PRELOAD": "true"},
        {"HSTS_PRELOAD": "true", "HSTS_INCLUDE_SUBDOMAINS": "true"},
        {"HSTS_PRELOAD": "true", "HSTS_SECONDS": "31536000"},
    ],
)
def test_a_list_of_browsers_needs_the_subdomains_and_a_year(environment):
    found = checked(**environment)
    assert found.returncode == 1
    assert "daily_papers.E027" in found.stderr


def test_none_at_all_is_a_warning_of_the_deployment_check():
    assert "security.W004" in checked("--deploy", HSTS_SECONDS="0").stderr
    assert "daily_papers.E008" in checked(HSTS_SECONDS="-1").stderr


def test_each_step_is_longer_than_the_one_before():
    assert list(HSTS_STEPS) == sorted(HSTS_STEPS)
    assert [next_hsts_step(seconds) for seconds in (0, *HSTS_STEPS)] == [*HSTS_STEPS, None]
    assert next_hsts_step(5000) == HSTS_STEPS[1]
