"""Answers of the sources in the shape in which they come, and where to find more.

Those of this folder are written by hand: papers and people are made up, keys and layout are the services'. Where the
checkout has real answers for a neighbour (SHARED, which is no part of the project), the same tests read those too;
they lie in folders and files of the same names. ``arxiv/nasty.jsonl`` has papers that were chosen for what they hold
(its ``why``) in the shape of the corpus ``arxiv_listing.jsonl.gz``.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import SHARED

OURS = Path(__file__).parent
ROOTS = {"ours": OURS} | ({"real": SHARED / "payloads"} if (SHARED / "payloads").is_dir() else {})
FEEDS = ("arxiv/rss/*[0-9].xml", "arxiv/rss/*weekend*[A-Z].xml")  # all but the error


def recorded(*patterns: str) -> list:
    """The files of these patterns in every root, as parameters of a test. Raises where ours has none."""
    found = {name: [path for each in patterns for path in sorted(root.glob(each))] for name, root in ROOTS.items()}
    assert found["ours"], f"tests/recorded has no {patterns}"
    return [pytest.param(path, id=f"{name} {path.name}") for name, paths in found.items() for path in paths]


def day_of(path: Path) -> date:
    """The day of a recorded answer: the end of its name. (That of the real weekend has none.)"""
    return date.fromisoformat(path.stem[-10:]) if path.stem[-1].isdecimal() else date(2026, 6, 27)


def answers_of_the_api(*statuses: int) -> list:
    """(path, facts) of the recorded answers of arXiv's query API with these statuses, as parameters of a test."""
    return [
        pytest.param(root / "arxiv" / "atom" / facts["file"], facts, id=f"{name} {facts['file']}")
        for name, root in ROOTS.items()
        for facts in json.loads((root / "arxiv" / "atom" / "index.json").read_text())
        if facts["status_code"] in statuses
    ]


def listings() -> list:
    """Files of arXiv papers, a JSON object a line: ours, and the real corpus where it is. Parameters of a test."""
    paths = {"ours": OURS / "arxiv" / "nasty.jsonl", "real": SHARED / "corpora" / "arxiv_listing.jsonl.gz"}
    return [pytest.param(path, id=name) for name, path in paths.items() if path.exists()]


def papers_of(path: Path) -> Iterator[dict]:
    """The papers of one of these files."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
