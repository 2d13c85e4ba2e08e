"""Work that waits longer than it should, from rows, and the clocks that all of it goes by."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import TZPATH

from django.conf import settings
from django.db import connection
from django.db.models import Exists, Min, OuterRef, Q

from digest import approval, fencing, freshness, outcomes, profiles
from digest.editions import PATIENCE
from digest.health.verdict import Verdict, fault, not_checked, ok, warning
from digest.models import Digest, Edition, SourceRun, Throttle
from subscriptions.models import SignupRequest, Subscriber

SIGNUP_WAIT, DUE_WAIT, PLANNED_WAIT = timedelta(minutes=10), timedelta(minutes=10), timedelta(minutes=15)
LARGE_DAYS = timedelta(days=1)  # and the day that has begun
SOURCE_DAYS = 3
NOT_WHOLE = {SourceRun.State.PARTIAL, SourceRun.State.FAILED, SourceRun.State.STALLED}
HELD_DAYS = timedelta(days=7)  # older ones nobody gets any more
DRIFT, FAR_OFF = timedelta(seconds=5), timedelta(seconds=60)
RUN_AGAIN = "See whether beat and the workers run, and what their log says."


def waiting(now: datetime) -> list[Verdict]:
    """What waits although nothing keeps it."""
    return [
        instance(),
        signups(now),
        readers(now),
        digests(now),
        transport(now),
        too_large(now),
        held(now),
        uncertain(now),
        editions(now),
        sources(now),
        relevance(),
    ]


def instance() -> Verdict:
    """Whether the rows are this installation's: those of another are neither planned nor sent."""
    name, owner = "Installation", fencing.known_owner()
    if owner in {None, settings.INSTANCE_ID}:
        return ok(name, f"the database is this one's: {settings.INSTANCE_ID}")
    return fault(name, f"the database belongs to {owner}, this is {settings.INSTANCE_ID}", fencing.REMEDY)


def signups(now: datetime) -> Verdict:
    """Sign-up requests that no worker took; those that the guard holds are not among them."""
    late = SignupRequest.objects.free(now).filter(created_at__lt=now - SIGNUP_WAIT).order_by("created_at")
    oldest = late.values_list("created_at", flat=True).first()
    return _late("Sign-ups", late.count(), oldest, now, "unanswered", RUN_AGAIN)


def readers(now: datetime) -> Verdict:
    """Due readers who were passed over: today's edition is approved and new to them, or no wait is as long as this."""
    any_wait = timedelta(hours=settings.EDITION_WAIT_HOURS) + PATIENCE + DUE_WAIT
    passed_over = Q(next_due_at__lte=now - any_wait)
    today = Edition.objects.published().filter(day=now.date(), held=False, approved_at__lte=now - DUE_WAIT)
    if today.exists():
        had_it = Digest.objects.filter(subscriber=OuterRef("pk"), content_to__gte=now.date())
        passed_over |= Q(~Exists(had_it), next_due_at__lte=now - DUE_WAIT)
    late = Subscriber.objects.active(now).filter(passed_over).order_by("next_due_at")
    oldest = late.values_list("next_due_at", flat=True).first()
    return _late("Due readers", late.count(), oldest, now, "not planned", RUN_AGAIN)


def digests(now: datetime) -> Verdict:
    """Planned digests that nobody sends, without those of a held edition and those that the server asked to wait."""
    held = Edition.objects.filter(held=True, day__gt=OuterRef("content_from"), day__lte=OuterRef("content_to"))
    free = Q(free_at=None) | Q(free_at__lte=now)
    late = Digest.objects.filter(free, ~Exists(held), state=Digest.State.PLANNED, planned_at__lt=now - PLANNED_WAIT)
    oldest = late.order_by("planned_at").values_list("planned_at", flat=True).first()
    remedy = f"{RUN_AGAIN} If they run, the mail server is away or the limit."
    return _late("Planned digests", late.count(), oldest, now, "not sent", remedy)


