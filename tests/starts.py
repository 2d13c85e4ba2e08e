"""A start with the settings of a given environment: in this process, or for real.

Reading and checking settings here costs a hundredth of what a start costs. What it leaves out: DATABASES stays the
suite's own (connections are made of it), and apps are those that have been loaded. tests/test_config.py holds both
ways against each other.
"""

import os
import runpy
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

ROOT = Path(__file__).resolve().parent.parent
GOOD = {
    "SECRET_KEY": "a-secret-key-for-this-check-with-50-or-more-characters-0123",
    "LINK_KEYS": "l" * 40,
    "ADDRESS_KEY": "a" * 40,
    "SITE_URL": "https://papers.example.org",
    "POSTAL_ADDRESS": "1 Example Street",
    "DATABASE_URL": "sqlite://:memory:",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Ended(NamedTuple):
    """How a start ended: the exit code, and what it complained of."""

    returncode: int
    stderr: str


def environment(**changed):
    """Good settings but for ``changed``, and nothing of the shell's own installation."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return {**kept, **GOOD, **changed}


def started(*command, **changed):
    """``python command`` in a process of its own, with these environment variables."""
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(**changed),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(ran.returncode, ran.stderr)


def settings_of(**changed):
    """The settings, and the URLs that are made with them, as override_settings for the time of a block."""
    with mock.patch.dict(os.environ, environment(**changed), clear=True):
        read = runpy.run_path(str(ROOT / "config" / "settings.py"))
    found = {name: read[name] for name in read if name.isupper() and name[0] != "_" and name != "DATABASES"}
    differing = {name: value for name, value in found.items() if getattr(settings, name) != value}
    with override_settings(**differing):
        urls = ModuleType("urls")  # config.urls has been imported with the suite's settings: the webhook is of those
        urls.urlpatterns = runpy.run_path(str(ROOT / "config" / "urls.py"))["urlpatterns"]
    return override_settings(**differing, ROOT_URLCONF=urls)


def checked(*options, **changed):
    """``manage.py check`` in this process, with these environment variables."""
    complaints = StringIO()
    with settings_of(**changed):
        try:
            call_command("check", *options, stdout=StringIO(), stderr=complaints, no_color=True)
        except SystemCheckError as error:
            return Ended(1, f"{complaints.getvalue()}{error}\n")
    return Ended(0, complaints.getvalue())
