"""Scores + limits + already sent -> picks, for many readers at once. Pure and deterministic.

Every interest of a reader proposes its papers by relevance x trend, and interests take turns: a loud one cannot drown
another, and nobody is given the average of two. So a paper comes when the first of the reader's interests reaches it,
in round ``rank`` at the turn ``turn``: the order of a digest is that of ``rank * turns + turn``, the least over the
reader's interests. That number is the key by which a row of readers x candidates is cut at the limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.csgraph import connected_components

# Fewer matches than this are filled up with popular papers, unless the reader wants only what matches.
ENOUGH = 3
# Papers whose vectors have this cosine tell nearly the same: the second of them comes after all others.
NEAR = 0.6
# What may be wanted lies below, what is only popular above; whoever tells the same as another goes up by a step.
SAME_AGAIN, POPULAR, NEVER = np.uint32(1 << 29), np.uint32(1 << 30), np.uint32(0xFFFFFFFF)
CELLS = 1_000_000  # readers x candidates at once: 4 MB of keys stay in a core's cache
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that may be picked: its place in the ranking (1 is the top), its trend score, an editor's pin."""

    paper: int
    place: int
    trend: float = 0.0
    pinned: bool = False


class Queue(NamedTuple):
    """The candidates that an interest finds, the best first, by their numbers on the slate."""

    order: Numbers
    worth: npt.NDArray[np.float64]  # what they are ordered by: mostly relevance x (1 + trend)


class Slate:
    """The candidates of some days in the order of their ranking. A candidate's number is its index in it."""

    def __init__(self, candidates: Sequence[Candidate], twins: Mapping[int, frozenset[int]] | None = None) -> None:
        """``twins`` are the other rows of a paper's work: {paper: rows}."""
        self.candidates = sorted(candidates, key=lambda c: (c.place, c.paper))
        self.number = {c.paper: at for at, c in enumerate(self.candidates)}
        # Any row of a work stands for it.
        self.number_of_row = {
            row: at for paper, at in self.number.items() for row in (paper, *(twins or {}).get(paper, ()))
        }
        self.groups: Numbers = np.arange(len(self.candidates), dtype=np.int32)
        self.repeated: list[Numbers] = []  # the groups of more than one candidate
        self._below = np.array([not c.pinned for c in self.candidates], dtype=bool)
        trends = np.array([c.trend for c in self.candidates], dtype=np.float64)
        self.trend = np.where(np.isfinite(trends), trends, 0.0)

    def __len__(self) -> int:
        return len(self.candidates)

    def queue(self, relevance: Mapping[int, float]) -> Queue:
        """An interest's queue from how relevant it finds papers: {paper: > 0}; those of other days drop."""
        found = {self.number[paper]: score for paper, score in relevance.items() if paper in self.number}
        numbers = np.fromiter(found, np.int32, len(found))
        # 1 + trend, so that a relevant paper without votes is not worth nothing.
        return self.queue_of(numbers, np.fromiter(found.values(), float, len(found)) * (1 + self.trend[numbers]))

    def queue_of(self, numbers: Numbers, worth: npt.NDArray[np.floating]) -> Queue:
        """The same from numbers and what each is worth; what has no finite worth over 0 drops.

        What an editor pinned comes first.
        """
        kept = np.isfinite(worth) & (worth > 0)
        numbers, worth = numbers[kept], worth[kept]
        order = np.lexsort((numbers, -worth, self._below[numbers]))
        return Queue(numbers[order], worth[order].astype(np.float64))

    def reordered(self, queue: Queue, factor: npt.NDArray[np.floating]) -> Queue:
        """The queue of a reader for whom each candidate's worth is multiplied by ``factor`` (0 to 1, by number)."""
        worth = queue.worth * np.nan_to_num(factor[queue.order], nan=1.0)
        order = np.lexsort((queue.order, -worth, self._below[queue.order]))
        return Queue(queue.order[order], worth[order])

    def group(self, vectors: csr_matrix) -> None:
        """Find the candidates that tell nearly the same; ``vectors`` are L2-normalised rows by number."""
        rows, columns = [], []
        for start in range(0, len(self), 500):  # in blocks: the product of thousands with themselves is no sparse one
            block = (vectors[start : start + 500] @ vectors.T).tocoo()
            close = block.data >= NEAR
            rows.append(block.row[close] + start)
            columns.append(block.col[close])
        if rows:
            at = np.concatenate(rows), np.concatenate(columns)
            links = csr_array((np.ones(len(at[0]), dtype=np.int8), at), shape=(len(self), len(self)))
            self.groups = connected_components(links, directed=False)[1]
            sizes = np.bincount(self.groups)
            self.repeated = [
                np.flatnonzero(self.groups == group).astype(np.int32) for group in np.flatnonzero(sizes > 1)
            ]


class Wish(NamedTuple):
    """What one reader brings to a slate: queues in the order of their turns, limits, and numbers that are out.

    ``barred`` never come: sent before, or with a muted word. ``muted`` come only for an interest that finds them. A
    reader who wants ``everything`` chose nothing in particular: what the queues find comes first, the ranking fills up.
    """

    queues: Sequence[Queue]
    limit: int = 10
    only_topics: bool = False
    barred: Sequence[int] = ()
    muted: Sequence[int] = ()
    everything: bool = False


