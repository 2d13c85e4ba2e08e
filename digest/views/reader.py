"""A reader's own page: the next digest, the last fourteen days with state and reason, and "send me today's now"."""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from digest import planning
from digest.models import Digest
from digest.tasks import nudge_sending
from subscriptions import clock, links, schedule
from subscriptions.models import Subscriber
from subscriptions.views.pages import expired_link, reader_of, see_other

SHOWN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a reader's history."""

    day: date
    state: str
    reason: str
    papers: int


@never_cache
@require_safe
def reader(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind every manage link."""
    subscriber = reader_of(token)
    if subscriber is None:
        return expired_link(request)
    now = clock.now()
    zone = ZoneInfo(subscriber.zone)
    context = {
        "subscriber": subscriber,
        "token": token,
        "topics": [interest.topic for interest in subscriber.interests.select_related("topic")],
        "next_due_at": subscriber.next_due_at and subscriber.next_due_at.astimezone(zone),
        "days": history(subscriber, schedule.local_day(now, subscriber.zone)),
        "saved": "saved" in request.GET,
        "asked": request.GET.get("asked", ""),
        "active": Subscriber.objects.active(now).filter(pk=subscriber.pk).exists(),
        "unsubscribe_path": links.unsubscribe_path(subscriber, now),
    }
    return render(request, "digest/reader.html", context)


@never_cache
@require_POST
def send_now(request: HttpRequest, token: str) -> HttpResponse:
    """Plan today's digest now, by the ordinary path; a second press changes nothing."""
    subscriber = reader_of(token)
    if subscriber is None:
        return expired_link(request)
    digest = planning.plan_one(subscriber, clock.now(), by="asked for")
    if digest and digest.state != Digest.State.SKIPPED:
        nudge_sending()
        answer = "planned"
    else:
        answer = "no-match" if digest and digest.reason == planning.NO_MATCH else "nothing-new"
    return see_other(reverse("reader", args=[token]) + f"?asked={answer}")


def history(subscriber: Subscriber, today: date) -> list[Day]:
    """The last fourteen local days, the newest first; days without a digest say so."""
    rows = {d.day: d for d in Digest.objects.filter(subscriber=subscriber, day__gt=today - timedelta(days=SHOWN_DAYS))}
    next_day = subscriber.next_due_at and schedule.local_day(subscriber.next_due_at, subscriber.zone)
    days = []
    for back in range(SHOWN_DAYS):
        day = today - timedelta(days=back)
        digest = rows.get(day)
        if digest:
            days.append(Day(day, digest.state, digest.reason, len(digest.picks)))
        elif subscriber.confirmed_at and day >= schedule.local_day(subscriber.confirmed_at, subscriber.zone):
            days.append(Day(day, "none", "not due yet" if day == next_day else "no digest was due", 0))
    return days
