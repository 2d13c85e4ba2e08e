"""Sources ask a hostile server, each time in a process of its own: python -m tests.digest.sources.hostile_child.

Reads lines "SOURCE URL"; answers each with a line of JSON: what it ended in, and by how many megabytes the peak of the
process's memory (ru_maxrss) grew.
"""

# ruff: noqa: T201 - it speaks to its test

import json
import os
import resource
import sys
from datetime import date

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after the settings
from stamina import set_testing  # noqa: E402

from digest.sources import SOURCES, arxiv, huggingface  # noqa: E402
from digest.sources.base import SourceError  # noqa: E402

NET = 3 * 1024**3  # bytes of addresses: what would take the whole machine ends in a MemoryError before
KILL = 60  # s of CPU time


def ask(source: str, url: str) -> None:
    """Print what becomes of it."""
    settings.HUGGINGFACE_URL = settings.ARXIV_RSS_URL = settings.ARXIV_API_URL = settings.ARXIV_OAI_URL = url
    resource.setrlimit(resource.RLIMIT_AS, (NET, NET))
    resource.setrlimit(resource.RLIMIT_CPU, (KILL, KILL))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with set_testing(True, attempts=1):
        try:
            found = sum(1 for _ in SOURCES[source].fetch(date(2026, 1, 6)))
            end = f"{found} records"
        except SourceError as error:
            end = f"SourceError: {error}"
        except Exception as error:
            end = f"{type(error).__name__}: {error}"
    usage = resource.getrusage(resource.RUSAGE_SELF)
    said = {"end": end, "grown": (usage.ru_maxrss - before) / 1024, "seconds": usage.ru_utime + usage.ru_stime}
    print(json.dumps(said), flush=True)


def main() -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.SOURCE_TIMEOUT = 3
    settings.ARXIV_CATEGORIES = ["cs.CL"]
    arxiv.SECONDS_BETWEEN_REQUESTS = huggingface.SECONDS_BETWEEN_REQUESTS = 0.0
    for line in sys.stdin:
        child = os.fork()
        if not child:
            ask(*line.split())
            os._exit(0)
        if status := os.waitpid(child, 0)[1]:
            print(json.dumps({"end": f"killed: {status}", "grown": float("inf"), "seconds": KILL}), flush=True)


if __name__ == "__main__":
    main()
