"""The form of a paper: what an editor types becomes the same key that a source's record would get."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from digest.addresses import linkable
from digest.admin.lines import LinesField
from digest.dois import dois_in
from digest.identity import Identity
from digest.models import Paper
from digest.papers import known_as
from digest.sources.arxiv import bare_id
from digest.sources.base import PaperRecord
from digest.text import readable


def _link_of(typed: str) -> str:
    """What was typed if readers may be led there. Raises ValidationError."""
    if typed and not linkable(typed):
        raise ValidationError("Enter an address like https://example.org/page, without a user name or a port.")
    return typed


class PaperForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Texts are made readable as the sources' are. A paper that is here already is refused with its link."""

    # Longer than the columns: a link is pasted, its id is kept.
    arxiv_id = forms.CharField(
        label="arXiv id",
        required=False,
        max_length=200,
        help_text="Like 2604.14268; a link to arXiv will do.",
    )
    doi = forms.CharField(label="DOI", required=False, max_length=255, help_text="Like 10.1000/182; a link will do.")
    # One field: the admin's pair of date and time has labels that belong to no control.
    submitted_at = forms.DateTimeField(label="Submitted at", required=False, help_text="Like 2026-03-18 17:55, in UTC.")
    authors = LinesField(rows=5, help_text="One a line, in the order of the paper.")
    categories = LinesField(rows=3, help_text="arXiv categories, one a line, the primary one first: cs.CL")
    keywords = LinesField(rows=3, help_text="One a line. Topics match them too.")

    class Meta:
        model = Paper
        fields = "__all__"  # noqa: DJ007 - the admin names them in its fieldsets
        widgets = {
            "title": forms.TextInput(attrs={"class": "vLargeTextField", "size": 90}),
            "abstract": forms.Textarea(attrs={"rows": 8, "cols": 90}),
            "blurb": forms.Textarea(attrs={"rows": 3, "cols": 90}),
        }
        help_texts = {
            "blurb": "One to three sentences shown in mails, at most 300 characters. Empty: the abstract.",
            "featured_on": "The day whose edition it is for. It comes in while that edition is a draft.",
        }

    def clean_title(self) -> str:
        """On one line."""
        title = readable(self.cleaned_data["title"])
        if not title:
            raise ValidationError("Enter the title.")
        return title

    def clean_abstract(self) -> str:
        """On one line."""
        return readable(self.cleaned_data["abstract"])

    def clean_blurb(self) -> str:
        """On one line."""
        return readable(self.cleaned_data["blurb"])

    def clean_code_url(self) -> str:
        """As sources' addresses are."""
        return _link_of(self.cleaned_data["code_url"])

    def clean_project_url(self) -> str:
        """As sources' addresses are."""
        return _link_of(self.cleaned_data["project_url"])

    def clean_arxiv_id(self) -> str | None:
        """The id alone, without version."""
        typed = (self.cleaned_data["arxiv_id"] or "").strip()
        if not typed:
            return None
        found = bare_id(typed)
        if not found:
            raise ValidationError("This is not an arXiv id. They look like 2604.14268 or hep-th/9901001.")
        return found

    def clean_doi(self) -> str | None:
        """The DOI alone, in lower case: DOIs do not tell cases apart. ``clean`` takes one of two."""
        typed = self.cleaned_data["doi"] or ""
        dois = dois_in(typed)
        if typed.strip() and not dois:
            raise ValidationError("This is not a DOI. They look like 10.1000/182.")
        return " ".join(dois) or None

    def clean(self) -> dict[str, Any]:
        """Give a new paper the names that a source's record would give it, or say which paper has them."""
        data = super().clean() or {}
        if self.instance.pk or self.errors:
            return data
        record = PaperRecord(
            source="editor",
            source_key="",
            title=data["title"],
            authors=tuple(data["authors"]),
            arxiv_id=data["arxiv_id"],
            doi=data["doi"],
            submitted_at=data["submitted_at"],
            featured_on=data["featured_on"],
        )
        named = Identity(record)
        data["arxiv_id"], data["doi"] = named.arxiv_id, named.doi  # arXiv's own DOI is an arXiv id
        self.instance.key, self.instance.fingerprint = named.key, named.fingerprint
        if existing := known_as(record):
            names = {"arxiv_id": named.arxiv_id, "doi": named.doi}
            field = next((f for f, name in names.items() if name and getattr(existing, f) == name), "title")
            link = reverse("admin:digest_paper_change", args=[existing.pk])
            said = format_html('This paper is here already: <a href="{}">{}</a>.', link, existing.title)
            self.add_error(field, ValidationError(said, code="duplicate"))
        return data
