"""The numbers that rows get: raised after a restored dump, so that none is given out a second time.

Links, names of mails, reports of providers, bookmarks of editors and tasks in the queue name rows by number. An older
dump knows nothing of the numbers that were given out since, and would give them to others.
"""

from django.apps import apps
from django.db import connection, models, transaction

LEAST_GAP, WIDEST_GAP = 1_000_000, 100_000_000
# A link holds 40 bits of a number (subscriptions.tokens), and some of Django's own tables 31.
HIGHEST = {"AutoField": 2**31 - 1, "SmallAutoField": 2**15 - 1, "BigAutoField": 2**40 - 1}


class NoRoom(Exception):  # noqa: N818 - a fact about the numbers
    """A table has given out so many numbers that it cannot leave a gap; the text names it."""


def raise_all() -> int:
    """Leave a gap in the numbers of every table; how many tables. The rows stay as they are.

    The gap is as wide as all that was given out before, which covers a dump that is younger than half of the
    installation's life at a steady pace; a million at least, and a hundred million at most, so that it can be done
    thousands of times. The tables with 31 bits are Django's own, of users and the like: a million there. Raises NoRoom
    where a table has no room for it; then nothing has changed.
    """
    tables = {
        model._meta.db_table: (str(model._meta.pk.column), model._meta.pk.get_internal_type())
        for model in apps.get_models(include_auto_created=True)
        if isinstance(model._meta.pk, models.AutoField) and model._meta.managed and not model._meta.proxy
    }
    with transaction.atomic():
        raised = {}
        for table, (column, kind) in tables.items():
            last = _last(table, column)
            raised[table] = last + (min(max(LEAST_GAP, last), WIDEST_GAP) if kind == "BigAutoField" else LEAST_GAP)
            if raised[table] >= HIGHEST[kind]:
                raise NoRoom(f"The numbers of {table} stand at {last}: there is no room to leave a gap of a million.")
        for table, (column, _) in tables.items():  # PostgreSQL's setval is not undone by a rollback: so none before
            _put(table, column, raised[table])
    return len(tables)


def _last(table: str, column: str) -> int:
    """The highest number that the table has, or is known to have given out."""
    name, quoted = connection.ops.quote_name(column), connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MAX({name}), 0) FROM {quoted}")  # noqa: S608 - names of our own models
        highest = int(cursor.fetchone()[0])
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence(%s, %s)::regclass), 0)", [quoted, column]
            )
        else:
            cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        return max(highest, int(cursor.fetchone()[0]))


def _put(table: str, column: str, number: int) -> None:
    """The next row gets the number after this one."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            quoted = connection.ops.quote_name(table)
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s)::regclass, %s)", [quoted, column, number])
            return
        # A table that never had a row is not there yet (https://www.sqlite.org/autoinc.html).
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
