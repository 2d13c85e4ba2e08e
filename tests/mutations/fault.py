"""One seeded fault: a place in the product's code, what is written there instead, and which tests should notice."""

import re
from dataclasses import dataclass
from pathlib import Path

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of data. ``old`` must occur exactly once in ``file``."""

    name: str  # a sentence: what is wrong now
    file: str
    old: str
    new: str
    tests: tuple[str, ...]  # files, or "file::test"; paths from the project's folder
    both: bool = False  # a matter of locks, transactions or SQL: it is worth being looked at on PostgreSQL too
    quick: bool = False  # of the few that CI runs
    hangs: bool = False  # a run that does not end counts as noticed

    def matters_on(self, database: str) -> bool:
        """Whether it is run on this kind of database."""
        return database == SQLITE or self.both

    def why_stale(self, root: Path) -> str:
        """Why the row does not fit the tree at ``root`` any more; "" where it does."""
        path = root / self.file
        if not path.is_file():
            return f"there is no {self.file}"
        if (times := path.read_text(encoding="utf-8").count(self.old)) != 1:
            return f"{self.file} has its old text {times} times, not once"
        if self.old == self.new:
            return "its two texts are the same"
        return next(filter(None, (_why_no_test(root, test) for test in self.tests)), "")

    def applied(self, text: str) -> str:
        """The file's text with the fault in it."""
        return text.replace(self.old, self.new)


def _why_no_test(root: Path, test: str) -> str:
    file, _, name = test.partition("::")
    path = root / file
    if not path.is_file():
        return f"there is no {file}"
    if name and not re.search(rf"^def {re.escape(name)}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
        return f"{file} has no {name}"
    return ""
