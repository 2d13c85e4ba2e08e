"""Papers: found, hidden, shown, given a blurb, and added by hand."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from digest import editions, merging, trending
from digest.admin.paper_form import PaperForm
from digest.dois import dois_in
from digest.models import Paper
from digest.sources.arxiv import bare_id
from subscriptions import clock
from subscriptions.admin import ListAdmin, never

SHOWN_RECORDS = 20


def _rows_of_works(papers: QuerySet[Paper]) -> QuerySet[Paper]:
    """All rows of the works of these papers: one that is withdrawn or hidden takes the work with it."""
    ids = set(papers.values_list("pk", flat=True)) | set(papers.values_list("merged_into", flat=True)) - {None}
    return Paper.objects.filter(Q(pk__in=ids) | Q(merged_into__in=ids))


class ReasonForm(ActionForm):
    """The bar above the list, with a reason for what is done."""

    reason = forms.CharField(required=False, max_length=200)


class Fact(admin.SimpleListFilter):
    """Whether a date is set, asked as a question: "hidden: yes or no"."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes and no."""
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the answer; all where nothing was asked."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(**{f"{self.field}__isnull": self.value() == "no"})


class Hidden(Fact):
    """Hidden by an editor."""

    title, parameter_name, field = "hidden", "hidden", "hidden_at"


class Merged(Fact):
    """A second row of a work."""

    title, parameter_name, field = "merged into another", "merged", "merged_into"


class Withdrawn(Fact):
    """Withdrawn by its authors."""

    title, parameter_name, field = "withdrawn", "withdrawn", "withdrawn_at"


