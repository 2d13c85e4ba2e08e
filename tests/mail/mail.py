"""One mail of the cast, as bytes, and what is read in it."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property


@dataclass(frozen=True)
class Mail:
    """One mail of the cast, as the bytes that go to the mail server (with LF line ends)."""

    name: str
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        return self.message["Subject"]

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        """Empty for a mail without such a part."""
        return self._part("html")

    @property
    def is_listed(self) -> bool:
        """Whether it is a mail of the list, not a letter that somebody asked for."""
        return "List-Id" in self.message

    @property
    def unsubscribe_url(self) -> str:
        """The https one of the header (RFC 8058 section 3.1)."""
        return re.search(r"<(https?://[^>]+)>", self.message["List-Unsubscribe"])[1]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""