def transport(now: datetime) -> Verdict:
    """Whether the mail server, or the provider, has asked for patience, or said that we may not send at all."""
    name = "Mail server"
    refusing = Throttle.objects.filter(refused_since__isnull=False).order_by("refused_since").first()
    if refusing and refusing.refused_since:
        said = f"it has taken no mail since {refusing.refused_since:%Y-%m-%d %H:%M} UTC: {refusing.reason}"
        remedy = (
            "Nothing is lost: it is tried again at least every half an hour. A limit passes, or needs a smaller "
            "MAIL_RATE; a login, credits, an approval, a sender's domain and a blocklist do not."
        )
        return fault(name, said, remedy)
    row = Throttle.objects.filter(closed_until__gt=now).order_by("closed_until").last()
    if row is None or row.closed_until is None:
        return ok(name, "has not asked for patience")
    said = f"nothing is sent until {row.closed_until:%Y-%m-%d %H:%M} UTC: {row.reason}"
    remedy = (
        "Sending goes on by itself then. A wrong key or password, an unpaid account or too high a MAIL_RATE do not."
    )
    return warning(name, said, remedy)


def too_large(now: datetime) -> Verdict:
    """Digests of the last two local days that were larger than the mail server takes."""
    name = "Size of mails"
    states = [Digest.State.FAILED, Digest.State.REJECTED]
    days = Digest.objects.filter(day__gte=now.date() - LARGE_DAYS, state__in=states)
    if not (number := days.filter(reason__startswith=Digest.TOO_LARGE).count()):
        return ok(name, "the mail server takes them")
    said = f"{number:,} digest{'s' if number > 1 else ''} since {now.date() - LARGE_DAYS}: {Digest.TOO_LARGE}"
    return warning(name, said, "Lower EDITION_SIZE or readers' limits, or let the mail server take larger mails.")


def held(now: datetime) -> Verdict:
    """Editions that somebody, or a burst of bounces, holds, and what waits for them."""
    name = "Held editions"
    rows = Edition.objects.filter(held=True, day__gt=now.date() - HELD_DAYS).order_by("day")
    if not (days := [edition.day for edition in rows]):
        return ok(name, "none")
    waits = Digest.objects.open().filter(content_from__lt=days[-1], content_to__gte=days[0]).count()
    said = f"{', '.join(map(str, days))}; {waits:,} digests wait"
    return warning(name, said, "Admin, Editions: the page of the day says why; Release lets them go.")


def uncertain(now: datetime) -> Verdict:
    """Digests of which nobody knows whether they left. They are settled or given up within a day."""
    name = "Uncertain digests"
    rows = outcomes.in_doubt(Digest.objects.all())
    oldest: datetime | None = rows.aggregate(oldest=Min(outcomes.SINCE))["oldest"]
    if oldest is None:
        return ok(name, "none")
    said = f"{rows.count():,}, the oldest for {(now - oldest) // timedelta(minutes=1)} minutes"
    if now - oldest > outcomes.UNKNOWN_AFTER:
        return fault(name, said, RUN_AGAIN)
    cause = "Workers were killed or the mail server drops connections."
    if outcomes.are_sent_again():
        return warning(name, said, f"{cause} They are sent again by themselves (UNCERTAIN_MAILS), at most five times.")
    return warning(name, said, f"{cause} Admin, Digests: say which of them arrived. After a day nobody will know.")


def editions(now: datetime) -> Verdict:
    """Drafts past their hour and the patience for late sources."""
    name = "Editions"
    if settings.EDITION_APPROVE_AT is None:
        return ok(name, "approved by hand (EDITION_APPROVE_AT=never)")
    drafts = Edition.objects.filter(state=Edition.State.DRAFT, held=False, day__lte=now.date()).order_by("day")
    late = [str(edition.day) for edition in drafts if now > approval.approves_at(edition) + PATIENCE + DUE_WAIT]
    if not late:
        return ok(name, "none is overdue")
    return fault(name, f"not approved: {', '.join(late)}", "Admin, Editions: the page of the day says why.")


