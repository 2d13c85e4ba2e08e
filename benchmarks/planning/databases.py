"""Databases that are copies of others, and rows put into them without Django's models."""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import connection

COPY_OF_FILES = 150000  # the version of PostgreSQL that can be asked for it: quick for large databases


def is_sqlite(url: str) -> bool:
    """Whether it is the address of a file."""
    return url.startswith("sqlite")


def connect(url: str) -> Any:
    """A plain connection of the driver, without Django."""
    return sqlite3.connect(urlsplit(url).path) if is_sqlite(url) else psycopg.connect(url)


@dataclass(frozen=True, slots=True)
class Copies:
    """Makes databases beside the one that Django is connected to."""

    folder: Path

    @contextmanager
    def of(self, original: str | None, name: str) -> Iterator[str]:
        """The address of a copy of ``original`` (an address), or of Django's own; it is dropped after the block."""
        if connection.vendor == "sqlite":
            with self._file(original, name) as url:
                yield url
            return
        own = str(connection.settings_dict["NAME"])
        connection.close()  # of a database in use no copy can be made
        template = urlsplit(original).path.strip("/") if original else own
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
            quick = " STRATEGY FILE_COPY" if server.info.server_version >= COPY_OF_FILES else ""
            server.execute(f'DROP DATABASE IF EXISTS "{own}_{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{own}_{name}" TEMPLATE "{template}"{quick}')
            server.execute("CHECKPOINT")  # what was copied is no burden to what is measured next
            try:
                yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{own}_{name}").geturl()
            finally:
                server.execute(f'DROP DATABASE "{own}_{name}" WITH (FORCE)')

    @contextmanager
    def _file(self, original: str | None, name: str) -> Iterator[str]:
        path = self.folder / f"{name}.sqlite3"
        if original:
            shutil.copyfile(urlsplit(original).path, path)
        else:
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(path)])
        try:
            yield f"sqlite:///{path}"
        finally:
            for file in self.folder.glob(f"{path.name}*"):
                file.unlink()


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by Django's connection: COPY, or executemany on SQLite. JSON columns come as text."""
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(columns))
            ready = [[_for_sqlite(value) for value in row] for row in rows]
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", ready)
            return
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _for_sqlite(value: Any) -> Any:
    """As Django stores it there."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return value.isoformat() if isinstance(value, date | time) else value


def settle() -> None:
    """Statistics for the planner, and nothing left to clean up: before each measured part."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
