import logging
import os
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError, CommandParser

from subscriptions import transfer
from subscriptions.management.operating import OperatorCommand

log = logging.getLogger(__name__)


class Command(OperatorCommand):
    help = (
        "Write the active readers, those who pause included, as a CSV file with their addresses and the evidence of "
        "their consent: what import_subscribers reads. Without FILE to stdout. The file is readable by you alone; "
        "one that exists is replaced when the new one is whole."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and who."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="where to write (default: stdout)")
        parser.add_argument(
            "--all",
            action="store_true",
            help="also pending, unsubscribed and suppressed readers; the column state keeps them from coming back",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where the file cannot be written."""
        if options["file"] is None:
            number = self._write(self.stdout, options)  # type: ignore[arg-type]  # an OutputWrapper writes as a file
        else:
            try:
                number = self._replace(options["file"], options)
            except OSError as error:
                raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
            self.stdout.write(f"Readers exported to {options['file']}: {number:,}.")
        log.info("export by command: %s readers", number)

    def _replace(self, path: Path, options: dict[str, Any]) -> int:
        """Write beside the file, then put it in its place."""
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                number = self._write(file, options)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return number

    def _write(self, file: IO[str], options: dict[str, Any]) -> int:
        """The lines; how many readers that is."""
        number = -1  # the columns' names
        for line in transfer.export_file(self.now(options), everybody=options["all"]):
            file.write(line)
            number += 1
        return number
