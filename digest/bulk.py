"""Many rows at once."""

import json
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler
from psycopg import sql


@models.Field.register_lookup
class AnyOf(In):
    """``field__any_of=values``: what ``__in`` does, with one parameter instead of one a value on PostgreSQL.

    psycopg takes a statement apart at each of its parameters, in Python: a sixth of the time of storing new papers.
    """

    lookup_name = "any_of"

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """``lhs = ANY(array)``."""
        values = list({value: None for value in self.rhs if value is not None})
        if not values:
            raise EmptyResultSet
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*parameters, values]


def create(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model and give them their primary keys. Raises IntegrityError and stores none of them."""
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    sequence = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(sequence, [model._meta.db_table, len(rows)])
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
    names = [field.attname for field in model._meta.concrete_fields]
    insert(model, names, map(attrgetter(*names), rows))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows: values of the columns with these ``attname``s. Raises IntegrityError and stores none of them.

    PostgreSQL takes them by COPY, since bulk_create spends most of its time in Python: on preparing each value, and on
    escaping the JSON columns a second time for an array (benchmarks.ingest; docs/decisions/0010).
    """
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(model(**dict(zip(names, row, strict=True))) for row in rows)
        return
    fields = {field.attname: field for field in model._meta.concrete_fields}
    json_at = [at for at, name in enumerate(names) if isinstance(fields[name], models.JSONField)]
    columns = sql.SQL(", ").join(sql.Identifier(str(fields[name].column)) for name in names)
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), columns)
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(command) as copy:
        for row in rows:
            values = list(row)
            for at in json_at:
                values[at] = _encode(values[at])
            copy.write_row(values)


# Made once: json.dumps makes an encoder a call for anything but its defaults.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
