"""What was measured, as a table and in words."""

import statistics
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from benchmarks.planning.sizes import Size


def table(sizes: Sequence[Size], title: str) -> Table:
    """A column a size."""
    shown = Table("", title=title, title_justify="left")
    columns = [_lines(size) for size in sizes]
    for size in sizes:
        shown.add_column(f"{size.readers:,} readers", justify="right")
    for name in columns[0]:
        shown.add_row(name, *(column[name] for column in columns))
    return shown


def _lines(size: Size) -> dict[str, str]:
    last, figures = size.plans[-1], size.figures()
    parts = last["parts"]
    return {
        "setup, seconds": f"{size.setup['seconds']:,.0f}",
        "interests": f"{size.setup['interests']:,}",
        "planning, seconds": _times(size.plans),
        "  until the first chunk is stored": _times(size.plans, "first"),
        "  CPU seconds of planning and its server": _times(size.plans, "cpu"),
        "readers/s": f"{figures['rate']:,.0f}",
        "statements a chunk": " or ".join(map(str, last["queries"])),
        "  share of time in statements": f"{parts['statements'] / last['seconds']:.0%}",
        "  in COPY, making its rows included": f"{parts['COPY'] / last['seconds']:.0%}",
        "  in commits": f"{parts['commits'] / last['seconds']:.0%}",
        "  in Python": f"{1 - sum(parts.values()) / last['seconds']:.0%}",
        "peak MB (after imports)": f"{figures['memory']:,.0f} ({last['imported'] or 0:,.0f})",
        "rows written": f"{size.kept['rows']:,}",
        "octets of picks, the mean": f"{size.kept['octets']:,.0f}",
        "stopped": f"{size.setup['stopped']:,}",
        "planned, skipped": _outcome(last["outcome"]),
        "floor, seconds": _times(size.floors),
        "  CPU seconds of the floor and its server": _times(size.floors, "cpu"),
        "planning to the floor": f"{figures['ratio']:.2f}",
        "  by CPU seconds": f"{_median(size.plans) / _median(size.floors):.2f}",
        "floor with the readers moved on, seconds": f"{size.moving['seconds']:,.1f}",
    }


def _times(runs: Sequence[dict[str, Any]], what: str = "seconds") -> str:
    return " ".join(f"{run[what]:,.1f}" for run in runs)


def _median(runs: Sequence[dict[str, Any]]) -> float:
    """Of CPU seconds: what else the machine does changes them less."""
    return float(statistics.median(run["cpu"] for run in runs))


def _outcome(outcome: dict[str, int]) -> str:
    return "\n".join(f"{reason}: {number:,}" for reason, number in sorted(outcome.items()))
