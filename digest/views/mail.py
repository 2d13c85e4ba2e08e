"""The one page that shows a mail, and the one view that its HTML part is framed from.

The demo's mailbox, the editors' previews and the archive hand it a mail; who may see which is their business.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar, cast

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from digest import preview
from digest.lint import Severity
from digest.lint.mail import Mail
from digest.models import Edition
from digest.preflight import linted
from digest.views.appearance import Look, as_seen

# A mail brings its own inline styles and nothing else: no script, no form, no origin of ours.
MAIL_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}
SIZE_LIMIT = 80  # KB of the decoded HTML: Gmail cuts at 102 KB
ARCHIVED_FOR = 3600  # seconds: papers can still be hidden from a published day
# The controls: each is a parameter of the page's address; the first value is what is shown without it.
CONTROLS: dict[str, tuple[str, dict[str, str]]] = {
    "part": ("Show", {"html": "HTML part", "text": "Text part", "headers": "Headers", "checks": "Linter’s verdict"}),
    "width": ("Width", {"640": "640 pixels", "375": "375 pixels, a phone"}),
    "scheme": ("Colours", {"light": "Light", "dark": "Dark", "forced": "Forced dark, turned round by the client"}),
    "images": ("Images", {"on": "On", "off": "Off"}),
    "styles": ("Style sheet", {"on": "Kept", "off": "Dropped by the client"}),
}
V = TypeVar("V", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of a control."""

    words: str
    query: str
    current: bool


def shown_as_mail(view: V) -> V:
    """A view that answers with a mail's HTML: under a policy of its own, framed by our own pages only."""
    return cast("V", csp(MAIL_POLICY)(xframe_options_sameorigin(view)))


def mail_page(
    request: HttpRequest,
    mail: Mail,
    *,
    html_url: str,
    back: tuple[str, str],
    about: str = "",
    canonical: str = "",
) -> HttpResponse:
    """A mail with all that can be looked at. ``html_url`` shows its HTML part alone; ``back`` is (address, words).

    Nothing of the page needs JavaScript: each control is a link to this page with another parameter.
    """
    chosen = _chosen(request)
    html = mail.html_part
    if html is None and chosen["part"] == "html":
        chosen["part"] = "text"
    context = {
        "mail": mail,
        "subject": mail.value("Subject") or "(without a subject)",
        "preheader": mail.page.preview,
        "about": about,
        "back": back,
        "canonical": canonical,
        "chosen": chosen,
        "controls": list(_controls(request, chosen, has_html=html is not None)),
        "html_url": f"{html_url}?{request.GET.urlencode()}" if request.GET else html_url,
        "sizes": sizes(mail),
        "size_limit": SIZE_LIMIT,
        **(verdict(mail.raw) if chosen["part"] == "checks" else {}),
    }
    return render(request, "digest/letter.html", context)


def mail_html(request: HttpRequest, mail: Mail) -> HttpResponse:
    """The HTML part as a client shows it, by the parameters of the page that frames it."""
    if mail.html is None:
        raise Http404("This mail has no HTML part.")
    chosen = _chosen(request)
    look = Look(chosen["scheme"], images=chosen["images"] == "on", styles=chosen["styles"] == "on")
    return HttpResponse(as_seen(mail.html, look), headers={"X-Robots-Tag": "noindex"})


def sizes(mail: Mail) -> dict[str, float | None]:
    """In KB (1024 octets): the decoded HTML, the same as encoded for the wire, and the whole mail."""
    html = mail.html_part
    return {
        "decoded": _kb(len((mail.html or "").encode())) if html else None,
        "encoded": _kb(html.wire_size) if html else None,
        "whole": _kb(len(mail.raw)),
    }


def verdict(raw: bytes) -> dict[str, Any]:
    """What the linter finds: ``errors`` and ``warnings``."""
    findings = linted(raw)
    return {
        "errors": [finding for finding in findings if finding.severity == Severity.ERROR],
        "warnings": [finding for finding in findings if finding.severity == Severity.WARNING],
    }


@cache_control(public=True, max_age=ARCHIVED_FOR)
@require_safe
def archive(request: HttpRequest, day: date) -> HttpResponse:
    """The mail of a published day as it goes to a new reader without topics; nothing personal is in it."""
    return mail_page(
        request,
        _archived(day),
        html_url=reverse("day-mail-html", args=[day]),
        back=(reverse("day", args=[day]), f"The papers of {day:%-d %B %Y}"),
        about="As it goes to a new reader who chose no topics. Its personal links lead nowhere.",
        canonical=reverse("day-mail", args=[day]),
    )


@shown_as_mail
@cache_control(public=True, max_age=ARCHIVED_FOR)
@require_safe
def archive_html(request: HttpRequest, day: date) -> HttpResponse:
    """Its HTML part alone."""
    return mail_html(request, _archived(day))


def _archived(day: date) -> Mail:
    edition = get_object_or_404(Edition.objects.published(), day=day)
    try:
        return preview.archived(edition).mail
    except ValueError as error:
        raise Http404("This day has no paper to show.") from error


def _chosen(request: HttpRequest) -> dict[str, str]:
    """The value of each control; the first one where the address says nothing or nonsense."""
    return {
        name: asked if (asked := request.GET.get(name, "")) in values else next(iter(values))
        for name, (_, values) in CONTROLS.items()
    }


def _controls(request: HttpRequest, chosen: Mapping[str, str], *, has_html: bool) -> Iterator[tuple[str, list[Choice]]]:
    """The controls that mean something for what is shown."""
    for name, (heading, values) in CONTROLS.items():
        if name != "part" and chosen["part"] != "html":
            continue
        choices = []
        for value, words in values.items():
            if value == "html" and not has_html:
                continue
            query = request.GET.copy()
            query[name] = value
            choices.append(Choice(words, query.urlencode(), chosen[name] == value))
        yield heading, choices


def _kb(octets: int) -> float:
    return round(octets / 1024, 1)
