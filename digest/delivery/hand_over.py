"""One hand-over to the mail server or provider, and what its answer means. Knows no database.

Three kinds of answer are told apart: about the mail or its reader, which ends it or lets it wait; about us (too fast, a
wrong password), which costs no mail anything but closes the transport for a while; and none at all, after which nobody
knows. Reasons carry codes and class names, never an address.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from smtplib import (
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import NewConnectionError

from digest.models import Digest
from digest.providers import provider_of
from subscriptions import receivers
from subscriptions.smtp import Unsent

State = Digest.State
# Answers of a server that is busy or closing: RFC 5321 section 3.8 (421), RFC 4954 section 6 (454, as Amazon SES
# says when the rate is exceeded: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html).
NOT_NOW = frozenset({421, 454})
# RFC 9110: not our key, not paid, no such account or domain, too many requests; RFC 8470: too early.
ABOUT_US = frozenset({401, 402, 403, 404, 407, 425, 429})
TIME_OUT = 408  # said by proxies, too (RFC 9110 section 15.5.9): nobody knows what became of the call


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail."""

    state: str
    reason: str = ""
    provider_id: str = ""
    counts: bool = True  # planned again: whether that costs the digest one of its attempts
    later: bool = False  # planned again: after a while
    refusal: receivers.Refusal | None = None  # what the answer says against the recipient
    about_us: bool = False  # every other mail would be answered the same way
    patience: float = 0.0  # seconds that the answer asked for
    broken: bool = False  # the connection is of no use any more


# The lease ended before the hand-over began: nothing was sent.
TOO_SLOW = Outcome(State.PLANNED, "the lease had lapsed", counts=False)


def hand_over(connection: BaseEmailBackend, message: EmailMessage, *, fresh: bool) -> list[Outcome]:
    """Hand one message over: an outcome for each of its recipients. ``fresh``: nothing was sent over this connection.

    Raises nothing that a transport may raise: whatever is not understood is UNCERTAIN or FAILED, with its class's name.
    """
    try:
        sent = connection.send_messages([message])
    except Exception as error:  # a transport may raise anything; one odd mail must not end the thread
        outcome = _of_error(error, fresh=fresh)
        if len(message.to) > 1 and outcome.state in {State.REJECTED, State.FAILED}:
            # One bad address is enough for that, and nobody's mail left: each tries again alone.
            outcome = replace(outcome, state=State.PLANNED, refusal=None)
        return [outcome] * len(message.to)
    if not sent:
        return [Outcome(State.UNCERTAIN, "the transport did not say")] * len(message.to)
    status = getattr(message, "anymail_status", None)
    if status is None:
        return [Outcome(State.ACCEPTED)] * len(message.to)
    return [_of_recipient(status.recipients.get(address)) for address in message.to]


def unrendered(error: BaseException, *, alone: bool) -> Outcome:
    """The mail could not be put together. Of a batch each tries again alone."""
    return Outcome(State.FAILED if alone else State.PLANNED, f"rendering: {type(error).__name__}")


def _of_error(error: BaseException, *, fresh: bool) -> Outcome:
    name = type(error).__name__
    if isinstance(error, SMTPSenderRefused):  # nothing of the reader stands in MAIL FROM
        # A server that wants a new connection after some mails is not busy.
        slow = fresh or error.smtp_code not in NOT_NOW
        return _about_us(f"{name} ({error.smtp_code})", about_us=slow, broken=error.smtp_code == 421)
    if isinstance(error, SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=0)
        found = _of_code(code, "the recipient was refused", fresh=fresh)
        return replace(found, refusal=receivers.refusal_of(error))
    if isinstance(error, SMTPResponseException):
        return _of_code(error.smtp_code, name, fresh=fresh)
    if isinstance(error, AnymailRecipientsRefused):
        refusal = receivers.refusal_of(error)
        return Outcome(State.REJECTED, "the provider refused the recipient", refusal=refusal)
    if isinstance(error, AnymailAPIError):
        return _of_api(error)
    if isinstance(error, AnymailConfigurationError):
        return _about_us(name)
    if isinstance(error, Unsent):
        return Outcome(State.PLANNED, "connection lost before the mail was sent", later=True, broken=True)
    if isinstance(error, OSError) and not isinstance(error, SMTPNotSupportedError):
        # Lost in the middle: the server may have taken the mail. All of smtplib's exceptions are kinds of OSError.
        return Outcome(State.UNCERTAIN, f"connection lost: {name}", broken=True)
    # The message could not be put into the transport's form: nothing was sent.
    return Outcome(State.FAILED, name)


