"""Which tests run on SQLite as well as on PostgreSQL: those of modules that say things differently to each.

PostgreSQL is production, and everything runs there. What a test promises is the same on both databases unless the code
asks which one it has. So on SQLite run the tests of files that import a module which does (``dialect``), and those with
the mark ``both_databases``: migrations, locks, and the demo's path. Where there is no PostgreSQL, SQLite runs all.
tests/test_dialect.py holds that every module that asks is imported by a test that runs on both.
"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# How code asks which database it has, or talks past the ORM.
SPEAKS = re.compile(r"\.vendor\b|\.cursor\(|RawSQL|\bsqlite\b|\bpostgresql\b")
# Nearly every test makes rows. Of what the models ask, all but the locks is in querysets that other modules speak.
PRODUCT, SPOKEN_BY_ALL = ("config", "digest", "subscriptions"), ("config/", "digest/models/", "subscriptions/models/")


@cache
def dialect() -> frozenset[str]:
    """The product's modules that speak a database's own language, like "digest.bulk"."""
    return frozenset(
        _name(path)
        for root in PRODUCT
        for path in (ROOT / root).rglob("*.py")
        if not path.relative_to(ROOT).as_posix().startswith(SPOKEN_BY_ALL)
        and "migrations" not in path.parts
        and SPEAKS.search(path.read_text())
    )


@cache
def touches(path: Path) -> frozenset[str]:
    """The modules of ``dialect`` that a test file imports by name."""
    return dialect() & imported(path)


@cache
def imported(path: Path) -> frozenset[str]:
    """The product's modules that a file imports; of a room, as digest.outcomes, all that is in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(_name(file) for name in found if name.partition(".")[0] in PRODUCT for file in _files(name))


def _files(name: str) -> list[Path]:
    place = ROOT / name.replace(".", "/")
    if place.with_suffix(".py").exists():
        return [place.with_suffix(".py")]
    # A room speaks through its own modules; "digest" and "subscriptions" are not rooms.
    return sorted(place.glob("*.py")) if "." in name and (place / "__init__.py").exists() else []


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
