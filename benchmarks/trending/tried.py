"""What was tried on the tuning half beside the shipped formula."""

import math

from benchmarks.trending.data import Early
from benchmarks.trending.figures import Scorer
from digest import trending


def _log(weight: float, feature: Scorer) -> Scorer:
    return lambda paper: math.log1p(paper.upvotes) + weight * feature(paper)


def _has(name: str) -> Scorer:
    return lambda paper: float(bool(paper.element.get(name) or paper.element["paper"].get(name)))


def _stars(paper: Early) -> float:
    return math.log1p(paper.element["paper"].get("githubStars") or 0)


def _comments(paper: Early) -> float:
    return math.log1p(paper.element["numComments"])


def _young(hours: float) -> Scorer:
    return lambda p: math.log1p(p.upvotes * max((hours + 1) / (p.hours + 1), 1) ** trending.GRAVITY)


# What was tried on the tuning half, each added to ln(1 + upvotes).
TRIED: dict[str, Scorer] = {
    "0.1 ln(1 + comments)": _log(0.1, _comments),
    "0.4 ln(1 + comments)": _log(0.4, _comments),
    "0.1 ln(1 + stars)": _log(0.1, _stars),
    "0.4 comments, 0.1 stars (our first formula)": _log(1, lambda p: 0.4 * _comments(p) + 0.1 * _stars(p)),
    "0.2 if an author takes part": _log(0.2, _has("isAuthorParticipating")),
    "0.2 if an organisation is named": _log(0.2, _has("organization")),
    "0.2 if there is code": _log(0.2, _has("githubRepo")),
    "0.2 if there is a project page": _log(0.2, _has("projectPage")),
    "0.2 if there are images or videos": _log(0.2, _has("mediaUrls")),
    "0.1 ln(number of authors)": _log(0.1, lambda p: math.log(len(p.element["paper"]["authors"]) or 1)),
    "-0.5 x the day's mean ln(1 + upvotes)": _log(-0.5, lambda p: p.others),
    "-0.2 ln(1 + hours) at any age": _log(-0.2, lambda p: math.log1p(p.hours)),
    "-0.5 ln(1 + hours) at any age": _log(-0.5, lambda p: math.log1p(p.hours)),
    "-1.0 ln(1 + hours) at any age": _log(-1.0, lambda p: math.log1p(p.hours)),
    "lift below 2 hours": _young(2),
    "lift below 4 hours": _young(4),
}
