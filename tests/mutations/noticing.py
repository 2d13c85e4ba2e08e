"""Runs pytest in a copy of the tree, and says which test failed first."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.environment import test_environment
from tests.mutations.fault import Fault
from tests.mutations.tree import applied

# What the run that is going on here has set for itself.
_NOT_INHERITED = re.compile(r"PYTEST_.*|DJANGO_SETTINGS_MODULE|TEST_REPORT|TEST_ONLY_DIALECT")
_FIRST = re.compile(r"^(?:FAILED|ERROR) (\S+::\S+)", re.MULTILINE)
PASSED, FAILED = 0, 1  # exit codes of pytest; the others say that it could not run the tests
NO_ANSWER = -1  # it was ended from here


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of pytest came to."""

    code: int
    output: str
    seconds: float

    @property
    def first_failing(self) -> str:
        """The test that failed first, "" where none did."""
        found = _FIRST.search(self.output) if self.code == FAILED else None
        return found[1] if found else ""

    @property
    def skipped(self) -> bool:
        """Whether a test was skipped: it can notice nothing."""
        return re.search(r"^SKIPPED ", self.output, re.MULTILINE) is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one fault."""

    fault: Fault
    noticed_by: str = ""
    problem: str = ""  # the row has to be renewed: nothing can be said of the tests
    seconds: float = 0.0
    output: str = ""


def run_tests(tree: Path, tests: Iterable[str], database: str, patience: float) -> Run:
    """Run these tests in the copy with this DATABASE_URL; ended with all its children after ``patience`` seconds."""
    inherited = {name: value for name, value in os.environ.items() if not _NOT_INHERITED.fullmatch(name)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *tests]
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=tree,
        env={**inherited, **test_environment(database, "redis://127.0.0.1:1/0")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=patience)
            code = process.returncode
        except subprocess.TimeoutExpired:
            output, code = "", NO_ANSWER
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Run(code, output, time.monotonic() - begun)


def look(fault: Fault, tree: Path, database: str, patience: float) -> Verdict:
    """Break the copy, run what should notice, and mend it."""
    if why := fault.why_stale(tree):
        return Verdict(fault, problem=why)
    with applied(fault, tree):
        run = run_tests(tree, fault.tests, database, patience)
    if run.code == NO_ANSWER:
        noticed = f"it hung for {patience:.0f} s" if fault.hangs else ""
        problem = "" if fault.hangs else f"no answer within {patience:.0f} s"
        return Verdict(fault, noticed, problem, run.seconds, run.output)
    if run.code not in {PASSED, FAILED} or (run.code == FAILED and not run.first_failing):
        return Verdict(fault, "", f"pytest could not run the tests (exit code {run.code})", run.seconds, run.output)
    return Verdict(fault, run.first_failing, "", run.seconds, run.output)
