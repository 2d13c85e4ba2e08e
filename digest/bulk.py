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
    """``field__any_of=values``: what ``__in`` does, with one parameter instead of one a value.

    psycopg takes a statement apart at each of its parameters, in Python: a sixth of the time of storing new papers. And
    a statement says the same however many values there are, so that ``digest.compiled`` can keep it.
    """

    lookup_name = "any_of"

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """``lhs = ANY(array)``."""
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*parameters, one_parameter(self._values(), connection.vendor)]

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """``lhs IN`` the elements of a JSON array."""
        lhs, parameters = self.process_lhs(compiler, connection)
        values = one_parameter(self._values(), connection.vendor)
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*parameters, values]  # noqa: S608 - Django's own column

    def _values(self) -> list[Any]:
        if values := list({value: None for value in self.rhs if value is not None}):
            return values
        raise EmptyResultSet


def one_parameter(values: Sequence[int] | Sequence[str], vendor: str) -> Any:
    """Values, at least one, as a statement with ``any_of`` takes them."""
    if vendor == "sqlite":
        return json.dumps(values)
    # The driver takes ten times as long to write numbers.
    return f"{{{','.join(map(str, values))}}}" if isinstance(values[0], int) else values


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
