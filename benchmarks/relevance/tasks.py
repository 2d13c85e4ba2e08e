"""The three tasks: what each reads, how a query is scored, and its figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.relevance import data, figures, methods, tried
from benchmarks.relevance.figures import Measured, Scores, measure
from benchmarks.relevance.methods import Scorers


@dataclass(frozen=True, slots=True)
class Task:
    """Queries of both halves, and how they are scored: by us and the two others, and as it was tried."""

    queries: Sequence[Any]
    methods: Callable[[], Scorers]
    tried: Callable[[], Scorers]
    figures: Callable[[Any, Scores], dict[str, float]]

    def measure(self, halves: Sequence[str], *, tried: bool = False) -> dict[str, dict[str, Measured]]:
        """{half: {method: its figures by unit}}."""
        scorers = {**self.methods(), **(self.tried() if tried else {})}
        return {
            half: {
                name: measure((query for query in self.queries if query.half == half), scorer, self.figures)
                for name, scorer in scorers.items()
            }
            for half in halves
        }


def read(folder: Path) -> list[Callable[[], Task]]:
    """The tasks, each read when it is called, so that a bar can tell how far it is."""

    def like() -> Task:
        papers, queries = data.csfcube(folder)
        return Task(queries, lambda: methods.of_like(papers), lambda: tried.of_like(papers), figures.of_like)

    def keyword() -> Task:
        papers, queries = data.keywords(folder)
        return Task(queries, lambda: methods.of_keyword(papers), lambda: tried.of_keyword(papers), figures.of_keyword)

    def library() -> Task:
        counts, cold, queries = data.citeulike(folder)
        return Task(
            queries,
            lambda: methods.of_library(counts, cold),
            lambda: tried.of_library(counts, cold),
            figures.of_library,
        )

    return [like, keyword, library]
