import os
import re
import subprocess
import sys
from datetime import timedelta
from urllib.parse import quote

import pytest
from celery.signals import beat_init, worker_init
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config.mail_url import ESPS, parse_mail_url
from subscriptions import clock
from tests.starts import ROOT, checked, started

SETTINGS = (ROOT / "config" / "settings.py").read_text()
NAMES = set(re.findall(r'read\(\w+(?:\.\w+)?, "([A-Z_]+)"|env\.\w+\("([A-Z_]+)"', SETTINGS))
VARIABLES = sorted({one or other for one, other in NAMES})

# One start with every setting wrong that can be wrong beside the others.
ALL_WRONG = {
    "EDITION_SIZE": "many",
    "EDITION_APPROVE_AT": "noon",
    "DATABASE_URL": "nosuch://x",
    "SECRET_KEY": "",
    "LINK_KEYS": "short",
    "RETIRED_LINK_KEYS": f"{'k' * 40},short",
    "ADDRESS_KEY": "",
    "SITE_URL": "http://papers.example.org",
    "SITE_NAME": "The Daily Papers of a Very Long Name",
    "POSTAL_ADDRESS": "",
    "REDIS_URL": "amqp://localhost",
    "MAIL_URL": "amazon-ses:",
    "MAIL_WEBHOOK_SECRET": "a-password-without-a-name",
    "FROM_EMAIL": "nobody",
    "REPLY_TO": "editors",
    "UNSUBSCRIBE_MAILTO": "Leave <leave@example.org>",
    "VERP": "true",
    "INBOUND_MAILBOX": "pop3://papers:secret@pop.example.org",
    "SOURCES": "huggingface,nowhere",
    "ARXIV_CATEGORIES": "cs.CL,cs",
    "SEND_CHUNK": "0",
    "BREAKER_SHARE": "1.1",
    "HSTS_SECONDS": "-1",
    "HSTS_PRELOAD": "true",
    "UNCERTAIN_MAILS": "maybe",
}


@pytest.mark.parametrize(
    ("options", "changed", "code"),
    [
        (("--deploy", "--fail-level", "WARNING"), {}, 0),
        ((), ALL_WRONG, 1),
    ],
    ids=["good", "all wrong"],
)
def test_a_real_start_ends_as_the_checks_of_this_process_say(options, changed, code):
    real = started("manage.py", "check", *options, **changed)
    assert real == checked(*options, **changed)
    assert real.returncode == code, real.stderr
    assert all(name in real.stderr for name in changed)


def test_a_wrong_setting_stops_the_web_process_which_gunicorn_would_start_unchecked():
    found = started("-c", "import config.wsgi", POSTAL_ADDRESS="")
    assert found.returncode == 1
    assert "daily_papers.E007" in found.stderr


def test_a_wrong_setting_stops_a_worker_and_beat(settings):
    settings.POSTAL_ADDRESS = ""
    for signal in (worker_init, beat_init):
        with pytest.raises(SystemExit, match=r"daily_papers\.E007"):
            signal.send(sender=None)


