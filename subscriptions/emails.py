"""The only builder of mails: a folder of three templates and a context -> a message with all its headers."""

from collections.abc import Mapping
from datetime import datetime
from email.charset import QP, SHORTEST, Charset
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from subscriptions import links
from subscriptions.models import Subscriber

# Django sends UTF-8 bodies as 8bit; a relay that re-encodes them breaks the DKIM signature. Quoted-printable is
# 7-bit and never longer than 76 characters a line (RFC 2045 section 6.7).
QUOTED_PRINTABLE = Charset("utf-8")
QUOTED_PRINTABLE.header_encoding = SHORTEST
QUOTED_PRINTABLE.body_encoding = QP


def message_to(
    subscriber: Subscriber,
    name: str,
    context: Mapping[str, Any],
    *,
    now: datetime,
    key: str,
    listed: bool = False,
    to: str = "",
) -> EmailMultiAlternatives:
    """The mail ``templates/emails/<name>/`` to one reader, not sent.

    ``key`` names the mail for ever ("digest-17"): its Message-ID is made of it, so a retry carries the same
    (RFC 5322 section 3.6.4). ``listed`` mails are the list's: they carry List-Id and one-click unsubscribe
    (RFC 2919, RFC 2369, RFC 8058). ``to`` is another address than the reader's: one to be confirmed, or the old one.
    Raises ValueError where the subject's template gives nothing.
    """
    context = {**site_context(), **_reader_context(subscriber, now), **context}
    subject = " ".join(render_to_string(f"emails/{name}/subject.txt", context, using="text").split())
    if not subject:
        raise ValueError(f"emails/{name}/subject.txt gave an empty subject")
    context["subject"] = subject
    body = render_to_string(f"emails/{name}/body.txt", context, using="text")
    message = EmailMultiAlternatives(
        subject=subject,
        body=body.strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL if listed else settings.LETTERS_FROM_EMAIL,
        to=[to or subscriber.email],
        reply_to=[settings.REPLY_TO] if settings.REPLY_TO else None,
        headers=_headers(context, now=now, key=key, listed=listed),
    )
    if not subscriber.text_only:
        message.attach_alternative(render_to_string(f"emails/{name}/body.html", context), "text/html")
    message.encoding = QUOTED_PRINTABLE
    # Opaque, since some providers show it to the reader; it brings the provider's events back to the mail.
    message.metadata = {"mail": key}  # type: ignore[attr-defined]
    return message


def site_context() -> dict[str, str]:
    """What every mail says about its sender."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
    }


def sending_domain(listed: bool = True) -> str:
    """The domain of From: Message-ID and List-Id are aligned with it."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL if listed else settings.LETTERS_FROM_EMAIL)[1]
    return address.rpartition("@")[2] or "localhost"


def _reader_context(subscriber: Subscriber, now: datetime) -> dict[str, Any]:
    return {
        "unsubscribe_url": links.absolute(links.unsubscribe_path(subscriber, now)),
        "manage_token": links.manage_token(subscriber, now),
        "confirmed_at": subscriber.confirmed_at,
    }


def _headers(context: Mapping[str, Any], *, now: datetime, key: str, listed: bool) -> dict[str, str]:
    domain = sending_domain(listed)
    headers = {
        "Message-ID": f"<{key}@{domain}>",
        "Date": format_datetime(now),
        "Auto-Submitted": "auto-generated",  # RFC 3834 section 5
        "X-Auto-Response-Suppress": "All",  # Exchange's out-of-office replies
    }
    if listed:
        headers |= {
            "List-Id": formataddr((settings.SITE_NAME, f"digest.{domain}")),
            "List-Unsubscribe": f"<{context['unsubscribe_url']}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Archive": f"<{settings.SITE_URL}/>",
            "Feedback-ID": f"{key.partition('-')[0]}:daily:digest:dailypapers",
        }
    return headers