def sources(now: datetime) -> Verdict:
    """Whether the lists of the last days came whole. A fault of one is the source's, and no mail stops for it."""
    name = "Sources"
    known = freshness.readings(freshness.last_days(now, SOURCE_DAYS), now)
    bad = [
        f"{source} {day}: {reading.state} ({reading.reason})"
        for (source, day), reading in known.items()
        if source in settings.SOURCES
        and (reading.state in NOT_WHOLE or reading.run.state in NOT_WHOLE - {SourceRun.State.STALLED})
    ]
    if not bad:
        return ok(name, "nothing is missing of the last days" if known else "none was read yet")
    return warning(name, "; ".join(bad), "manage.py sources --rejected lists what was refused, and why.")


def relevance() -> Verdict:
    """Whether readers' interests find papers by more than phrases and categories, in the newest edition."""
    name, newest = "Relevance", Edition.objects.published().select_related("relevance_model").first()
    if newest is None:
        return not_checked(name, "no edition is published yet")
    if profiles.model_of(newest).vocabulary:
        model = newest.relevance_model
        return ok(name, f"{model}: {model.terms:,} terms of {model.documents:,} papers" if model else "")
    remedy = "Run: manage.py fit_relevance. The next edition takes the new model."
    return warning(
        name, f"the edition of {newest.day} has no model that can be read: words and categories alone", remedy
    )


def _late(name: str, number: int, oldest: datetime | None, now: datetime, what: str, remedy: str) -> Verdict:
    if oldest is None:
        return ok(name, "none waits")
    minutes = (now - oldest) // timedelta(minutes=1)
    return fault(name, f"{number} {what}, the oldest for {minutes} minutes", remedy)


def database_clock(clock: Callable[[], datetime], *, shifted: bool = False) -> Verdict:
    """The clock of this machine against the database server's: leases are taken by one and judged by another."""
    name = "Clock"
    if shifted:
        return not_checked(name, "it is shifted for a demo")
    if connection.vendor != "postgresql":
        return not_checked(name, "the database is on the same machine")
    before = clock()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        there = cursor.fetchone()[0]
    return drift(before + (clock() - before) / 2, there)


def drift(here: datetime, there: datetime) -> Verdict:
    """How far two clocks are apart."""
    apart = abs(here - there)
    said = f"{apart.total_seconds():.1f} s from the database server's"
    remedy = "Let both machines set their clocks by NTP."
    if apart > FAR_OFF:
        return fault("Clock", said, remedy)
    return warning("Clock", said, remedy) if apart > DRIFT else ok("Clock", said)


def zone_data(release: str, now: datetime) -> Verdict:
    """Which time zone data is read, like "2025b". Countries change their clocks at a few weeks' notice."""
    name, remedy = "Time zone data", "Update the system's tzdata, or the package tzdata."
    if not release[:4].isdigit():
        return warning(name, "its version cannot be told", remedy)
    if int(release[:4]) < now.year - 1:
        return warning(name, f"{release} is old", remedy)
    return ok(name, release)


def zone_release() -> str:
    """The version of the data that zoneinfo reads: the system's where there is one, else the package's; "" unknown."""
    for folder in TZPATH:
        listed = Path(folder) / "tzdata.zi"  # begins with "# version 2025b"
        if listed.is_file():
            with listed.open(encoding="utf-8") as lines:
                return lines.readline().rpartition(" ")[2].strip()
        if (Path(folder) / "Europe" / "Berlin").is_file():
            return ""
    try:
        number = version("tzdata")  # "2025.2" is the second release, "2025b"
    except PackageNotFoundError:
        return ""
    year, _, nth = number.partition(".")
    return f"{year}{chr(ord('a') + int(nth) - 1)}" if nth.isdigit() and 0 < int(nth) <= 26 else number
