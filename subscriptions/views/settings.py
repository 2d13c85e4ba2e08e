"""A reader's own settings, behind a link from a mail. No account, no password."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from subscriptions import clock, guard, letters, lifecycle, links, schedule
from subscriptions.forms import PauseForm, PreferencesForm
from subscriptions.models import ConsentEvent, Interest, SignupRequest, Subscriber, Topic
from subscriptions.parameters import reads
from subscriptions.tasks import handle_signup, nudge
from subscriptions.views.pages import (
    UNPROCESSABLE,
    opened,
    origin_of,
    reader_of,
    see_other,
    token_page,
    token_page_with_script,
    too_many,
)


@reads("confirmed", "moved")
@token_page_with_script  # it guesses the time zone
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Topics, days, hour, zone and the rest. Saving leads to the reader's own page, which says what changed."""
    read, subscriber = opened(token)
    form = PreferencesForm(request.POST or None, instance=subscriber)
    if request.method == "POST" and form.is_valid() and not form.changed_words():
        return see_other(reverse("reader", args=[token]) + "?saved=nothing")
    if request.method == "POST" and form.is_valid():
        origin = origin_of(request, "preferences", read)
        lifecycle.choose(subscriber, form.choices(), form.interests(), clock.now(), origin)
        return see_other(reverse("reader", args=[token]) + "?saved=" + ".".join(form.changed_words()))
    return settings_page(request, subscriber, form, token)


def settings_page(request: HttpRequest, subscriber: Subscriber, form: PreferencesForm, token: str) -> HttpResponse:
    """The settings with what the form holds: as they are kept, or as they were typed, with what is wrong with it."""
    now = clock.now()
    context = {
        "form": form,
        "subscriber": Subscriber.objects.get(pk=subscriber.pk),  # the form has written onto the other
        "token": token,
        "paused": subscriber.is_paused(now),
        # Only while the zone was never chosen: a guess must not overwrite a choice.
        "guess_zone": not subscriber.consent_events.filter(kind=ConsentEvent.Kind.CHANGED).exists(),
        "unsubscribe_path": links.unsubscribe_path(subscriber, now),
    }
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "subscriptions/preferences.html", context, status=status)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, token: str) -> HttpResponse:
    """Pause for some weeks or until a date; or go on, where paused."""
    read, subscriber = opened(token)
    now = clock.now()
    today = schedule.local_day(now, subscriber.zone)
    origin = origin_of(request, "pause page", read)
    if request.method == "POST" and "resume" in request.POST:
        lifecycle.resume(subscriber, now, origin)
        return see_other(reverse("reader", args=[token]) + "?saved=resumed")
    form = PauseForm(request.POST or None, today=today, zone=subscriber.zone)
    if request.method == "POST" and form.is_valid():
        lifecycle.pause(subscriber, form.end(), now, origin)
        return see_other(reverse("reader", args=[token]) + "?saved=paused")
    context = {
        "form": form,
        "subscriber": subscriber,
        "token": token,
        "paused": subscriber.is_paused(now),
        "lengths": [
            (box, today + timedelta(weeks=int(box.data["value"])) if box.data["value"].isdigit() else None)
            for box in form["length"]
        ],
        "first_date": today + timedelta(days=1),
        "last_date": today + timedelta(days=365),
        "unsubscribe_path": links.unsubscribe_path(subscriber, now),
    }
    return render(request, "subscriptions/pause.html", context, status=UNPROCESSABLE if form.errors else 200)


@reads("done")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def adjust(request: HttpRequest, token: str, verb: str, topic: int = 0) -> HttpResponse:
    """One button for one wish out of a mail: mute a topic, fewer papers, weekly instead."""
    read, subscriber = opened(token)
    muted = get_object_or_404(Topic, pk=topic) if verb == "mute" else None
    if request.method == "POST":
        now, origin = clock.now(), origin_of(request, f"{verb} link", read)
        if muted:
            lifecycle.mute(subscriber, muted, now, origin)
        elif verb == "fewer":
            lifecycle.fewer(subscriber, now, origin)
        else:
            lifecycle.go_weekly(subscriber, now, origin)
        return see_other(request.path + "?done=1")
    context = {
        "subscriber": subscriber,
        "token": token,
        "verb": verb,
        "topic": muted,
        "done": "done" in request.GET and _is_so(subscriber, verb, muted),
        "smaller": max((n for n in lifecycle.LIMITS if n < subscriber.paper_limit), default=0),
        "weekday": (subscriber.last_day or schedule.local_day(clock.now(), subscriber.zone)),
        "others": subscriber.interests.exclude(kind__in=[Interest.Kind.MUTED_TOPIC, Interest.Kind.MUTED_WORD])
        .exclude(topic=topic or None)
        .exists(),
    }
    return render(request, "subscriptions/adjust.html", context)


def _is_so(subscriber: Subscriber, verb: str, topic: Topic | None) -> bool:
    """Whether the wish was done: an address typed by hand must not claim it."""
    if verb == "mute":
        return subscriber.interests.filter(topic=topic, kind=Interest.Kind.MUTED_TOPIC).exists()
    return verb == "fewer" or subscriber.is_weekly


@reads("sent")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_fresh_link(request: HttpRequest, token: str) -> HttpResponse:
    """Export, erase and another address need a link that was mailed just now: a forwarded digest must not do.

    To whom no mail may be sent, the link is shown at once: nobody else could give it. For them this page does not
    expire either.
    """
    subscriber = reader_of(token, also_late=letters.is_stopped)
    stopped = letters.is_stopped(subscriber.email, clock.now())
    if request.method == "POST":
        ip, now = guard.client_ip(request), clock.now()
        if not guard.admit(ip, now):
            return too_many(request)
        if stopped:
            shown = letters.instead_of_a_letter(subscriber, now, guard.network_hash(ip))
            return see_other(links.fresh_path(shown, now))
        asked = letters.ask(
            SignupRequest.Kind.LINK, subscriber.email, now, network=guard.network_hash(ip), subscriber=subscriber
        )
        nudge(handle_signup, asked.pk)
        return see_other(request.path + "?sent=1")
    sent = "sent" in request.GET and not stopped
    context = {"subscriber": subscriber, "token": token, "sent": sent, "stopped": stopped}
    return render(request, "subscriptions/fresh_link.html", context)
