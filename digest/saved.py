"""A reader's saved list, the newest saving first; what an editor hid is not on it, what was withdrawn says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from digest.citations import Reference
from digest.models import Feedback, Paper


@dataclass(frozen=True, slots=True)
class Saving:
    """One work on the list, by the row that stands for it. It teaches where any of its rows does."""

    work: int
    at: datetime
    teaches: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """One paper of the list, ready to show or to cite."""

    paper: Paper
    saving: Saving
    withdrawn: bool

    @property
    def day(self) -> date | None:
        """When it came out: the first day that is known of it, in UTC."""
        submitted = self.paper.submitted_at
        return submitted.date() if submitted else self.paper.announced_on or self.paper.featured_on


def savings_of(subscriber_id: int) -> list[Saving]:
    """The whole list, without its papers, in one query: a page reads those that it shows."""
    own = Feedback.objects.filter(subscriber=subscriber_id, verb=Feedback.Verb.SAVE)
    works = own.annotate(work=Coalesce("paper__merged_into", "paper"))
    shown = works.exclude(_any_row("work", hidden_at__isnull=False))
    found: dict[int, Saving] = {}
    for work, at, teaches in shown.order_by("-said_at", "-pk").values_list("work", "said_at", "teaches"):
        known = found.get(work)
        found[work] = Saving(work, known.at, known.teaches or teaches) if known else Saving(work, at, teaches)
    return list(found.values())


def nameable() -> QuerySet[Paper]:
    """Works that may be named to a reader who spoke of them: all but hidden ones. ``gone`` says if one is withdrawn."""
    works = Paper.objects.filter(merged_into=None).exclude(_any_row("pk", hidden_at__isnull=False))
    return works.annotate(gone=_any_row("pk", withdrawn_at__isnull=False))


def read(savings: Sequence[Saving]) -> list[Saved]:
    """These with their papers, in this order, in one query."""
    rows = nameable().filter(pk__any_of=[saving.work for saving in savings]).defer("abstract", "blurb", "keywords")
    papers: dict[int, Any] = {paper.pk: paper for paper in rows}  # with what ``nameable`` says of them
    found = ((papers.get(saving.work), saving) for saving in savings)
    return [Saved(paper, saving, withdrawn=paper.gone) for paper, saving in found if paper]


def reference(saved: Saved) -> Reference:
    """A paper as the formats of citations take it."""
    paper = saved.paper
    return Reference(
        key=paper.key,
        title=paper.title,
        authors=tuple(paper.authors),
        day=saved.day,
        arxiv_id=paper.arxiv_id or "",
        category=paper.categories[0] if paper.categories else "",
        doi=paper.doi or "",
        url=paper.url,
        note="Withdrawn" if saved.withdrawn else "",
    )


def _any_row(work: str, **what: bool) -> Exists:
    """Whether it holds of any row of a work; ``work`` is the outer column that names it."""
    rows = Paper.objects.filter(**what)
    return Exists(rows.filter(pk=OuterRef(work))) | Exists(rows.filter(merged_into=OuterRef(work)))  # type: ignore[return-value]
