"""A CSV file -> rows, one at a time. Pure: no database, no clock."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from subscriptions.transfer.rows import COLUMNS, FORMER, Known, Row, row_of


class Unreadable(Exception):  # noqa: N818 - about the file, which is no error of ours
    """The file is no CSV of readers; the text says what to do. Nothing of it can be used."""


def read(file: BinaryIO, known: Known) -> Iterator[Row]:
    """The rows of a file in UTF-8 with or without BOM, between commas or semicolons, under a row of column names.

    Reads from the beginning and leaves the file open. A row's number is the spreadsheet's: the names are row 1.
    Raises Unreadable.
    """
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 1
    try:
        first = text.readline()
        mark = ";" if first.count(";") > first.count(",") else ","
        header = _header(next(csv.reader([first], delimiter=mark, strict=True), []))
        for number, record in enumerate(csv.reader(text, delimiter=mark, strict=True), start=2):
            if not any(cell.strip() for cell in record):
                continue  # spreadsheets leave empty rows behind
            if len(record) != len(header):
                raise Unreadable(
                    f"Row {number} has {len(record)} cells and the first row {len(header)}. "
                    "Put a text that holds a separator or a quote into double quotes."
                )
            yield row_of(number, dict(zip(header, record, strict=True)), known)
    except UnicodeDecodeError as error:
        raise Unreadable(f'The file is not UTF-8 (near row {number + 1}). Save it as "CSV UTF-8".') from error
    except csv.Error as error:
        raise Unreadable(f"Row {number + 1} cannot be read ({error}). A double quote may be missing.") from error
    finally:
        text.detach()


def _header(names: list[str]) -> list[str]:
    """The column names; raises Unreadable for those that are unknown, missing or there twice."""
    header = [name.strip().lower() for name in names]
    if not any(header):
        raise Unreadable("The first row is empty. It must name the columns, email at least.")
    if unknown := [name for name in header if name not in (*COLUMNS, *FORMER)]:
        shown = ", ".join(f'"{name[:40]}"' for name in unknown[:10])
        raise Unreadable(f"Unknown columns: {shown}. Take them out or rename them. Known are: {', '.join(COLUMNS)}.")
    if "email" not in header:
        raise Unreadable('The column "email" is missing. The first row must name the columns.')
    if twice := [name for name in COLUMNS if header.count(name) > 1]:
        raise Unreadable(f"These columns are there twice: {', '.join(twice)}. Keep one of each.")
    return header
