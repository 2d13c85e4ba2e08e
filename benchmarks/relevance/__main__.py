"""Back-test of ``digest.relevance``: what it finds, beside TF-IDF alone and BM25.

    python -m benchmarks.relevance --data DIR

Three tasks, each read from DIR:

1. *like this paper* (csfcube): a query paper is the only one that is liked; its pool is ordered. Grades are 0 to 3.
   nDCG@10 with the grade as gain; MAP over grades of 1 or more. Unit: the query paper.
2. *one-phrase topic* (hf_daily_papers): one of the 150 commonest keywords is a topic of one phrase, and all papers that
   have keywords are ordered by title and abstract. Relevant is a paper that bears this very string (in lower case); in
   the lines "any spelling" one that bears it in the plural, hyphenated, or as the short form that the keywords
   themselves give in brackets. nDCG@10, R-precision. Unit: the keyword.
3. *library* (citeulike-t, bags of words): a reader's library without its cold articles orders the cold ones: the share
   of the reader's own among the first 20 and 100. Unit: the reader. TF-IDF alone takes the mean of the whole library;
   ours the tastes of 50 articles, together and in turn.

Below each table: the shipped topics (subscriptions/topics.json) on the papers of task 2, with half of their terms. How
often is a paper that came by TF-IDF alone right, that is, names one of the other half? Not every right paper does.

TF-IDF alone is scikit-learn's (1-2-grams, sublinear, English stop words), BM25 that of bm25s as it comes. Differences
are paired by unit; the 95 % interval is a percentile bootstrap over the units. The halves were fixed before any figure
was computed: docs/evaluation.md.

Exit code: 0; 1 if a figure is below TF-IDF alone by more than .01; 2 if the data cannot be read or hold
no query of the half.
"""

import argparse
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.relevance import alone
from benchmarks.relevance.data import HALVES, keywords
from benchmarks.relevance.figures import Comparison, Measured, compare
from benchmarks.relevance.methods import BM25, OURS, TFIDF
from benchmarks.relevance.tasks import read

MARGIN = 0.01  # a loss greater than this fails the benchmark
WIDTH = 160  # of a table where the console has no width


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether a figure is too far below TF-IDF alone."""
    options = _options(argv)
    out, errors = Console(width=None if sys.stdout.isatty() else WIDTH), Console(stderr=True, soft_wrap=True)
    halves = HALVES if options.half == "both" else (options.half,)
    found: list[dict[str, dict[str, Measured]]] = []
    try:
        for load in track(read(options.data), "Measuring", console=errors, transient=True):
            found.append(load().measure(HALVES[:1] if options.tried else halves, tried=options.tried))
        papers, _ = keywords(options.data)
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
        what = f"{error.filename} is missing" if isinstance(error, FileNotFoundError) else repr(error)
        errors.print(f"The data in {options.data} cannot be read: {what}", markup=False)
        return 2
    if options.tried:
        for by_half in found:
            out.print(_tried(by_half[HALVES[0]], options))
        return 0
    low = []
    for half in halves:
        lines = [_lines(by_half[half], options) for by_half in found]
        if not all(lines):
            errors.print(f"The data in {options.data} hold no query of the {half} half for one of the tasks.")
            return 2
        out.print(_table(half, [pair for task in lines for pair in task]))
        out.print(alone.measure(papers, half).in_words())
        low += [f"{mine.figure} ({half})" for task in lines for mine, _ in task if mine.difference < -MARGIN]
    verdict = f"Below TF-IDF alone by more than {MARGIN}: {'; '.join(low)}." if low else ""
    out.print(verdict or f"No figure is below TF-IDF alone by more than {MARGIN}.")
    return int(bool(low))


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.relevance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpora"), metavar="DIR", help="%(default)s")
    parser.add_argument("--half", choices=[*HALVES, "both"], default=HALVES[1], help="default: %(default)s")
    parser.add_argument("--resamples", type=_positive, default=10_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=2026, metavar="N", help="of the bootstrap; default: %(default)s")
    parser.add_argument("--tried", action="store_true", help="what else was tried, on the tuning half")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _lines(methods: dict[str, Measured], options: argparse.Namespace) -> list[tuple[Comparison, Comparison]]:
    ours = methods[OURS]
    against = [compare(ours, methods[name], options.resamples, options.seed) for name in (TFIDF, BM25)]
    return list(zip(*against, strict=True))


def _table(half: str, lines: Sequence[tuple[Comparison, Comparison]]) -> Table:
    table = Table("figure", title=f"The {half} half", title_justify="left")
    for name in ("units", OURS, TFIDF, "difference [95 % interval]"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for name in (BM25, "difference [95 % interval]"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for plain, other in lines:
        row = [plain.figure, str(plain.units), f"{plain.ours:.3f}"]
        for c in (plain, other):
            row += [f"{c.theirs:.3f}", c.in_words(), c.verdict]
        table.add_row(*row)
    return table


def _tried(methods: dict[str, Measured], options: argparse.Namespace) -> Table:
    """Differences to what is shipped."""
    table = Table("tried on the tuning half", *methods[OURS], title_justify="left")
    for name, measured in methods.items():
        if name not in (OURS, TFIDF, BM25):
            lines = compare(measured, methods[OURS], options.resamples, options.seed)
            table.add_row(name, *(line.in_words() for line in lines))
    return table


if __name__ == "__main__":
    sys.exit(main())
