"""Approve, hold, release: by an editor's hand or by itself at the set hour. The mail's linter stands at the gate."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from digest import editions, fetching, preflight
from digest.models import Digest, Edition, EditionPaper
from digest.preflight import LeftOut, Verdict

log = logging.getLogger(__name__)
LINTER = "linter"
Alert = Callable[[str, str], None]  # tells the operators: subject, text


class NotApproved(Exception):  # noqa: N818 - a refusal with its reason, not a crash
    """The edition cannot be approved; the text says why and what to do."""


def approve(edition: Edition, now: datetime, by: str, *, unchecked: bool = False) -> Verdict:
    """Make a draft visible and ready for planning; what the linter says of its mail, with the papers it left out.

    Approving twice is harmless. Takes seconds, so call it in no transaction. ``unchecked`` passes the linter by: it can
    be wrong, and a day's mail must not hang on that. Raises NotApproved.
    """
    if edition.state != Edition.State.DRAFT:
        return Verdict()
    _refuse_unless_ready(edition, unchecked=unchecked)
    if unchecked:
        with transaction.atomic():
            _swap(edition, None, now, by)
        return Verdict()
    verdict = preflight.check(edition, now)
    if verdict.reason:
        raise NotApproved(_refusal(edition, verdict))
    leave_out(verdict.left_out)
    with transaction.atomic():
        _swap(edition, verdict, now, by)
    return verdict


def approve_due(now: datetime, by: str = "", alert: Alert = lambda _subject, _text: None) -> list[Edition]:
    """Approve the drafts whose hour EDITION_APPROVE_AT (UTC) has come, all at once; those that cannot be stay drafts.

    While a source is still to be read, or waits for today's batch, they wait for it, at most PATIENCE, and are drafted
    once more before. One whose mail has a fault that is no paper's is held, and ``alert`` is called.
    """
    if settings.EDITION_APPROVE_AT is None:
        return []
    drafts = Edition.objects.filter(state=Edition.State.DRAFT, held=False, day__lte=now.date()).order_by("day")
    ready = [e for e in drafts if now >= approves_at(e)]
    if not ready or (not fetching.all_in(now, ready[-1].day) and now < approves_at(ready[-1]) + editions.PATIENCE):
        return []
    verdicts = {edition: _gate(edition, now, by, alert) for edition in ready}
    approved = []
    with transaction.atomic():  # readers see the days together, not the oldest first
        for edition, verdict in verdicts.items():
            if verdict.reason:
                continue
            try:
                _swap(edition, verdict, now, by)
            except Changed as error:
                log.info("%s", error)
                transaction.set_rollback(True)  # all of them wait for the next minute
                return []
            except NotApproved as error:
                log.info("%s", error)  # its page says so too; the next minute asks again
            else:
                approved.append(edition)
    return approved


def approves_at(edition: Edition) -> datetime:
    """When the edition approves itself (UTC). Only meaningful where EDITION_APPROVE_AT is set."""
    assert settings.EDITION_APPROVE_AT is not None
    return datetime.combine(edition.day, settings.EDITION_APPROVE_AT, UTC)


def hold(edition: Edition, reason: str, by: str) -> None:
    """Stop planning and sending of this edition at once; what left has left."""
    Edition.objects.filter(pk=edition.pk).update(held=True, held_reason=reason[:200], held_by=by)


def release(edition: Edition) -> None:
    """Let planning and sending go on. Bounces and complaints are counted anew: of mails accepted later than so far."""
    # By the rows and no clock: what is asked later is whether a mail was accepted after this.
    mails = Digest.objects.filter(day__gte=edition.day - timedelta(days=1), content_to=edition.day)
    newest = mails.aggregate(at=Max("accepted_at"))["at"]
    Edition.objects.filter(pk=edition.pk).update(held=False, held_reason="", held_by="", released_at=newest)


def leave_out(papers: Sequence[LeftOut]) -> None:
    """Hide the papers that did not pass, with the reason, unless an editor changed them or approved meanwhile."""
    for paper in papers:
        log.warning("paper %s is left out, %s", paper.entry.paper_id, paper.reason)
        entry = EditionPaper.objects.filter(pk=paper.entry.pk, hidden=False, blurb=paper.entry.blurb)
        entry.filter(edition__state=Edition.State.DRAFT).update(hidden=True, hidden_reason=paper.reason)


class Changed(NotApproved):
    """The edition shows something that was not checked: a paper or a blurb came in meanwhile."""


def _gate(edition: Edition, now: datetime, by: str, alert: Alert) -> Verdict:
    """Draft once more and check. Outside of any transaction: it takes seconds."""
    editions.draft(edition.day, now, by)
    verdict = preflight.check(edition, now)
    if verdict.reason:
        _hold_and_alert(edition, verdict, alert)
    elif verdict.left_out:
        leave_out(verdict.left_out)
        papers = "\n".join(f"{paper.entry.paper.key} {paper.entry.paper}: {paper.reason}" for paper in verdict.left_out)
        alert(
            f"{len(verdict.left_out)} papers are left out of the edition of {edition.day}",
            f"{papers}\n\nThe others go. To bring one back correct it, then show it again on the edition's page.",
        )
    return verdict


def _refuse_unless_ready(edition: Edition, *, unchecked: bool = False) -> None:
    if edition.held and not (unchecked and edition.held_by == LINTER):
        raise NotApproved(f"The edition of {edition.day} is held: {edition.held_reason}. Release it first.")
    if not edition.entries.shown().exists():
        raise NotApproved(f"The edition of {edition.day} shows no paper. Add one, or show a hidden one.")


def _swap(edition: Edition, verdict: Verdict | None, now: datetime, by: str) -> None:
    """Compare and swap: an editor and the worker may press at the same moment. None: the linter was passed by.

    In the caller's transaction. What is shown is read after the update, which waits for an editor who is saving. Raises
    Changed, which must roll back, where that was not checked.
    """
    _refuse_unless_ready(edition, unchecked=verdict is None)
    drafts = Edition.objects.filter(pk=edition.pk, state=Edition.State.DRAFT)
    drafts = drafts.filter(held=False) if verdict else drafts.filter(Q(held=False) | Q(held_by=LINTER))
    swapped = drafts.update(
        state=Edition.State.APPROVED, approved_at=now, approved_by=by, held=False, held_reason="", held_by=""
    )
    if swapped and verdict and not preflight.shown_in(edition) <= verdict.passed:
        raise Changed(f"The edition of {edition.day} changed while its mail was checked. Approve it again.")
    edition.refresh_from_db()
    if edition.state == Edition.State.DRAFT:
        raise NotApproved(f"The edition of {edition.day} was held at this moment.")


def _refusal(edition: Edition, verdict: Verdict) -> str:
    if not verdict.faults:
        return f"No paper of the edition of {edition.day} passes. {verdict.reason}"
    faults = " ".join(f"{f.rule}: {f.said}{f' ({f.where})' if f.where else ''}. {f.remedy}" for f in verdict.faults)
    return f"The mail of the edition of {edition.day} has faults that no paper brings. {faults}"


def _hold_and_alert(edition: Edition, verdict: Verdict, alert: Alert) -> None:
    """One alert, whoever checks it at the same moment."""
    drafts = Edition.objects.filter(pk=edition.pk, state=Edition.State.DRAFT, held=False)
    if not drafts.update(held=True, held_reason=verdict.reason[:200], held_by=LINTER):
        return
    log.error("the edition of %s is held: %s", edition.day, verdict.reason)
    alert(
        f"The edition of {edition.day} is held",
        f"{_refusal(edition, verdict)}\n\nNothing of it is sent. Correct the fault, then release it in the admin. "
        f"Where the linter is wrong: manage.py approve_edition --day {edition.day} --unchecked.",
    )
