"""How much a paper trends, from recorded counts. Pure: the time is an argument.

    score = ln(1 + worth)      worth = upvotes x lift x growth x fading

- **upvotes**, on a log scale, since they grow by factors with a heavy tail: median 6, 95 % 41, maximum 250 at the
  early reading of 7,703 featured papers.
- **lift** is day-fairness: a paper younger than YOUNG hours stands with what it may expect to have then. The
  form is the gravity of ResearchHub's hot score and of Hacker News, a power of the age in hours plus a constant, turned
  round and bounded: ((YOUNG + 1) / (age + 1)) ** GRAVITY, from 2 for a new paper to 1.
- **growth** needs an earlier reading: up to RISE more worth for a paper that doubles every hour. UNPROVED: no record
  of two readings some hours apart exists yet, so it is tested on made-up pairs only, and its weight is small.
- **fading**: after FRESH hours votes count half for every further HALF_LIFE hours, for editions that also hold papers
  found late. A convention: no record holds counts of the second and third day. Between YOUNG and FRESH hours age does
  not count, since counting it cost rank correlation.

A source that does not say something leaves its factor at 1. Comments, stars, authors taking part, organisations, code
and media were measured too and left out: docs/evaluation.md has the figures.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

YOUNG, FRESH, HALF_LIFE = 3.0, 12.0, 48.0  # hours
GRAVITY = 0.5
RISE = 0.1


@dataclass(frozen=True, slots=True)
class Reading:
    """An earlier count of the same paper, at an aware datetime."""

    at: datetime
    upvotes: int


@dataclass(frozen=True, slots=True)
class Signals:
    """A paper's counts at one reading. None is "not known", which leaves the paper as it is.

    ``since`` is when the paper began to collect votes: an aware datetime; a UTC date where the hour is not known.
    """

    upvotes: int = 0
    since: datetime | date | None = None
    earlier: Reading | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The score and what it was made of. ``upvotes`` are votes, ``age`` hours or None; the other three are factors."""

    value: float
    upvotes: int
    age: float | None
    lift: float
    growth: float
    fading: float

    def ingredients(self) -> dict[str, float]:
        """The fields by name, rounded, without an age that is not known: an edition stores them with the paper."""
        named = {"value": self.value, "lift": self.lift, "growth": self.growth, "fading": self.fading}
        known = named if self.age is None else named | {"age": self.age}
        return {"upvotes": self.upvotes} | {name: round(number, 4) for name, number in known.items()}


def score(signals: Signals, now: datetime) -> Score:
    """The trend of one paper by counts read at ``now`` (aware): finite, 0 or more, never less for more upvotes.

    Negative counts stand for 0, and a beginning in the future for a beginning now.
    """
    upvotes = max(signals.upvotes, 0)
    age = _age(signals.since, now)
    lift = _lift(age) if isinstance(signals.since, datetime) else 1.0
    growth = _growth(upvotes, signals.earlier, now)
    fading = 0.5 ** (max((age or 0.0) - FRESH, 0.0) / HALF_LIFE)
    return Score(math.log1p(upvotes * lift * growth * fading), upvotes, age, lift, growth, fading)


def order(score: Score, key: str) -> tuple[float, int, str]:
    """The sort key of a ranking: highest score, most upvotes, then the paper's own key, so that no two are equal."""
    return -score.value, -score.upvotes, key


def explain(ingredients: Mapping[str, float]) -> str:
    """The sum in words, from what ``Score.ingredients`` gave; "" where these are not such ingredients."""
    if not {"value", "upvotes", "lift", "growth", "fading"} <= ingredients.keys():
        return ""
    if not ingredients["upvotes"]:
        return "no votes known"
    votes, age = ingredients["upvotes"], f"{ingredients.get('age', 0):.1f} h"
    factors = [
        (ingredients["lift"], f"for being only {age} old"),
        (ingredients["growth"], "for rising"),
        (ingredients["fading"], f"for being {age} old"),
    ]
    words = "".join(f" × {factor:.2f} {why}" for factor, why in factors if factor != 1)
    worth = votes * math.prod(factor for factor, _ in factors)
    noun = "upvote" if votes == 1 else "upvotes"
    return f"{votes:g} {noun}{words}: score ln(1 + {worth:.1f}) = {ingredients['value']:.2f}"


def _age(since: datetime | date | None, now: datetime) -> float | None:
    """Hours from ``since`` to ``now``; a date begins at midnight UTC."""
    if since is None:
        return None
    start = since if isinstance(since, datetime) else datetime.combine(since, time(), UTC)
    return max((now - start).total_seconds() / 3600, 0.0)


def _lift(age: float | None) -> float:
    return 1.0 if age is None or age >= YOUNG else ((YOUNG + 1) / (age + 1)) ** GRAVITY


def _growth(upvotes: int, earlier: Reading | None, now: datetime) -> float:
    """1 + RISE x doublings an hour, at most one. Readings less than an hour apart say nothing."""
    hours = (now - earlier.at).total_seconds() / 3600 if earlier else 0.0
    if earlier is None or hours < 1:
        return 1.0
    doublings = math.log2((1 + upvotes) / (1 + max(earlier.upvotes, 0))) / hours
    return 1 + RISE * min(max(doublings, 0.0), 1.0)
