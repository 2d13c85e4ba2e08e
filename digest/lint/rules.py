"""A rule of the linter, the decorator that makes one of a function, and the run of all of them over a mail."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Flag, auto
from itertools import islice
from typing import NamedTuple

from digest.lint.findings import Finding, Severity
from digest.lint.mail import Mail

OURS = "this project's"
SHOWN = 10  # findings of one rule about one mail; fifty papers with one fault are one fault


class Needs(Flag):
    """What a mail must be or have for a rule to speak of it."""

    NOTHING = 0
    HTML = auto()
    DIGEST = auto()
    LETTER = auto()


class Fault(NamedTuple):
    """What a rule found: what is wrong here, and where."""

    said: str
    where: str = ""


Check = Callable[[Mail], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise that a mail keeps."""

    id: str  # never given to another rule: findings are kept, compared and looked up by it
    severity: Severity
    what: str  # what it holds, in one line
    remedy: str  # what to do where it does not, in one line
    source: str  # RFC section, WCAG criterion, address of a documentation page, or "this project's"
    check: Check
    needs: Needs
    eased: bool  # a trial installation has no https: there an error is a warning

    def findings(self, mail: Mail) -> Iterator[Finding]:
        """What is wrong with ``mail``; at most SHOWN, and then how many more."""
        if not self._speaks_of(mail):
            return
        severity = Severity.WARNING if self.eased and mail.trial else self.severity
        faults = iter(self.check(mail))
        for said, where in islice(faults, SHOWN):
            yield Finding(self.id, severity, said, self.remedy, where)
        if more := sum(1 for _ in faults):
            yield Finding(self.id, severity, f"and {more} more like these", self.remedy)

    def _speaks_of(self, mail: Mail) -> bool:
        wrong_kind = Needs.LETTER if mail.is_digest else Needs.DIGEST
        return wrong_kind not in self.needs and (Needs.HTML not in self.needs or mail.html is not None)


def rule(
    id: str,  # noqa: A002
    severity: Severity,
    what: str,
    remedy: str,
    source: str = OURS,
    *,
    needs: Needs = Needs.NOTHING,
    eased: bool = False,
) -> Callable[[Check], Rule]:
    """Make a rule of a function that yields the faults of a mail."""
    return lambda check: Rule(id, severity, what, remedy, source, check, needs, eased)
