"""Readers from a file and into a file. No address reaches the cache, the session or a log.

An import is checked first. The file itself is not kept between the two steps, since it is full of addresses: it is
chosen twice, and the signed hash of the first one lets nothing but that very file be imported.
"""

import hashlib
import logging
from datetime import timedelta
from typing import IO, Any

from django import forms
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from subscriptions import clock, transfer
from subscriptions.admin.lists import ListAdmin
from subscriptions.models import Subscriber
from subscriptions.transfer import COLUMNS, Outcome, Report

LARGEST = 5 * 1024 * 1024  # bytes; the command has no limit, and nobody waits for a page
SHOWN_LINES = 500
UNPROCESSABLE = 422
CHECKED = signing.TimestampSigner(salt="subscriptions.admin.import")
CHECK_HOLDS = timedelta(hours=1)
log = logging.getLogger(__name__)


class FileForm(forms.Form):
    """A file, and in the second step what the first one found."""

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,  # the reader of the file says what is missing
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"required": "Choose a file"},
    )
    checked = forms.CharField(required=False)

    def clean_file(self) -> "UploadedFile[bytes]":
        """Not too large for a page."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise ValidationError(
                f"This file is larger than {LARGEST >> 20} MB. "
                "Import it on the server: manage.py import_subscribers FILE"
            )
        return file

    def clean(self) -> dict[str, Any]:
        """The second step takes the file of the first, within the hour. ``skip_faulty`` is what was shown there."""
        data = super().clean() or {}
        if not data.get("checked") or "file" not in data:
            return data
        try:
            found = CHECKED.unsign_object(data["checked"], max_age=CHECK_HOLDS)
        except signing.BadSignature as error:
            raise ValidationError("The check is more than an hour ago. Check the file again") from error
        if found["file"] != _fingerprint(data["file"]):
            raise ValidationError("This is another file than the one that was checked. Check this one first")
        return {**data, "skip_faulty": found["skip_faulty"]}


class ByFile(ListAdmin):
    """Adds the pages "Import" and "Export" to the list of readers, each with a permission of its own."""

    change_list_template = "admin/subscriptions/subscriber/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """The two pages, before those that take anything for a number."""
        own = [
            path("import/", self.admin_site.admin_view(self.import_view), name="subscriptions_subscriber_import"),
            path("export/", self.admin_site.admin_view(self.export_view), name="subscriptions_subscriber_export"),
        ]
        return [*own, *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Step 1 checks a file and writes nothing; step 2 imports it. Both are one POST and its answer.

        The report names addresses, so it is the answer itself and not a message of the next page.
        """
        if not request.user.has_perm("subscriptions.import_subscriber"):
            raise PermissionDenied
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        report = None
        if form.is_bound and form.is_valid():
            try:
                report = self._run(request, form.cleaned_data)
            except transfer.Unreadable as error:
                form.add_error("file", str(error))
            except transfer.Collided as error:
                form.add_error(None, str(error))
        return self._import_page(request, form, report)

    def _run(self, request: HttpRequest, data: dict[str, Any]) -> Report:
        checked = "skip_faulty" in data
        by = request.user.get_username()
        report = transfer.import_file(
            _opened(data["file"]), clock.now(), by, dry_run=not checked, skip_faulty=data.get("skip_faulty", False)
        )
        if report.done:
            self._note(request, f"Imported from a file: {report}.", ADDITION)
        return report

    def _import_page(self, request: HttpRequest, form: FileForm, report: Report | None) -> HttpResponse:
        checked = ""
        if report and report.taken and not report.done:
            what = {"file": _fingerprint(form.cleaned_data["file"]), "skip_faulty": bool(report.faulty)}
            checked = CHECKED.sign_object(what)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import readers",
            "opts": self.opts,
            "form": form,
            "report": report,
            "counts": [(what, report.counts[what]) for what in Outcome if report.counts[what]] if report else [],
            "lines": report.lines[:SHOWN_LINES] if report else [],
            "checked": checked,  # not that of the form: after an error the file is checked anew
            "columns": COLUMNS,
        }
        status = UNPROCESSABLE if form.is_bound and form.errors else 200
        return TemplateResponse(request, "admin/subscriptions/subscriber/import.html", context, status=status)

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """GET says what it is; POST is the file, line by line, and is written down first."""
        if not request.user.has_perm("subscriptions.export_subscriber"):
            raise PermissionDenied
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "title": "Export readers", "opts": self.opts}
            return TemplateResponse(request, "admin/subscriptions/subscriber/export.html", context)
        now, everybody = clock.now(), "everybody" in request.POST
        self._note(request, "Exported everybody." if everybody else "Exported the active readers.", CHANGE)
        log.info("export by user %s", request.user.pk)
        lines = transfer.export_file(now, everybody=everybody)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="readers-{now:%Y-%m-%d}.csv"'
        return response

    def _note(self, request: HttpRequest, message: str, flag: int) -> None:
        """About many readers at once, so about none of them by number."""
        assert request.user.pk
        LogEntry.objects.create(
            user_id=request.user.pk,
            content_type=ContentType.objects.get_for_model(Subscriber),
            object_repr="readers",
            action_flag=flag,
            change_message=message,
        )


def _opened(upload: "UploadedFile[bytes]") -> Any:
    """The bytes below the upload: in memory, or a temporary file that ends with the request."""
    return upload.file


def _fingerprint(upload: "UploadedFile[bytes]") -> str:
    file: IO[bytes] = _opened(upload)
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a file by what it can do
