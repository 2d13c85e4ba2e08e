"""One row of the file as a value. Pure: what it is read against is an argument."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from subscriptions import addresses
from subscriptions.interests import Interests
from subscriptions.transfer import cells

CHOICES = ("zone", "hour", "weekdays", "paper_limit", "only_my_topics", "text_only", "language")
INTERESTS = ("topics", "phrases", "authors", "muted_topics", "muted_words")
EVIDENCE = ("consent_at", "consent_where", "consent_wording")
COLUMNS = ("email", "state", *CHOICES, "paused_until", *INTERESTS, *EVIDENCE)
FORMER = ("images",)  # in files that an earlier version exported: accepted, and nothing is read from it
STATES = ("active", "pending", "unsubscribed", "suppressed")
WHERE_LENGTH = 80
IMPORT_BY = "import by "  # begins the consent event that says who imported: no place where a reader agreed


@dataclass(frozen=True, slots=True)
class Known:
    """What cells are read against: the numbers of the topics by slug, and the time."""

    topics: Mapping[str, int]
    now: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell, and what to do."""

    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Consent:
    """The evidence: when, where and in which words a reader agreed."""

    at: datetime
    where: str
    wording: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says. ``number`` is the spreadsheet's; ``typed`` is the address as it stands there, to be shown."""

    number: int
    typed: str
    email: str = ""
    state: str = "active"
    choices: Mapping[str, Any] = field(default_factory=dict)
    interests: Interests = field(default_factory=Interests)
    consent: Consent | None = None
    faults: tuple[Fault, ...] = ()


def row_of(number: int, record: Mapping[str, str], known: Known) -> Row:
    """The row of these cells by column; everything that is wrong is in its ``faults``."""
    values: dict[str, Any] = {}
    faults = []
    for column, cell in record.items():
        if column in FORMER:
            continue
        try:
            text = _text(column, cell)
            if text:
                values[column] = READERS[column](text, known)
        except ValueError as error:
            faults.append(Fault(column, str(error)))
    wrong = {fault.column for fault in faults}
    if "email" not in wrong | values.keys():
        faults.append(Fault("email", "Enter an email address"))
    given = [column for column in EVIDENCE if column in wrong | values.keys()]
    faults += [
        Fault(column, "Fill it in, or empty all of consent_*: then the reader is asked to confirm")
        for column in ("consent_at", "consent_where")
        if given and column not in given
    ]
    has_consent = not wrong.intersection(EVIDENCE) and "consent_at" in values and "consent_where" in values
    return Row(
        number,
        _printable(record.get("email", "")),
        values.get("email", ""),
        values.get("state", "active"),
        {name: values[name] for name in (*CHOICES, "paused_until") if name in values},
        Interests(*(values.get(name, ()) for name in INTERESTS)),
        Consent(values["consent_at"], values["consent_where"], values.get("consent_wording", ""))
        if has_consent
        else None,
        tuple(faults),
    )


def _text(column: str, cell: str) -> str:
    """The words of a wording are kept to the letter, since its hash names it."""
    if "\0" in cell:
        raise ValueError("Take out the NUL character")
    if column == "consent_wording":
        return cells.unguarded(cell) if cell.strip() else ""
    return cells.unguarded(cell.strip())


def _printable(text: str) -> str:
    """For a terminal: a cell must not move the cursor or change colours."""
    shown = text.strip()[: addresses.ADDRESS_LENGTH]
    return "".join(letter if letter.isprintable() else "?" for letter in shown)


def _state(text: str, _: Known) -> str:
    if text.lower() not in STATES:
        raise ValueError(f"Write one of: {', '.join(STATES)}")
    return text.lower()


def _agreed_at(text: str, known: Known) -> datetime:
    found = cells.instant(text)
    if found >= known.now:
        raise ValueError("Nobody can have agreed in the future. Write when the reader agreed, like 2024-05-31T14:30Z")
    return found


def _where(text: str, _: Known) -> str:
    if len(text) > WHERE_LENGTH:
        raise ValueError(f"Shorten it to {WHERE_LENGTH} characters or fewer")
    if not text.isprintable():
        raise ValueError("Write it in one line")
    if text.startswith(IMPORT_BY):
        raise ValueError("Write where the reader agreed, like the name of the form. Who imports is noted by itself")
    return text


def _alone(read: Callable[[str], Any]) -> Callable[[str, Known], Any]:
    return lambda text, _: read(text)


READERS: dict[str, Callable[[str, Known], Any]] = {
    "email": _alone(addresses.clean),
    "state": _state,
    "zone": _alone(cells.zone),
    "hour": _alone(cells.local_time),
    "weekdays": _alone(cells.weekdays),
    "paper_limit": _alone(cells.paper_limit),
    "only_my_topics": _alone(cells.flag),
    "text_only": _alone(cells.flag),
    "language": _alone(cells.language),
    "paused_until": _alone(cells.instant),
    "topics": lambda text, known: cells.topics(text, known.topics),
    "muted_topics": lambda text, known: cells.topics(text, known.topics),
    "phrases": _alone(cells.texts),
    "authors": _alone(cells.texts),
    "muted_words": _alone(cells.texts),
    "consent_at": _agreed_at,
    "consent_where": _where,
    "consent_wording": _alone(str),
}
