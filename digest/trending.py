"""How much a paper trends, from recorded signals. Pure: the time is an argument.

A first formula, to be measured against plain upvotes on recorded days before it grows:

    score = (ln(1+upvotes) + 0.4 ln(1+comments) + 0.1 ln(1+stars)) * 0.5 ^ (age / HALF_LIFE)

Logarithms, since upvotes grow by factors with a heavy tail (median 6, 95 % 41, maximum 250 at the early reading of
7,703 featured papers). Weights in the order of ResearchHub's hot score (upvote above comment); stars count least,
since they tell of the code's age more than of the paper's day.
"""

import math
from dataclasses import dataclass
from datetime import date

HALF_LIFE = 2.0  # days
COMMENT_WEIGHT, STAR_WEIGHT = 0.4, 0.1


@dataclass(frozen=True, slots=True)
class Signals:
    """A paper's counts at one reading. None is "the source does not say", which is not 0 but adds nothing either."""

    upvotes: int = 0
    comments: int = 0
    stars: int | None = None
    since: date | None = None  # featured, else announced


@dataclass(frozen=True, slots=True)
class Score:
    """The score and what it was made of, so that every paper can print its ingredients."""

    value: float
    upvotes: float
    comments: float
    stars: float
    fading: float


def score(signals: Signals, today: date) -> Score:
    """The trend of one paper on ``today`` (UTC date): 0 or more, finite. A date in the future counts as today."""
    upvotes = math.log1p(max(signals.upvotes, 0))
    comments = COMMENT_WEIGHT * math.log1p(max(signals.comments, 0))
    stars = STAR_WEIGHT * math.log1p(max(signals.stars or 0, 0))
    age = max((today - signals.since).days, 0) if signals.since else 0
    fading = 0.5 ** (age / HALF_LIFE)
    return Score((upvotes + comments + stars) * fading, upvotes, comments, stars, fading)
