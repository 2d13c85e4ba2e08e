"""Approve, hold, release: by an editor's hand or by itself at the set hour."""

import logging
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from digest import editions, fetching
from digest.models import Edition

log = logging.getLogger(__name__)


class NotApproved(Exception):  # noqa: N818 - a refusal with its reason, not a crash
    """The edition cannot be approved; the text says why and what to do."""


def approve(edition: Edition, now: datetime, by: str) -> Edition:
    """Make a draft visible and ready for planning. Approving twice is harmless. Raises NotApproved."""
    if edition.state != Edition.State.DRAFT:
        return edition
    if edition.held:
        raise NotApproved(f"The edition of {edition.day} is held: {edition.held_reason}. Release it first.")
    if not edition.entries.shown().exists():
        raise NotApproved(f"The edition of {edition.day} shows no paper. Add one, or show a hidden one.")
    # Compare and swap: an editor and the worker may press at the same moment.
    Edition.objects.filter(pk=edition.pk, state=Edition.State.DRAFT, held=False).update(
        state=Edition.State.APPROVED, approved_at=now, approved_by=by
    )
    edition.refresh_from_db()
    return edition


def approve_due(now: datetime, by: str = "") -> list[Edition]:
    """Approve the drafts whose hour EDITION_APPROVE_AT (UTC) has come, all at once; those that cannot be stay drafts.

    While a source is still to be read, or waits for today's batch, they wait for it, at most PATIENCE, and are drafted
    once more before.
    """
    if settings.EDITION_APPROVE_AT is None:
        return []
    drafts = Edition.objects.filter(state=Edition.State.DRAFT, held=False, day__lte=now.date()).order_by("day")
    ready = [e for e in drafts if now >= approves_at(e)]
    if not ready or (not fetching.all_in(now, ready[-1].day) and now < approves_at(ready[-1]) + editions.PATIENCE):
        return []
    approved = []
    with transaction.atomic():  # readers see the days together, not the oldest first
        for edition in ready:
            editions.draft(edition.day, now, by)
            try:
                approved.append(approve(edition, now, by))
            except NotApproved as error:
                log.info("%s", error)  # its page says so too; the next minute asks again
    return approved


def approves_at(edition: Edition) -> datetime:
    """When the edition approves itself (UTC). Only meaningful where EDITION_APPROVE_AT is set."""
    assert settings.EDITION_APPROVE_AT is not None
    return datetime.combine(edition.day, settings.EDITION_APPROVE_AT, UTC)


def hold(edition: Edition, reason: str, by: str) -> None:
    """Stop planning and sending of this edition at once; what left has left."""
    Edition.objects.filter(pk=edition.pk).update(held=True, held_reason=reason[:200], held_by=by)


def release(edition: Edition) -> None:
    """Let planning and sending go on."""
    Edition.objects.filter(pk=edition.pk).update(held=False, held_reason="", held_by="")
