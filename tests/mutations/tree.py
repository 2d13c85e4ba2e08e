"""A copy of the tracked files, in which faults come and go. The working tree itself is only read."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.fault import Fault


def copy_tracked(root: Path, folder: Path) -> Path:
    """The files that git tracks below ``root``, as they stand there now, in the new ``folder``.

    Raises subprocess.CalledProcessError where ``root`` is no git repository.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = root / name, folder / name
        if source.is_file():  # one that was deleted and not committed yet is listed all the same
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


@contextmanager
def applied(fault: Fault, tree: Path) -> Iterator[None]:
    """The copy with this one fault in it, and as it was afterwards."""
    path = tree / fault.file
    before = path.read_text(encoding="utf-8")
    _write(path, fault.applied(before))
    try:
        yield
    finally:
        _write(path, before)


def _write(path: Path, text: str) -> None:
    """Python takes compiled code for fresh by size and whole seconds: one sign for another would not be seen."""
    path.write_text(text, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
