"""The targets, and whether a run met them."""

from collections.abc import Mapping, Sequence

from benchmarks.delivery.verdicts import Verdict

FACTOR, MEGABYTES, GROWTH, SLOWER = 3.0, 400.0, 1.1, 0.85


def verdicts(found: Sequence[Mapping[str, float]]) -> list[Verdict]:
    """``found``: readers, rate (readers/s), ratio (to the floor) and memory (peak MB) of each size, ascending."""
    if not found:
        return []
    largest = found[-1]
    words = f"{largest['readers']:,.0f} readers"
    judged = [
        Verdict(f"planning to the floor at {words}", largest["ratio"], FACTOR, at_most=True),
        Verdict(f"peak MB at {words}", largest["memory"], MEGABYTES, at_most=True),
    ]
    if len(found) > 1:
        smaller = found[-2]
        words = f"at {words} to that at {smaller['readers']:,.0f}"
        judged += [
            Verdict(f"peak memory {words}", largest["memory"] / smaller["memory"], GROWTH, at_most=True),
            Verdict(f"readers/s {words}", largest["rate"] / smaller["rate"], SLOWER),
        ]
    return judged
