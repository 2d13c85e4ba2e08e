"""One setting for every way to send: MAIL_URL -> Django's mail settings."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from subscriptions.esps import backend_of

# The scheme of MAIL_URL is Anymail's module name; the query gives its settings, lower-case, without the prefix:
# mailgun:?api_key=...&sender_domain=... becomes ANYMAIL["MAILGUN_API_KEY"], ANYMAIL["MAILGUN_SENDER_DOMAIN"].
# https://anymail.dev/en/stable/esps/
ESPS = frozenset(
    [
        "amazon_ses",
        "brevo",
        "mailersend",
        "mailgun",
        "mailjet",
        "mailtrap",
        "mandrill",
        "postal",
        "postmark",
        "resend",
        "scaleway",
        "sendgrid",
        "sparkpost",
        "unisender_go",
    ]
)
PLAIN = {
    "smtp": "subscriptions.smtp.EmailBackend",
    "smtps": "subscriptions.smtp.EmailBackend",
    "file": "subscriptions.mailfiles.EmlBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
    "dummy": "django.core.mail.backends.dummy.EmailBackend",
}


# Fixed words: what urllib says of a URL that it cannot read quotes it, and with it the password.
ESCAPE = "percent-encode / ? # : @ [ ] in the user and the password, like %2F for /"


@dataclass(frozen=True)
class MailSettings:
    """What Django's mail settings need, whichever the transport."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    use_tls: bool = False
    use_ssl: bool = False
    path: Path | None = None
    anymail: dict[str, str] = field(default_factory=dict, repr=False)


def parse_mail_url(url: str, base: Path = Path()) -> MailSettings:
    """Read ``smtp://user:password@host:587/?tls=1``, ``smtps://host``, ``file:var/mail``, ``mailgun:?api_key=...``.

    A relative ``file:`` path starts at ``base``. Raises ValueError, never with the password in its text.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"it is no URL; {ESCAPE}") from None
    query = dict(parse_qsl(parts.query))
    scheme = parts.scheme.replace("-", "_")
    if scheme in {"smtp", "smtps"}:
        tls = query.get("tls", "0").lower() in {"1", "true", "yes"}
        port = _port(parts)
        if not parts.hostname:
            raise ValueError("an SMTP server needs a host, like smtp://mail.example.org:587/?tls=1")
        if "@" in f"{parts.path}{parts.query}{parts.fragment}":  # "user:25/x@host" is a host "user" with a port
            raise ValueError(f"there is an @ behind the host; {ESCAPE}")
        return MailSettings(
            backend=PLAIN[scheme],
            host=parts.hostname,
            port=port or {"smtps": 465}.get(scheme, 587 if tls else 25),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            use_tls=tls,
            use_ssl=scheme == "smtps",
        )
    if scheme == "file":
        path = unquote(parts.netloc + parts.path)
        if not path:
            raise ValueError("a folder for the mails is missing, like file:var/mail")
        return MailSettings(backend=PLAIN[scheme], path=base / path)
    if scheme in PLAIN:
        return MailSettings(backend=PLAIN[scheme])
    if scheme in ESPS:
        prefix = scheme.upper()
        options = {f"{prefix}_{key.upper()}": value for key, value in query.items()}
        return MailSettings(backend=backend_of(scheme), anymail=options)
    known = ", ".join([*PLAIN, *sorted(ESPS)])
    raise ValueError(f"unknown scheme {scheme or '(none)'!r}; known are {known}")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError(f"the port is no number; {ESCAPE}") from None
