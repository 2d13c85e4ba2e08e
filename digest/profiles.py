"""The relevance model that an edition is pinned to, fitted and stored; and what readers' feedback teaches."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from django.db.models import QuerySet
from scipy.sparse import csr_matrix, vstack

from digest import feedback
from digest.kept import Kept
from digest.models import Edition, Paper, RelevanceModel
from digest.readings import paper_text
from digest.relevance import VERSION, Model, tastes

log = logging.getLogger(__name__)
WINDOW = timedelta(days=90)
MOST_PAPERS = 20_000  # of the window, the newest: some ten seconds of fitting
FEWEST_PAPERS = 50  # of fewer the weights of words say little
RENEW_AFTER = timedelta(hours=20)  # once a day, whichever hour the first draft comes
KEEP = timedelta(days=30)
KEPT_PAPERS = 20_000  # that readers spoke of, as vectors: 1 KB each
KEPT_PAIRS = 50_000
WORDS = 5  # of a taste, for the page of what was learned
SAME_WORDS = Path(__file__).with_name("same_words.json")


@lru_cache(maxsize=1)
def same_words() -> Mapping[str, str]:
    """Short forms and what they stand for, as shipped. A model keeps those that it was fitted with."""
    return MappingProxyType(json.loads(SAME_WORDS.read_text("utf-8")))


def renew(now: datetime, *, force: bool = False) -> RelevanceModel | None:
    """Fit a new model if the newest is a day old, and drop those that no recent edition is pinned to; the newest.

    None where there are too few papers to learn from. Takes seconds, so call it in no transaction. Two at once make
    two models, of which editions take the newer.
    """
    newest = current()
    if newest and newest.fitted_at > now - RENEW_AFTER and not force:
        return newest
    papers = list(_window(now))
    if len(papers) < FEWEST_PAPERS:
        return newest
    # An abstract is all that a fit needs: blurbs repeat it, and authors' names are no words of the field.
    model = Model.fit([paper_text(paper) for paper in papers], same_words())
    vocabulary, idf = model.encode()
    row = RelevanceModel.objects.create(
        version=VERSION,
        fitted_at=now,
        documents=len(papers),
        since=(now - WINDOW).date(),
        until=now.date(),
        terms=len(model.vocabulary),
        vocabulary=vocabulary,
        idf=idf,
        same_words=dict(model.same),
    )
    stale = RelevanceModel.objects.filter(fitted_at__lt=now - KEEP).exclude(editions__day__gte=(now - KEEP).date())
    stale.delete()
    log.info("relevance model %s: %s terms of %s papers", row.pk, row.terms, row.documents)
    return row


def _window(now: datetime) -> QuerySet[Paper]:
    seen = Paper.objects.filter(merged_into=None, first_seen_at__gt=now - WINDOW, first_seen_at__lte=now)
    rows = seen.only("title", "abstract", "blurb", "categories", "keywords", "authors")
    return rows.order_by("-first_seen_at", "-pk")[:MOST_PAPERS]


def current() -> RelevanceModel | None:
    """The newest model that this code can read, without its words; None where there is none."""
    rows = RelevanceModel.objects.filter(version=VERSION).defer("vocabulary", "idf", "same_words")
    return rows.order_by("-fitted_at", "-pk").first()


def model_of(edition: Edition | None) -> Model:
    """The model that an edition is pinned to, loaded once per process.

    Where it is missing, damaged or of another version, one without words, and the log says so: then interests find
    papers by phrases and categories alone.
    """
    return loaded(edition.relevance_model_id) if edition else without_words()


@lru_cache(maxsize=1)
def without_words() -> Model:
    """What stands in where there is no model."""
    return Model.without_words(same_words())


@lru_cache(maxsize=2)
def loaded(pk: int | None) -> Model:
    """A stored model, or the one without words where this code cannot read it. A row is never changed: kept."""
    try:
        if pk is None:
            raise ValueError("none was fitted before the edition was approved")
        row = RelevanceModel.objects.filter(pk=pk).first()
        if row is None or row.version != VERSION:
            raise ValueError(f"it is of version {row.version}, not {VERSION}" if row else "it is gone")
        same = row.same_words
        if not isinstance(same, dict) or not all(isinstance(form, str) for form in same.values()):
            raise ValueError("its list of same words is damaged")
        return Model.decode(bytes(row.vocabulary), bytes(row.idf), same)
    except ValueError as fault:
        log.error("relevance model %s cannot be used: %s. Interests are matched by their words", pk, fault)
        return without_words()


class Learning:
    """The papers that readers speak of, by one model. They are kept between chunks: many readers speak of the same."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.shared = Kept[tuple[str, ...]](KEPT_PAIRS)  # the terms of a liked paper and a candidate
        self._forget()

    def _forget(self) -> None:
        self._row: dict[int, int] = {}
        self._rows = self.model.vectors([])
        self.shared.clear()

    def vectors(self, papers: Iterable[int]) -> tuple[dict[int, int], csr_matrix]:
        """The vectors of these papers (n x V), and the row of each that is there. One query where any is new."""
        wanted = dict.fromkeys(papers)
        if len(self._row) + len(wanted) > KEPT_PAPERS:
            self._forget()
        missing = (
            Paper.objects.filter(pk__in=wanted.keys() - self._row.keys()) if wanted.keys() - self._row.keys() else ()
        )
        if new := list(missing):
            self._row |= {paper.pk: len(self._row) + at for at, paper in enumerate(new)}
            self._rows = vstack([self._rows, self.model.vectors([paper_text(paper) for paper in new])]).tocsr()
        known = [paper for paper in wanted if paper in self._row]
        return {paper: at for at, paper in enumerate(known)}, self._rows[[self._row[paper] for paper in known]]


@dataclass(frozen=True, slots=True)
class Learned:
    """A taste as a page shows it: the papers that taught it and the words that stand out in them."""

    papers: tuple[Paper, ...]
    words: tuple[str, ...]


def learned_by(subscriber_id: int) -> list[Learned]:
    """What the reader's digests have learned, by the newest model; papers that are not shown any more are left out."""
    said = feedback.lessons([subscriber_id]).get(subscriber_id)
    newest = current()
    if said is None or not said.liked:
        return []
    model = loaded(newest.pk) if newest else without_words()
    row, vectors = Learning(model).vectors(said.liked)
    shown = Paper.objects.shown().in_bulk(said.liked)
    found = [
        Learned(tuple(shown[paper] for paper in taste.papers if paper in shown), taste.terms(model, WORDS))
        for taste in tastes(vectors, list(row))
    ]
    return [learned for learned in found if learned.papers]
