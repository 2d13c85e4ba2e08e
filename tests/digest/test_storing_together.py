"""Several workers store the same papers at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction

from digest import fetching
from digest.models import Paper, Sighting, SourceRun
from digest.papers import lock
from tests.conftest import NOW, TODAY, make_paper, make_record

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, PAPERS = 4, 60


def test_workers_that_meet_at_the_same_new_papers_lose_none_and_double_none(monkeypatch):
    sources = [f"source{n}" for n in range(WORKERS)]
    # Threads of one process share an in-memory SQLite, which knows no waiting: there they come one after another.
    at_once = WORKERS if connection.vendor == "postgresql" else 1
    start = Barrier(at_once)

    def shuffled(source):
        def fetch(day):
            numbers = list(range(PAPERS))
            Random(source).shuffle(numbers)
            start.wait()
            yield from (make_record(number, source=source, upvotes=number, featured_on=TODAY) for number in numbers)

        return fetch

    for source in sources:
        monkeypatch.setitem(
            fetching.SOURCES, source, replace(fetching.SOURCES["huggingface"], fetch=shuffled(source), stale_by="")
        )

    def work(source):
        try:
            return fetching.collect(source, TODAY, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(at_once) as pool:
        runs = list(pool.map(work, sources))
    assert [(run.state, run.received, run.rejected) for run in runs] == [("fresh", PAPERS, [])] * WORKERS
    assert Paper.objects.count() == PAPERS
    assert sum(SourceRun.objects.values_list("created", flat=True)) == PAPERS
    assert Sighting.objects.count() == PAPERS * WORKERS


def test_no_editors_save_gets_between_reading_a_row_and_writing_it():
    paper = make_paper(1)

    def save():
        try:
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute("SET lock_timeout = '200ms'")
                Paper.objects.filter(pk=paper.pk).update(title="As the editor says")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(lock(Paper.objects.filter(pk=paper.pk)))
            with pytest.raises(OperationalError):
                pool.submit(save).result()
        pool.submit(save).result()
    assert Paper.objects.get().title == "As the editor says"