@pytest.mark.parametrize(
    ("name", "value", "id_"),
    [
        ("EDITION_SIZE", "many", "E001"),
        ("EDITION_APPROVE_AT", "noon", "E001"),
        ("MAIL_URL", "pigeon://loft", "E001"),
        ("DATABASE_URL", "nosuch://x", "E001"),
        ("SECRET_KEY", "", "E002"),
        ("LINK_KEYS", "short", "E003"),
        ("SITE_URL", "papers.example.org", "E004"),
        ("SITE_URL", "http://papers.example.org", "E005"),
        ("FROM_EMAIL", "nobody", "E006"),
        ("FROM_EMAIL", "Papers <papers@example..org>", "E006"),
        ("SITE_URL", "https://straße.example", "E004"),
        ("SITE_URL", "https://user:password@papers.example.org", "E004"),
        ("SITE_URL", f"https://{'papers' * 10}.example.org", "E004"),
        ("REPLY_TO", "editors", "E006"),
        ("REPLY_TO", "a@example.org, b@example.org", "E006"),
        ("SITE_NAME", "The Daily Papers of a Very Long Name", "E018"),
        ("UNSUBSCRIBE_MAILTO", "Leave <leave@example.org>", "E017"),
        ("BOUNCE_ADDRESS", "Bounces <bounces@example.org>", "E020"),
        ("VERP", "true", "E020"),
        ("INBOUND_MAILBOX", "pop3://papers:secret@pop.example.org", "E021"),
        ("POSTAL_ADDRESS", "", "E007"),
        ("SEND_CHUNK", "0", "E008"),
        ("MAIL_URL", "amazon-ses:", "E012"),
        ("REDIS_URL", "amqp://localhost", "E010"),
        ("ADDRESS_KEY", "", "E011"),
        ("SOURCES", "huggingface,nowhere", "E013"),
        ("SOURCES", "", "E013"),
        ("ARXIV_CATEGORIES", "cs.CL,cs", "E014"),
        ("ARXIV_CATEGORIES", "cs.CL;cs.AI", "E014"),
        ("RETIRED_LINK_KEYS", f"{'k' * 40},short", "E003"),
        ("BREAKER_AFTER", "0", "E008"),
        ("BREAKER_SHARE", "1.1", "E008"),
        ("BREAKER_HOURS", "169", "E008"),
        ("FORM_MIN_SECONDS", "-1", "E008"),
        ("MAIL_URL", "postmark:?server_token=t", "E015"),
        ("MAIL_WEBHOOK_SECRET", "a-password-without-a-name", "E015"),
        ("MAIL_WEBHOOK_SECRET", "papers:a-long-random-password,papers:short", "E015"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_id_and_hint(name, value, id_):
    found = checked(**{name: value})
    assert found.returncode == 1
    assert f"daily_papers.{id_}" in found.stderr
    assert "HINT" in found.stderr


def test_the_proxies_in_front_are_counted_within_reason():
    found = checked(BEHIND_PROXY="true", PROXY_HOPS="11")
    assert "daily_papers.E008" in found.stderr


def test_a_provider_starts_with_its_webhooks_secret_and_not_without_what_its_signature_needs():
    guarded = {"MAIL_WEBHOOK_SECRET": "papers:a-long-random-password"}
    assert checked(MAIL_URL="postmark:?server_token=t", **guarded).returncode == 0
    found = checked(MAIL_URL="mailersend:?api_token=t", **guarded)
    assert "daily_papers.E016" in found.stderr
    assert "SIGNING_SECRET" in found.stderr
    assert checked(MAIL_URL="mailersend:?api_token=t&signing_secret=s", **guarded).returncode == 0


def test_a_provider_that_reports_nothing_needs_no_webhook_secret():
    assert "E015" not in checked(MAIL_URL="scaleway:?secret_key=k&project_id=p").stderr


def test_a_laptop_may_try_a_provider_without_reports():
    assert "E015" not in checked(MAIL_URL="postmark:?server_token=t", DEBUG="true").stderr


def test_every_setting_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert len(VARIABLES) > 25
    assert [name for name in VARIABLES if f"`{name}`" not in readme] == []


def test_every_beat_entry_is_a_task(settings):
    from config.celery import app  # noqa: PLC0415

    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_a_nudge_of_every_process_goes_to_our_broker():
    """config.wsgi, config.celery and manage.py all begin by importing the package of config.settings."""
    code = (
        "import config.settings, django; django.setup();"
        "from subscriptions.tasks import handle_signup; print(handle_signup.app.conf.broker_url)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[-1] == os.environ["REDIS_URL"]


def test_every_mail_has_its_three_templates():
    folders = [path for path in (ROOT / "templates" / "emails").iterdir() if path.is_dir() and path.name != "includes"]
    assert {"digest", "confirm", "already"} <= {folder.name for folder in folders}
    for folder in folders:
        assert {"subject.txt", "body.txt", "body.html"} <= {path.name for path in folder.iterdir()}


def test_smtp_and_every_provider_are_one_setting():
    smtp = parse_mail_url("smtp://user:p%40ss@mail.example.org/?tls=1")
    assert (smtp.host, smtp.port, smtp.user, smtp.password, smtp.use_tls) == (
        "mail.example.org",
        587,
        "user",
        "p@ss",
        True,
    )
    assert parse_mail_url("smtps://mail.example.org").port == 465
    assert parse_mail_url("mailgun:?api_key=k&sender_domain=d").anymail == {
        "MAILGUN_API_KEY": "k",
        "MAILGUN_SENDER_DOMAIN": "d",
    }
    for esp in ESPS - {"amazon_ses"}:  # needs boto3, an extra; see the check
        __import__(f"anymail.backends.{esp}")


def test_a_password_is_never_in_an_error_or_a_repr():
    assert "hunter2" not in repr(parse_mail_url("smtp://user:hunter2@mail.example.org"))
    with pytest.raises(ValueError, match="host") as caught:
        parse_mail_url("smtp:///?password=hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2/x",
        "25/hunter2",
        "hunter2#x",
        "25#hunter2",
        "hunter2?x",
        "25?hunter2",
        "[hunter2",
        "hunter2]",
        "[hunter2]",
        "hunter2\u2100",
    ],
)
def test_a_password_that_is_not_escaped_gets_fixed_words(secret):
    with pytest.raises(ValueError, match="percent-encode") as caught:
        parse_mail_url(f"smtp://user:{secret}@mail.example.org")
    assert "hunter2" not in str(caught.value)


@given(st.text(), st.text())
def test_a_password_is_read_whole_where_it_is_escaped_and_never_told_where_it_is_not(before, after):
    secret = f"{before}hunter2{after}"
    assert parse_mail_url(f"smtp://user:{quote(secret, safe='')}@mail.example.org").password == secret
    told = ""
    try:
        parse_mail_url(f"smtp://user:{secret}@mail.example.org")
    except ValueError as error:
        told = str(error)
    assert "hunter2" not in told


@pytest.mark.django_db
def test_the_clock_is_shifted_under_debug_only(settings, now):
    with pytest.raises(ImproperlyConfigured):
        clock.shift_to(now)
    settings.DEBUG = True
    clock.shift_to(now)
    assert now <= clock.now() < now + timedelta(hours=1)
    settings.DEBUG = False
    assert abs(clock.now() - now) > timedelta(hours=1)


def test_the_checks_of_this_run_are_clean():
    assert run_checks() == []
