"""Processes claim the same rows, on the suite's database: eight of them 2,000 rows at night."""

import os
import subprocess
import sys

import pytest

from tests.e2e.stack import ROOT, run_code, scratch_database
from tests.sizes import size

ROWS, CLAIMERS = size(400, 2000), size(4, 8)
SEED = f"""
from datetime import date, datetime, UTC
from digest.models import Digest
from subscriptions.models import Subscriber
now = datetime(2026, 3, 20, 7, tzinfo=UTC)
readers = Subscriber.objects.bulk_create(
    Subscriber(email=f"r{{n}}@example.org", email_hash=str(n), state="active", created_at=now) for n in range({ROWS}))
Digest.objects.bulk_create(
    Digest(subscriber=r, day=date(2026, 3, 20), due_at=now, planned_at=now) for r in readers)
"""
CLAIM = """
import sys, django
django.setup()
from datetime import datetime, UTC
from digest import ledger
now = datetime(2026, 3, 20, 7, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.readline()
while ids := ledger.claim(20, sys.argv[1], now):
    print(*ids, flush=True)
    sys.stdin.readline()  # after the first ones until all have some, and then no more: the end of the file
"""


@pytest.mark.slow
@pytest.mark.both_databases  # their locks
@pytest.mark.xdist_group("stack")
def test_claimers_in_processes_share_all_digests_without_a_double_or_a_lock_error(tmp_path):
    with scratch_database(tmp_path) as database:
        run_code(database, SEED)
        claimers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIM, f"claimer-{n}"],
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "config.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for n in range(CLAIMERS)
        ]
        for claimer in claimers:
            assert claimer.stdout.readline() == "ready\n", claimer.stderr.read()
        for claimer in claimers:  # all at once, not one after the other
            claimer.stdin.write("go\n")
            claimer.stdin.flush()
        first = [claimer.stdout.readline() for claimer in claimers]
        for claimer in claimers:
            claimer.stdin.close()
            claimer.stdin = None
        answers = [claimer.communicate(timeout=600) for claimer in claimers]
    assert [claimer.returncode for claimer in claimers] == [0] * CLAIMERS, answers
    assert "locked" not in "".join(errors for _, errors in answers)
    claimed = [int(word) for out in (*first, *(out for out, _ in answers)) for word in out.split()]
    assert len(claimed) == len(set(claimed)) == ROWS
    assert all(line.strip() for line in first), "each got some"
