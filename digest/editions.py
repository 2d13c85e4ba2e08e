"""The day's list: candidates, ranking, and what the editors did to it."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from digest import trending
from digest.models import Edition, EditionPaper, Paper, SourceRun

# How long after its hour an edition may wait for its sources, and readers for it.
PATIENCE = timedelta(hours=2)
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

    None where there is no paper for it. An approved edition is returned as it is.
    """
    with transaction.atomic():
        edition = Edition.objects.filter(day=day).first()
        if edition and edition.state != Edition.State.DRAFT:
            return edition
        papers = list(_candidates(day, edition))
        if not papers:
            return edition
        standing_on = _standing_on(day)
        if edition is None:
            edition = Edition.objects.create(
                day=day, drafted_at=now, drafted_by=by, counted_at=now, standing_on=standing_on
            )
        else:
            edition.counted_at, edition.standing_on = now, standing_on
            edition.save(update_fields=["counted_at", "standing_on"])
        _rank(edition, papers)
    return edition


def _candidates(day: date, edition: Edition | None) -> list[Paper]:
    """Papers of the window that no other edition has: what came too late for yesterday's is in today's."""
    elsewhere = EditionPaper.objects.filter(paper=OuterRef("pk"))
    if edition:
        elsewhere = elsewhere.exclude(edition=edition)
    window = Paper.objects.shown().new_between(day - timedelta(days=DRAFTED_DAYS), day)
    return list(window.filter(~Exists(elsewhere)).defer("abstract", "keywords", "blurb", "authors"))


def _rank(edition: Edition, papers: list[Paper]) -> None:
    """Pinned papers first, in the editor's order; the rest by trend. Ties end at the key: a rerun gives the same."""
    scores = {
        p.pk: trending.score(
            trending.Signals(p.upvotes, p.comments, p.stars, p.featured_on or p.announced_on), edition.day
        )
        for p in papers
    }
    keys = {p.pk: p.key for p in papers}
    entries = {e.paper_id: e for e in edition.entries.all()}
    touched = {pk for pk, e in entries.items() if pk in scores and (e.pinned or e.hidden or e.blurb)}
    ranked = sorted(scores, key=lambda pk: (-scores[pk].value, keys[pk]))
    untouched = [pk for pk in ranked if pk not in touched]
    listed = touched | set(untouched[: max(settings.EDITION_SIZE - len(touched), 0)])
    pinned = sorted((pk for pk in touched if entries[pk].pinned), key=lambda pk: entries[pk].position)
    order = [*pinned, *(pk for pk in ranked if pk in listed and pk not in pinned)]
    rows = []
    for position, pk in enumerate(order, start=1):
        entry = entries.get(pk) or EditionPaper(edition=edition, paper_id=pk)
        score = scores[pk]
        entry.position, entry.score = position, score.value
        entry.ingredients = {
            name: round(getattr(score, name), 4) for name in ("upvotes", "comments", "stars", "fading")
        }
        rows.append(entry)
    edition.entries.exclude(paper__in=order).delete()
    EditionPaper.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["edition", "paper"],
        update_fields=["position", "score", "ingredients"],
    )


def _standing_on(day: date) -> list[dict[str, str]]:
    """The last run of each source for the day: the mail says how fresh it is."""
    runs: dict[str, SourceRun] = {}
    for run in SourceRun.objects.filter(day=day).exclude(state=SourceRun.State.RUNNING).order_by("started_at"):
        runs[run.source] = run
    return [
        {"source": r.source, "state": r.state, "reason": r.reason, "papers": str(r.received)} for r in runs.values()
    ]
