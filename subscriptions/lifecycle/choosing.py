"""What a reader chooses, and when digests pause."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from subscriptions import consent, schedule
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, Interest, Subscriber, Topic

Kind = ConsentEvent.Kind
CHOICES = ("hour", "zone", "weekdays", "paper_limit", "only_my_topics", "text_only", "language")
SCHEDULING = frozenset({"hour", "zone", "weekdays", "paused_until"})
LIMITS = (5, 10, 20)


def choose(
    subscriber: Subscriber, choices: Mapping[str, Any], interests: Interests, now: datetime, origin: Origin
) -> None:
    """Save what the reader, or an operator for the reader, chose and recompute when the next digest is due.

    Only the choices are written, onto the row as it is now: an unsubscribe in between must win.
    """
    with transaction.atomic():
        reader = _set(
            subscriber, now, **{name: choices[name] for name in (*CHOICES, "paused_until") if name in choices}
        )
        wanted = interests.rows(reader)
        reader.interests.all().delete()
        Interest.objects.bulk_create(wanted)
        consent.note(reader, Kind.CHANGED, now, origin)


def mute(subscriber: Subscriber, topic: Topic, now: datetime, origin: Origin) -> None:
    """No more papers of this topic, unless another interest brings them."""
    with transaction.atomic():
        reader = Subscriber.objects.to_change(subscriber.pk)
        Interest.objects.update_or_create(subscriber=reader, topic=topic, defaults={"kind": Interest.Kind.MUTED_TOPIC})
        consent.note(reader, Kind.CHANGED, now, origin)


def fewer(subscriber: Subscriber, now: datetime, origin: Origin) -> int:
    """The next smaller number of papers; what it is now."""
    with transaction.atomic():
        current = Subscriber.objects.to_change(subscriber.pk).paper_limit
        limit = max((number for number in LIMITS if number < current), default=current)
        if limit != current:
            consent.note(_set(subscriber, now, paper_limit=limit), Kind.CHANGED, now, origin)
    return limit


def go_weekly(subscriber: Subscriber, now: datetime, origin: Origin) -> Subscriber:
    """One digest a week from now on, on the local weekday of the last one; of today where there was none."""
    with transaction.atomic():
        reader = Subscriber.objects.to_change(subscriber.pk)
        if not reader.is_weekly:
            day = reader.last_day or schedule.local_day(now, reader.zone)
            consent.note(_set(reader, now, weekdays=1 << day.weekday()), Kind.CHANGED, now, origin)
    return Subscriber.objects.get(pk=subscriber.pk)


def pause(subscriber: Subscriber, until: datetime, now: datetime, origin: Origin) -> None:
    """No digest before ``until`` (UTC); it ends by itself. Raises ValueError for an end that is over."""
    if until <= now:
        raise ValueError("a pause ends in the future")
    with transaction.atomic():
        consent.note(_set(subscriber, now, paused_until=until), Kind.PAUSED, now, origin)


def resume(subscriber: Subscriber, now: datetime, origin: Origin) -> bool:
    """The pause ends now; False where there was none."""
    with transaction.atomic():
        paused = Subscriber.objects.to_change(subscriber.pk).is_paused(now)
        reader = _set(subscriber, now, paused_until=None)
        if paused:
            consent.note(reader, Kind.RESUMED, now, origin)
    return paused


def _set(subscriber: Subscriber, now: datetime, **values: Any) -> Subscriber:
    """Write these fields onto the row as it is now; the row. What moves no hour leaves the next digest where it is."""
    reader = Subscriber.objects.to_change(subscriber.pk)
    changed = {name for name in SCHEDULING & values.keys() if getattr(reader, name) != values[name]}
    for name, value in values.items():
        setattr(reader, name, value)
    if changed and not (changed <= {"hour", "weekdays"} and _waits(reader, now)):
        reader.reschedule(now, moved="zone" in changed)
    reader.save(update_fields=[*values, "next_due_at"])
    return reader


def _waits(reader: Subscriber, now: datetime) -> bool:
    """Whether a digest that is due by now, and only waits for its edition, is still due by what was chosen just now."""
    due = reader.next_due_at
    if due is None or due > now:
        return False
    day = schedule.local_day(due, reader.zone)
    chosen = bool(reader.weekdays >> day.weekday() & 1)
    return chosen and schedule.local_instant(day, reader.hour, reader.zone) <= now
