"""Is a mail lost, or sent twice, when anything is killed at any moment?

Starts a PostgreSQL cluster and a Redis of its own in a temporary folder, two sending processes, beat twice and a mail
server that writes down every Message-ID. Readers become due in waves; in each wave something is killed (kill -9 at each
step of the work and at random), restarted, emptied, frozen or made to hang. Then the installation is left alone until
nothing is on its way, and what the rows say is compared with what the mail server took.

Promised, and checked: no digest is lost. With --policy resend a mail may come twice, under the same Message-ID, and at
most as many as there are threads for each kill of a sending process; none stays uncertain. With --policy hold none comes
twice, and each that stays uncertain is listed with the kill that made it so. SIGTERM ends a worker within ten seconds.
Who leaves gets nothing more. The last line is for scripts: lost=0 twice=N uncertain=M sum=ok. With --policy both the
troubles are dealt out between two runs, one after the other on the same servers; each ends with its line.

Exit code 0 if all promises hold, 1 if not, 2 if a server is not on this machine.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import django
from django.conf import settings
from django.core.management import call_command
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.chaos.servers import Broker, Database, MailServer, missing
from tests.chaos.steps import PLAN_CHUNK, SEND_CHUNK
from tests.chaos.watch import Watch
from tests.environment import test_environment

if TYPE_CHECKING:
    from tests.chaos.troubles import Trouble

FAULTS = ("asks-nobody", "does-not-mark", "forgets-claims", "records-first", "takes-uncertain-for-unsent")


class TimeIsUp(Exception):  # noqa: N818 - what happened
    """The whole run took longer than it ever should."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=2000, help="who become due in the run (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=14, help="kill -9 of workers (default: %(default)s)")
    parser.add_argument("--besides", type=int, help="how often each other trouble comes (default: a tenth of --kills)")
    parser.add_argument("--quick", action="store_true", help="nothing that waits for a lease to lapse (the freezes)")
    parser.add_argument("--policy", choices=("resend", "hold", "both"), default="resend", help="UNCERTAIN_MAILS")
    parser.add_argument("--threads", type=int, default=8, help="sending threads of each worker (default: %(default)s)")
    parser.add_argument("--lease", type=int, default=10, help="seconds of a claim (default: %(default)s)")
    parser.add_argument(
        "--patience", type=int, default=1, help="on a busy machine: so many times as long for whatever is waited for"
    )
    parser.add_argument("--seed", type=int, help="of all that is random (default: another one each time)")
    parser.add_argument("--keep", action="store_true", help="leave database and logs, and say how to look at them")
    parser.add_argument("--fault", choices=FAULTS, default="", help="break the product on purpose: the run must notice")
    options = parser.parse_args()
    if options.besides is None:
        options.besides = max(options.kills // 10, 1)
    if options.seed is None:
        options.seed = random.randrange(10**6)
    return options


def main() -> int:
    """The exit code."""
    options = arguments()
    if lacking := missing():
        Console(stderr=True).print(*lacking, sep="\n")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="daily-papers-chaos-"))
    with ExitStack() as house, ExitStack() as stack:
        house.callback(shutil.rmtree, folder, ignore_errors=True)
        database = Database(folder)
        house.callback(database.stop)
        code = carry_out(options, folder, database, stack)
        if options.keep:
            house.pop_all()  # nothing of it is done
        return code


def carry_out(options: argparse.Namespace, folder: Path, database: Database, stack: ExitStack) -> int:
    """Start everything else, run, judge, print."""
    console = Console(highlight=False, soft_wrap=True)
    broker = Broker(folder)
    stack.callback(broker.stop)
    # So slow that a wave of readers keeps all threads busy for a second or two.
    mail = MailServer(folder, seconds=min(max(1.5 * 2 * options.threads * 20 / options.readers, 0.02), 0.2))
    stack.callback(mail.stop)
    os.environ.update(settings_of(options, database, broker, mail))
    django.setup()
    call_command("migrate", verbosity=0)

    from tests.chaos import troubles  # noqa: PLC0415 - Django is set up by now, not at import

    chance = random.Random(options.seed)
    plan = troubles.plan(options.kills, options.besides, chance, quick=options.quick)
    policies = ("resend", "hold") if options.policy == "both" else (options.policy,)
    code = 0
    for place, policy in enumerate(policies):
        if place:
            start_anew(mail, broker)
        own = argparse.Namespace(**{**vars(options), "policy": policy})
        part = plan[place :: len(policies)]
        code = max(code, live_through(part, own, folder / policy, Servers(database, broker, mail), chance, console))
    return code


class Servers(NamedTuple):
    """What the installation speaks to."""

    database: Database
    broker: Broker
    mail: MailServer


def start_anew(mail: MailServer, broker: Broker) -> None:
    """Nothing is left of the run before."""
    call_command("flush", interactive=False, verbosity=0)
    broker.restart()
    mail.forget()


def live_through(
    plan: "list[Trouble]",
    options: argparse.Namespace,
    folder: Path,
    servers: Servers,
    chance: random.Random,
    console: Console,
) -> int:
    """One run under one policy: all of the plan, the verdict, its lines; the exit code."""
    from tests.chaos import cast, report, run, staff  # noqa: PLC0415 - Django is set up by now, not at import

    settings.UNCERTAIN_MAILS = os.environ["UNCERTAIN_MAILS"] = options.policy
    folder.mkdir()
    readers = cast.fill(options.readers, run.clock.now())
    watch = Watch()
    processes = staff.Staff(folder, watch, options)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        closing(processes),
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        the_run = run.Run(*servers, processes, readers, options, chance, progress, watch)
        try:
            with deadline((180 + 20 * len(plan) + options.readers // 50) * options.patience):
                the_run.go(plan)
        except TimeIsUp:
            the_run.missed.append("the end, within any sensible time")
    return report.conclude(options, the_run, console)


def settings_of(options: argparse.Namespace, database: Database, broker: Broker, mail: MailServer) -> dict[str, str]:
    """The installation: production, but impatient."""
    return {
        **test_environment(database.url, broker.url),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MAIL_URL": f"smtp://127.0.0.1:{mail.port}",
        "MAIL_TIMEOUT": "2",
        "UNCERTAIN_MAILS": "resend",  # until live_through says which
        "SEND_THREADS": str(options.threads),
        "SEND_LEASE_SECONDS": str(options.lease),
        "SEND_CHUNK": str(SEND_CHUNK),
        "PLAN_CHUNK": str(PLAN_CHUNK),
        "TICK_SECONDS": "1",
        "SPREAD_SECONDS": "0",
        "EDITION_APPROVE_AT": "never",
        "SOURCES": "sample",
    }


@contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raises TimeIsUp after so many seconds, whatever is being waited for."""

    def up(_number: int, _frame: FrameType | None) -> None:
        raise TimeIsUp

    signal.signal(signal.SIGALRM, up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    sys.exit(main())
