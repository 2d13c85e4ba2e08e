"""The recorded lists as units of two halves."""

import gzip
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from digest import trending

HALVES = ("tuning", "held-out")
FEWEST = 10  # papers of a day


@dataclass(frozen=True, slots=True)
class Early:
    """A paper at the early reading; ``element`` is what the source said, ``others`` the day's mean ln(1 + upvotes)."""

    key: str
    upvotes: int
    since: datetime | date
    at: datetime
    element: dict[str, Any]
    others: float

    @property
    def hours(self) -> float:
        """How long it had been listed."""
        return self.score().age or 0.0

    def score(self) -> trending.Score:
        """Our score at the reading."""
        return trending.score(trending.Signals(self.upvotes, self.since), self.at)


@dataclass(frozen=True, slots=True)
class Unit:
    """What is averaged over: a day with late upvotes by key, or a week with its top ten."""

    name: str
    half: str
    early: list[Early]
    late: dict[str, int]
    top10: frozenset[str] = frozenset()


def load(data: Path) -> list[Unit]:
    """Days and weeks of both halves, in order of time. Raises OSError, ValueError or KeyError for unreadable data."""
    lists = {row["date"]: _early(row) for row in _lines(data / "hf_daily_papers.jsonl.gz")}
    units = []
    for row in _lines(data / "hf_late_snapshot.jsonl.gz"):
        late = {paper["id"]: paper["upvotes"] for paper in row["papers"]}
        both = [paper for paper in lists.get(row["date"], []) if paper.key in late]
        if len(both) >= FEWEST:
            half = HALVES[date.fromisoformat(row["date"]).timetuple().tm_yday % 2 == 0]
            units.append(Unit(row["date"], half, both, late))
    for week in json.loads((data / "hf_weekly_top10.json").read_text()):
        name = week["week"]
        early = [paper for day, papers in lists.items() if _week(day) == name for paper in papers]
        top10 = frozenset(paper["id"] for paper in week["top10"])
        if early:
            units.append(Unit(name, HALVES[int(name[-2:]) % 2 == 0], early, {}, top10))
    return units


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _early(row: dict[str, Any]) -> list[Early]:
    at, day = datetime.fromisoformat(row["committed_at"]), date.fromisoformat(row["date"])
    elements = {element["paper"]["id"]: element for element in row["response"]}
    others = fmean([math.log1p(element["paper"]["upvotes"]) for element in elements.values()] or [0.0])
    papers = []
    for key, element in elements.items():
        since = element["paper"].get("submittedOnDailyAt")
        since = datetime.fromisoformat(since) if since else day
        papers.append(Early(key, element["paper"]["upvotes"], since, at, element, others))
    return papers


def _week(day: str) -> str:
    return "{}-W{:02}".format(*date.fromisoformat(day).isocalendar())


def growth_by_age(units: Sequence[Unit]) -> Iterator[tuple[str, int, float]]:
    """By hours listed at the reading: how many papers, and the factor by which 1 + upvotes grew, as a mean of logs."""
    for start, end in ((0, 2), (2, 4), (4, 6), (6, 12)):
        logs = [
            math.log1p(unit.late[paper.key]) - math.log1p(paper.upvotes)
            for unit in units
            for paper in unit.early
            if unit.late and start <= paper.hours < end
        ]
        if logs:
            yield f"{start} to {end}", len(logs), math.exp(fmean(logs))
