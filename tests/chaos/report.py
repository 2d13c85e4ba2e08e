"""The end of a run: judge, ask ``audit_day`` too, and print."""

import argparse
from collections import Counter
from datetime import date
from io import StringIO

from django.core.management import CommandError, call_command
from rich.console import Console

from tests.chaos import verdict
from tests.chaos.run import Run
from tests.chaos.staff import AT_RANDOM
from tests.chaos.steps import STEPS
from tests.chaos.verdict import Verdict


def conclude(options: argparse.Namespace, run: Run, console: Console) -> int:
    """Print everything; the exit code."""
    found = verdict.judge(run)
    show(options, run, found, console)
    for day in found.sums:
        code, said = audit(day)
        console.print(f"audit_day --day {day}: exit code {code}")
        if code:
            found.broken.append(f"audit_day says no: {said.strip()[-2000:]}")
    if options.policy == "hold":
        found.broken += verdict.close_held()
        console.print(f"A day later: {len(found.uncertain)} of {len(found.uncertain)} held ones have ended as unknown")
    for broken in found.broken[:50]:
        console.print(f"BROKEN: {broken}", markup=False)
    if found.broken:
        console.print(run.staff.tails(), markup=False)
    if options.keep:
        console.print(f"Kept: {run.staff.folder}. To look at the day, and to stop PostgreSQL afterwards:")
        for day in found.sums:
            console.print(f"  DEBUG=true DATABASE_URL='{run.database.url}' python manage.py audit_day --day {day}")
        console.print(f"  {run.database.command_to_stop()}")
    console.print(found.last_line)
    return int(bool(found.broken))


def show(options: argparse.Namespace, run: Run, found: Verdict, console: Console) -> None:
    """The figures."""
    ends = Counter(end.where for end in run.staff.ends if end.name.startswith("worker"))
    console.print(f"seed {options.seed}, policy {options.policy}, {options.readers} readers, {options.threads} threads")
    for where in (AT_RANDOM, *(step.name for step in STEPS)):
        console.print(f"  kill -9 of a worker, {where}: {ends[where]}")
    for what, times in Counter(run.done).items():
        console.print(f"  {what}: {times}")
    if run.gave_up:
        console.print(f"  workers that gave up when Redis went away, and were started again: {run.gave_up}")
    slowest = max(run.staff.shutdowns, default=0.0)
    console.print(f"  SIGTERM: {len(run.staff.shutdowns)} times, the slowest took {slowest:.1f} s")
    if still := run.watch.standstills:
        console.print(
            f"  nobody could look for 3 s or more: {len(still)} times, {sum(seconds for _, seconds in still):.0f} s"
        )
    console.print(f"planned {found.planned}, accepted {found.accepted}, received {found.received}")
    for day, total in found.sums.items():
        counts = ", ".join(f"{state} {number}" for state, number in sorted(total.counts.items()))
        console.print(f"the sum of {day}: {total.planned} = {counts}")
        for (state, reason), number in sorted(total.reasons.items()):
            console.print(f"  {state}, {reason}: {number}", markup=False)
    console.print(f"lost {len(found.lost)}")
    for line in found.lost[:20]:
        console.print(f"  {line}", markup=False)
    limit = sum(event.copies for event in run.events)
    console.print(f"received twice {found.twice} (all under the same Message-ID; at most {limit} could be)")
    console.print(f"stopped in the middle: {len(run.stopped)} readers, {found.stopped_in_time} of them in time")
    console.print(f"uncertain left {len(found.uncertain)}")
    for line in found.uncertain:
        console.print(f"  {line}", markup=False)


def audit(day: date) -> tuple[int, str]:
    """What ``manage.py audit_day`` says of the day: its exit code and its output."""
    said = StringIO()
    try:
        call_command("audit_day", "--day", str(day), stdout=said)
    except CommandError as error:
        return error.returncode, f"{said.getvalue()}{error}"
    return 0, said.getvalue()
