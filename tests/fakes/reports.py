"""What the fake provider reports of mails afterwards, signed as Mailgun signs it, to any webhook.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

import hashlib
import hmac
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes.esp import Mail

SIGNING_KEY = "a-signing-key-of-the-fake-provider"
# Mailgun's words for each kind of Anymail's.
KINDS: dict[str, dict[str, Any]] = {
    "delivered": {"event": "delivered", "delivery-status": {"code": 250, "message": "OK"}},
    "bounced": {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
    },
    "deferred": {
        "event": "failed",
        "severity": "temporary",
        "reason": "generic",
        "delivery-status": {"code": 452, "message": "4.2.2 mailbox full"},
    },
    "complained": {"event": "complained"},
    "unsubscribed": {"event": "unsubscribed"},
}
_counter = itertools.count(1)


@dataclass(frozen=True)
class Reports:
    """What the provider will say of mails, in the order in which it happened."""

    key: str = SIGNING_KEY
    events: list[dict[str, Any]] = field(default_factory=list)

    def add(self, mail: Mail, kind: str, at: float) -> None:
        """``kind`` is Anymail's word; ``at`` seconds since the epoch."""
        self.events.append(
            {
                **KINDS[kind],
                "id": f"event-{next(_counter)}",
                "timestamp": at,
                "recipient": mail.recipient,
                "user-variables": mail.variables,
                "message": {"headers": {"message-id": mail.message_id.strip("<>"), "to": mail.to}},
            }
        )

    def post(self, post: Callable[[bytes], object], *, seed: int) -> None:
        """Post everything twice, in an order of chance: half of the second ones as they were, half signed anew."""
        chance = random.Random(seed)
        first = [signed(event, self.key) for event in self.events]
        second = [
            chance.choice([report, signed(event, self.key)]) for report, event in zip(first, self.events, strict=True)
        ]
        reports = [*first, *second]
        chance.shuffle(reports)
        for report in reports:
            post(json.dumps(report).encode())


def signed(event: dict[str, Any], key: str) -> dict[str, Any]:
    """An event as the webhook gets it."""
    token, timestamp = f"token-{next(_counter)}", str(int(event["timestamp"]))
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": {"token": token, "timestamp": timestamp, "signature": signature}, "event-data": event}


def over_http(url: str) -> Callable[[bytes], object]:
    """How to post a report to a running site; ``url`` may carry user:password. Raises httpx.HTTPStatusError."""

    def post(report: bytes) -> object:
        return httpx.post(url, content=report, headers={"Content-Type": "application/json"}).raise_for_status()

    return post