def choose(slate: Slate, wishes: Sequence[Wish]) -> list[list[int]]:
    """Each reader's picks, at most ``limit``, as numbers in the order of the ranking.

    A reader without any interest gets the top of the ranking. One with fewer than ENOUGH matches gets popular papers up
    to that number, unless ``only_topics``. Of papers that tell nearly the same the later ones come last. What one
    reader gets depends on no other.
    """
    if not len(slate):
        return [[] for _ in wishes]
    at_once = max(CELLS // len(slate), 1)
    picks: list[list[int]] = []
    for start in range(0, len(wishes), at_once):
        some = wishes[start : start + at_once]
        order, keys = best(slate, some, max(wish.limit for wish in some))
        picks += [sorted(row[:end]) for row, end in zip(order.tolist(), _ends(some, keys).tolist(), strict=True)]
    return picks


def best(slate: Slate, wishes: Sequence[Wish], most: int) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    """The ``most`` best numbers of each reader, the best first, with their keys; NEVER is no candidate."""
    # Of a group one is in its place and the others are behind: the queues are read on by so many.
    keys = _keys(slate, wishes, most + sum(len(group) - 1 for group in slate.repeated))
    for group in slate.repeated:
        own = keys[:, group]
        again = (own > own.min(axis=1, keepdims=True)) & (own != NEVER)
        keys[:, group] = np.where(again, own + SAME_AGAIN, own)
    if most < len(slate):
        order = np.argpartition(keys, most, axis=1)[:, :most]
        keys = np.take_along_axis(keys, order, axis=1)
        within = np.argsort(keys, axis=1, kind="stable")
        order = np.take_along_axis(order, within, axis=1)
    else:
        within = order = np.argsort(keys, axis=1, kind="stable")
    return order.astype(np.int32), np.take_along_axis(keys, within, axis=1)


def _keys(slate: Slate, wishes: Sequence[Wish], most: int) -> npt.NDArray[np.uint32]:
    """The keys of readers x candidates."""
    size = len(slate)
    keys = np.full((len(wishes), size + 1), NEVER)  # the last column takes what is not there
    open_to_all = np.array([not (wish.only_topics and wish.queues) for wish in wishes])
    keys[open_to_all, :size] = POPULAR + np.arange(size, dtype=np.uint32)
    muted, barred = (_pairs([getattr(wish, name) for wish in wishes]) for name in ("muted", "barred"))
    keys[muted] = NEVER
    _let_take_turns(keys, wishes, barred, most)
    keys[barred] = NEVER
    return keys[:, :size]


def _let_take_turns(
    keys: npt.NDArray[np.uint32], wishes: Sequence[Wish], barred: tuple[Numbers, Numbers], most: int
) -> None:
    """Lower each key to the first moment at which an interest of the reader reaches the candidate."""
    counts = np.array([len(wish.queues) for wish in wishes])
    if not counts.any():
        return
    turns = counts.max()
    distinct = {id(queue): queue for wish in wishes for queue in wish.queues}
    place = {name: at for at, name in enumerate(distinct)}
    which = np.array([place[id(queue)] for wish in wishes for queue in wish.queues])
    left_out = np.zeros(len(wishes), dtype=bool)
    left_out[barred[0]] = True
    if left_out.any():
        most += int(np.bincount(barred[0]).max())
    heads = _heads([queue.order[:most] for queue in distinct.values()], nobody=keys.shape[1] - 1)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    ranks = np.arange(heads.shape[1], dtype=np.uint32)
    out = _mask(keys.shape, barred)
    for turn in range(turns):
        wanting = counts > turn
        for rows, gaps in ((np.flatnonzero(wanting & ~left_out), False), (np.flatnonzero(wanting & left_out), True)):
            at = rows[:, None], heads[which[starts[rows] + turn]]
            # Who is out leaves no gap: the next one moves up.
            own = ranks - np.cumsum(out[at], axis=1, dtype=np.uint32) if gaps else ranks
            keys[at] = np.minimum(keys[at], own * np.uint32(turns) + np.uint32(turn))


def _mask(shape: tuple[int, ...], pairs: tuple[Numbers, Numbers]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=bool)
    mask[pairs] = True
    return mask


def _heads(orders: Sequence[Numbers], nobody: int) -> Numbers:
    """Queues as rows of one matrix, filled up with ``nobody``."""
    heads = np.full((len(orders), max(map(len, orders))), nobody, dtype=np.int32)
    for row, order in zip(heads, orders, strict=True):
        row[: len(order)] = order
    return heads


def _pairs(numbers: Sequence[Sequence[int]]) -> tuple[Numbers, Numbers]:
    """Lists of numbers by row as two columns: row, number."""
    rows = np.repeat(np.arange(len(numbers)), [len(own) for own in numbers])
    flat = [number for own in numbers for number in own]
    return rows.astype(np.int32), np.array(flat, dtype=np.int32)


def _ends(wishes: Sequence[Wish], keys: npt.NDArray[np.uint32]) -> Numbers:
    """How many of the best each reader gets."""
    limits = np.array([wish.limit for wish in wishes])
    wanting = np.array([bool(wish.queues) and not wish.everything for wish in wishes])
    matched = (keys < POPULAR).sum(axis=1)
    there = (keys != NEVER).sum(axis=1)
    most = np.where(wanting, np.maximum(matched, ENOUGH), there)
    ends: Numbers = np.minimum(np.minimum(most, there), limits).astype(np.int32)
    return ends
