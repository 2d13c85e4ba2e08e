"""The small sister of ``python -m tests.chaos``: every step is killed once, and everything else goes wrong once too."""

import os
import re
import subprocess
import sys

import pytest

from tests.chaos.copies import Causes, Event
from tests.chaos.servers import missing
from tests.e2e.stack import ROOT

SECOND_RUN = bool(os.environ.get("TEST_ONLY_WITH_DATABASE")) or os.environ.get("DATABASE_URL", "").startswith(
    "postgres"
)


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")
@pytest.mark.skipif(SECOND_RUN, reason="chaos: it brings its own PostgreSQL, so the run on SQLite has shown it already")
@pytest.mark.skipif(bool(missing()), reason=f"chaos: {' '.join(missing())}")
@pytest.mark.parametrize(
    ("policy", "promise"), [("resend", r"twice=\d+ uncertain=0"), ("hold", r"twice=0 uncertain=\d+")]
)
def test_nothing_is_lost_and_nothing_doubled_but_what_was_promised_whatever_is_killed(policy, promise):
    options = ["--readers", "300", "--kills", "8", "--besides", "1", "--quick", "--policy", policy]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.fullmatch(f"lost=0 {promise} sum=ok", ran.stdout.splitlines()[-1])


def test_a_copy_needs_a_cause_at_its_time_with_room_for_it():
    causes = Causes([Event(at=100.0, what="a kill", copies=1), Event(at=110.0, what="another", copies=1)])
    assert not causes.explain("long before", 80.0)
    assert causes.explain("between the two", 104.0)
    assert causes.explain("near the first only", 95.0), "the one before it moves to the second"
    assert not causes.explain("one too many", 105.0)
