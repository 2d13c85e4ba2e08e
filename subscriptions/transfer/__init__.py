"""Readers from a file and into a file, with the evidence of their consent: docs/importing.md is for operators."""

from subscriptions.transfer.exporting import export, export_file
from subscriptions.transfer.importing import Collided, Line, Outcome, Report, import_file, import_rows, plan
from subscriptions.transfer.reading import Unreadable, read
from subscriptions.transfer.rows import COLUMNS, Fault, Known, Row

__all__ = [
    "COLUMNS",
    "Collided",
    "Fault",
    "Known",
    "Line",
    "Outcome",
    "Report",
    "Row",
    "Unreadable",
    "export",
    "export_file",
    "import_file",
    "import_rows",
    "plan",
    "read",
]
