"""Many bounces, refusals or complaints at once: the edition is held before the rest of it leaves."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q

from digest.models import Digest, Edition
from digest.models.digests import DigestQuerySet

log = logging.getLogger(__name__)
BURST = "burst"
WITHIN, DAY = timedelta(days=3), timedelta(days=1)
# Fewer say nothing of the whole, whatever their share.
BOUNCES, COMPLAINTS = 20, 5
_BAD_NEWS = Q(bounced_at__isnull=False) | Q(complained_at__isnull=False)
_ADVICE = (
    "Admin, Mail events, says which addresses and why. Many hard bounces mostly come of an imported list or a fault of "
    "the provider, many complaints of readers who did not ask for mail."
)
_RELEASE = "Nothing more of it is sent. Release it on its page in the admin: what leaves then is counted anew."


def hold_bursts(now: datetime, alert: Callable[[str, str], None]) -> list[Edition]:
    """Hold the approved editions whose mails bounce for ever, or are complained of, too often; those that were held.

    Of the mails handed over in the last three days and after the edition's last release, HOLD_AT_BOUNCES or
    HOLD_AT_COMPLAINTS is the share; 0 turns either off. A reader who was refused at the hand-over bounced. ``alert``
    is called once, also for an edition that is not held since all of it has left.
    """
    held = []
    bad_news = Digest.objects.filter(_BAD_NEWS, content_to=OuterRef("day"), accepted_at__gt=now - WITHIN)
    refused = _refused(now - WITHIN, now.date() - WITHIN - DAY).filter(content_to=OuterRef("day"))
    editions = Edition.objects.filter(Exists(bad_news) | Exists(refused), state=Edition.State.APPROVED, held=False)
    for edition in editions.order_by("day"):
        said = _too_many(edition, now)
        # Unless another worker, or an editor, was faster.
        same = Edition.objects.filter(pk=edition.pk, held=False, released_at=edition.released_at)
        if not said:
            continue
        if not _still_leaves(edition):
            if same.update(released_at=now):  # counted anew, so that it is told once
                alert(f"The edition of {edition.day}: {said}", f"{_ADVICE}\n\nAll of it has left: nothing is held.")
        elif same.update(held=True, held_reason=said[:200], held_by=BURST):
            log.error("the edition of %s is held: %s", edition.day, said)
            alert(f"The edition of {edition.day} is held: {said}", f"{_ADVICE}\n\n{_RELEASE}")
            edition.refresh_from_db()
            held.append(edition)
    return held


def _refused(since: datetime, day: date) -> DigestQuerySet:
    """Those of that local day or later whose reader was refused, at a hand-over after ``since``.

    For their size is another matter, which no reader has to do with.
    """
    rows = Digest.objects.filter(day__gte=day, state=Digest.State.REJECTED, handed_at__gt=since)
    return rows.exclude(reason__startswith=Digest.TOO_LARGE)


def _too_many(edition: Edition, now: datetime) -> str:
    """What is too much, in words; "" where nothing is."""
    since = max(now - WITHIN, edition.released_at or now - WITHIN)
    day_before = edition.day - DAY  # a date is over in the east before it begins in the west
    accepted = Digest.objects.filter(
        day__gte=day_before, content_to=edition.day, state=Digest.State.ACCEPTED, accepted_at__gt=since
    )
    bad = accepted.filter(_BAD_NEWS).aggregate(bounces=Count("bounced_at"), complaints=Count("complained_at"))
    refused = _refused(since, day_before).filter(content_to=edition.day).count()
    bounced = "bounced for ever or were refused" if refused else "bounced for ever"
    for what, number, others, least, share in (
        (bounced, bad["bounces"] + refused, refused, BOUNCES, settings.HOLD_AT_BOUNCES),
        ("were complained of", bad["complaints"], 0, COMPLAINTS, settings.HOLD_AT_COMPLAINTS),
    ):
        if not share or number < least:
            continue
        most = int(round(number / share, 6))
        # Not counted further: an ordinary day of a million mails has some bounces too.
        if (all_ := others + accepted[: most + 1].count()) <= most:
            return f"{number} of {all_} mails {what}"
    return ""


def _still_leaves(edition: Edition) -> bool:
    """Whether more of it is to go: planned already, or by readers whose hour comes before a later edition does."""
    drawing_on_it = Digest.objects.open().filter(content_from__lt=edition.day, content_to__gte=edition.day)
    return drawing_on_it.exists() or not Edition.objects.published().filter(day__gt=edition.day).exists()