@admin.register(Paper)
class PaperAdmin(ListAdmin):
    """A paper is hidden, never deleted: mails that were sent refer to it."""

    form = PaperForm
    action_form = ReasonForm
    actions = ("hide", "show", "merge", "take_apart", "not_withdrawn")
    list_display = ("title", "featured_on", "upvotes", "is_hidden", "is_withdrawn", "is_merged")
    list_filter = (Hidden, Withdrawn, Merged, "featured_on", "blurb_origin")
    search_fields = ("title", "arxiv_id__exact", "key__exact")
    search_help_text = "Words of the title, an arXiv id, a DOI, or a link to either."
    change_form_template = "admin/digest/paper/change_form.html"
    has_delete_permission = never
    # The id makes the key, by which the sources find the paper again: a wrong one is hidden and added anew.
    named = ("arxiv_id", "doi")
    machine_made = ("key", "first_seen_at", "upvotes", "comments", "stars", "blurb_origin", "withdrawn_at")
    readonly_fields = (*machine_made, "hidden_at", "hidden_reason")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What an editor writes first; what the sources and the site know after it."""
        written: list[Any] = [
            (None, {"fields": ("title", "authors", ("arxiv_id", "doi"), "abstract")}),
            ("In mails", {"fields": ("blurb", "blurb_origin") if obj else ("blurb",)}),
            ("Where it belongs", {"fields": ("categories", "keywords", "code_url", "project_url")}),
            ("Days", {"fields": ("featured_on", "announced_on", "submitted_at")}),
        ]
        known = ("key", "first_seen_at", ("upvotes", "comments", "stars"), "withdrawn_at")
        hidden = (("hidden_at", "hidden_reason"),)
        return [*written, ("Hidden", {"fields": hidden}), ("Known", {"fields": known})] if obj else written

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The ids are given once."""
        return (*self.readonly_fields, *self.named) if obj else self.readonly_fields

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """A paper added by hand is meant for today, unless the link says another day."""
        return {"featured_on": clock.now().date(), **super().get_changeform_initial_data(request)}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Paper], search_term: str
    ) -> tuple[QuerySet[Paper], bool]:
        """An id or a DOI is found however it is written; anything else is words and keys."""
        if arxiv_id := bare_id(search_term):
            return queryset.filter(arxiv_id=arxiv_id), False
        if dois := dois_in(search_term):
            keys = [f"doi:{doi}" for doi in dois]
            return queryset.filter(Q(doi__in=dois) | Q(key__in=keys)), False
        return super().get_search_results(request, queryset, search_term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Paper]:
        """A list reads no abstracts; a paper's page reads all of it."""
        papers: QuerySet[Paper] = super().get_queryset(request)
        papers = papers.select_related("merged_into")
        is_list = request.resolver_match and request.resolver_match.url_name == "digest_paper_changelist"
        return papers.defer("abstract", "authors", "blurb", "keywords", "categories") if is_list else papers

    @admin.display(description="Hidden")
    def is_hidden(self, obj: Paper) -> str:
        """Why it is hidden, in words: a red cross beside every ordinary paper would look like a fault."""
        return (obj.hidden_reason or "yes") if obj.hidden_at else ""

    @admin.display(description="Withdrawn")
    def is_withdrawn(self, obj: Paper) -> str:
        """When its authors withdrew it."""
        return f"{obj.withdrawn_at:%Y-%m-%d}" if obj.withdrawn_at else ""

    @admin.display(description="Merged into")
    def is_merged(self, obj: Paper) -> str:
        """The row that stands for the work, where this one does not."""
        return str(obj.merged_into) if obj.merged_into else ""

    def view_on_site(self, obj: Paper) -> str:
        """Its own page, without the detour over content types."""
        return obj.get_absolute_url()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was edited is written: a source may be counting upvotes at this moment."""
        if not change:
            obj.first_seen_at = clock.now()
        if "blurb" in form.changed_data:
            obj.blurb_origin = Paper.Origin.EDITOR if obj.blurb else Paper.Origin.ABSTRACT
        written = [*form.changed_data, "blurb_origin", "edited"]
        if obj.code_url and not form.initial.get("code_url"):
            obj.code_seen_at = obj.code_seen_at or clock.now()
            written.append("code_seen_at")
        now_edited = Paper.objects.values_list("edited", flat=True).filter(pk=obj.pk).first() or []
        obj.edited = sorted({*now_edited, *form.changed_data})  # no source overrules an editor, nor one the other
        obj.save(update_fields=written if change else None)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With the sources' own records and the newest counts."""
        if paper := kwargs["obj"]:
            sightings = paper.sightings.order_by("-last_seen_at")[:SHOWN_RECORDS]
            context["sightings"] = [
                (sighting, json.dumps(sighting.raw, indent=2, ensure_ascii=False)) for sighting in sightings
            ]
            now = clock.now()
            context["trend"] = trending.explain(editions.scores_of([paper], now)[paper.pk].ingredients())
            context["twins"] = paper.twins.all()
            context["lookalikes"] = merging.lookalikes(paper)
            context["signals"] = paper.signals.order_by("-hour")[:SHOWN_RECORDS]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Hide everywhere (with a reason)", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Paper]) -> None:
        """Out of editions, mails not yet sent and pages."""
        reason = request.POST.get("reason", "").strip()[:200]
        if not reason:
            self.message_user(request, "Write a reason beside the action: others will ask.", messages.ERROR)
            return
        papers = list(queryset.filter(hidden_at=None))
        Paper.objects.filter(pk__in=[p.pk for p in papers]).update(hidden_at=clock.now(), hidden_reason=reason)
        self.log(request, papers, f"Hidden: {reason}")
        self.message_user(request, f"Hidden: {len(papers)}.", messages.SUCCESS)

    @admin.action(description="Merge: one work (that with an arXiv id stays, else the oldest)", permissions=["change"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Paper]) -> None:
        """One of them stands for the work; nobody who was sent one gets the other."""
        papers = list(queryset)
        unlike = any(len({getattr(p, name) for p in papers} - {None, ""}) > 1 for name in ("arxiv_id", "doi"))
        if unlike and not request.POST.get("reason", "").strip():
            said = "They have different arXiv ids or DOIs. Write beside the action why they are one work all the same."
            self.message_user(request, said, messages.ERROR)
            return
        try:
            survivor = merging.merge([p.pk for p in papers], clock.now(), by=request.user.get_username())
        except merging.CannotMerge as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        self.log(request, papers, f"Merged into {survivor.key}. {request.POST.get('reason', '').strip()}".strip())
        said = (
            f"One work now: “{survivor}” ({survivor.key}). “Take apart” undoes it. "
            "Pins and blurbs of the others in drafts do not go along."
        )
        self.message_user(request, said, messages.SUCCESS)

    @admin.action(description="Take apart: it is a work of its own", permissions=["change"])
    def take_apart(self, request: HttpRequest, queryset: QuerySet[Paper]) -> None:
        """Undo a merge, for good. Of a work that others went into, all of them come out."""
        chosen = list(queryset.values_list("pk", flat=True))
        twins = list(Paper.objects.filter(Q(pk__in=chosen) | Q(merged_into__in=chosen)).exclude(merged_into=None))
        for twin in twins:
            merging.unmerge(twin)
        self.log(request, twins, "Taken apart: a work of its own.")
        self.message_user(request, f"Taken apart: {len(twins)}.", messages.SUCCESS if twins else messages.WARNING)

    @admin.action(description="Not withdrawn after all", permissions=["change"])
    def not_withdrawn(self, request: HttpRequest, queryset: QuerySet[Paper]) -> None:
        """What a source says of its withdrawal does not count any more."""
        papers = list(_rows_of_works(queryset).exclude(withdrawn_at=None))
        for paper in papers:
            paper.withdrawn_at, paper.edited = None, sorted({*paper.edited, "withdrawn_at"})
            paper.save(update_fields=["withdrawn_at", "edited"])
        self.log(request, papers, "Not withdrawn after all.")
        self.message_user(request, f"Not withdrawn: {len(papers)}.", messages.SUCCESS)

    @admin.action(description="Show again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Paper]) -> None:
        """Back where it was."""
        papers = list(_rows_of_works(queryset).exclude(hidden_at=None))
        Paper.objects.filter(pk__in=[p.pk for p in papers]).update(hidden_at=None, hidden_reason="")
        self.log(request, papers, "Shown again.")
        self.message_user(request, f"Shown again: {len(papers)}.", messages.SUCCESS)
