"""Recorded days and a listing as the benchmarks read them, made up; and a database that has been made already."""

import gzip
import json
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection

from benchmarks import database

MONDAY = date(2026, 3, 16)
SUBJECTS = ("robot manipulation", "speech recognition", "language models", "video generation", "protein folding")


def featured(number):
    """A paper of a day's list, as the Hugging Face API gives it."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    return {
        "paper": {
            "id": f"2603.{number:05}",
            "title": f"Study {number} of {subject}",
            "summary": f"We look at {subject} with care and find that number {number} is the best of all.",
            "authors": [{"name": f"Ana Exemplar{number % 7}"}],
            "publishedAt": "2026-03-15T00:00:00.000Z",
            "upvotes": number % 13,
        }
    }


def listed(number):
    """A paper as arXiv lists it."""
    paper = featured(number)["paper"]
    return {
        "id": f"2602.{number:05}",
        "title": rf"{paper['title']} in $O(n^{{{number}}})$",
        "authors": ["Ana Exemplar"],
        "categories": ["cs.CL"],
        "summary": paper["summary"],
        "first_listed": f"{MONDAY}",
    }


def write(path, rows):
    """JSON lines, packed."""
    with gzip.open(path, "wt") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A folder of eight days of twelve papers each, from a Monday on, and a listing of twelve others."""
    folder = tmp_path_factory.mktemp("recorded")
    days = [(MONDAY + timedelta(days=at), [featured(12 * at + number) for number in range(12)]) for at in range(8)]
    write(folder / "hf_daily_papers.jsonl.gz", [{"date": f"{day}", "response": papers} for day, papers in days])
    write(folder / "arxiv_listing.jsonl.gz", map(listed, range(12)))
    return folder


@pytest.fixture
def made(db, monkeypatch):
    """The database of the test in the place of the one that a benchmark makes, which is some seconds of migrations."""

    @contextmanager
    def own_database(url):
        yield connection.vendor

    monkeypatch.setattr(database, "own_database", own_database)
