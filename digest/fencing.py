"""Which installation the database belongs to. A restored or copied one sends nothing until an operator says so."""

from datetime import datetime

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from digest import ledger, sequences
from digest.models import Digest, Instance

State = Digest.State
ONLY = 1  # the row's number: there is one
FENCED = "fenced at"
REMEDY = (
    "After restoring a backup: manage.py instance --adopt --skip-open, since what was to be sent then may have left. "
    "If this installation took over for good, with the newest rows: manage.py instance --adopt."
)


class NotOurs(Exception):  # noqa: N818 - a fact about the database, not about us
    """The rows belong to another installation; the text says what to do."""


def check(now: datetime) -> None:
    """Raise NotOurs unless the database belongs to INSTANCE_ID. A new one belongs to whoever asks first."""
    owner = owner_of_the_rows(now)
    if owner == settings.INSTANCE_ID:
        return
    if owner.startswith(FENCED):
        raise NotOurs(f"This database is {owner}: nothing is planned or sent. {REMEDY}")
    raise NotOurs(
        f"This database belongs to the installation {owner!r}, and this is {settings.INSTANCE_ID!r} (INSTANCE_ID): "
        f"nothing is planned or sent. {REMEDY}"
    )


def owner_of_the_rows(now: datetime) -> str:
    """The installation that the database belongs to."""
    row, _made = Instance.objects.get_or_create(pk=ONLY, defaults={"name": settings.INSTANCE_ID, "adopted_at": now})
    return row.name


def known_owner() -> str | None:
    """The same, where anybody has planned or sent from it."""
    return Instance.objects.filter(pk=ONLY).values_list("name", flat=True).first()


def fence(now: datetime) -> None:
    """Let nobody send from this database until it is adopted: for a backup that was just restored."""
    Instance.objects.update_or_create(
        pk=ONLY, defaults={"name": f"{FENCED} {now:%Y-%m-%d %H:%M} UTC", "adopted_at": now}
    )


def adopt(now: datetime, *, skip_open: bool) -> int:
    """Make the database this installation's; with ``skip_open`` end what was to be sent: it may have left already.

    How many digests that ended. Numbers that may have been given out since the dump are not given out again, and with
    ``skip_open`` editors sign in again: the dump holds sessions that were ended since. Raises sequences.NoRoom.
    """
    with transaction.atomic():
        sequences.raise_all()
        ended = 0
        if skip_open:
            Session.objects.all().delete()
            for state in (State.PLANNED, State.CLAIMED):
                ended += ledger.move(Digest.objects.all(), state, State.SKIPPED, "restored from a backup", free_at=None)
            ledger.move(Digest.objects.all(), State.SENDING, State.UNCERTAIN, "restored from a backup")
            ended += ledger.move(Digest.objects.all(), State.UNCERTAIN, State.FAILED, ledger.UNKNOWN)
        Instance.objects.update_or_create(pk=ONLY, defaults={"name": settings.INSTANCE_ID, "adopted_at": now})
    return ended
