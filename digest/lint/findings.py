"""What the linter says of a mail."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a mail from being sent; a warning is for somebody to look at."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: which rule, how bad, what is there, what to do, and where."""

    rule: str  # its id, like "L101": stable, documented in docs/linting.md
    severity: Severity
    said: str  # what is wrong here, with the figures
    remedy: str  # one line: what to do about it
    where: str = ""  # a header's name, a line, the words of an element
