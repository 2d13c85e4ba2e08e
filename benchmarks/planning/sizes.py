"""All that is measured at one number of readers."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.planning.child import run_step
from benchmarks.planning.databases import Copies, is_sqlite

ENOUGH_TO_JUDGE = 10  # chunks: fewer readers are found by any plan


@dataclass
class Size:
    """What was found at one number of readers. Parts that were run several times are lists, in their order."""

    readers: int
    setup: dict[str, Any] = field(default_factory=dict)
    plans: list[dict[str, Any]] = field(default_factory=list)
    floors: list[dict[str, Any]] = field(default_factory=list)
    moving: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def kept(self) -> dict[str, Any]:
        """What the first planning wrote."""
        return dict(self.plans[0]["kept"])

    @property
    def seconds(self) -> float:
        """The median of planning."""
        return float(statistics.median(run["seconds"] for run in self.plans))

    @property
    def floor(self) -> float:
        """The median of the floor."""
        return float(statistics.median(run["seconds"] for run in self.floors))

    def figures(self) -> dict[str, float]:
        """What verdicts are about."""
        return {
            "readers": self.readers,
            "rate": self.readers / self.seconds,
            "ratio": self.seconds / self.floor,
            "memory": max(run["memory"] or 0.0 for run in self.plans),
        }


@dataclass(frozen=True)
class Bench:
    """What all sizes of a run share."""

    copies: Copies
    folder: Path
    chunk: int
    times: int
    progress: Progress

    def measure(self, size: Size, fill: dict[str, Any], profile: Path | None) -> None:
        """Fill a database, and run planning and the floor in turn, each on a copy of it as it was."""
        with ExitStack() as stack:
            filled = stack.enter_context(self.copies.of(None, f"filled_{size.readers}"))
            size.setup = self._step("readers:fill", filled, size, {"readers": size.readers, **fill})
            rows = self.folder / f"rows-{size.readers}"
            for parts in ("PF" if turn % 2 == 0 else "FP" for turn in range(self.times)):
                for part in parts:
                    with self.copies.of(filled, "run") as url:
                        if part == "P":
                            size.plans.append(self._step("ours:plan", url, size, {"rows": str(rows)}))
                        else:
                            size.floors.append(self._floor(url, size, rows, moves=False))
            with self.copies.of(filled, "run") as url:
                size.moving = self._floor(url, size, rows, moves=True)
            if profile:
                with self.copies.of(filled, "run") as url:
                    self._step("ours:plan", url, size, {"rows": str(rows), "profile": str(profile.resolve())})
            rows.unlink()
            size.faults = faults(
                size, judge_index=not is_sqlite(filled) and size.readers >= ENOUGH_TO_JUDGE * self.chunk
            )

    def _floor(self, url: str, size: Size, rows: Path, *, moves: bool) -> dict[str, Any]:
        rows_of = {"rows": str(rows), "columns": size.plans[0]["columns"]}
        options = {"url": url, "chunk": self.chunk, "moves": moves, **rows_of}
        return self._step("floor:floor", url, size, options)

    def _step(self, step: str, url: str, size: Size, options: dict[str, Any]) -> dict[str, Any]:
        with self._bar(f"{size.readers:,}: {step}", size.readers) as done:
            return run_step(step, options, {"DATABASE_URL": url, "PLAN_CHUNK": str(self.chunk)}, done)

    @contextmanager
    def _bar(self, words: str, total: int) -> Iterator[Callable[[int], None]]:
        task = self.progress.add_task(words, total=total)
        try:
            yield lambda done: self.progress.update(task, completed=done)
        finally:
            self.progress.remove_task(task)


def faults(size: Size, *, judge_index: bool) -> list[str]:
    """What may not be, in words."""
    outcome, stopped = size.plans[0]["outcome"], size.setup["stopped"]
    kept, told, found = size.kept, sum(outcome.values()), []
    if told + stopped != size.readers:
        found.append(f"{told} planned or skipped + {stopped} stopped are not {size.readers} readers")
    if told != kept["rows"] or outcome.get("planned", 0) != kept["planned"]:
        found.append(f"{told} were told of, {outcome.get('planned', 0)} as planned, but {kept['rows']} rows are there")
    if any(run["outcome"] != outcome for run in size.plans):
        found.append("planning the same readers again came to another sum")
    if any(run["rows"] != kept["rows"] for run in size.floors):
        found.append("the floor wrote another number of rows")
    if kept["twice"]:
        found.append(f"{kept['twice']} readers got a paper twice")
    if kept["empty"]:
        found.append(f"{kept['empty']} planned digests hold no paper")
    if judge_index and size.setup["explained"]["without"]:
        places = " and ".join(size.setup["explained"]["without"])
        found.append(f"due readers are found without their index: {places}\n{size.setup['explained']['plans']}")
    return [f"{size.readers:,} readers: {fault}" for fault in found]
