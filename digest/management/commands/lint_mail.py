import json
import sys
from argparse import RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.lint import RULES, Finding, Severity, in_words, lint

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


class Command(BaseCommand):
    help = (
        "Read mails as files and say what is wrong with them: headers, structure, markup, contrast, links, texts, "
        "size. Nothing is sent, fetched or stored. Exit codes: 0 no error, 1 errors (with --strict warnings too), 2 a "
        "file cannot be read. The rules are in docs/linting.md."
    )
    requires_system_checks: list[str] = []  # a mail can be looked at where nothing is set up

    def add_arguments(self, parser: CommandParser) -> None:
        """Which mails, and how strict."""
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("mails", nargs="*", metavar="MAIL", help="an .eml file, a folder of them, or - for stdin")
        parser.add_argument("--trial", action="store_true", help="of an installation without https: that is a warning")
        parser.add_argument("--strict", action="store_true", help="fail on warnings too")
        parser.add_argument("--json", action="store_true", help="print JSON: the findings of each mail")
        parser.add_argument("--rules", action="store_true", help="print all rules instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each mail by itself, then the sum."""
        if options["rules"]:
            self._print_rules(as_json=options["json"])
            return
        if not options["mails"]:
            raise CommandError("name a mail: an .eml file, a folder of them, or - for stdin", returncode=2)
        found = {name: lint(raw, trial=options["trial"]) for name, raw in _read(options["mails"])}
        if options["json"]:
            self._print_json({name: [asdict(finding) for finding in findings] for name, findings in found.items()})
        else:
            self._print(found)
        counts = _counts(found)
        if counts[Severity.ERROR] or (options["strict"] and counts[Severity.WARNING]):
            sys.exit(1)

    @property
    def console(self) -> Console:
        """Where tables go: stdout, without colours where it is not a terminal."""
        return Console(file=cast("IO[str]", self.stdout), highlight=False)

    def _print(self, found: dict[str, list[Finding]]) -> None:
        console = self.console
        for name, findings in found.items():
            if findings:
                table = Table("rule", "severity", title=escape(name), title_justify="left")
                for column in ("what is wrong", "where", "what to do"):
                    table.add_column(column, overflow="fold")
                for f in findings:
                    severity = f"[{COLOURS[f.severity]}]{f.severity}[/]"
                    table.add_row(f.rule, severity, *map(escape, (in_words(f), f.where, f.remedy)))
                console.print(table)
            else:
                console.print(f"{escape(name)}: nothing to say")
        counts = _counts(found)
        numbers = ((len(found), "mail"), (counts[Severity.ERROR], "error"), (counts[Severity.WARNING], "warning"))
        mails, errors, warnings = (f"{number} {word}{'' if number == 1 else 's'}" for number, word in numbers)
        console.print(f"{mails}: {errors}, {warnings}")

    def _print_rules(self, *, as_json: bool) -> None:
        names = ("id", "severity", "what", "remedy", "source")
        rows = [tuple(str(getattr(rule, name)) for name in names) for rule in RULES]
        if as_json:
            self._print_json([dict(zip(names, row, strict=True)) for row in rows])
            return
        table = Table("rule", "severity", title=f"{len(RULES)} rules", title_justify="left")
        for column in ("what it holds", "what to do", "source"):
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)

    def _print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))


def _counts(found: dict[str, list[Finding]]) -> Counter[Severity]:
    return Counter(finding.severity for findings in found.values() for finding in findings)


def _read(names: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    """(name, octets) of each mail; of a folder, of all its *.eml. CommandError where one cannot be read."""
    for name in names:
        if name == "-":
            yield "stdin", sys.stdin.buffer.read()
            continue
        path = Path(name)
        paths = sorted(path.glob("*.eml")) if path.is_dir() else [path]
        if not paths:
            raise CommandError(f"there is no *.eml in {name}", returncode=2)
        for file in paths:
            try:
                yield str(file), file.read_bytes()
            except OSError as error:
                reason = error.strerror or "it cannot be read"
                raise CommandError(f"{file}: {reason}. Name an .eml file or a folder of them.", returncode=2) from error
