"""The rows of this project: planned digests to mails on the wire."""

from collections.abc import Callable
from typing import Any

from django.db import connection

from benchmarks.delivery.measured import Figures, Progress, counting_commits, measuring, tell
from digest import delivery
from digest.models import Digest
from subscriptions import clock


def send(*, messages: int, warm_up: int, statistics: str) -> None:
    """``delivery.send_digests`` in this process until nothing is left, after ``warm_up`` mails that are not timed."""
    delivery.send_digests(clock.now, "benchmark", limit=warm_up)
    messages = Digest.objects.filter(state=Digest.State.PLANNED).count()  # a batch is not cut at the limit
    figures, progress = Figures(messages, queries=0), Progress()

    def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
        assert figures.queries is not None
        figures.queries += 1
        return execute(*arguments)

    database = str(connection.settings_dict["NAME"])
    connection.close()
    with counting_commits(figures, statistics, database):
        with measuring(figures), connection.execute_wrapper(counted):
            ended = delivery.send_digests(clock.now, "benchmark", progress=progress)
        connection.close()
    if ended[Digest.State.ACCEPTED] != messages:
        figures.note = ", ".join(f"{number} {state}" for state, number in sorted(ended.items()))
    tell(figures)
