"""What is done to the installation while digests go out. Each returns whether it came about."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from redis import Redis
from redis.exceptions import RedisError

from tests.chaos.copies import Event
from tests.chaos.run import Run
from tests.chaos.staff import BEATS, WORKERS
from tests.chaos.steps import STEPS, Step

TRIES, TRY = 8, 5.0  # times, and seconds of each, for a kill at a step to come about
DROPPED = 4  # connections at a time


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong."""

    name: str
    bring: Callable[[Run], bool]
    is_kill: bool = False  # of a worker, by kill -9


def kill_at_random(run: Run) -> bool:
    """One worker, wherever it is."""
    run.pause(0.8)
    run.staff.kill(run.chance.choice(WORKERS))
    return True


def kill_at(step: Step, run: Run) -> bool:
    """Whichever worker comes by that step."""
    passes = run.chance.randint(1, max(1, run.wave // (2 * step.mails))) if step.mails else 1
    run.staff.orders.give(step.name, passes)
    seen = len(run.staff.ends)
    for _ in range(TRIES * run.options.patience):
        if step.by_term:
            run.make_due(run.wave)
            run.pause(0.1)
            run.staff.ask_to_end(run.chance.choice(WORKERS))
        ended = run.wait(lambda seen=seen: run.staff.ends[seen:], TRY) or []
        seen += len(ended)
        if any(one.where == step.name for one in ended):
            return True
        if ended and not run.staff.orders.waits(step.name):  # who had taken the order died of something else
            run.staff.orders.give(step.name, 1)
        elif step.mails and not ended:
            run.make_due(max(run.wave // 4, 10))
    run.staff.orders.withdraw(step.name)
    return False


def kill_beat(run: Run) -> bool:
    """One of the two beats."""
    run.staff.kill(run.chance.choice(BEATS))
    return True


def term(run: Run) -> bool:
    """A warm shutdown in the middle of work."""
    run.pause(0.3)
    run.staff.ask_to_end(run.chance.choice(WORKERS))
    return True


def term_while_hanging(run: Run) -> bool:
    """A warm shutdown while the mail server does not answer."""
    run.pause(0.3)
    with run.mail.hanging():
        run.wait(lambda: False, 1.0)
        run.staff.ask_to_end(run.chance.choice(WORKERS))
    return True


def freeze(run: Run) -> bool:
    """A worker stands still for longer than its lease, and then goes on."""
    run.pause(0.2)
    post = run.chance.choice(WORKERS)
    begun = time.time()
    run.staff.freeze(post)
    run.wait(lambda: False, run.options.lease + 3)
    run.staff.thaw(post)
    run.events.append(Event(begun, "SIGSTOP", run.options.threads, seconds=time.time() - begun))
    return True


def drop(run: Run) -> bool:
    """The mail server takes mails and drops the connections before it says so."""
    run.events.append(Event(time.time(), "dropped connections", DROPPED))
    run.mail.drop(DROPPED)
    run.pause(0.3)
    return True


def hang(run: Run) -> bool:
    """The mail server does not answer for a while, and never answers those who asked in that time."""
    run.pause(0.3)
    with run.mail.hanging():
        run.wait(lambda: False, 1.0)
    return True


def flush(run: Run) -> bool:
    """The broker forgets everything."""
    run.pause(0.3)
    try:
        return bool(Redis.from_url(run.broker.url, socket_timeout=5).flushall())
    except RedisError:
        return False


def restart_broker(run: Run) -> bool:
    """The broker dies and comes back empty."""
    run.pause(0.3)
    run.broker.restart()
    return True


def restart_database(mode: str, run: Run) -> bool:
    """PostgreSQL ends all connections, in mid-statement."""
    run.pause(0.3)
    run.events.append(Event(time.time(), f"PostgreSQL restarts ({mode})", len(WORKERS) * run.options.threads))
    run.database.restart(mode)
    return True


AT_STEPS = [Trouble(f"kill -9 {step.name}", partial(kill_at, step), is_kill=True) for step in STEPS]
AT_RANDOM = Trouble("kill -9 at random", kill_at_random, is_kill=True)
BESIDES = [
    Trouble("FLUSHALL", flush),
    Trouble("Redis restarts", restart_broker),
    Trouble("PostgreSQL restarts", partial(restart_database, "fast")),
    Trouble("PostgreSQL crashes", partial(restart_database, "immediate")),
    Trouble("a worker freezes for longer than its lease", freeze),
    Trouble("connections drop after the mail", drop),
    Trouble("the mail server hangs", hang),
    Trouble("SIGTERM", term),
    Trouble("SIGTERM while the mail server hangs", term_while_hanging),
    Trouble("kill -9 of a beat", kill_beat),
]


def plan(kills: int, besides: int, chance: random.Random, *, quick: bool = False) -> list[Trouble]:
    """So many kills, most of them at the steps, each as often; everything else ``besides`` times; shuffled."""
    each = max(2 * kills // (3 * len(AT_STEPS)), min(kills // len(AT_STEPS), 1))
    chosen = AT_STEPS * each
    chosen += [AT_RANDOM] * (kills - len(chosen))
    chosen += [trouble for trouble in BESIDES if not (quick and trouble.bring is freeze)] * besides
    chance.shuffle(chosen)
    return chosen
