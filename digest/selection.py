"""Scores + limits + already sent -> picks. Pure and deterministic."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from digest.relevance import Match

# Fewer matches than this are filled up with popular papers, unless the reader wants only what matches.
ENOUGH = 3
K = TypeVar("K", bound=Hashable)  # what names an interest: its topic's number, or the reader's own words


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that may be picked: its place in the ranking (1 is the top) and its trend score."""

    paper: int
    place: int
    trend: float = 0.0


@dataclass(frozen=True, slots=True)
class Pick:
    """One paper of a digest with the reasons it is there; none means it is there as a popular one."""

    paper: int
    place: int
    reasons: tuple[Match, ...] = ()


def pick(
    candidates: Sequence[Candidate],
    matches: Mapping[K, Mapping[int, Match]],
    wanted: Iterable[K],
    *,
    sent: Collection[int] = (),
    muted: Collection[int] = (),
    limit: int = 10,
    only_topics: bool = False,
) -> list[Pick]:
    """At most ``limit`` picks in the order of the ranking.

    Every wanted interest proposes its papers by relevance x trend, and interests take turns in their order, so that a
    loud one cannot drown another. A reader who wants nothing in particular gets the top of the ranking. Papers in
    ``sent`` are never picked, those in ``muted`` only for an interest that matches them.
    """
    fresh = {c.paper: c for c in candidates if c.paper not in sent}
    popular = (c for c in _ranked(fresh.values()) if c.paper not in muted)
    wanted = list(dict.fromkeys(wanted))
    if not wanted:
        return [Pick(c.paper, c.place) for c in islice(popular, limit)]
    queues = [_queue(matches.get(interest, {}), fresh) for interest in wanted]
    chosen = list(islice(_take_turns(queues), limit))
    if len(chosen) < min(ENOUGH, limit) and not only_topics:
        others = (c.paper for c in popular if c.paper not in chosen)
        chosen += list(islice(others, min(ENOUGH, limit) - len(chosen)))
    reasons = {paper: [matches[i][paper] for i in wanted if paper in matches.get(i, ())] for paper in chosen}
    return [
        Pick(c.paper, c.place, tuple(sorted(reasons[c.paper], key=lambda m: -m.score)))
        for c in _ranked(fresh[paper] for paper in chosen)
    ]


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (c.place, c.paper))


def _queue(matches: Mapping[int, Match], fresh: Mapping[int, Candidate]) -> list[int]:
    """An interest's papers, the best first. 1 + trend, so that a relevant paper without votes is not worth nothing."""
    own = [fresh[paper] for paper in matches if paper in fresh]
    own.sort(key=lambda c: (-matches[c.paper].score * (1 + c.trend), c.place, c.paper))
    return [c.paper for c in own]


def _take_turns(queues: Sequence[Sequence[int]]) -> Iterable[int]:
    seen: set[int] = set()
    for round_ in range(max(map(len, queues), default=0)):
        for queue in queues:
            if round_ < len(queue) and queue[round_] not in seen:
                seen.add(queue[round_])
                yield queue[round_]
