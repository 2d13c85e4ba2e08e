import json
from argparse import ArgumentTypeError
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from rich.markup import escape
from rich.table import Table

from digest.health.examination import Groups, Wishes, examine
from digest.health.names import asker
from digest.health.verdict import State, Verdict
from subscriptions import clock
from subscriptions.management.operating import OperatorCommand

COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "bold red", State.NOT_CHECKED: "dim"}
LARGEST = 50 * 1024 * 1024  # bytes; mailbox providers take 25 MB


def mail_file(path: str) -> bytes:
    """The bytes of a file that a mail was saved to."""
    try:
        if Path(path).stat().st_size > LARGEST:
            raise ArgumentTypeError(f"{path} is larger than any mail")
        return Path(path).read_bytes()
    except OSError as error:
        raise ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from error


class Command(OperatorCommand):
    help = (
        "Whether mails leave, arrive, and can be unsubscribed from with one click: settings, domains, DNS records, the "
        "provider, the processes, and a mail as it was received. fault: repair it. warning: it works and should be "
        "better. not checked: nobody looked, and why. Changes nothing. Exit code 1 if there is a fault."
    )
    requires_system_checks = []  # it shows what they find instead of ending with it

    def add_arguments(self, parser: CommandParser) -> None:
        """No --now: clocks, queues and the DNS have only one."""
        parser.add_argument("--dns", action="store_true", help="ask the DNS: SPF, DKIM, DMARC, MX, the site's host")
        parser.add_argument(
            "--selector",
            action="append",
            default=[],
            metavar="NAME",
            help="with --dns: s= of your DKIM-Signature; repeatable (default: the usual ones)",
        )
        parser.add_argument(
            "--envelope",
            default="",
            metavar="DOMAIN",
            help="the domain of Return-Path in a received mail, where the provider uses its own",
        )
        parser.add_argument(
            "--received",
            type=mail_file,
            metavar="FILE.eml",
            help="a digest as it arrived in a mailbox, saved with all its headers; --dns verifies its signature",
        )
        parser.add_argument(
            "--site", action="store_true", help="ask SITE_URL itself: does a proxy wait for slow visitors in its place?"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, print, and end with 1 if there is a fault."""
        wishes = Wishes(
            ask=asker() if options["dns"] else None,
            selectors=options["selector"],
            envelope=options["envelope"].strip(".").lower(),
            copy=options["received"],
            site=options["site"],
        )
        try:
            now = clock.now()
        except DatabaseError as error:  # under DEBUG the clock's shift is in the database
            remedy = "Start it, correct DATABASE_URL, or run manage.py migrate."
            raise CommandError(f"The database does not answer ({type(error).__name__}). {remedy}") from None
        groups = examine(now, wishes)
        counts = Counter(verdict.state for verdicts in groups.values() for verdict in verdicts)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(groups), ensure_ascii=False, indent=2))
        else:
            for group, verdicts in groups.items():
                self.console.print(_table(group, verdicts))
            self.console.print(", ".join(f"{counts[state]} {state}" for state in State))
        if counts[State.FAULT]:
            raise SystemExit(1)


def _table(group: str, verdicts: list[Verdict]) -> Table:
    table = Table(title=group, title_justify="left", expand=True)
    table.add_column("what", ratio=2, overflow="fold")
    table.add_column("state", no_wrap=True, width=len(State.NOT_CHECKED))
    table.add_column("seen", ratio=4, overflow="fold")
    table.add_column("what to do", ratio=3, overflow="fold")
    for verdict in verdicts:
        state = f"[{COLOURS[verdict.state]}]{verdict.state}[/]"
        table.add_row(escape(verdict.name), state, escape(verdict.said), escape(verdict.remedy))
    return table


def _as_json(groups: Groups) -> list[dict[str, str]]:
    return [
        {"group": group, "name": v.name, "state": str(v.state), "said": v.said, "remedy": v.remedy}
        for group, verdicts in groups.items()
        for v in verdicts
    ]
