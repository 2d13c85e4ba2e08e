"""Does every reader get one digest on each local day, at the local hour, all year, wherever clocks change?

Readers in many zones, with hours that clocks jump over and repeat, and readers who change their zone at random, live
through the year under a clock that is pushed on; planning is the real one, with one new paper a day. Then each edge of
2026 and 2027 that lies outside of that time is lived through by the readers of its zone. Checked, with zoneinfo alone:
exactly one digest on each local day that a reader chose, at that hour, never in the second of two equal hours; for those
who travel twelve to thirty-six hours between two digests. The last line is for scripts: violations=0 ...

The database is one of its own: in memory, or beside the one that DATABASE_URL names. Exit code 0 without violations.
"""

import argparse
import os
import random
import sys
from datetime import date, timedelta

import django
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.test.utils import setup_databases, teardown_databases  # noqa: E402 - after django.setup()

from tests.calendar_year.report import lines  # noqa: E402
from tests.calendar_year.run import DAY  # noqa: E402
from tests.calendar_year.year import Plan, live_through  # noqa: E402


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.calendar_year", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--zones", type=int, default=40, help="the oddest first (default: %(default)s)")
    parser.add_argument("--days", type=int, default=365, help="from --start on (default: %(default)s)")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 1, 1), help="(default: %(default)s)")
    parser.add_argument("--tick", type=int, default=60, help="minutes between two plannings (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the journeys (default: %(default)s)")
    options = parser.parse_args()
    if min(options.zones, options.tick) < 1 or options.days < 3:
        parser.error("at least one zone, three days and a tick of one minute")
    if 60 % options.tick:
        parser.error("a tick of minutes that divide the hour")
    return options


def main() -> int:
    """Live through it, print, and judge."""
    options = arguments()
    plan = Plan(
        options.zones, options.start, options.days, timedelta(minutes=options.tick), random.Random(options.seed)
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Living", total=None)
            year = live_through(plan, lambda done, total: bar.update(task, completed=done / DAY, total=total / DAY))
    finally:
        teardown_databases(databases, verbosity=0)
    sys.stdout.writelines(f"{line}\n" for line in lines(year))
    return int(bool(year.verdict.violations))


if __name__ == "__main__":
    sys.exit(main())
