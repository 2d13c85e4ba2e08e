"""Django's UPDATE of a queryset, compiled once for each shape and then only filled with values.

Building the statement that marks a round of digests takes the ORM several times as long as PostgreSQL needs to run it,
and a round comes some hundred times a second. What the statement says stays where Django's words say it best.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Func, QuerySet, TextField
from django.db.models.sql import UpdateQuery

from digest.bulk import one_parameter

# Stand-ins that no real value equals.
_NUMBER, _INSTANT, _DAY, _TEXT = -(10**15), datetime(1, 1, 1, tzinfo=UTC), date(1, 1, 1), "\ue000"

Value = int | str | datetime | date | Sequence[int] | Sequence[str]


class RowsOwn(Func):
    """Each row's own value out of one parameter: a JSON object of texts, and the name of the row's as text."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """The operator ->>."""
        return self.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner="::jsonb ->> ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """A path: SQLite's ->> takes a number in a text for a place in an array."""
        template, joiner = "json_extract(%(expressions)s || '\"')", ", '$.\"' || "
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **context)


class Statement(NamedTuple):
    """SQL, and for each of its places an argument's name or a constant."""

    sql: str
    names: tuple[str, ...]  # "" for a constant
    constants: tuple[Any, ...]


class CompiledUpdate:
    """``build`` takes the arguments by name and gives (queryset, values); it must pass them on as they are.

    A list, not empty, stands in ``any_of`` only: there it is one parameter, however long it is.
    """

    def __init__(self, build: Callable[..., tuple[QuerySet[Any], Mapping[str, Any]]]) -> None:
        self.build = build
        self.shapes: dict[Any, Statement] = {}

    def execute(self, *fixed: Any, **arguments: Value) -> int:
        """Run it with these values; how many rows changed. ``fixed`` is handed to ``build`` first, and is hashable."""
        shape = connection.vendor, fixed, *arguments
        statement = self.shapes.get(shape)
        if statement is None:
            statement = self.shapes[shape] = self._compile(fixed, arguments)
        adapted = {name: _adapted(value) for name, value in arguments.items()}
        places = zip(statement.names, statement.constants, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, [adapted[name] if name else constant for name, constant in places])
            return int(cursor.rowcount)

    def _compile(self, fixed: tuple[Any, ...], arguments: Mapping[str, Value]) -> Statement:
        stand_ins = {
            name: [_stand_in(value[0], at)] if isinstance(value, list) else _stand_in(value, at)
            for at, (name, value) in enumerate(arguments.items())
        }
        rows, values_of = self.build(*fixed, **stand_ins)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(values_of)
        sql, params = query.get_compiler(rows.db).as_sql()
        slots = {_kind_and_value(_adapted(one)): name for name, one in stand_ins.items()}
        names = tuple(slots.get(_kind_and_value(param), "") for param in params)
        missing = arguments.keys() - set(names)
        assert not missing, f"the statement does not use {missing} as it is"
        return Statement(sql, names, tuple(params))


def _stand_in(value: Any, number: int) -> Any:
    if isinstance(value, datetime):
        return _INSTANT + timedelta(minutes=number)
    if isinstance(value, date):
        return _DAY + timedelta(days=number)
    return f"{_TEXT}{number}" if isinstance(value, str) else _NUMBER + number


def _adapted(value: Any) -> Any:
    """As Django hands it to this database's driver."""
    if isinstance(value, list):
        return one_parameter(value, connection.vendor)
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value


def _kind_and_value(param: Any) -> tuple[str, Any]:
    """What psycopg gets for numbers are kinds of int."""
    number = isinstance(param, int) and not isinstance(param, bool)
    return "int" if number else type(param).__name__, tuple(param) if isinstance(param, list) else param
