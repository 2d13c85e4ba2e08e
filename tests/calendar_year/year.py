"""One run: who, which days, and the verdict."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from subscriptions.models import Subscriber
from tests.calendar_year import cast
from tests.calendar_year.edges import Edge, edges_of
from tests.calendar_year.run import DAY, Record, Stretch, live
from tests.calendar_year.verdict import Verdict, arrival, at_midnight, judge_staying, judge_travelling


@dataclass(frozen=True)
class Plan:
    """What to live through."""

    zones: int
    start: date
    days: int
    tick: timedelta
    draw: random.Random
    all_edges: bool = True  # also those of 2026 and 2027 that lie outside of these days


@dataclass(frozen=True)
class Arrival:
    """When the digest of a reader came whose hour an edge leaves out or repeats."""

    edge: Edge
    reader: Subscriber
    at: datetime | None  # UTC


@dataclass(frozen=True)
class Year:
    """What came of it."""

    plan: Plan
    zones: list[str]
    readers: int
    travellers: int
    record: Record
    verdict: Verdict
    arrivals: list[Arrival]


def live_through(plan: Plan, progress: Callable[[timedelta, timedelta], None] = lambda *_: None) -> Year:
    """The days of the plan with everybody, then a few days around each other edge with the readers of its zone."""
    start = at_midnight(plan.start)
    zones = cast.zones(plan.zones, plan.draw)
    staying, travelling = cast.make(zones, plan.draw, start)
    moves = cast.moves(travelling, zones, start, start + plan.days * DAY - 2 * DAY, plan.draw)
    edges = [edge for zone in zones for edge in edges_of(zone, *cast.EDGES)]
    main = Stretch(start, start + plan.days * DAY, [*staying, *travelling])
    inside = [edge for edge in edges if main.start + DAY <= edge.instant < main.end - 2 * DAY]
    others = _around([edge for edge in edges if edge not in inside], staying) if plan.all_edges else []
    total = sum((stretch.end - stretch.start for stretch in (main, *others)), timedelta(0))
    record, verdict, done = Record(), Verdict(), timedelta(0)

    def step(by: timedelta) -> None:
        nonlocal done
        done += by
        progress(done, total)

    live(main, moves, plan.tick, record, step)
    judge_staying(Stretch(main.start, main.end, staying), record, plan.tick, verdict)
    judge_travelling(travelling, record, main.end, verdict)
    for stretch in others:
        live(stretch, [], plan.tick, record, step)
        judge_staying(stretch, record, plan.tick, verdict)
    arrivals = list(_arrivals(edges if plan.all_edges else inside, staying, record))
    verdict.violations += [f"{one.edge.zone} {one.edge.day}: no digest at the edge" for one in arrivals if not one.at]
    return Year(plan, zones, len(staying), len(travelling), record, verdict, arrivals)


def _around(edges: list[Edge], readers: list[Subscriber]) -> list[Stretch]:
    """The days around each of these edges, one stretch for all zones that change on a date."""
    by_date: dict[date, set[str]] = {}
    for edge in edges:
        by_date.setdefault(edge.instant.date(), set()).add(edge.zone)
    return [
        Stretch(at_midnight(day) - DAY, at_midnight(day) + 2 * DAY, [r for r in readers if r.zone in zones])
        for day, zones in sorted(by_date.items())
    ]


def _arrivals(edges: list[Edge], readers: list[Subscriber], record: Record) -> Iterable[Arrival]:
    for edge in sorted(edges, key=lambda edge: (edge.instant, edge.zone)):
        daily = [r for r in readers if r.zone == edge.zone and r.weekdays.bit_count() == 7]
        reader = next(r for r in daily if r.hour == edge.inside.time())
        yield Arrival(edge, reader, arrival(record.digests[reader.pk], edge.day))
