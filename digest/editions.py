"""The day's list: candidates, ranking, and what the editors did to it."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from digest import profiles, trending
from digest.freshness import standing_on
from digest.models import Edition, EditionPaper, Paper, Signal

# How long after its hour an edition may wait for its sources, and readers for it.
PATIENCE = timedelta(hours=2)
GROWTH_OVER = timedelta(hours=12), timedelta(hours=3)
DRAFTED_DAYS = 3  # today and the two before: after a gap, and on the first day, readers find a past


def days_to_draft(now: datetime) -> list[date]:
    """The UTC days whose edition is missing or still a draft, the oldest first."""
    today = now.date()
    days = [today - timedelta(days=back) for back in reversed(range(DRAFTED_DAYS))]
    finished = set(
        Edition.objects.filter(day__in=days).exclude(state=Edition.State.DRAFT).values_list("day", flat=True)
    )
    return [day for day in days if day not in finished]


def draft(day: date, now: datetime, by: str = "") -> Edition | None:
    """Draft or redraft the edition of ``day``: new candidates come in, scores are renewed, the editor's work stays.

    It is pinned to the newest relevance model.

    None where there is no paper for it. An approved edition is returned as it is.
    """
    with transaction.atomic():
        edition = Edition.objects.filter(day=day).first()
        if edition and edition.state != Edition.State.DRAFT:
            return edition
        papers = list(_candidates(day, edition))
        if not papers:
            return edition
        # Pinned with the draft and fixed by the approval: every worker scores the day with the same words and weights.
        told = {"counted_at": now, "standing_on": standing_on(day), "relevance_model": profiles.current()}
        edition, _ = Edition.objects.update_or_create(
            day=day, defaults=told, create_defaults=told | {"drafted_at": now, "drafted_by": by}
        )
        _rank(edition, papers)
    return edition


def _candidates(day: date, edition: Edition | None) -> list[Paper]:
    """Papers of the window that no other edition has: what came too late for yesterday's is in today's."""
    elsewhere = EditionPaper.objects.exclude(edition=edition) if edition else EditionPaper.objects.all()
    # Two conditions and no OR of them: that would be a nested loop over all entries.
    listed = Exists(elsewhere.filter(paper=OuterRef("pk")))
    listed_as_twin = Exists(elsewhere.filter(paper__merged_into=OuterRef("pk")))
    window = Paper.objects.shown().new_between(day - timedelta(days=DRAFTED_DAYS), day)
    return list(window.filter(~listed, ~listed_as_twin).defer("abstract", "keywords", "blurb", "authors"))


def scores_of(papers: list[Paper], now: datetime) -> dict[int, trending.Score]:
    """The trend of each paper by what is counted at ``now``, by primary key. One query."""
    earlier = _earlier_readings(papers, now)
    return {
        p.pk: trending.score(
            trending.Signals(p.upvotes, p.featured_at or p.featured_on or p.announced_on, earlier.get(p.pk)), now
        )
        for p in papers
    }


def _earlier_readings(papers: list[Paper], now: datetime) -> dict[int, trending.Reading]:
    """What each paper counted some hours ago. A count holds until the next row."""
    oldest, newest = (now - age for age in GROWTH_OVER)
    latest = Signal.objects.filter(paper=OuterRef("pk"), hour__lte=newest).order_by("-hour")
    rows = Paper.objects.filter(pk__in=[p.pk for p in papers]).annotate(
        at=Subquery(latest.values("hour")[:1]), then=Subquery(latest.values("upvotes")[:1])
    )
    known = rows.exclude(at=None).values_list("pk", "at", "then")
    return {pk: trending.Reading(max(at, oldest), then) for pk, at, then in known}


def _rank(edition: Edition, papers: list[Paper]) -> None:
    """Pinned papers first, in the editor's order; the rest by trend. Ties end at the key: a rerun gives the same."""
    scores = scores_of(papers, edition.counted_at)
    keys = {p.pk: p.key for p in papers}
    entries = {e.paper_id: e for e in edition.entries.all()}
    touched = {pk for pk, e in entries.items() if pk in scores and (e.pinned or e.hidden or e.blurb)}
    ranked = sorted(scores, key=lambda pk: trending.order(scores[pk], keys[pk]))
    untouched = [pk for pk in ranked if pk not in touched]
    listed = touched | set(untouched[: max(settings.EDITION_SIZE - len(touched), 0)])
    pinned = sorted((pk for pk in touched if entries[pk].pinned), key=lambda pk: entries[pk].position)
    order = [*pinned, *(pk for pk in ranked if pk in listed and pk not in pinned)]
    rows = []
    for position, pk in enumerate(order, start=1):
        entry = entries.get(pk) or EditionPaper(edition=edition, paper_id=pk)
        score = scores[pk]
        entry.position, entry.score, entry.ingredients = position, score.value, score.ingredients()
        rows.append(entry)
    # A row that was merged stays beside the one it went into, unseen: the merge may be undone.
    edition.entries.exclude(paper__in=order).exclude(paper__merged_into__in=order).delete()
    EditionPaper.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["edition", "paper"],
        update_fields=["position", "score", "ingredients"],
    )
