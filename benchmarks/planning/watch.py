"""Where the time of a run goes: statements, COPY, commits; the rest is Python."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import psycopg
from django.db import connection


class Watch:
    """Seconds and numbers by kind. A COPY counts until its last row is taken: making the rows counts too."""

    def __init__(self) -> None:
        self.seconds = {"statements": 0.0, "COPY": 0.0, "commits": 0.0}
        self.times = dict.fromkeys(self.seconds, 0)

    @property
    def queries(self) -> int:
        """Statements, with those that take rows by COPY."""
        return self.times["statements"] + self.times["COPY"]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch Django's connection over the block."""
        copy = psycopg.Cursor.copy
        commit = connection._commit  # type: ignore[attr-defined]

        @contextmanager
        def copied(*arguments: Any, **options: Any) -> Iterator[Any]:
            with self._timed("COPY"), copy(*arguments, **options) as copying:
                yield copying

        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(self._executed))
            # Neither is told to a wrapper of Django's.
            stack.enter_context(mock.patch.object(psycopg.Cursor, "copy", copied))
            stack.enter_context(mock.patch.object(connection, "_commit", self._committing(commit)))
            yield

    def _executed(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        with self._timed("statements"):
            return execute(*arguments)

    def _committing(self, commit: Callable[[], None]) -> Callable[[], None]:
        def committed() -> None:
            with self._timed("commits"):
                commit()

        return committed

    @contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[kind] += time.perf_counter() - begun
        self.times[kind] += 1
