"""The address where the mail provider reports: of the provider in MAIL_URL only, and only behind a secret."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailWarning
from anymail.webhooks.base import AnymailCoreWebhookView
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from subscriptions.esps import esp_of
from subscriptions.suppression import RULES
from subscriptions.tasks import nudge, read_mail_events

log = logging.getLogger(__name__)


class UnreadableReport(SuspiciousOperation):
    """A post that the provider's parser cannot read. Django answers 400."""


class ReportView(AnymailCoreWebhookView):  # type: ignore[misc]  # Anymail has no types
    """Anymail's view of one provider, with 400 instead of 500 for what cannot be read, and one nudge per post."""

    stops_an_address = False

    def run_validators(self, request: HttpRequest) -> None:
        """Secret and signature."""
        with _readable():
            super().run_validators(request)

    def parse_events(self, request: HttpRequest) -> Any:
        """The events in the post."""
        with _readable():
            events = super().parse_events(request)
        self.stops_an_address = any(event.event_type in RULES for event in events)
        return events

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep all events first: a broker that is away must not cost one."""
        response: HttpResponse = super().post(request, *args, **kwargs)
        if self.stops_an_address:
            nudge(read_mail_events)
        return response


def urls(backend: str, secrets: Sequence[str]) -> list[URLPattern]:
    """The address of the tracking webhook: <Anymail's name of the provider>/tracking/. None without a secret."""
    view = tracking_view(backend)
    if view is None or not secrets:
        return []
    esp = esp_of(backend)
    report: Any = type(view.__name__, (ReportView, view), {})
    return [path(f"{esp}/tracking/", report.as_view(), name=f"{esp}_tracking_webhook")]


def tracking_view(backend: str) -> Any:
    """Anymail's view class for a mail backend's reports; None for plain transports and those who report nothing."""
    views = {pattern.name: pattern.callback.view_class for pattern in anymail_urls.urlpatterns}
    return views.get(f"{esp_of(backend)}_tracking_webhook")


def what_is_missing(view: Any) -> str:
    """The setting that the provider's webhook lacks, in Anymail's words; "" where all is there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailWarning)
            view()
    except (ImproperlyConfigured, ImportError) as error:
        return str(error).partition("\n")[0]
    return ""


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (SuspiciousOperation, DatabaseError, InterfaceError):
        raise
    except ImproperlyConfigured as error:
        log.error("the provider's webhook is set up wrongly: %s", error)
        raise UnreadableReport("set-up") from error
    except Exception as error:  # whatever somebody posts: the parsers take what they expect for granted
        raise UnreadableReport(type(error).__name__) from None
