"""Does the suite notice what it promises to notice?

Breaks the product's code in many named places, one at a time, in a copy of the tracked files (the working tree is only
read), runs the tests that should notice, and prints which of them did. A row of tests/mutations/faults/ says what is
broken, where, and who should notice.

Exit code 0 if every fault was noticed; 1 if one was not, or if the tests fail without any fault; 2 if nothing can be
said: a row has to be renewed, because the text that it replaces is not in the code exactly once any more, or there is
nothing to be broken.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import urlsplit

from tests.__main__ import postgres_url
from tests.mutations.fault import POSTGRESQL, SQLITE, Fault
from tests.mutations.faults import FAULTS
from tests.mutations.noticing import PASSED, Verdict, look, run_tests
from tests.mutations.tree import copy_tracked

ROOT = Path(__file__).resolve().parents[2]
ALL_NOTICED, NOT_ALL_NOTICED, TO_RENEW = 0, 1, 2
LAST_LINES = 30  # of a run that went wrong


def main(arguments: Sequence[str], root: Path = ROOT, faults: Sequence[Fault] = FAULTS) -> int:
    """The command. ``root`` is a git repository, ``faults`` what is broken in it."""
    options = _parser().parse_args(arguments)
    chosen = [fault for fault in faults if fault.matters_on(options.database)]
    chosen = [fault for fault in chosen if options.only.lower() in f"{fault.name} {fault.file}".lower()]
    chosen = [fault for fault in chosen if fault.quick or not options.quick]
    if options.list:
        for fault in chosen:
            _say(f"{fault.name}\n    {fault.file}: {', '.join(fault.tests)}")
        _say(f"{len(chosen)} faults")
        return ALL_NOTICED
    if stale := [f"{fault.name}: {why}" for fault in chosen if (why := fault.why_stale(root))]:
        _say("These rows of tests/mutations/faults/ have to be renewed:", *stale)
        return TO_RENEW
    if not chosen:
        _say("No fault is called so.")
        return TO_RENEW
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daily-papers-mutations-")))
        try:
            copies = [copy_tracked(root, folder / f"copy-{number}") for number in range(max(options.jobs, 1))]
        except (OSError, subprocess.CalledProcessError) as error:
            _say(f"The tracked files could not be copied, which takes git and a clone: {error}")
            return TO_RENEW
        places = _places(options.database, copies, folder, stack)
        if not places:
            return NOT_ALL_NOTICED
        if options.baseline and not _passes_without_fault(chosen, *places[0], options.patience):
            return NOT_ALL_NOTICED
        verdicts = _told(_look_at(chosen, places, options.patience), chosen)
    return _sum(verdicts, options.database, time.monotonic() - begun)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD", help="those with this word in their name or file")
    parser.add_argument("--quick", action="store_true", help="the few that CI runs")
    parser.add_argument("--list", action="store_true", help="say what would be broken, and end")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (default: %(default)s)")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), default=SQLITE, help="default: %(default)s")
    parser.add_argument(
        "--patience", type=float, default=300.0, help="seconds after which a run is ended (default: %(default)s)"
    )
    parser.add_argument(
        "--no-baseline", dest="baseline", action="store_false", help="do not run the tests without a fault first"
    )
    return parser


def _places(database: str, copies: list[Path], folder: Path, stack: ExitStack) -> list[tuple[Path, str]]:
    """Each copy with a DATABASE_URL of its own; none where there is no server."""
    if database == SQLITE:
        return [(copy, f"sqlite:///{copy / 'tests.sqlite3'}") for copy in copies]
    missing: list[str] = []
    server = stack.enter_context(postgres_url(folder, missing))
    if server is None:
        _say(*missing)
        return []
    # Django makes a database called "test_..." beside the one that is named, which need not be there.
    url = urlsplit(server)
    return [(copy, url._replace(path=f"/mutations_{number}").geturl()) for number, copy in enumerate(copies)]


def _passes_without_fault(faults: Iterable[Fault], tree: Path, database: str, patience: float) -> bool:
    """Whether the tests of these faults pass, every one of them: a skipped one notices nothing."""
    tests = list(dict.fromkeys(test for fault in faults for test in fault.tests))
    run = run_tests(tree, tests, database, patience * 4)
    if run.code == PASSED and not run.skipped:
        _say(f"Without a fault all of these tests pass ({run.seconds:.0f} s).")
        return True
    _say(_end_of(run.output), "Without any fault these tests fail, or some are skipped: they can notice nothing.")
    return False


def _look_at(faults: Iterable[Fault], places: Iterable[tuple[Path, str]], patience: float) -> Iterator[Verdict]:
    """The verdicts as they come. Each copy has one fault at a time."""
    free: SimpleQueue[tuple[Path, str]] = SimpleQueue()
    for place in places:
        free.put(place)

    def one(fault: Fault) -> Verdict:
        tree, database = free.get()
        try:
            return look(fault, tree, database, patience)
        finally:
            free.put((tree, database))

    pool = ThreadPoolExecutor(free.qsize())
    try:
        for done in as_completed([pool.submit(one, fault) for fault in faults]):
            yield done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _told(verdicts: Iterable[Verdict], faults: Sequence[Fault]) -> list[Verdict]:
    """The verdicts, each said as soon as it is known."""
    width, told = max(len(fault.name) for fault in faults), []
    for number, verdict in enumerate(verdicts, start=1):
        told.append(verdict)
        said = f"TO BE RENEWED: {verdict.problem}" if verdict.problem else verdict.noticed_by or "NOT NOTICED"
        _say(f"[{number:>2}/{len(faults)}] {verdict.fault.name:<{width}}  {verdict.seconds:5.1f} s  {said}")
        if verdict.problem:
            _say(_end_of(verdict.output))
    return told


def _sum(verdicts: Sequence[Verdict], database: str, seconds: float) -> int:
    noticed = sum(bool(verdict.noticed_by) for verdict in verdicts)
    _say(f"{noticed} of {len(verdicts)} faults were noticed on {database}, in {seconds:.0f} s.")
    if any(verdict.problem for verdict in verdicts):
        return TO_RENEW
    return ALL_NOTICED if noticed == len(verdicts) else NOT_ALL_NOTICED


def _end_of(output: str) -> str:
    return "\n".join(output.splitlines()[-LAST_LINES:])


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
