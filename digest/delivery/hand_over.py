"""One hand-over to the mail server or provider, and what becomes of the mail by the answer. Knows no database.

``subscriptions.answers`` says what an answer means. About the mail or its reader it ends the mail or lets it wait;
about us (a limit, a wrong password) it costs no mail anything but closes the transport for a while; and without an
answer nobody knows. Reasons carry codes and class names, never an address or a server's text.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from smtplib import SMTPNotSupportedError
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
from subscriptions.answers import (
    ACCOUNT,
    CREDITS,
    EQUAL_ABOUT_READERS,
    LOGIN,
    About,
    Answer,
    Meaning,
    Stage,
    classify,
    likeness,
)
from subscriptions.smtp import TooLarge, Unsent

State = Digest.State
FOR_EVER = frozenset({ACCOUNT, CREDITS, LOGIN})  # these do not pass by themselves, whatever the code says
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
    refused: bool = False  # and for ever, as the answer says
    answer: str = ""  # the same for answers that say the same (answers.likeness)
    equal_at: int = 0  # so many of them in a row are about us; 0: no number is
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
        outcome = _of_error(error, message.to[0] if message.to else "", fresh=fresh)
        if len(message.to) > 1 and outcome.state in {State.REJECTED, State.FAILED}:
            # One bad address is enough for that, and nobody's mail left: each tries again alone.
            outcome = replace(outcome, state=State.PLANNED, refusal=None, equal_at=0)
        return [outcome] * len(message.to)
    if not sent:
        return [Outcome(State.UNCERTAIN, "the transport did not say")] * len(message.to)
    status = getattr(message, "anymail_status", None)
    if status is None:
        return [Outcome(State.ACCEPTED)] * len(message.to)
    return [_of_recipient(status.recipients.get(address)) for address in message.to]


def of_opening(error: Exception) -> Outcome | None:
    """What the server said of a connection that it did not want; None where it said nothing that can be read."""
    answer = receivers.answer_of(error)
    return _of_answer(answer, error, "", fresh=True) if answer and answer.stage is Stage.CONNECT else None


def unrendered(error: BaseException, *, alone: bool) -> Outcome:
    """The mail could not be put together. Of a batch each tries again alone."""
    return Outcome(State.FAILED if alone else State.PLANNED, f"rendering: {type(error).__name__}")


def _of_error(error: BaseException, recipient: str, *, fresh: bool) -> Outcome:
    name = type(error).__name__
    if isinstance(error, AnymailAPIError) and (known := _of_call(error)):
        return known
    if isinstance(error, Exception) and (answer := receivers.answer_of(error)):
        return _of_answer(answer, error, recipient, fresh=fresh)
    if isinstance(error, AnymailConfigurationError):
        return Outcome(State.PLANNED, name, counts=False, about_us=True)
    if isinstance(error, TooLarge):
        return Outcome(State.FAILED, f"{Digest.TOO_LARGE} (SIZE {error.limit})")
    if isinstance(error, Unsent):
        return Outcome(State.PLANNED, "connection lost before the mail was sent", later=True, broken=True)
    if isinstance(error, OSError) and not isinstance(error, SMTPNotSupportedError):
        # Lost in the middle: the server may have taken the mail. All of smtplib's exceptions are kinds of OSError.
        return Outcome(State.UNCERTAIN, f"connection lost: {name}", broken=True)
    # The message could not be put into the transport's form: nothing was sent.
    return Outcome(State.FAILED, name)


def _of_answer(answer: Answer, error: Exception, recipient: str, *, fresh: bool) -> Outcome:
    meaning = classify(answer)
    reason = _reason(answer, meaning, type(error).__name__)
    if meaning.about is About.US:
        # Another connection may take it at once. One that says so of its first mail would say so of every mail.
        slow = fresh or not meaning.new_connection
        return Outcome(
            State.PLANNED,
            reason,
            counts=False,
            about_us=slow,
            refused=slow and (meaning.for_ever or meaning.why in FOR_EVER),
            patience=_retry_after(error),
            broken=meaning.new_connection,
        )
    refusal = receivers.refusal_of(error)
    if not meaning.for_ever and not refusal:
        return Outcome(State.PLANNED, reason, later=True)
    equal_at = meaning.equal_at
    if isinstance(error, AnymailRecipientsRefused):  # whatever the provider says of the call, it is the recipient
        reason, equal_at = "the provider refused the recipient", EQUAL_ABOUT_READERS
    likely = likeness(answer, recipient) if equal_at else ""
    return Outcome(State.REJECTED, reason, refusal=refusal, answer=likely, equal_at=equal_at)


def _reason(answer: Answer, meaning: Meaning, name: str) -> str:
    """In words for operators; codes only, so that reasons can be counted."""
    if meaning.too_large:
        return f"{Digest.TOO_LARGE} ({meaning.detail})"
    if meaning.about is About.US and meaning.why:
        who = "provider" if answer.stage is Stage.API else "mail server"
        return f"the {who} refused us: {meaning.why} ({meaning.detail})"
    if answer.stage is Stage.API:
        whom = {About.US: " us", About.READER: " the recipient", About.MAIL: ""}[meaning.about]
        return f"the provider refused{whom} ({meaning.detail})"
    if meaning.about is About.READER or answer.stage is Stage.RCPT:
        name = "the recipient was refused"
    now = "" if meaning.for_ever or answer.stage is Stage.MAIL else " for now"
    return f"{name}{now} ({meaning.detail})"


def _of_call(error: AnymailAPIError) -> Outcome | None:
    """What can be said of a provider's call before its answer is read; None where the answer says it."""
    answer = receivers.answer_of(error)
    status = answer.code if answer else 0
    if not status and _never_connected(error):
        return Outcome(State.PLANNED, "the provider cannot be reached", counts=False, about_us=True)
    if status and _was_taken_before(error):
        return Outcome(State.ACCEPTED)
    if 400 <= status < 500 and status != TIME_OUT:
        return None
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
    return bool(key and key.known and response is not None and key.known in getattr(response, "text", ""))


def _never_connected(error: BaseException) -> bool:
    cause = error.__cause__
    if isinstance(cause, ConnectTimeout):
        return True
    reason = getattr(cause.args[0], "reason", None) if isinstance(cause, NoConnection) and cause.args else None
    return isinstance(reason, NewConnectionError)


def _retry_after(error: Exception) -> float:
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
