"""Many rows at once."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler
from psycopg import sql


@models.ForeignKey.register_lookup  # relations inherit no lookups of fields; this one is for ids, not for instances
@models.Field.register_lookup
class AnyOf(In):
    """``field__any_of=values``: what ``__in`` does, with one parameter instead of one a value.

    psycopg takes a statement apart at each of its parameters, in Python: a sixth of the time of storing new papers. And
    a statement says the same however many values there are, so that ``digest.compiled`` can keep it. The values are
    ids or keys, taken as they are; a dict's or a set spares Django a look at each of them for expressions.
    """

    lookup_name = "any_of"

    def get_prep_lookup(self) -> Any:
        """Nothing to prepare."""
        return self.rhs

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


def insert(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]], texts: Collection[str] = ()
) -> None:
    """Insert rows: values of the columns with these ``attname``s. Raises IntegrityError and stores none of them.

    JSON columns that ``texts`` names come as text. PostgreSQL takes rows by COPY, since bulk_create spends most of its
    time in Python: on preparing each value, and on escaping the JSON columns a second time for an array
    (benchmarks.ingest; docs/decisions/0010).
    """
    fields = [_field(model, name) for name in names]
    if connection.vendor != "postgresql":
        _insert_by_values(model, fields, rows, texts)
        return
    json_at = [
        at for at, field in enumerate(fields) if isinstance(field, models.JSONField) and field.attname not in texts
    ]
    columns = sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields)
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), columns)
    # There are few different days and instants in many rows, and the driver would write each anew.
    dates_at = [at for at, field in enumerate(fields) if isinstance(field, models.DateField)]
    said: dict[Any, str | None] = {None: None}
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(command) as copy:
        for row in rows:
            values = list(row)
            for at in json_at:
                values[at] = _encode(values[at])
            for at in dates_at:
                value = values[at]
                values[at] = said[value] if value in said else said.setdefault(value, str(value))
            copy.write_row(values)


def _insert_by_values(
    model: type[models.Model], fields: Sequence[Any], rows: Iterable[Sequence[Any]], texts: Collection[str]
) -> None:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    ready = [None if field.attname in texts else field for field in fields]
    prepared = [
        [value if field is None else field.get_db_prep_save(value, connection) for field, value in zip(ready, row)]  # noqa: B905
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})", prepared)  # noqa: S608 - names of our own


def update(model: type[models.Model], names: Sequence[str], rows: Mapping[int, Sequence[datetime | None]]) -> None:
    """Set columns of instants (UTC), given by ``attname``, in many rows: {primary key: values}. One statement.

    bulk_update would be a CASE of as many branches as there are rows, for each column.
    """
    if not rows:
        return
    fields = [_field(model, name) for name in names]
    quote = connection.ops.quote_name
    table, columns = quote(model._meta.db_table), [quote(field.column) for field in fields]
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            values = [
                [*(field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)), pk]
                for pk, row in rows.items()
            ]
            changes = ", ".join(f"{column} = %s" for column in columns)
            cursor.executemany(f"UPDATE {table} SET {changes} WHERE id = %s", values)  # noqa: S608 - names of our own
            return
        changes = ", ".join(f"{column} = new.c{at}" for at, column in enumerate(columns))
        names_of_new = ", ".join(f"c{at}" for at in range(len(columns)))
        arrays = ", ".join(["%s::bigint[]", *["%s::timestamptz[]"] * len(columns)])
        statement = f"UPDATE {table} SET {changes} FROM unnest({arrays}) AS new (pk, {names_of_new}) WHERE id = new.pk"  # noqa: S608
        cursor.execute(
            statement, [one_parameter(list(rows), "postgresql"), *map(_instants, zip(*rows.values(), strict=True))]
        )


def _instants(values: Sequence[datetime | None]) -> str:
    """As an array literal: there are few different ones, and the driver would write each anew."""
    said = {value: value.isoformat() if value else "NULL" for value in set(values)}
    return f"{{{','.join(said[value] for value in values)}}}"


def _field(model: type[models.Model], attname: str) -> Any:
    return next(field for field in model._meta.concrete_fields if field.attname == attname)


# Made once: json.dumps makes an encoder a call for anything but its defaults.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
