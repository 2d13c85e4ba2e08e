"""An edition's mail for the editors: what the linter says of it, and what one reader or another would get."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from digest import preflight, preview
from digest.models import Edition
from digest.preview import PAPERS, Preview, Profile
from digest.views.mail import SIZE_LIMIT, mail_html, mail_page, shown_as_mail, sizes
from subscriptions import clock
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Subscriber, Topic

INBOX_WIDTHS = (30, 50, 80)  # characters of subject and preheader: a small phone, a phone, a wide window
ALL = 1000  # papers: more than an edition has
NOTED_EVERY = timedelta(days=1)


class PreviewForm(forms.Form):
    """Whose mail to show. All of it may be left as it is: a new reader who chose nothing."""

    topics = forms.ModelMultipleChoiceField(
        Topic.objects.all(),
        required=False,
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
        help_text="None: the top of the list.",
    )
    phrase = forms.CharField(required=False, max_length=80, label="A keyword of the reader’s own")
    author = forms.CharField(required=False, max_length=80, label="An author whom the reader follows")
    weekly = forms.BooleanField(required=False, label="Weekly digest")
    text_only = forms.BooleanField(required=False, label="Text only")
    papers = forms.TypedChoiceField(
        choices=[(number, str(number)) for number in LIMITS],
        coerce=int,
        required=False,
        initial=PAPERS,
        label="Papers, at most",
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False, initial=settings.LANGUAGE_CODE)
    reader = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        label="Or a reader’s number",
        help_text="Then the reader’s own settings count, and all above does not. It is noted in the reader’s history.",
    )

    def profile(self) -> Profile:
        """What was chosen (of a valid form)."""
        chosen = self.cleaned_data
        return Profile(
            topics=tuple(topic.pk for topic in chosen["topics"]),
            phrases=tuple(filter(None, [chosen["phrase"]])),
            authors=tuple(filter(None, [chosen["author"]])),
            weekly=chosen["weekly"],
            papers=chosen["papers"] or PAPERS,
            text_only=chosen["text_only"],
            language=chosen["language"] or settings.LANGUAGE_CODE,
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """What the panel "The mail" shows."""

    verdict: preflight.Verdict
    subject: str
    preheader: str
    inbox: list[tuple[int, str, str]]  # (characters, subject, preheader) as a list of mails cuts them
    sizes: list[tuple[str, dict[str, float | None]]]
    limit: int = SIZE_LIMIT


def checked(edition: Edition, now: datetime) -> Checked:
    """The linter's verdict, the inbox's line and the sizes of an edition's mail. Costs seconds."""
    verdict = preflight.check(edition, now)
    subject = preheader = ""
    measured = []
    for words, papers in ((f"{PAPERS} papers", PAPERS), ("all papers", ALL)):
        try:
            mail = preview.for_profile(Profile(papers=papers), now, edition).mail
        except Exception:  # noqa: S112 - what is wrong with it stands in the verdict
            continue
        subject, preheader = subject or mail.value("Subject"), preheader or mail.page.preview
        measured.append((words, sizes(mail)))
    inbox = [(width, _cut(subject, width), _cut(preheader, width)) for width in INBOX_WIDTHS]
    return Checked(verdict, subject, preheader, inbox, measured)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[:width]}…"


class Previewed:
    """The previews of an edition: a form that asks whose, and the mail."""

    def get_urls(self) -> list[URLPattern]:
        """The form, the page that shows the mail, and its HTML part alone."""
        site = self.admin_site  # type: ignore[attr-defined]
        views = {"preview": self.preview, "mail": self.mail, "mail/html": self.mail_html}
        own = [
            path(f"<int:pk>/{where}/", site.admin_view(view), name=f"digest_edition_{where.replace('/', '_')}")
            for where, view in views.items()
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    @method_decorator(require_safe)
    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks whose mail to show; what was chosen before is chosen still."""
        chosen = {**request.GET.dict(), "topics": request.GET.getlist("topics")}
        return self._ask(request, self._edition(request, pk), PreviewForm(initial=chosen))

    @method_decorator(require_safe)
    def mail(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mail, or the form again with what is wrong with it."""
        edition = self._edition(request, pk)
        form = PreviewForm(request.GET)
        found = self._preview(request, edition, form)
        if found is None:
            return self._ask(request, edition, form)
        if found.reason:
            return self._ask(request, edition, form, f"No mail: {found.reason}. {found.note}".strip())
        about = f"Preview of the edition of {edition.day}. Its links open nobody’s pages."
        if form.cleaned_data["reader"]:
            about += " That you looked is noted in the reader’s history."
        keep = {name: request.GET.getlist(name) for name in form.fields if name in request.GET}
        query = urlencode(keep, doseq=True)
        return mail_page(
            request,
            found.mail,
            html_url=reverse("admin:digest_edition_mail_html", args=[pk]),
            keep=keep,
            back=(f"{reverse('admin:digest_edition_preview', args=[pk])}?{query}", "Preview as another reader"),
            about=f"{about} {found.note}".strip(),
        )

    @method_decorator([shown_as_mail, require_safe])
    def mail_html(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The HTML part alone."""
        found = self._preview(request, self._edition(request, pk), PreviewForm(request.GET))
        if found is None or found.reason:
            raise Http404("There is no such mail.")
        return mail_html(request, found.mail)

    def _edition(self, request: HttpRequest, pk: int) -> Edition:
        edition = get_object_or_404(Edition, pk=pk)
        if not self.has_view_permission(request, edition):  # type: ignore[attr-defined]
            raise PermissionDenied
        return edition

    def _preview(self, request: HttpRequest, edition: Edition, form: PreviewForm) -> Preview | None:
        """None where the form is not valid. A real reader needs a permission and leaves an entry in the log."""
        if not form.is_valid():
            return None
        now = clock.now()
        number = form.cleaned_data["reader"]
        if number is None:
            return preview.for_profile(form.profile(), now, edition)
        if not request.user.has_perm("subscriptions.view_subscriber"):
            raise PermissionDenied
        reader = Subscriber.objects.filter(pk=number).first()
        if reader is None:
            form.add_error("reader", f"There is no reader {number}.")
            return None
        _note(request, reader, edition, now)
        return preview.for_reader(reader, now, edition)

    def _ask(self, request: HttpRequest, edition: Edition, form: PreviewForm, said: str = "") -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": f"Preview the edition of {edition.day}",
            "edition": edition,
            "form": form,
            "said": said,
        }
        return TemplateResponse(request, "admin/digest/edition/preview.html", context)


def _note(request: HttpRequest, reader: Subscriber, edition: Edition, now: datetime) -> None:
    """In the reader's history: who looked. Once a day; the page asks for its frame, and each control for the page."""
    said = f"Previewed the edition of {edition.day} as this reader."
    mine = LogEntry.objects.filter(
        user=request.user.pk,
        content_type=ContentType.objects.get_for_model(Subscriber),
        object_id=str(reader.pk),
        change_message=said,
    )
    if not mine.filter(action_time__gt=now - NOTED_EVERY).exists():
        assert request.user.pk is not None  # behind the admin's login
        LogEntry.objects.log_actions(request.user.pk, [reader], CHANGE, said)
