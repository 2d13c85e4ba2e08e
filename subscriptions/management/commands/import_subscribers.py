from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.markup import escape
from rich.table import Table

from subscriptions import transfer
from subscriptions.management.operating import OperatorCommand
from subscriptions.transfer import COLUMNS, Outcome, Report


class Command(OperatorCommand):
    help = (
        "Import readers from a CSV file: UTF-8, commas or semicolons, the first row names the columns. Known columns: "
        f"{', '.join(COLUMNS)}. Only email is required. A row with consent_at and consent_where becomes a reader; a "
        "row without is asked to confirm by mail. Known and suppressed addresses stay as they are. Where a row is "
        "faulty nothing is imported and every fault is listed. Exit code 1 where the file cannot be read, or rows are "
        "faulty and not skipped. docs/importing.md has the columns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and how careful to be."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--skip-faulty", action="store_true", help="import the other rows where some are faulty")
        parser.add_argument("--by", metavar="NAME", default="command", help="who imports, kept with each consent")

    def handle(self, *args: Any, **options: Any) -> None:
        """A table of the rows that were not taken, then the counts."""
        try:
            report = self._run(options)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be opened: {error.strerror}.") from error
        except (transfer.Unreadable, transfer.Collided) as error:
            raise CommandError(f"{error} Nothing was imported.") from error
        if report.lines:
            self.console.print(_table(report))
        self.stdout.write(f"{'Imported' if report.done else 'Would be imported'}: {report}.")
        if report.done and report.counts[Outcome.REQUEST]:
            self.stdout.write("Confirmation mails leave as LETTERS_PER_SITE allows.")
        if report.faulty and not options["skip_faulty"]:
            raise CommandError(
                f"Nothing was imported. Faulty rows: {report.faulty:,}. "
                "Correct them, or import the others with --skip-faulty."
            )

    def _run(self, options: dict[str, Any]) -> Report:
        with options["file"].open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
            with self.bars(max(lines - 1, 0)) as told:
                return transfer.import_file(
                    file,
                    self.now(options),
                    options["by"],
                    dry_run=options["dry_run"],
                    skip_faulty=options["skip_faulty"],
                    progress=told,
                )


def _table(report: Report) -> Table:
    table = Table("row", "outcome", "column", "address", title="Rows that are not imported", title_justify="left")
    table.add_column("why, and what to do", overflow="fold")
    for line in report.lines:
        table.add_row(str(line.number), line.outcome, line.column, escape(line.typed), escape(line.message))
    return table
