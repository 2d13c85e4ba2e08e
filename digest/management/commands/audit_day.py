import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest import ledger, outcomes, report
from digest.management.stage import StageCommand
from digest.models import Digest

UNKNOWN = "unknown"  # without a blank, for the shell
LINES = {**{state: state for state in Digest.State.values}, UNKNOWN: ledger.UNKNOWN}


class Command(StageCommand):
    help = (
        "Show the sum of a local day by cadence: planned = accepted + rejected + ... + to go. Looks for rows that "
        "should not be, for readers who were passed over, and compares the rows of a closed day with its stored sum. "
        "Changes nothing. Exit code 1 where something is wrong."
    )
    day_help = "the local day, like 2026-03-20; today (UTC) if not given"

    def add_arguments(self, parser: CommandParser) -> None:
        """--outcome, --list and --json."""
        super().add_arguments(parser)
        parser.add_argument(
            "--outcome",
            nargs="+",
            choices=sorted(LINES),
            metavar="STATE",
            default=[],
            help=f"list the readers whose digest came to this: {', '.join(sorted(LINES))} (nobody will ever know)",
        )
        parser.add_argument("--list", action="store_true", help="list the readers by number, with state and reason")
        parser.add_argument(
            "--json", action="store_true", help="print JSON, one object a line: the day, then each reader of a list"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """The sum, the list, and the faults as the error."""
        audit = outcomes.audit(self.day(options), self.now(options))
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(audit)))
        else:
            self.console.print(report.audit_table(audit))
            if not audit.total.planned:
                self.stdout.write(f"Nothing was planned on {audit.day}.")
        if options["list"] or options["outcome"]:
            for outcome in audit.outcomes({LINES[name] for name in options["outcome"]}):
                self._print(outcome, as_json=options["json"])
        if not audit.adds_up:
            raise CommandError(f"The audit of {audit.day} found faults:\n" + "\n".join(audit.faults))

    def _print(self, outcome: outcomes.Outcome, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(outcome._asdict()))
            return
        who = f"reader {outcome.reader}" if isinstance(outcome.reader, int) else outcome.reader
        self.stdout.write(f"{who}: {outcome.line}" + (f" ({outcome.reason})" if outcome.reason else ""))


def _as_json(audit: outcomes.Audit) -> dict[str, Any]:
    return {
        "day": audit.day.isoformat(),
        "closed": audit.closed,
        "sums": {cadence: _sum_as_json(own) for cadence, own in audit.sums.items()},
        "total": _sum_as_json(audit.total),
        "faults": audit.faults,
    }


def _sum_as_json(own: outcomes.Sum) -> dict[str, int]:
    return {"planned": own.planned, **{line: own[line] for line in outcomes.ENDED}, "to go": own.to_go}
