"""What is kept how long: readings are many, and soon only their shape matters."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import TruncDate

from digest.follow_ups import NOBODY
from digest.freshness import READ
from digest.models import FollowUp, Signal, SourceRun

# Velocity looks at the last hours, an evaluation at the last reading of a day, and after a season at nothing.
HOURLY, DAILY = timedelta(days=7), timedelta(days=90)
REFUSED, NEWS = timedelta(days=30), timedelta(days=30)


def prune(now: datetime) -> dict[str, int]:
    """Thin out counts and runs; how many rows went. Doing it again changes nothing.

    Of a paper's counts every hour is kept for a week, the last of each day (UTC) for 90 days, and then the last one. Of
    the runs of a source and day the newest is kept after a week, and the newest that was fresh or partial; what they
    refused for 30 days. News stays for ever, so that it is told once; who was not told of it within 30 days is
    forgotten.
    """
    old = Signal.objects.filter(hour__lt=now - HOURLY).annotate(on=TruncDate("hour"))
    later = Signal.objects.filter(paper=OuterRef("paper"), hour__gt=OuterRef("hour"))
    later_that_day = later.annotate(on=TruncDate("hour")).filter(on=OuterRef("on"))
    newer_run = SourceRun.objects.exclude(state=SourceRun.State.RUNNING).filter(
        source=OuterRef("source"), day=OuterRef("day"), started_at__gt=OuterRef("started_at")
    )
    newer_read_run = newer_run.filter(state__in=READ)
    outdone = Q(Exists(newer_run)) & (~Q(state__in=READ) | Q(Exists(newer_read_run)))
    gone = {
        "hourly counts": old.filter(Exists(later_that_day)).delete()[0],
        "daily counts": old.filter(hour__lt=now - DAILY).filter(Exists(later)).delete()[0],
        "runs": SourceRun.objects.filter(outdone, started_at__lt=now - HOURLY).delete()[0],
    }
    SourceRun.objects.filter(started_at__lt=now - REFUSED).exclude(rejected=[]).update(rejected=[])
    FollowUp.objects.filter(found_at__lt=now - NEWS).exclude(to_tell=NOBODY).update(to_tell=NOBODY)
    return gone
