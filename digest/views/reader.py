"""A reader's own page: the next digest, the last fourteen days with state and reason, and "send me today's now"."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from digest import ledger, planning, punctuality
from digest.models import Digest
from digest.rendering.sentences import day_in_words
from digest.tasks import nudge_sending
from subscriptions import clock, languages, links, schedule
from subscriptions.forms import SAVED, SHOWN_DAYS
from subscriptions.models import Interest, Subscriber
from subscriptions.parameters import reads
from subscriptions.views.pages import own_page, reader_of, see_other, token_page

HISTORY_DAYS = 14
WANTED = {
    Interest.Kind.TOPIC: _("Topics"),
    Interest.Kind.PHRASE: _("Keywords"),
    Interest.Kind.AUTHOR: _("Authors you follow"),
}
MUTED = {
    Interest.Kind.MUTED_TOPIC: _("Muted topics"),
    Interest.Kind.MUTED_WORD: _("Muted words"),
}
HAPPENED = {
    Digest.State.PLANNED: _("Planned"),
    Digest.State.CLAIMED: _("Being sent"),
    Digest.State.SENDING: _("Being sent"),
    Digest.State.ACCEPTED: _("Sent"),
    Digest.State.REJECTED: _("Refused by your mail server"),
    Digest.State.FAILED: _("Could not be sent"),
    Digest.State.UNCERTAIN: _("Perhaps sent: the answer of the mail server was lost"),
    Digest.State.SUPPRESSED: _("Not sent: mail to your address is stopped"),
    Digest.State.SKIPPED: _("Skipped"),
    Digest.State.CANCELLED: _("Cancelled"),
}
NOTHING, NOT_YET, NOT_DUE = _("Nothing"), _("not due yet"), _("no digest was due")
# The reasons that rows hold and readers can make use of. Others are codes of mail servers, shown as they are.
REASONS = {
    planning.NO_EDITION: _("no new papers"),
    planning.NO_MATCH: _("no match in your topics"),
    planning.LATE: _("too late"),
    planning.HELD: _("held by the editors"),
    "paused": _("paused"),
    "suppressed": _("suppressed"),
    "unsubscribed": _("unsubscribed"),
    "papers withdrawn": _("papers withdrawn"),
    "the worker ended during the hand-over": _("the worker ended during the hand-over"),
    ledger.UNKNOWN: _("nobody could tell within a day"),
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a reader's history."""

    day: date
    happened: str | Promise
    reason: str | Promise
    papers: int


@reads("saved", "asked")
@token_page
@require_safe
def reader(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind every manage link."""
    subscriber = reader_of(token)
    now = clock.now()
    zone = schedule.zone_of(subscriber.zone)
    interests = interests_of(subscriber)
    today = schedule.local_day(now, subscriber.zone)
    context = {
        "subscriber": subscriber,
        "token": token,
        "wanted": [(heading, interests[kind]) for kind, heading in WANTED.items() if kind in interests],
        "muted": [(heading, interests[kind]) for kind, heading in MUTED.items() if kind in interests],
        "rhythm": rhythm(subscriber),
        "next_due_at": subscriber.next_due_at and subscriber.next_due_at.astimezone(zone),
        "paused": subscriber.is_paused(now),
        "days": history(subscriber, today),
        "today_is_done": punctuality.todays(subscriber, now).counting_as_sent().exists(),
        "saved": saved_words(request.GET.get("saved", ""), subscriber, now),
        "asked": request.GET.get("asked", ""),
        "active": Subscriber.objects.active(now).filter(pk=subscriber.pk).exists(),
        "unsubscribe_path": links.unsubscribe_path(subscriber, now),
    }
    return render(request, "digest/reader.html", context)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def send_now(request: HttpRequest, token: str) -> HttpResponse:
    """Plan today's digest now, by the ordinary path; a second press changes nothing. GET leads to the button."""
    subscriber = reader_of(token)
    page = reverse("reader", args=[token])
    if request.method != "POST":
        return see_other(page)
    digest = planning.plan_one(subscriber, clock.now(), by="asked for")
    if digest and digest.state != Digest.State.SKIPPED:
        nudge_sending()
        answer = "planned"
    else:
        answer = "no-match" if digest and digest.reason == planning.NO_MATCH else "nothing-new"
    return see_other(f"{page}?asked={answer}")


def saved_words(names: str, subscriber: Subscriber, now: datetime) -> str:
    """What to say after a change: ``names`` are those of the fields, joined by dots. Words of others say nothing."""
    if names == "nothing":
        return gettext("Nothing was changed.")
    if subscriber.paused_until and subscriber.is_paused(now):
        end = subscriber.paused_until.astimezone(schedule.zone_of(subscriber.zone))
        if names == "paused":
            said = gettext("Your digests are paused. They go on by themselves on %(day)s.")
            return said % {"day": day_in_words(end)}
    elif names == "resumed":
        return gettext("Your digests go on.")
    words = [SAVED[name] for name in dict.fromkeys(names.split(".")) if name in SAVED]
    return gettext("Saved: %(settings)s.") % {"settings": languages.listed(words)} if words else ""


def interests_of(subscriber: Subscriber) -> dict[str, list[str]]:
    """The names of the reader's interests by kind; topics in the order of their list."""
    found: dict[str, list[str]] = {}
    for interest in subscriber.interests.select_related("topic").order_by("topic__position", "topic__name", "pk"):
        found.setdefault(interest.kind, []).append(interest.topic.name if interest.topic else interest.text)
    return found


def rhythm(subscriber: Subscriber) -> str:
    """The days of the digest: "Every day.", "Once a week, on Friday.", "On Monday, Tuesday."; empty for none."""
    days = [name for day, name in SHOWN_DAYS if subscriber.weekdays >> day & 1]
    if len(days) == len(SHOWN_DAYS):
        return gettext("Every day.")
    if subscriber.is_weekly:
        return gettext("Once a week, on %(day)s.") % {"day": days[0]}
    return gettext("On %(days)s.") % {"days": languages.listed(days)} if days else ""


def said_of(digest: Digest) -> tuple[str | Promise, str | Promise]:
    """What became of a digest, and why, in words for its reader."""
    if (digest.state, digest.reason) == (Digest.State.FAILED, ledger.UNKNOWN):
        # No failure that anybody saw: the mail may be there.
        return HAPPENED[Digest.State.UNCERTAIN], REASONS[ledger.UNKNOWN]
    return HAPPENED[Digest.State(digest.state)], REASONS.get(digest.reason, digest.reason)


def history(subscriber: Subscriber, today: date) -> list[Day]:
    """The last fourteen local days, the newest first; days without a digest say so."""
    since = today - timedelta(days=HISTORY_DAYS)
    # After a change of zone a date can come twice: the later digest stands for both.
    rows = {d.day: d for d in Digest.objects.filter(subscriber=subscriber, day__gt=since).order_by("due_at")}
    next_day = subscriber.next_due_at and schedule.local_day(subscriber.next_due_at, subscriber.zone)
    days = []
    for back in range(HISTORY_DAYS):
        day = today - timedelta(days=back)
        digest = rows.get(day)
        if digest:
            happened, why = said_of(digest)
            days.append(Day(day, happened, why, len(digest.picks)))
        elif subscriber.confirmed_at and day >= schedule.local_day(subscriber.confirmed_at, subscriber.zone):
            days.append(Day(day, NOTHING, NOT_YET if day == next_day else NOT_DUE, 0))
    return days
