"""Scores + limits + already sent -> picks. Pure and deterministic."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from digest.relevance import Match

# Fewer matches than this are filled up with popular papers, unless the reader wants only the own topics.
ENOUGH = 3


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
    matches: Mapping[int, Mapping[int, Match]],
    topics: Iterable[int],
    *,
    sent: Collection[int] = (),
    limit: int = 10,
    only_topics: bool = False,
) -> list[Pick]:
    """At most ``limit`` picks in the order of the ranking.

    Every topic proposes its papers by relevance x trend, and topics take turns, so that a loud one cannot drown
    another. A reader without topics gets the top of the ranking. Papers in ``sent`` are never picked.
    """
    fresh = {c.paper: c for c in candidates if c.paper not in sent}
    wanted = list(dict.fromkeys(topics))
    if not wanted:
        return [Pick(c.paper, c.place) for c in islice(_ranked(fresh.values()), limit)]
    queues = [_queue(matches.get(topic, {}), fresh) for topic in wanted]
    chosen = list(islice(_take_turns(queues), limit))
    if len(chosen) < min(ENOUGH, limit) and not only_topics:
        popular = (c.paper for c in _ranked(fresh.values()) if c.paper not in chosen)
        chosen += islice(popular, min(ENOUGH, limit) - len(chosen))
    reasons = {paper: [matches[t][paper] for t in wanted if paper in matches.get(t, ())] for paper in chosen}
    return [
        Pick(c.paper, c.place, tuple(sorted(reasons[c.paper], key=lambda m: -m.score)))
        for c in _ranked(fresh[paper] for paper in chosen)
    ]


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (c.place, c.paper))


def _queue(matches: Mapping[int, Match], fresh: Mapping[int, Candidate]) -> list[int]:
    """A topic's papers, the best first. 1 + trend, so that a relevant paper without votes is not worth nothing."""
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
