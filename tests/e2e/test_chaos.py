"""``python -m tests.chaos``, small: every step is killed once, and everything else goes wrong once too.

Half of it happens under each policy. At night it is as large as the command's own examples.
"""

import re
import subprocess
import sys

import pytest

from tests.chaos.copies import Causes, Event
from tests.chaos.servers import missing
from tests.e2e.stack import ROOT
from tests.sizes import size


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")
@pytest.mark.skipif(bool(missing()), reason=f"chaos: {' '.join(missing())}")
def test_nothing_is_lost_and_nothing_doubled_but_what_was_promised_whatever_is_killed():
    readers = ["--readers", str(size(ci=400, night=20_000))]
    troubles = ["--kills", str(size(ci=7, night=100)), "--besides", str(size(ci=1, night=10))]
    quick = ["--quick"] * size(ci=1, night=0)
    options = [*readers, *troubles, *quick, "--policy", "both", "--patience", "3"]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # it has a deadline of its own
    assert ran.returncode == 0, ran.stdout + ran.stderr
    resent, held = [line for line in ran.stdout.splitlines() if line.startswith("lost=")]
    assert re.fullmatch(r"lost=0 twice=\d+ uncertain=0 sum=ok", resent)
    assert re.fullmatch(r"lost=0 twice=0 uncertain=\d+ sum=ok", held)


def test_a_copy_needs_a_cause_at_its_time_with_room_for_it():
    causes = Causes([Event(at=100.0, what="a kill", copies=1), Event(at=110.0, what="another", copies=1)])
    assert not causes.explain("long before", 80.0)
    assert causes.explain("between the two", 104.0)
    assert causes.explain("near the first only", 95.0), "the one before it moves to the second"
    assert not causes.explain("one too many", 105.0)
