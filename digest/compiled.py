"""Django's UPDATE of a queryset, compiled once for each shape and then only filled with values.

Building the statement that marks a round of digests takes the ORM several times as long as PostgreSQL needs to run it,
and a round comes some hundred times a second. What the statement says stays where Django's words say it best.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.sql import UpdateQuery

# Stand-ins that no real value equals: as many of each kind as a list may be long.
_FIRST_NUMBER, _FIRST_INSTANT, _FIRST_DAY = -(10**15), datetime(1, 1, 1, tzinfo=UTC), date(1, 1, 1)

Value = int | str | datetime | date | Sequence[int] | Sequence[str]


class CompiledUpdate:
    """``build`` takes the arguments by name and gives (queryset, values); it must pass them on as they are.

    Lists, which stand in IN, are padded to the next power of two by repeating their last element: few shapes exist.
    """

    def __init__(self, build: Callable[..., tuple[QuerySet[Any], Mapping[str, Any]]]) -> None:
        self.build = build
        self.shapes: dict[Any, tuple[str, list[tuple[str, int] | None], tuple[Any, ...]]] = {}

    def execute(self, *fixed: Any, **arguments: Value) -> int:
        """Run it with these values; how many rows changed. ``fixed`` is handed to ``build`` first, and is hashable."""
        filled = {name: _padded(value) for name, value in arguments.items()}
        shape = (connection.vendor, fixed, *((name, len(values)) for name, values in filled.items()))
        if shape not in self.shapes:
            self.shapes[shape] = self._compile(fixed, arguments, filled)
        sql, slots, constants = self.shapes[shape]
        adapted = {name: [_adapted(value) for value in values] for name, values in filled.items()}
        params = [
            adapted[slot[0]][slot[1]] if slot else constant for slot, constant in zip(slots, constants, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

    def _compile(
        self, fixed: tuple[Any, ...], arguments: Mapping[str, Value], filled: Mapping[str, list[Any]]
    ) -> tuple[str, list[tuple[str, int] | None], tuple[Any, ...]]:
        slots: dict[Any, tuple[str, int]] = {}
        stand_ins: dict[str, Any] = {}
        for name, values in filled.items():
            own = [_stand_in(value, len(slots) + at) for at, value in enumerate(values)]
            slots |= {(type(_adapted(one)).__name__, _adapted(one)): (name, at) for at, one in enumerate(own)}
            stand_ins[name] = own if isinstance(arguments[name], list) else own[0]
        rows, values_of = self.build(*fixed, **stand_ins)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(values_of)
        sql, params = query.get_compiler(rows.db).as_sql()
        found = [slots.get((_kind(param), param)) for param in params]
        missing = set(slots.values()) - set(found)
        assert not missing, f"the statement does not use {missing} as it is"
        return sql, found, params


def _padded(value: Value) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    size = 1 << (len(value) - 1).bit_length()
    return [*value, *[value[-1]] * (size - len(value))]


def _stand_in(value: Any, number: int) -> Any:
    if isinstance(value, datetime):
        return _FIRST_INSTANT + timedelta(minutes=number)
    if isinstance(value, date):
        return _FIRST_DAY + timedelta(days=number)
    return f"\ue000{number}" if isinstance(value, str) else _FIRST_NUMBER + number


def _adapted(value: Any) -> Any:
    """As Django hands it to this database's driver."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value


def _kind(param: Any) -> str:
    """What psycopg gets for numbers are kinds of int."""
    return "int" if isinstance(param, int) and not isinstance(param, bool) else type(param).__name__
