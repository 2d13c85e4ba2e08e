"""Does a worker send what is not its own any more? It may have stood still for longer than its lease."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from digest import ledger
from subscriptions import smtp

NUMBER = re.compile(r"digest-(\d+)\.")


def watch(log: Path) -> None:
    """In a worker: write down each mail that is given to the mail server after its lease has lapsed."""
    marked_at: dict[int, datetime] = {}
    ledger.advance = _remembering(ledger.advance, marked_at)
    smtp.EmailBackend.send_messages = _telling(smtp.EmailBackend.send_messages, marked_at, log)


def _remembering(advance: Callable[..., set[int]], marked_at: dict[int, datetime]) -> Callable[..., set[int]]:
    def remembering(ended: Any, coming: Any, now: datetime, **more: Any) -> set[int]:
        marked = advance(ended, coming, now, **more)
        marked_at.update(dict.fromkeys(marked, now))
        return marked

    return remembering


def _telling(send: Callable[..., int], marked_at: dict[int, datetime], log: Path) -> Callable[..., int]:
    lease = timedelta(seconds=settings.SEND_LEASE_SECONDS)

    def telling(backend: Any, messages: Sequence[EmailMessage]) -> int:
        for message in messages:
            found = NUMBER.search(message.extra_headers.get("Message-ID", ""))
            since = marked_at.get(int(found[1])) if found else None
            if since and datetime.now(UTC) >= since + lease:
                with log.open("a") as file:
                    file.write(f"digest {found[1]} was marked {datetime.now(UTC) - since} before it was sent\n")
        return send(backend, messages)

    return telling
