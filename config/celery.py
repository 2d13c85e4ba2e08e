"""The worker and beat. Tasks carry ids; what is due is decided from rows."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("daily_papers")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["subscriptions", "digest"])


@worker_init.connect
@beat_init.connect
def refuse_wrong_settings(**_: Any) -> None:
    """Run Django's system checks before the first task. SystemExit, since Celery logs and forgets an Exception."""
    try:
        call_command("check", verbosity=0)
    except SystemCheckError as error:
        raise SystemExit(str(error)) from None


@setup_logging.connect
def use_djangos_logging(**_: Any) -> None:
    """Celery would put its own handlers in place of the LOGGING setting, which Django has applied already."""
    assert settings.configured
