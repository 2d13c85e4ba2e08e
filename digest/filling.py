"""What other sources do not say, asked of arXiv: categories, and whether a paper was withdrawn."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q

from digest import fetching
from digest.models import CATCH_UP_DAYS, EditionPaper, Paper, SourceRun
from digest.sources import CONFIRM_WITHDRAWAL, FILL_IN
from digest.sources.arxiv import GATE, says_withdrawn
from digest.sources.arxiv_api import NAME as ARXIV
from digest.sources.arxiv_api import WITHDRAWN_AT
from digest.sources.base import Fetched, PaperRecord, SourceError

log = logging.getLogger(__name__)
NAME = "fill_in"  # of its runs: not arxiv_api, which may be a source of its own
QUESTIONS = 20  # about withdrawals in a run: a minute of arXiv's patience, at a request in three seconds
ASK_AGAIN, OF_LATE, TAKEN_BACK_WITHIN = timedelta(days=1), timedelta(days=7), timedelta(days=90)
BARE_FOR = timedelta(days=3)  # so long arXiv is asked about a paper without categories


def fill_in(now: datetime, by: str = "") -> SourceRun | None:
    """Ask arXiv whether papers that may still be sent were withdrawn, and about new ones that came without categories.

    None where there is nothing to ask, or arXiv was asked within the hour, or asked to be left alone.
    """
    since = now - timedelta(minutes=settings.FETCH_EVERY_MINUTES)
    asked = SourceRun.objects.filter(source=NAME, started_at__gt=since).exists()
    if asked or {NAME, GATE} & fetching.groups_resting(now):
        return None
    wanted = _to_ask_about(now)
    if not wanted:
        return None
    run = SourceRun.objects.create(source=NAME, day=now.date(), started_at=now, by=by)
    heard, error = fetching.read_into(run, lambda: _with_withdrawals(FILL_IN(wanted), now))
    run.state = SourceRun.State.FAILED if error else SourceRun.State.FRESH
    run.reason = str(error or "")[:300]
    if not error and heard.lost:
        run.state, run.reason = SourceRun.State.PARTIAL, f"{heard.lost} of {heard.lost + run.received} were refused"
    run.save()
    return run


def _to_ask_about(now: datetime) -> list[str]:
    """The arXiv ids of papers that a reader may still be sent, of withdrawn ones, then of new ones without categories.

    A withdrawal can be taken back.
    """
    known = Paper.objects.shown().filter(arxiv_id__isnull=False)
    since = now.date() - timedelta(days=CATCH_UP_DAYS)
    listed = EditionPaper.objects.shown().filter(edition__day__gte=since).values("paper")
    sendable = known.filter(Q(pk__in=listed) | Q(twins__in=listed))
    gone = Paper.objects.filter(arxiv_id__isnull=False, withdrawn_at__gt=now - TAKEN_BACK_WITHIN)
    gone = gone.order_by("-withdrawn_at", "pk")[: fetching.BATCH]
    bare = known.filter(categories=[], first_seen_at__gt=now - BARE_FOR).order_by("-first_seen_at", "pk")[
        : fetching.BATCH
    ]
    ids = [str(name) for rows in (sendable, gone, bare) for name in rows.values_list("arxiv_id", flat=True)]
    return list(dict.fromkeys(ids))


def _with_withdrawals(fetched: Iterable[Fetched], now: datetime) -> Iterator[Fetched]:
    """The records, and of some what arXiv says of their withdrawal: at most QUESTIONS of them in a run.

    Those whose words speak of one, and those that were withdrawn of late, are asked about each hour; a version that
    grew without a word as soon as it is seen and then once a day, since OAI is some hours behind. Whom nobody asked
    about for longest comes first. What is left over waits for the next hour.
    """
    kept: list[PaperRecord] = []
    failure: SourceError | None = None
    try:
        for record in fetched:
            if isinstance(record, PaperRecord) and record.arxiv_id:
                kept.append(record)
            else:
                yield record
    except SourceError as error:  # what came before it is good
        failure = error
    rows = {p.arxiv_id: p for p in Paper.objects.filter(arxiv_id__in=[record.arxiv_id for record in kept])}
    ranked = []
    for record in kept:
        paper = rows.get(record.arxiv_id) or Paper()
        if (rank := _urgency(record, paper, now)) is None:
            yield _as_known(record, paper)
        else:
            ranked.append((rank, paper.withdrawal_asked_at or datetime.min.replace(tzinfo=UTC), record, paper))
    ranked.sort(key=lambda item: item[:2])
    for n, (_, _, record, paper) in enumerate(ranked):
        answer = _confirmed(record) if n < QUESTIONS else None
        if answer is None:
            yield _as_known(record, paper)
            continue
        told = {"withdrawal_asked_at": now, "withdrawal_asked_of": record.version}
        Paper.objects.filter(arxiv_id=record.arxiv_id).update(**told)
        yield _said(record, (_known_since(paper) or now) if answer else None)
    if failure:
        raise failure


def _urgency(record: PaperRecord, paper: Paper, now: datetime) -> int | None:
    """0 for those whose words or row say withdrawn, 1 for a version that grew, None for what is not to be asked."""
    recently = paper.withdrawal_asked_at is not None and paper.withdrawal_asked_at > now - ASK_AGAIN
    is_new_version = (record.version or 1) > (paper.withdrawal_asked_of or 1)
    if paper.withdrawn_at:
        return 0 if is_new_version or not recently or paper.withdrawn_at > now - OF_LATE else None
    if any(map(says_withdrawn, (record.comment, record.abstract, record.title))):
        return 0
    return 1 if is_new_version or ((record.version or 1) > 1 and not recently) else None


def _known_since(paper: Paper) -> datetime | None:
    return paper.withdrawn_at if paper.withdrawn_from in {"", ARXIV} else None


def _as_known(record: PaperRecord, paper: Paper) -> PaperRecord:
    """The record with what arXiv said when it was asked last; as it is where it never was."""
    return _said(record, _known_since(paper)) if paper.withdrawal_asked_at or paper.withdrawn_at else record


def _said(record: PaperRecord, since: datetime | None) -> PaperRecord:
    if since is None:
        return replace(record, is_withdrawal_known=True)
    return replace(record, withdrawn_at=since, raw={**record.raw, WITHDRAWN_AT: since.isoformat()})


def _confirmed(record: PaperRecord) -> bool | None:
    """What arXiv says; None where it could not be asked. Raises SourceError where it wants to be left alone."""
    try:
        return CONFIRM_WITHDRAWAL(str(record.arxiv_id))
    except SourceError as error:  # the next hour asks again
        if error.busy:
            raise
        log.warning("whether %s is withdrawn could not be asked: %s", record.arxiv_id, error)
        return None
