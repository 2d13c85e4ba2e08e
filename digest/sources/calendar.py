"""When batches come: arXiv's announcements, and lists that are kept by the day. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
# https://info.arxiv.org/help/availability.html: what came in by 14:00 is announced at 20:00.
FREEZE, ANNOUNCED = time(14), time(20)
# The feed of a day is built at midnight; it has been seen to take until after 01:00.
FEED_GRACE = timedelta(hours=3)
SATURDAY, SUNDAY = 5, 6
FRIDAY = 4

# Days without a freeze, and so without the announcement that would follow it: that of the same evening, and of
# Sunday where the day is a Friday (the rule of arXiv's own schedule code). 2026 as arXiv publishes it.
HOLIDAYS = {
    date(2026, 1, 1): "New Year's Day",
    date(2026, 1, 19): "Martin Luther King Jr. Day",
    date(2026, 6, 19): "Juneteenth",
    date(2026, 7, 3): "Independence Day",
    date(2026, 9, 7): "Labor Day",
    date(2026, 11, 26): "Thanksgiving",
    date(2026, 12, 25): "winter break",
    date(2026, 12, 29): "winter break",
    date(2026, 12, 31): "winter break",
    # 2027 is not published yet: these are the same days by the rules of 2020 to 2026 (a holiday on Saturday is kept on
    # Friday, one on Sunday on Monday). The winter break differs every year: look at the page in December.
    date(2027, 1, 1): "New Year's Day",
    date(2027, 1, 18): "Martin Luther King Jr. Day",
    date(2027, 6, 18): "Juneteenth",
    date(2027, 7, 5): "Independence Day",
    date(2027, 9, 6): "Labor Day",
    date(2027, 11, 25): "Thanksgiving",
    date(2027, 12, 24): "winter break",
    date(2027, 12, 28): "winter break",
    date(2027, 12, 30): "winter break",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source is to offer for a day: by when (UTC) at the latest, or why nothing (a word for people)."""

    due_at: datetime
    quiet: str = ""


def any_day(day: date) -> Batch:
    """A list that may have something on every day, complete when the day (UTC) is over."""
    return Batch(_end_of(day))


def weekdays(day: date) -> Batch:
    """A list that rests on Saturday and Sunday, complete when the day (UTC) is over."""
    return Batch(_end_of(day), "weekend" if day.weekday() >= SATURDAY else "")


def arxiv_feed(day: date) -> Batch:
    """The feed that arXiv dates ``day``, a date in New York: what it announced on the evening before."""
    midnight = datetime.combine(day, time(0), NEW_YORK).astimezone(UTC)
    return Batch(midnight + FEED_GRACE, why_quiet(day - timedelta(days=1)))


def why_quiet(evening: date) -> str:
    """Why arXiv announces nothing on this evening (a date in New York); "" where it does."""
    if evening.weekday() in (FRIDAY, SATURDAY):
        return "weekend"
    freeze = evening - timedelta(days=2) if evening.weekday() == SUNDAY else evening
    name = HOLIDAYS.get(freeze)
    return f"arXiv holiday: {name}" if name else ""


def announcement_of(submitted_at: datetime) -> datetime:
    """When (UTC) a submission is announced at the earliest. Moderation can hold it for weeks, so never before."""
    local = submitted_at.astimezone(NEW_YORK)
    day = local.date() if local.time() < FREEZE else local.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY or day in HOLIDAYS:
        day += timedelta(days=1)
    while why_quiet(day):
        day += timedelta(days=1)
    return datetime.combine(day, ANNOUNCED, NEW_YORK).astimezone(UTC)


def feed_day(announced_at: datetime) -> date:
    """The date that arXiv's feed and its lists give to an announcement: the day after the evening in New York."""
    return announced_at.astimezone(NEW_YORK).date() + timedelta(days=1)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), UTC)
