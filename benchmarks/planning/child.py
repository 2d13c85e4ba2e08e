"""One step in a process of its own: ``python -m benchmarks.planning.child MODULE:FUNCTION OPTIONS``.

So each measured part has a memory and caches of its own. A step prints JSON lines: how far it is, and its figures.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from tempfile import TemporaryFile
from typing import Any

import django

from benchmarks.delivery.measured import RowFailed

LONGEST = 7200.0  # seconds of one step
WITHOUT_DJANGO = "floor"


def run_step(
    step: str, options: Mapping[str, Any], environment: Mapping[str, str], progress: Callable[[int], None]
) -> dict[str, Any]:
    """Run one step to its end and return its figures. Raises RowFailed with what it complained of."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.planning.child", step, json.dumps(options)]
    figures = None
    with TemporaryFile("w+") as errors:  # a pipe that nobody reads would stop a child that has much to complain of
        with subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as child:
            ending = threading.Timer(LONGEST, child.kill)
            ending.start()
            assert child.stdout
            for said in map(json.loads, child.stdout):
                if "done" in said:
                    progress(said["done"])
                else:
                    figures = said["figures"]
            ending.cancel()
        errors.seek(0)
        complaints = errors.read().strip()
    if child.returncode or figures is None:
        raise RowFailed(f"{step}: {complaints or f'exit code {child.returncode}'}")
    return dict(figures)


def main(step: str, options: str) -> None:
    """Set Django up unless the step is one without it, run the function with the options, tell what it returns."""
    module, function = step.split(":")
    if module != WITHOUT_DJANGO:
        django.setup()
    figures = getattr(import_module(f"benchmarks.planning.{module}"), function)(**json.loads(options))
    sys.stdout.write(f"{json.dumps({'figures': figures})}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
