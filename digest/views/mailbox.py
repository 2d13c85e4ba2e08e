"""The demo's mailbox: the .eml files of MAIL_URL=file:..., shown under DEBUG only."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from csp.decorators import csp
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

SHOWN = 200
# A mail brings its own inline styles and nothing else: no script, no form, no origin of ours.
MAIL_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in the list."""

    name: str
    subject: str
    to: str
    date: str
    size: int


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """All mails, the newest first."""
    files = sorted(_folder().glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)
    letters = []
    for file in files[:SHOWN]:
        mail = _parse(file)
        letters.append(Letter(file.name, mail["Subject"], mail["To"], mail["Date"], file.stat().st_size))
    return render(request, "digest/mailbox.html", {"letters": letters, "count": len(files)})


@require_safe
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: headers, the HTML part in a frame of its own, the text part."""
    mail = _parse(_file(name))
    text = mail.get_body(("plain",))
    context = {
        "name": name,
        "headers": list(mail.items()),
        "text": text.get_content() if text else "",
        "mail": mail,
    }
    return render(request, "digest/letter.html", context)


@csp(MAIL_POLICY)  # type: ignore[arg-type]  # its annotation knows views without arguments only
@xframe_options_sameorigin
@require_safe
def letter_html(_: HttpRequest, name: str) -> HttpResponse:
    """The HTML part as a mail client would show it, under a policy of its own."""
    html = _parse(_file(name)).get_body(("html",))
    if html is None:
        raise Http404("This mail has no HTML part.")
    return HttpResponse(html.get_content())


def _folder() -> Path:
    if not settings.DEBUG or not settings.EMAIL_FILE_PATH:
        raise Http404("The mailbox exists in the demo only (DEBUG=true and MAIL_URL=file:...).")
    return Path(settings.EMAIL_FILE_PATH)


def _file(name: str) -> Path:
    """The file of that name in the folder; a name with a path in it is no file of ours."""
    found = next((file for file in _folder().glob("*.eml") if file.name == name), None)
    if found is None:
        raise Http404("There is no such mail.")
    return found


def _parse(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)
