"""The address where the mail provider reports: of the provider in MAIL_URL only, and only behind a secret."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailWarning
from anymail.signals import tracking
from anymail.webhooks.base import AnymailCoreWebhookView
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, path

from subscriptions import receivers
from subscriptions.esps import esp_of
from subscriptions.suppression import RULES
from subscriptions.tasks import nudge, read_mail_events

log = logging.getLogger(__name__)
KEPT_ASIDE = 100  # events of one post that nobody can read; more of them say nothing new
# Providers that post a list; the others post one event, or a list of such where several are grouped.
_LISTS = frozenset({"SendGrid", "SparkPost", "Mailjet", "Mandrill"})
_FORM_FIELD = "mandrill_events"


class UnreadableReport(SuspiciousOperation):
    """A post that the provider's parser cannot read. Django answers 400."""


class ReportView(AnymailCoreWebhookView):  # type: ignore[misc]  # Anymail has no types
    """Anymail's view of one provider, with 400 instead of 500 for what cannot be read, and one nudge per post.

    Anymail reads a post as a whole. Where that fails each event of it is read alone, so that one that is odd costs none
    beside it; the odd one is kept aside with the reason.
    """

    stops_an_address = False

    def run_validators(self, request: HttpRequest) -> None:
        """Secret and signature."""
        with _readable():
            super().run_validators(request)

    def parse_events(self, request: HttpRequest) -> Any:
        """The events in the post."""
        try:
            events = list(super().parse_events(request))
        except (DatabaseError, InterfaceError):
            raise
        except Exception as error:  # the parsers take what they expect for granted
            with _readable():
                events = self._one_by_one(request, error)
        self.stops_an_address = any(receivers.kind_of(event, self.esp_name) in RULES for event in events)
        return events

    def _one_by_one(self, request: HttpRequest, error: Exception) -> list[Any]:
        """Those events of a post that can be read. Raises the error where the post is no list of events at all."""
        alone = _events_in(request, as_list=self.esp_name in _LISTS)
        if not alone or (len(alone) == 1 and isinstance(error, ImproperlyConfigured | SuspiciousOperation)):
            raise error
        log.warning("a post of %s events by %s is read one by one: %s", len(alone), self.esp_name, type(error).__name__)
        events: list[Any] = []
        aside = 0
        for esp_event, body in alone:
            self.signal = tracking  # Mandrill's view takes another for mail that comes in
            try:
                events += super().parse_events(_post_of(request, body)) if len(alone) > 1 else _raised(error)
            except (DatabaseError, InterfaceError):
                raise
            except Exception as why:  # as above, of this event alone
                aside += 1
                if aside <= KEPT_ASIDE:
                    receivers.keep_aside(esp_event, self.esp_name, type(why).__name__)
        if aside > KEPT_ASIDE:
            log.error("%s events of a post by %s cannot be read", aside, self.esp_name)
        return events

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep all events first: a broker that is away must not cost one."""
        response: HttpResponse = super().post(request, *args, **kwargs)
        if self.stops_an_address:
            nudge(read_mail_events)
        return response


def _events_in(request: HttpRequest, *, as_list: bool) -> list[tuple[Any, Any]]:
    """The provider's own events in a post, each with the body in which it would come alone.

    ``as_list``: one event comes in a list, too. Raises ValueError for what is no JSON. Empty for what holds no event.
    """
    form = request.POST.get(_FORM_FIELD)
    body = json.loads(request.body.decode() if form is None else form)
    if isinstance(body, list):
        return [(event, [event] if as_list else event) for event in body]
    if not isinstance(body, dict):
        return []
    if isinstance(body.get("events"), list):  # Mailtrap
        return [(event, {"events": [event]}) for event in body["events"]]
    if isinstance(body.get("events_by_user"), list):  # Unisender Go
        events = [event for group in body["events_by_user"] for event in _group(group)]
        return [(_data_of(event), {"events_by_user": [{"events": [event]}]}) for event in events]
    if "TopicArn" in body:  # Amazon SNS, which may also ask to confirm: that is no event
        return [(json.loads(body["Message"]), body)] if body.get("Type") == "Notification" else []
    return [(body, body)]


def _group(group: Any) -> list[Any]:
    events = group.get("events") if isinstance(group, dict) else None
    return events if isinstance(events, list) else [group]


def _data_of(event: Any) -> Any:
    return event.get("event_data", event) if isinstance(event, dict) else event


def _post_of(request: HttpRequest, body: Any) -> HttpRequest:
    """A post of this body, in the form of the one that it came in."""
    post = HttpRequest()
    post.META, post.content_type = request.META, request.content_type
    post.encoding = request.encoding or "utf-8"
    if _FORM_FIELD in request.POST:
        form = QueryDict(mutable=True)
        form[_FORM_FIELD] = json.dumps(body)
        post.POST = form  # type: ignore[assignment]  # the stubs know only what a real post holds
    else:
        post._body = json.dumps(body).encode()
    return post


def _raised(error: Exception) -> list[Any]:
    raise error


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
