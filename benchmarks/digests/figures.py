"""What the sent digests amount to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import mean
from typing import Any

import numpy as np
from django.db.models import Count
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.digests.days import Mail, Played
from digest.models import Digest, Paper

TOP = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A figure in words; ``fault`` where it may not be."""

    words: str
    value: str
    fault: bool = False


def lines(played: Played) -> list[Line]:
    """All figures."""
    mails, wanting = played.mails, {reader.pk for reader in played.readers if reader.wanted}
    picks = [len(mail.papers) for mail in mails]
    repeats, empty = repeated(mails), picks.count(0)
    skips = Digest.objects.filter(state=Digest.State.SKIPPED).values_list("reason").annotate(Count("pk")).order_by()
    reasoned = sum(mail.reasoned for mail in mails)
    fills = sum(len(mail.papers) - mail.reasoned for mail in mails if mail.reader in wanting)
    trending = sum(picks) - reasoned - fills
    covered, coverable = coverage(played)
    spread = _Spread(played)
    return [
        Line("digests", f"{len(mails):,}"),
        Line("papers a reader got twice, by works", f"{repeats:,}", repeats > 0),
        Line("digests without a paper", f"{empty:,}", empty > 0),
        *(Line(f"skipped: {reason}", f"{number:,}") for reason, number in sorted(skips)),
        Line("picks a digest", f"{mean(picks):.1f}"),
        Line("picks with a true reason", _share(reasoned, sum(picks))),
        Line("  labelled as also popular", _share(fills, sum(picks))),
        Line("  labelled as trending: their readers chose nothing", _share(trending, sum(picks))),
        Line("reasons that are not true", f"{len(played.falsehoods):,}", bool(played.falsehoods)),
        *(Line(f"  of the kind {kind}", f"{number:,}") for kind, number in sorted(played.reasons.items())),
        Line("promises that were broken: limits, mutes, nothing but matches", _broken(played), bool(played.broken)),
        Line("terms that are true, but not quite their topic's", _loose(played)),
        Line("interests covered, of those a paper of the reader's week matched", _share(covered, coverable)),
        Line("likeness of the papers of a digest (mean cosine)", f"{spread.of_digests:.3f}"),
        Line("  of the ten with the most upvotes of that day", f"{spread.of_tops:.3f}"),
        Line(f"first {TOP} of the day that a reader without topics got", tops_of_nobody(played)),
        *(Line(f"readers said {verb}", f"{number:,}") for verb, number in sorted(played.words.items())),
        Line("works merged after both rows were listed", f"{played.merged:,}"),
    ]


def _loose(played: Played) -> str:
    """How many, and the commonest."""
    commonest = "".join(f"\n{words} ({number})" for words, number in played.loose.most_common(8))
    return f"{played.loose.total():,}{commonest}"


def _broken(played: Played) -> str:
    return "\n".join(f"{words}: {number:,}" for words, number in sorted(played.broken.items())) or "0"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def repeated(mails: Iterable[Mail]) -> int:
    """How often a reader was sent a work again, whichever of its rows."""
    work = dict(Paper.objects.exclude(merged_into=None).values_list("pk", "merged_into"))
    sent: dict[int, Counter[int]] = defaultdict(Counter)
    for mail in mails:
        sent[mail.reader].update(work.get(paper) or paper for paper in mail.papers)
    return sum(number - 1 for own in sent.values() for number in own.values())


def coverage(played: Played) -> tuple[int, int]:
    """(covered, coverable): interests by reader and ISO week, over the editions that the reader's digests drew on.

    What an interest matches is said by the product's own matching.
    """
    weeks = {paper: day.isocalendar()[:2] for day, papers in played.listed.items() for paper in papers}
    sent: dict[int, set[int]] = defaultdict(set)
    offered: dict[int, set[int]] = defaultdict(set)
    for mail in played.mails:
        sent[mail.reader] |= set(mail.papers)
        for day in _days_of(mail, played.listed):
            offered[mail.reader] |= set(played.listed[day])
    covered = coverable = 0
    for reader in played.readers:
        for wish in reader.wanted:
            found = played.finds[wish] & offered[reader.pk]
            there = {weeks[paper] for paper in found}
            got = {weeks[paper] for paper in found & sent[reader.pk]}
            covered, coverable = covered + len(got), coverable + len(there)
    return covered, coverable


def _days_of(mail: Mail, listed: Iterable[date]) -> Iterator[date]:
    return (day for day in listed if mail.content_from < day <= mail.content_to)


def tops_of_nobody(played: Played) -> str:
    """The mean share of a day's first ten papers in the digests of readers who chose nothing and can get ten."""
    free = {r.pk for r in played.readers if not r.wanted and r.limit >= TOP and not r.is_weekly}
    shares = []
    for mail in played.mails:
        days = list(_days_of(mail, played.listed))
        if mail.reader in free and len(days) == 1:
            top = played.listed[days[0]][:TOP]
            shares.append(len({*top} & {*mail.papers}) / len(top))
    return f"{mean(shares):.1%}" if shares else "-"


class _Spread:
    """How alike papers that stand together are: the mean cosine of all pairs, by TF-IDF over all papers."""

    def __init__(self, played: Played) -> None:
        papers = list(Paper.objects.order_by("pk").only("title", "abstract", "upvotes"))
        self.row = {paper.pk: at for at, paper in enumerate(papers)}
        fitted = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, stop_words="english", min_df=2)
        self.vectors: Any = fitted.fit_transform(f"{paper.title} {paper.abstract}" for paper in papers)
        upvotes = {paper.pk: paper.upvotes for paper in papers}
        tops = {
            day: sorted(own, key=lambda paper: (-upvotes[paper], paper))[:TOP] for day, own in played.listed.items()
        }
        mails = [mail for mail in played.mails if len(mail.papers) > 1 and mail.content_to in tops]
        self.of_digests = self._mean(mail.papers for mail in mails)
        self.of_tops = self._mean(tops[mail.content_to] for mail in mails)

    def _mean(self, together: Iterable[Sequence[int]]) -> float:
        found = [self._likeness(papers) for papers in together if len(papers) > 1]
        return mean(found) if found else 0.0

    def _likeness(self, papers: Sequence[int]) -> float:
        rows = self.vectors[[self.row[paper] for paper in papers]]
        cosines = (rows @ rows.T).toarray()
        return float(cosines[np.triu_indices(len(papers), k=1)].mean())
