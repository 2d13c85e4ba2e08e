"""The plan of the statement that finds due readers: at the beginning, and where a run goes on in the middle."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from benchmarks.planning.papers import NOW
from digest import punctuality
from subscriptions.models import Subscriber

INDEX = "subscriber_due"


def explain() -> dict[str, Any]:
    """What is said of ``punctuality.next_chunk``, by its place, and at which places the index is not used."""
    due = Subscriber.objects.reached(NOW)
    at = due.values_list("next_due_at", "pk")[due.count() // 2]
    with transaction.atomic():
        plans = {"beginning": plan_of(None), "middle": plan_of(at)}
    return {"plans": plans, "without": [place for place, plan in plans.items() if INDEX not in plan]}


def plan_of(last: Any) -> str:
    """The plan of that very statement, behind ``last``. In a transaction: it locks what it finds."""
    said: list[tuple[str, Any]] = []

    def listen(execute: Callable[..., Any], statement: str, parameters: Any, many: bool, context: Any) -> Any:
        said.append((statement, parameters))
        return execute(statement, parameters, many, context)

    with connection.execute_wrapper(listen):
        found = punctuality.next_chunk(NOW, last)
    assert len(found) <= settings.PLAN_CHUNK
    statement, parameters = said[-1]
    explaining = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explaining} {statement}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
