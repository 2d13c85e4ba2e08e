"""Every recorded day once more, through the real client: `python -m benchmarks.replay --data DIR`.

A server on the loopback answers as the Hugging Face API did on each recorded day. All days are read twice, as the
hourly task reads them. It then checks what must hold: one paper for each arXiv id, none created by the second reading,
and a reason for every record that was refused. Exit code 1 where something does not hold.

Afterwards it plays five odd days of a source (a weekend, an arXiv holiday, an empty list, a feed that stands still, an
error page for an answer) and prints what `manage.py sources` says of them.
"""

import argparse
import gzip
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.database import command_line, own_database, parse

RECORDED = "hf_daily_papers.jsonl.gz"
Answer = tuple[int, bytes]
# A feed as arXiv lays it out, with nothing in it but its date.
FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>cs.CL updates on arXiv.org</title>'
    "<pubDate>{:%a, %d %b %Y} 00:00:00 -0500</pubDate></channel></rss>"
)


@dataclass
class Reading:
    """What one reading of all days gave."""

    papers: int = 0
    created: int = 0
    seconds: float = 0.0
    refused: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)


def main() -> int:
    """Read all days twice, check, play the odd days."""
    options = arguments()
    days = recorded(options.data / RECORDED)[: options.days]
    console = Console()
    with own_database(options.database_url) as description, loopback(answers(dict(days))) as url:
        readings = [read_all([day for day, _ in days], url, hours) for hours in (23, 30)]
        faults = check(dict(days), readings)
        console.print(table(readings, f"{len(days)} recorded days into {description}"))
        console.print(
            "\n".join(faults) or "One paper for each arXiv id; nothing new the second time; a reason for all."
        )
        odd_days(console)
    return int(bool(faults))


def arguments() -> argparse.Namespace:
    """The command line. Exit code 2 where the data is not there."""
    parser = command_line("replay", str(__doc__), (RECORDED,), database="sqlite")
    parser.add_argument("--days", type=int, help="so many days only")
    return parse(parser, (RECORDED,))


def recorded(path: Path) -> list[tuple[date, list[Any]]]:
    """The recorded days with their lists, in order."""
    with gzip.open(path, "rt") as lines:
        answers = [json.loads(line) for line in lines]
    return sorted((date.fromisoformat(answer["date"]), answer["response"]) for answer in answers)


def answers(days: dict[date, list[Any]]) -> Callable[[str, dict[str, str]], Answer]:
    """The API's answer to a request: its list on the first page, nothing on later ones."""

    def answer(_: str, query: dict[str, str]) -> Answer:
        elements = days.get(date.fromisoformat(query["date"]), []) if query.get("p") == "0" else []
        return 200, json.dumps(elements).encode()

    return answer


@contextmanager
def loopback(answer: Callable[[str, dict[str, str]], Answer]) -> Iterator[str]:
    """A web server of this process; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with what ``answer`` says."""
            parts = urlsplit(self.path)
            status, body = answer(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the table says it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # By default it looks every half second whether it has ended: five odd days would wait for that.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read_all(days: list[date], url: str, hours: int) -> Reading:
    """Read each day as a run does, ``hours`` after its beginning."""
    from django.conf import settings  # noqa: PLC0415 - Django is set up by now, not at import

    from digest import fetching  # noqa: PLC0415
    from digest.sources import huggingface  # noqa: PLC0415

    settings.HUGGINGFACE_URL = url
    huggingface.SECONDS_BETWEEN_REQUESTS = 0.0  # our own server
    made = Reading()
    begun = time.perf_counter()
    for day in track(days, "Reading", console=Console(file=sys.stderr), transient=True):
        now = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hours)
        run = fetching.collect("huggingface", day, now, by="replay")
        made.papers += run.received
        made.created += run.created
        made.refused += [entry["reason"] for entry in run.rejected]
        made.states[run.state] = made.states.get(run.state, 0) + 1
    made.seconds = time.perf_counter() - begun
    return made


def check(days: dict[date, list[Any]], readings: list[Reading]) -> list[str]:
    """What does not hold, in words."""
    from digest.models import Paper  # noqa: PLC0415
    from digest.sources.arxiv import bare_id  # noqa: PLC0415

    elements = [element for day in days.values() for element in day]
    ids = {bare_id((element.get("paper") or {}).get("id")) for element in elements} - {None}
    second = readings[1]
    faults = []
    if Paper.objects.count() != len(ids):
        faults.append(f"{Paper.objects.count()} papers, but {len(ids)} arXiv ids")
    if second.created:
        faults.append(f"the second reading created {second.created}")
    for made in readings:
        if made.papers + len(made.refused) != len(elements):
            faults.append(f"{made.papers} papers and {len(made.refused)} refused are not {len(elements)} records")
        if not all(made.refused):
            faults.append("a record was refused without a reason")
    return faults


def table(readings: list[Reading], title: str) -> Table:
    """A line a reading."""
    shown = Table("reading", title=title)
    for name in ("records", "papers created", "refused", "seconds"):
        shown.add_column(name, justify="right")
    shown.add_column("days by state")
    for name, made in zip(("first", "second"), readings, strict=True):
        states = ", ".join(f"{number} {state}" for state, number in sorted(made.states.items()))
        cells = (made.papers, made.created, len(made.refused), f"{made.seconds:.1f}", states)
        shown.add_row(name, *map(str, cells))
    return shown


def odd_days(console: Console) -> None:
    """Five days on which no papers come, each for its own reason, and what is said of them."""
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    from digest import fetching  # noqa: PLC0415
    from digest.sources import arxiv  # noqa: PLC0415

    days = {
        date(2026, 11, 22): (200, FEED.format(date(2026, 11, 22)).encode()),  # Sunday
        date(2026, 11, 27): (200, FEED.format(date(2026, 11, 26)).encode()),  # after Thanksgiving
        date(2026, 11, 24): (200, FEED.format(date(2026, 11, 24)).encode()),  # nothing in it
        date(2026, 11, 25): (200, FEED.format(date(2026, 11, 24)).encode()),  # still yesterday's
        date(2026, 11, 26): (200, b"<!doctype html><title>Sign in</title>"),
    }
    arxiv.SECONDS_BETWEEN_REQUESTS = 0.0
    settings.SOURCES = ["arxiv_rss"]
    for day, answer in sorted(days.items()):
        with loopback(lambda *_, answer=answer: answer) as url:
            settings.ARXIV_RSS_URL = url
            fetching.collect("arxiv_rss", day, datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC))
    console.print("\nA Sunday, an empty Tuesday, a Wednesday that stands still, a broken Thursday, a holiday's Friday:")
    call_command("sources", now=datetime(2026, 11, 28, tzinfo=UTC), days=7)


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "120")
    sys.exit(main())
