"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands. ``not checked`` is no kind of well: what is said names the reason."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check: what was looked at, how it stands, what was seen, and what to do about it."""

    name: str
    state: State
    said: str
    remedy: str = ""


def ok(name: str, said: str) -> Verdict:
    """All is well."""
    return Verdict(name, State.OK, said)


def warning(name: str, said: str, remedy: str) -> Verdict:
    """It works, and should be better."""
    return Verdict(name, State.WARNING, said, remedy)


def fault(name: str, said: str, remedy: str) -> Verdict:
    """Mails do not leave, do not arrive, or readers cannot unsubscribe."""
    return Verdict(name, State.FAULT, said, remedy)


def not_checked(name: str, why: str, remedy: str = "") -> Verdict:
    """Nobody looked, and why."""
    return Verdict(name, State.NOT_CHECKED, why, remedy)
