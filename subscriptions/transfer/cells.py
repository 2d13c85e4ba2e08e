"""One cell of the file: from text to a value and back. Each reader of a cell raises ValueError with what to do."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from functools import cache
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError

from subscriptions import schedule
from subscriptions.forms import LinesField

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBER_OF_DAY = {name: day for names in (DAYS, LONG_DAYS) for day, name in enumerate(names)}
FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
MOST_PAPERS = 100
# What makes a spreadsheet take a cell for a formula, also in full width, with as many apostrophes as it has already.
# At the beginning, and after what a spreadsheet of another country takes for the end of a cell.
_FORMULA = re.compile(r"(^|[;\t])(?='*[=+\-@\t\r\n＝＋－＠])")
_GUARDED = re.compile(r"(^|[;\t])'(?='*[=+\-@\t\r\n＝＋－＠])")
_LINES = LinesField(required=False)


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet calculates: an apostrophe before what would be a formula."""
    return _FORMULA.sub(r"\1'", text)


def unguarded(cell: str) -> str:
    """The text that ``guarded`` was given; other cells as they are."""
    return _GUARDED.sub(r"\1", cell)


def flag(text: str) -> bool:
    """Yes or no."""
    if text.lower() not in FLAGS:
        raise ValueError("Write yes or no")
    return FLAGS[text.lower()]


def instant(text: str) -> datetime:
    """An ISO 8601 instant in UTC; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("Write date and time like 2024-05-31T14:30:00Z") from error


def local_time(text: str) -> time:
    """An hour of the day."""
    for form in ("%H:%M", "%H:%M:%S"):
        try:
            return datetime.strptime(text, form).time()  # noqa: DTZ007 - a time of day has no zone
        except ValueError:
            continue
    raise ValueError("Write the time with hour and minute, like 07:30")


def time_cell(hour: time) -> str:
    """``local_time`` backwards."""
    return hour.isoformat("minutes" if hour == hour.replace(second=0, microsecond=0) else "seconds")


def weekdays(text: str) -> int:
    """The mask of "mon tue", "daily" or "none"."""
    words = re.split(r"[\s|,]+", text.lower().strip("|, "))
    if words in (["daily"], ["none"]):
        return schedule.EVERY_DAY if words == ["daily"] else 0
    if wrong := [word for word in words if word not in NUMBER_OF_DAY]:
        raise ValueError(f'"{wrong[0][:20]}" is no weekday. Write daily, or days like: mon tue fri')
    return schedule.weekdays(NUMBER_OF_DAY[word] for word in words)


def weekdays_cell(mask: int) -> str:
    """``weekdays`` backwards."""
    if mask & schedule.EVERY_DAY == schedule.EVERY_DAY:
        return "daily"
    return " ".join(name for day, name in enumerate(DAYS) if mask >> day & 1) or "none"


def zone(text: str) -> str:
    """An IANA time zone."""
    if text not in _zones():
        raise ValueError("Write an IANA time zone, like Europe/Berlin")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def paper_limit(text: str) -> int:
    """How many papers at most."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= MOST_PAPERS:
        raise ValueError(f"Write a number from 1 to {MOST_PAPERS}")
    return int(text)


def language(text: str) -> str:
    """One of the mail's languages."""
    if text not in dict(settings.LANGUAGES):
        raise ValueError(f"Write one of: {', '.join(dict(settings.LANGUAGES))}")
    return text


def topics(text: str, known: Mapping[str, int]) -> tuple[int, ...]:
    """The numbers of topics by their slugs."""
    slugs = dict.fromkeys(re.split(r"[\s|]+", text.strip("| ")))
    if wrong := [slug for slug in slugs if slug not in known]:
        raise ValueError(f'There is no topic "{wrong[0][:50]}". Write slugs as in the list of topics, or add it there')
    return tuple(known[slug] for slug in slugs)


def texts(text: str) -> tuple[str, ...]:
    r"""Short texts between | by the rules of the readers' form; \| and \\ are a | and a \ within a text."""
    parts = [""]
    for piece in re.findall(r"\\[|\\]|\||[^|\\]+|\\", text):
        if piece == "|":
            parts.append("")
        else:
            parts[-1] += piece[1] if len(piece) == 2 and piece[0] == "\\" and piece[1] in "|\\" else piece
    try:
        found: tuple[str, ...] = _LINES.to_python("\n".join(" ".join(part.split()) for part in parts))
    except ValidationError as error:
        raise ValueError("; ".join(error.messages).replace(" lines", " texts")) from error
    return found


def texts_cell(own: Iterable[str]) -> str:
    """``texts`` backwards."""
    return "|".join(text.replace("\\", "\\\\").replace("|", "\\|") for text in own)
