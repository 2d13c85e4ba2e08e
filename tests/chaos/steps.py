"""The steps of a sending process at which it can be told to kill itself.

The product knows nothing of this: a wrapper process patches the names of the table below. Orders are files in one
folder, so that they reach whichever process comes by first, and so that what a process did outlives its SIGKILL.
"""

import importlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Function = Callable[..., Any]
PLAN_CHUNK = SEND_CHUNK = 50  # settings of the run


def before(function: Function, reached: Callable[[], None]) -> Function:
    """Reached when the function is called, with something to do."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if all(args):
            reached()
        return function(*args, **kwargs)

    return wrapped


def after(function: Function, reached: Callable[[], None]) -> Function:
    """Reached when the function has returned and did something."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if result:
            reached()
        return result

    return wrapped


def each_chunk(function: Function, reached: Callable[[], None]) -> Function:
    """Reached whenever the function is about to say how far it has come."""

    def wrapped(*args: Any, progress: Callable[[int], None] = lambda _: None, **kwargs: Any) -> Any:
        def told(number: int) -> None:
            reached()
            progress(number)

        return function(*args, **kwargs, progress=told)

    return wrapped


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of the product's work: a name of one of its modules, and which side of the call."""

    name: str
    module: str
    attribute: str
    wrap: Callable[[Function, Callable[[], None]], Function]
    mails: int = 0  # of one pass, about: so it can be let by a few times in a wave; 0: it needs no mails
    by_term: bool = False  # comes about when a worker is asked to end in the middle of its work


STEPS = (
    Step("planned a chunk", "digest.planning", "plan_due", each_chunk, mails=PLAN_CHUNK),
    Step("claimed", "digest.ledger", "claim", after, mails=SEND_CHUNK),
    Step("marked sending", "digest.ledger", "advance", after, mails=4),
    Step("before the hand-over", "digest.delivery.crew", "hand_over", before, mails=1),
    Step("handed over, not recorded", "digest.delivery.crew", "hand_over", after, mails=1),
    Step("before giving back", "digest.ledger", "give_back", before, mails=SEND_CHUNK, by_term=True),
    Step("resolving uncertain ones", "digest.outcomes", "resolve_uncertain", before),
)


class Orders:
    """Who is to die where. The supervisor gives, workers take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.passes_left: dict[str, int] = {}

    def give(self, step: str, passes: int) -> None:
        """The first process that comes by that step kills itself at its ``passes``-th time there."""
        order = self.folder / f"{step}.order"
        order.with_suffix(".new").write_text(str(passes))
        order.with_suffix(".new").rename(order)

    def waits(self, step: str) -> bool:
        """Whether nobody has taken the order yet."""
        return (self.folder / f"{step}.order").exists()

    def withdraw(self, step: str) -> None:
        """Nobody is to take it any more; who has taken it keeps it."""
        (self.folder / f"{step}.order").unlink(missing_ok=True)

    def last_words(self, pid: int) -> str:
        """The step at which the process killed itself, or nothing."""
        words = self.folder / f"{pid}.died"
        return words.read_text() if words.exists() else ""

    def reached(self, step: str) -> None:
        """In a worker: this step has been reached once more."""
        with self.lock:
            if step not in self.passes_left and not self._take(step):
                return
            self.passes_left[step] -= 1
            if self.passes_left[step] > 0:
                return
            (self.folder / f"{os.getpid()}.died").write_text(step)
            os.kill(os.getpid(), signal.SIGKILL)

    def _take(self, step: str) -> bool:
        order = self.folder / f"{step}.order"
        try:
            passes = int(order.read_text())
            order.unlink()
        except FileNotFoundError:  # none, or the other process was first
            return False
        self.passes_left[step] = passes
        return True

    def install(self) -> None:
        """Patch the product's names in this process. Raises AttributeError where one is not there any more."""
        for step in STEPS:
            module = importlib.import_module(step.module)
            reached = _Reached(self, step.name)
            setattr(module, step.attribute, step.wrap(getattr(module, step.attribute), reached))


@dataclass(frozen=True, slots=True)
class _Reached:
    orders: Orders
    step: str

    def __call__(self) -> None:
        self.orders.reached(self.step)
