"""Back-test of ``digest.trending``: our order against plain upvotes, on lists read early in the day.

    python -m benchmarks.trending --data DIR

DIR holds hf_daily_papers.jsonl.gz (day lists as read early in the day), hf_late_snapshot.jsonl.gz (the same lists,
complete, read weeks later) and hf_weekly_top10.json (a week's top ten, read a week after its end). A paper is scored
from what its element said at the early reading, at the time of that reading. Four figures, each between papers of one
unit and then averaged over the units:

1. *Spearman within the day*: rank correlation of the early score with late upvotes, over papers in both lists; equal
   values share their average rank. Units: days with 10 or more such papers, here and in 2 and 3.
2. *top-5 overlap*: the share of the five with most late upvotes, among papers in both lists, in our early top five.
3. *top 5 of the complete day*: the same for the five with most upvotes of the complete late list. A third of it was not
   there yet at the early reading, so 1 is out of reach.
4. *weekly top 10*: the share of the week's top ten among the ten best early scores of all days of that ISO week.

Ties in 2 to 4 end as in an edition: more upvotes, then the key. Differences to plain upvotes are paired by unit; their
95 % interval is a percentile bootstrap over the units. Split: days whose number in the year is odd, and weeks whose ISO
number is odd, are the tuning half; the others are held out.

`--tried` prints what else was tried, on the tuning half only. `--plot FILE` draws the differences as SVG.

Exit code: 0; 1 if a figure is below plain upvotes by more than .01; 2 if the data cannot be read or
hold too few days or weeks.
"""

import argparse
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.trending.data import HALVES, Unit, growth_by_age, load
from benchmarks.trending.figures import FIGURES, Comparison, compare, ours
from benchmarks.trending.plot import draw
from benchmarks.trending.tried import TRIED

MARGIN = 0.01  # a loss greater than this fails the benchmark
WIDTH = 150  # of the table of what was tried


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether a figure is too far below plain upvotes."""
    options = _options(argv)
    # A file or a pipe has no width of its own.
    out, errors = Console(width=None if sys.stdout.isatty() else WIDTH), Console(stderr=True, soft_wrap=True)
    try:
        units = load(options.data)
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
        what = f"{error.filename} is missing" if isinstance(error, FileNotFoundError) else repr(error)
        errors.print(f"The data in {options.data} cannot be read: {what}", markup=False)
        return 2
    halves = {half: [unit for unit in units if unit.half == half] for half in HALVES}
    if options.tried:
        _print_tried(halves[HALVES[0]], options, out, errors)
        return 0
    wanted = HALVES if options.half == "both" else (options.half,)
    found = {half: compare(halves[half], ours, options.resamples, options.seed) for half in wanted}
    for half, lines in found.items():
        out.print(_table(half, lines))
    if options.plot:
        options.plot.write_text(draw(found), encoding="utf-8")
    return _conclude([line for lines in found.values() for line in lines], out)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trending",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with the recorded lists")
    parser.add_argument("--half", choices=[*HALVES, "both"], default=HALVES[1], help="default: %(default)s")
    parser.add_argument("--resamples", type=_positive, default=10_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=2026, metavar="N", help="of the bootstrap; default: %(default)s")
    parser.add_argument("--tried", action="store_true", help="what else was tried, on the tuning half")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the differences as SVG")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _table(half: str, lines: Sequence[Comparison]) -> Table:
    table = Table("figure", title=f"The {half} half", title_justify="left")
    for name in ("units", "plain upvotes", "ours", "difference [95 % interval]"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for c in lines:
        table.add_row(c.figure, str(c.units), f"{c.plain:.3f}", f"{c.other:.3f}", c.in_words(), c.verdict)
    return table


def _conclude(lines: Sequence[Comparison], out: Console) -> int:
    low = [line.figure for line in lines if line.difference < -MARGIN]
    if len({line.figure for line in lines}) < len(FIGURES):
        out.print("Not every figure could be measured: the data hold too few days or weeks.")
        return 2
    if low:
        out.print(f"Below plain upvotes by more than {MARGIN}: {', '.join(low)}.")
        return 1
    out.print(f"No figure is below plain upvotes by more than {MARGIN}.")
    return 0


def _print_tried(units: Sequence[Unit], options: argparse.Namespace, out: Console, errors: Console) -> None:
    table = Table("added to ln(1 + upvotes)", *FIGURES, title="Tried on the tuning half", title_justify="left")
    for name, order in track(TRIED.items(), "Comparing", console=errors, transient=True):
        lines = compare(units, order, options.resamples, options.seed)
        table.add_row(name, *(line.in_words() for line in lines))
    out.print(table)
    growth = Table("hours listed at the reading", "papers", "growth until weeks later", title_justify="left")
    for hours, papers, factor in growth_by_age(units):
        growth.add_row(hours, str(papers), f"x {factor:.1f}")
    out.print(growth)


if __name__ == "__main__":
    sys.exit(main())
