import subprocess
import sys

import pytest

from tests.conftest import SHARED

CORPORA = SHARED / "corpora"
LISTING = CORPORA / "arxiv_listing.jsonl.gz"


def run(name, *arguments):
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ingest", ["--data", "nowhere"]),
        ("replay", ["--data", "nowhere"]),
        ("relevance", ["--data", "nowhere"]),
        ("trending", ["--data", "nowhere"]),
        ("text", ["nowhere.gz"]),
    ],
)
def test_data_that_is_not_there_is_said_with_exit_code_2(name, arguments):
    found = run(name, *arguments)
    assert found.returncode == 2
    assert "nowhere" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("name", ["ingest", "mail_pictures", "replay", "storage", "trending", "text"])
def test_help_names_what_is_needed(name):
    found = run(name, "--help")
    assert found.returncode == 0
    assert "usage: python -m benchmarks." in found.stdout


@pytest.mark.skipif(not CORPORA.exists(), reason="recorded answers (../shared/data) are not on this machine")
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("ingest", ["--database-url", "sqlite", "--data", CORPORA, "--limit", 40], ["records/s", "unchanged"]),
        ("replay", ["--data", CORPORA, "--days", 3], ["One paper for each arXiv id", "quiet: weekend", "stalled"]),
        ("text", [LISTING, "--limit", 200], ["%"]),
    ],
)
def test_a_small_run_ends_with_its_figures(name, arguments, words):
    found = run(name, *arguments)
    assert found.returncode == 0, found.stderr
    for word in words:
        assert word in found.stdout
