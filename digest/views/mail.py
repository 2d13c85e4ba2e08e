"""The one page that shows a mail, and the one view that its HTML part is framed from.

The demo's mailbox, the editors' previews and the archive hand it a mail; who may see which is their business.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import wraps
from types import MappingProxyType
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from digest.archive import TooMany, findings_on, mail_of
from digest.lint import Severity
from digest.lint.findings import Finding
from digest.lint.mail import Mail
from digest.models import Edition
from digest.preflight import linted
from digest.views.appearance import Look, as_seen
from subscriptions import clock, guard, page_limits
from subscriptions.parameters import reads
from subscriptions.views.pages import too_many

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
NOTHING_MORE: Mapping[str, Sequence[str]] = MappingProxyType({})
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
    keep: Mapping[str, Sequence[str]] = NOTHING_MORE,
    findings: Callable[[], list[Finding]] | None = None,
) -> HttpResponse:
    """A mail with all that can be looked at. ``html_url`` shows its HTML part alone; ``back`` is (address, words).

    Nothing of the page needs JavaScript: each control is a link to this page with another parameter. Links carry the
    controls' parameters by their known values, and those of the caller that ``keep`` names; nothing else that stood in
    the address. ``findings`` gives what the linter says, where the caller knows it already.
    """
    chosen = _chosen(request)
    kept = _kept(request, keep)
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
        "controls": list(_controls(kept, chosen, has_html=html is not None)),
        "html_url": f"{html_url}?{urlencode(kept, doseq=True)}" if kept else html_url,
        "sizes": sizes(mail),
        "size_limit": SIZE_LIMIT,
        **(verdict(findings() if findings else linted(mail.raw)) if chosen["part"] == "checks" else {}),
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


def verdict(findings: Sequence[Finding]) -> dict[str, Any]:
    """What the linter finds: ``errors`` and ``warnings``."""
    return {
        "errors": [finding for finding in findings if finding.severity == Severity.ERROR],
        "warnings": [finding for finding in findings if finding.severity == Severity.WARNING],
    }


def archived(view: V) -> V:
    """A view of the archive: for shared caches by its known parameters, or 429 and for none of them."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except TooMany:
            return never_cache(too_many)(request)
        patch_cache_control(response, public=True, max_age=ARCHIVED_FOR)
        return response

    return cast("V", shown)


@reads(*CONTROLS)
@archived
@require_safe
def archive(request: HttpRequest, day: date) -> HttpResponse:
    """The mail of a published day as it goes to a new reader without topics; nothing personal is in it."""
    edition, mail = _archived(request, day)
    return mail_page(
        request,
        mail,
        html_url=reverse("day-mail-html", args=[day]),
        back=(reverse("day", args=[day]), f"The papers of {day:%-d %B %Y}"),
        about="As it goes to a new reader who chose no topics. Its personal links lead nowhere.",
        canonical=reverse("day-mail", args=[day]),
        findings=lambda: findings_on(edition, mail.raw, _admit(request)),
    )


@reads(*CONTROLS)
@shown_as_mail
@archived
@require_safe
def archive_html(request: HttpRequest, day: date) -> HttpResponse:
    """Its HTML part alone."""
    return mail_html(request, _archived(request, day)[1])


def _archived(request: HttpRequest, day: date) -> tuple[Edition, Mail]:
    edition = get_object_or_404(Edition.objects.published(), day=day)
    try:
        return edition, Mail(mail_of(edition, _admit(request)))
    except ValueError as error:
        raise Http404("This day has no paper to show.") from error


def _admit(request: HttpRequest) -> Callable[[], bool]:
    return lambda: page_limits.admit_preview(guard.client_ip(request), clock.now())


def _chosen(request: HttpRequest) -> dict[str, str]:
    """The value of each control; the first one where the address says nothing or nonsense."""
    return {
        name: asked if (asked := request.GET.get(name, "")) in values else next(iter(values))
        for name, (_, values) in CONTROLS.items()
    }


def _kept(request: HttpRequest, more: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """What links of the page carry on: ``more``, and the controls that the address names, by what they are set to."""
    chosen = _chosen(request)
    return {**more, **{name: [chosen[name]] for name in CONTROLS if name in request.GET}}


def _controls(
    kept: Mapping[str, Sequence[str]], chosen: Mapping[str, str], *, has_html: bool
) -> Iterator[tuple[str, list[Choice]]]:
    """The controls that mean something for what is shown."""
    for name, (heading, values) in CONTROLS.items():
        if name != "part" and chosen["part"] != "html":
            continue
        choices = []
        for value, words in values.items():
            if value == "html" and not has_html:
                continue
            query = urlencode({**kept, name: [value]}, doseq=True)
            choices.append(Choice(words, query, chosen[name] == value))
        yield heading, choices


def _kb(octets: int) -> float:
    return round(octets / 1024, 1)
