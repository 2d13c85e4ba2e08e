"""The demo's mailbox: the .eml files of MAIL_URL=file:..., shown under DEBUG only."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from digest.lint.mail import Mail
from digest.views.mail import CONTROLS, mail_html, mail_page, shown_as_mail
from subscriptions.parameters import reads

SHOWN = 200


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
        mail = Mail(file.read_bytes())
        subject, to, date = (mail.value(name) for name in ("Subject", "To", "Date"))
        letters.append(Letter(file.name, subject, to, date, len(mail.raw)))
    return render(request, "digest/mailbox.html", {"letters": letters, "count": len(files)})


@reads(*CONTROLS)
@require_safe
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """One mail as a mail program shows it, and all that is in it."""
    back = reverse("mailbox"), "All mails"
    return mail_page(request, _mail(name), html_url=reverse("letter-html", args=[name]), back=back)


@reads(*CONTROLS)
@shown_as_mail
@require_safe
def letter_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part alone."""
    return mail_html(request, _mail(name))


def _folder() -> Path:
    if not settings.DEBUG or not settings.EMAIL_FILE_PATH:
        raise Http404("The mailbox exists in the demo only (DEBUG=true and MAIL_URL=file:...).")
    return Path(settings.EMAIL_FILE_PATH)


def _mail(name: str) -> Mail:
    """The mail in the file of that name in the folder; a name with a path in it is no file of ours."""
    found = next((file for file in _folder().glob("*.eml") if file.name == name), None)
    if found is None:
        raise Http404("There is no such mail.")
    return Mail(found.read_bytes())
