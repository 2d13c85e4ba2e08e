"""Which of Anymail's providers a mail backend speaks to."""

import re

OWN = {"mailgun": "subscriptions.mailgun.EmailBackend"}  # where Anymail's backend is not used as it is


def backend_of(esp: str) -> str:
    """Django's EMAIL_BACKEND for a provider, by its name in Anymail: "postmark"."""
    return OWN.get(esp, f"anymail.backends.{esp}.EmailBackend")


def esp_of(backend: str) -> str:
    """The provider's name in Anymail; "" where the backend is none of Anymail's or made from one."""
    found = re.fullmatch(r"anymail\.backends\.(\w+)\.EmailBackend", backend)
    return found[1] if found else next((esp for esp, own in OWN.items() if own == backend), "")
