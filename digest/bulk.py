"""Many new rows at once."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model and give them their primary keys. Raises IntegrityError and stores none of them.

    PostgreSQL takes them by COPY, since bulk_create spends most of its time in Python: on preparing each value, and on
    escaping the JSON columns a second time for an array (benchmarks.ingest; docs/decisions/0010). Every value of every
    column must be set or have a default in Python.
    """
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    fields = model._meta.concrete_fields
    table = model._meta.db_table
    reads = [(field.attname, isinstance(field, models.JSONField)) for field in fields]
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, len(rows)]
        )
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
        with connection.wrap_database_errors, cursor.copy(command) as copy:
            for row in rows:
                copy.write_row([_value(getattr(row, name), is_json) for name, is_json in reads])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _value(value: Any, is_json: bool) -> Any:
    return json.dumps(value, ensure_ascii=False) if is_json else value
