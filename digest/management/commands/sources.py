import json
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from rich.markup import escape
from rich.table import Table

from digest import freshness
from digest.freshness import Reading
from digest.management.stage import StageCommand
from digest.models import SourceRun
from digest.sources import SOURCES

COLOURS = {
    "fresh": "green",
    "partial": "red",
    "waiting": "yellow",
    "quiet": "dim",
    "stalled": "magenta",
    "failed": "red",
}
SHOWN_RECORD = 160  # characters


class Command(StageCommand):
    help = (
        "How fresh each source is: one line for each source and day. fresh: papers came. partial: papers came, "
        "and some are missing or were refused. waiting: its batch is not in yet. quiet: there is "
        "nothing to come, and why (weekend, arXiv holiday, empty list). stalled: an earlier day "
        "is still shown though the batch was due. failed: nothing usable came. With --rejected, every record that was "
        "refused, with its reason."
    )

    day_help = "this day only, like 2026-03-20"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which days and sources; what of them."""
        super().add_arguments(parser)
        parser.add_argument("--days", type=int, default=7, help="so many days up to today (default: 7)")
        parser.add_argument("--source", action="append", choices=sorted(SOURCES), help="only this one; repeatable")
        parser.add_argument("--rejected", action="store_true", help="list the refused records and their reasons")
        parser.add_argument("--json", action="store_true", help="print JSON, records whole")

    def handle(self, *args: Any, **options: Any) -> None:
        """The days up to today, or the one of --day."""
        now = self.now(options)
        days = [options["day"]] if options["day"] else freshness.last_days(now, max(options["days"], 1))
        readings = {
            name: known
            for name, known in freshness.readings(days, now).items()
            if not options["source"] or name[0] in options["source"]
        }
        if options["rejected"]:
            self._rejected(readings, as_json=options["json"])
        elif options["json"]:
            self._print_json(
                [
                    _as_json(name, day, readings.get((name, day)))
                    for name in self._names(readings, options)
                    for day in days
                ]
            )
        else:
            for source in self._names(readings, options):
                self.console.print(self._table(source, {day: readings.get((source, day)) for day in days}))

    def _names(self, readings: dict[tuple[str, date], Reading], options: dict[str, Any]) -> list[str]:
        return list(dict.fromkeys([*(options["source"] or settings.SOURCES), *(source for source, _ in readings)]))

    def _table(self, source: str, days: dict[date, Reading | None]) -> Table:
        table = Table("day", title=source, title_justify="left")
        table.add_column("state", no_wrap=True)
        for name in ("papers", "added", "refused"):
            table.add_column(name, justify="right")
        table.add_column("read (UTC)")
        table.add_column("why", overflow="fold")
        for day, known in days.items():
            table.add_row(f"{day:%a %Y-%m-%d}", *(_cells(known) if known else ["[dim]not read[/]"]))
        return table

    def _rejected(self, readings: dict[tuple[str, date], Reading], *, as_json: bool) -> None:
        """Those of the newest run of each source and day that refused any: hourly runs refuse the same ones again."""
        rows = []
        for (source, day), known in readings.items():
            if known.refused:
                runs = SourceRun.objects.filter(source=source, day=day).exclude(rejected=[]).order_by("-started_at")
                kept = runs.values_list("rejected", flat=True)[0]
                rows += [(source, day, entry["reason"], entry["record"]) for entry in kept]
        if as_json:
            names = ("source", "day", "reason", "record")
            self._print_json(
                [dict(zip(names, (s, str(day), why, record), strict=True)) for s, day, why, record in rows]
            )
            return
        table = Table("source", "day", "reason", "record", title=f"{len(rows)} refused records")
        for source, day, reason, record in rows:
            text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
            shown = text if len(text) <= SHOWN_RECORD else text[:SHOWN_RECORD] + " ..."
            table.add_row(source, str(day), escape(reason), escape(shown))
        self.console.print(table if rows else "No record was refused.")

    def _print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))


def _cells(known: Reading) -> list[str]:
    run = known.run
    colour = COLOURS.get(known.state, "white")
    read = f"{run.finished_at:%d %b %H:%M}" if run.finished_at else ""
    rest = f"; left alone until {run.retry_at:%d %b %H:%M} UTC" if run.retry_at else ""
    why = "" if known.word == f"{known.state}: {known.reason}" else known.reason
    numbers = (str(known.received), str(known.created), str(known.refused or ""))
    return [f"[{colour}]{escape(known.word)}[/]", *numbers, read, escape(why + rest)]


def _as_json(source: str, day: date, known: Reading | None) -> dict[str, Any]:
    if known is None:
        return {"source": source, "day": str(day), "state": freshness.NOT_READ}
    run = known.run
    return {
        "source": source,
        "day": str(day),
        "state": known.state,
        "reason": known.reason,
        "papers": known.received,
        "added": known.created,
        "refused": known.refused,
        "runs": known.runs,
        "last_read": run.finished_at.isoformat() if run.finished_at else None,
        "retry_at": run.retry_at.isoformat() if run.retry_at else None,
    }