def _about_us(reason: str, *, about_us: bool = True, patience: float = 0.0, broken: bool = False) -> Outcome:
    return Outcome(State.PLANNED, reason, counts=False, about_us=about_us, patience=patience, broken=broken)


def _of_code(code: int, what: str, *, fresh: bool) -> Outcome:
    """RFC 5321 section 4.2.1: 4yz asks to try again, 5yz means never."""
    if code in NOT_NOW:
        return _about_us(f"{what} for now ({code})", about_us=fresh or code != 421, broken=code == 421)
    if 400 <= code < 500:
        return Outcome(State.PLANNED, f"{what} for now ({code})", later=True)
    return Outcome(State.REJECTED, f"{what} ({code})")


def _of_api(error: AnymailAPIError) -> Outcome:
    status: Any = error.status_code
    if status is None and _never_connected(error):
        return _about_us("the provider cannot be reached")
    if status in ABOUT_US:
        return _about_us(f"the provider refused us ({status})", patience=_retry_after(error))
    if status and _was_taken_before(error):
        return Outcome(State.ACCEPTED)
    if status and 400 <= status < 500 and status != TIME_OUT:
        return Outcome(State.REJECTED, f"the provider refused ({status})")
    # It may have taken the mail before it failed. The others wait: it would fail again.
    return Outcome(
        State.UNCERTAIN,
        f"the provider failed ({status or 'no answer'})",
        about_us=True,
        patience=_retry_after(error),
        broken=not status,
    )


def _was_taken_before(error: AnymailAPIError) -> bool:
    """Whether the provider says that it knows the call's key: then it has the mail."""
    key = provider_of(settings.EMAIL_BACKEND).idempotency_key
    response: Any = getattr(error, "response", None)
    return bool(key and key.known and response is not None and key.known in response.text)


def _never_connected(error: BaseException) -> bool:
    cause = error.__cause__
    if isinstance(cause, ConnectTimeout):
        return True
    reason = getattr(cause.args[0], "reason", None) if isinstance(cause, NoConnection) and cause.args else None
    return isinstance(reason, NewConnectionError)


def _retry_after(error: AnymailAPIError) -> float:
    """Seconds of Retry-After: a number or an HTTP date (RFC 9110 section 10.2.3); 0 where there is none."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    text = str(headers.get("Retry-After", "")).strip()
    if text.isdecimal():
        return float(text[:6])
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((then - datetime.now(UTC)).total_seconds(), 0.0) if then.tzinfo else 0.0


def _of_recipient(recipient: Any) -> Outcome:
    """Anymail's word for one recipient of a message that went through."""
    status = getattr(recipient, "status", None)
    said = str(getattr(recipient, "message_id", None) or "")
    provider_id = "".join(filter(str.isprintable, said))[:200]
    if status in {"sent", "queued"}:
        return Outcome(State.ACCEPTED, provider_id=provider_id)
    if status in {"invalid", "rejected", "failed"}:
        refusal = receivers.Refusal("provider", "at the hand-over", "invalid" if status == "invalid" else "blocked")
        return Outcome(State.REJECTED, f"the provider refused the recipient ({status})", provider_id, refusal=refusal)
    return Outcome(State.UNCERTAIN, "the provider did not say", provider_id)
