"""A benchmark's command: in this process, or in one of its own."""

import os
import runpy
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest import mock


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run(name, *arguments):
    """``python -m benchmarks.NAME ARGUMENTS`` as it is typed, but in this process."""
    code, out, complaints = 0, StringIO(), StringIO()
    with (
        mock.patch.object(sys, "argv", [name, *map(str, arguments)]),
        mock.patch.dict(os.environ),
        warnings.catch_warnings(),
        redirect_stdout(out),
        redirect_stderr(complaints),
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # a test that imports the module has done so before
        try:
            runpy.run_module(f"benchmarks.{name}", run_name="__main__")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            complaints.write("" if isinstance(ended.code, int | None) else str(ended.code))
    return Ended(code, out.getvalue(), complaints.getvalue())


def run_for_real(name, *arguments):
    """The same in a process of its own, with a database that it makes itself."""
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return Ended(ran.returncode, ran.stdout, ran.stderr)
