"""What more of a text costs, as a ratio: a busy or a slow machine does not matter, and no test asserts seconds."""

from collections.abc import Callable
from time import thread_time
from typing import Any

LEAST = 0.004  # s of CPU time that are measured at least, against the clock's ticks


def cost(work: Callable[[Any], Any], text: Any) -> float:
    """CPU seconds of one call in this thread: the mean of as many calls as take LEAST."""
    calls, begun = 0, thread_time()
    while not calls or thread_time() - begun < LEAST:
        work(text)
        calls += 1
    return (thread_time() - begun) / calls


def growth(work: Callable[[Any], Any], short: Any, long: Any, *, most: float, rounds: int = 9) -> float:
    """How many times the CPU time of ``short`` the ``long`` takes: the least of some rounds.

    The first round within ``most`` ends it: neighbours that had the caches meanwhile spoil some rounds, never all,
    and what is not linear is beyond ``most`` in every round.
    """
    ratios: list[float] = []
    while len(ratios) < rounds and min(ratios, default=most + 1) > most:
        ratios.append(cost(work, long) / cost(work, short))
    return min(ratios)
