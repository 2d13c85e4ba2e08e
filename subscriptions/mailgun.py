"""Anymail's Mailgun backend, whose calls are multipart forms: a third of the octets, a tenth of the work.

Anymail leaves the choice to requests, which writes a form without files as one line of a URL: each octet of a mail is
looked up, and each sign that is no letter or digit becomes three. That alone took half of the CPU time of a call.
Mailgun takes both (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages: the body of
"Send an email" is multipart/form-data).
"""

from collections.abc import Mapping
from typing import Any

from anymail.backends import mailgun
from django.core.mail import EmailMessage


class Payload(mailgun.MailgunPayload):  # type: ignore[misc]  # Anymail has no types
    """One call's."""

    def get_request_params(self, api_url: str) -> dict[str, Any]:
        """What ``requests.Session.request`` is called with."""
        request: dict[str, Any] = super().get_request_params(api_url)
        if not request["files"]:
            fields = ((name, value) for name, values in request["data"].items() for value in _as_list(values))
            request |= {"data": None, "files": [(name, (None, value)) for name, value in fields]}
        return request


class EmailBackend(mailgun.EmailBackend):  # type: ignore[misc]
    """What a MAIL_URL of mailgun names."""

    def build_message_payload(self, message: EmailMessage, defaults: Mapping[str, Any]) -> Payload:
        """Called for each message."""
        return Payload(message, defaults, self)


def _as_list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]
