"""The two speeds that nothing can exceed: a bare SMTP conversation, and one durable commit a mail. Without Django."""

import smtplib
import threading
from pathlib import Path

import psycopg

from benchmarks.delivery.measured import Figures, Progress, measuring, tell

WARM_UP = 100


def smtp(*, messages: int, port: int, message: str) -> None:
    """The ready-made ``message`` (a file), again and again, over one connection of smtplib."""
    octets, figures, progress = Path(message).read_bytes(), Figures(messages), Progress()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(WARM_UP):
            server.sendmail("papers@example.org", ["reader@example.org"], octets)
        with measuring(figures):
            for number in range(messages):
                server.sendmail("papers@example.org", [f"reader{number}@example.org"], octets)
                progress(1)
    tell(figures)


def updates(*, messages: int, threads: int, database: str) -> None:
    """Durable UPDATEs of one row of the digests each, a commit each, by so many threads with a connection each.

    They count the attempt, which no index holds: the cheapest change that a row can have.
    """
    figures = Figures(messages, commits=messages, queries=messages)
    with psycopg.connect(database) as server:
        ids = [pk for (pk,) in server.execute("SELECT id FROM digest_digest ORDER BY id LIMIT %s", [messages])]
    ready = threading.Barrier(threads + 1)

    def work(own: list[int]) -> None:
        with psycopg.connect(database, autocommit=True) as server:
            ready.wait()
            for pk in own:
                server.execute("UPDATE digest_digest SET attempt = attempt + 1 WHERE id = %s", [pk])

    workers = [threading.Thread(target=work, args=(ids[number::threads],)) for number in range(threads)]
    for worker in workers:
        worker.start()
    ready.wait()
    with measuring(figures):
        for worker in workers:
            worker.join()
    tell(figures)
