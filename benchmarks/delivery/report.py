"""The table of a run, in words and as JSON."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from benchmarks.delivery.measured import Figures
from benchmarks.delivery.stage import Row
from benchmarks.delivery.verdicts import Verdict


def table(rows: Sequence[Row], facts: Mapping[str, Any]) -> Table:
    """A line a row, under what they were run on."""
    title = (
        f"{facts['database']}, {facts['sink']}, {facts['cores']} cores, {facts['threads']} threads, "
        f"mails of {facts['octets']:,} octets\n"
        + ", ".join(f"{name} = {value}" for name, value in facts["settings"].items())
    )
    shown = Table("", title=title)
    for name in (
        "messages",
        "messages/s",
        "CPU ms a mail",
        "commits a mail",
        "queries a mail",
        "peak MB",
        "idle cores",
    ):
        shown.add_column(name, justify="right")
    shown.add_column("note")
    for row in rows:
        if row.runs:
            shown.add_row(row.label, *_cells(row))
        else:
            shown.add_row(row.label, *["-"] * 7, f"not run: {row.missing}")
    return shown


def _cells(row: Row) -> list[str]:
    last, rates = row.runs[-1], sorted(run.rate for run in row.runs)
    median = f"{row.rate:,.0f}"
    note = "; ".join(filter(None, [last.note, row.missing]))
    return [
        f"{last.messages:,}",
        f"{rates[0]:,.0f}/{median}/{rates[-1]:,.0f}" if len(rates) > 1 else median,
        "-" if last.cpu is None else f"{1000 * last.cpu / last.messages:.2f}",
        _each(last, last.commits),
        _each(last, last.queries),
        "-" if last.memory is None else f"{last.memory:.0f}",
        "-" if last.idle is None else f"{last.idle:.0%}",
        note,
    ]


def _each(figures: Figures, number: int | None) -> str:
    return "-" if number is None else f"{number / figures.messages:.2f}"


def as_json(rows: Sequence[Row], found: Sequence[Verdict], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured."""
    return {
        **facts,
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "rows": [
            {
                "row": row.key,
                "label": row.label,
                "missing": row.missing,
                "messages_per_second": row.rate,
                "runs": [asdict(run) for run in row.runs],
            }
            for row in rows
        ],
        "targets": [{**asdict(one), "met": one.met} for one in found],
    }
