"""What other sources do not say, asked of arXiv: categories, and whether a paper was withdrawn."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from digest import fetching
from digest.models import CATCH_UP_DAYS, EditionPaper, Paper, SourceRun
from digest.sources import CONFIRM_WITHDRAWAL, FILL_IN
from digest.sources.arxiv import GATE, says_withdrawn
from digest.sources.arxiv_api import WITHDRAWN_AT
from digest.sources.base import Fetched, PaperRecord, SourceError

log = logging.getLogger(__name__)
NAME = "fill_in"  # of its runs: not arxiv_api, which may be a source of its own
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
    _, error = fetching.read_into(run, lambda: _with_withdrawals(FILL_IN(wanted), now))
    run.state = SourceRun.State.FAILED if error else SourceRun.State.FRESH
    run.reason = str(error or "")[:300]
    run.save()
    return run


def _to_ask_about(now: datetime) -> list[str]:
    """The arXiv ids of all papers that a reader may still be sent, then of the newest ones without categories."""
    known = Paper.objects.shown().filter(arxiv_id__isnull=False)
    since = now.date() - timedelta(days=CATCH_UP_DAYS)
    listed = EditionPaper.objects.shown().filter(edition__day__gte=since).values("paper")
    sendable = known.filter(Q(pk__in=listed) | Q(twins__in=listed))
    bare = known.filter(categories=[], first_seen_at__gt=now - BARE_FOR).order_by("-first_seen_at", "pk")[
        : fetching.BATCH
    ]
    ids = [str(name) for rows in (sendable, bare) for name in rows.values_list("arxiv_id", flat=True)]
    return list(dict.fromkeys(ids))


def _with_withdrawals(fetched: Iterable[Fetched], now: datetime) -> Iterator[Fetched]:
    """The records; those whose withdrawal arXiv confirms with the time at which we learnt of it."""
    for record in fetched:
        if isinstance(record, PaperRecord) and says_withdrawn(record.comment) and _confirmed(record):
            yield replace(record, withdrawn_at=now, raw={**record.raw, WITHDRAWN_AT: now.isoformat()})
        else:
            yield record


def _confirmed(record: PaperRecord) -> bool:
    try:
        return bool(record.arxiv_id) and CONFIRM_WITHDRAWAL(str(record.arxiv_id))
    except SourceError as error:  # the next hour asks again
        if error.busy:
            raise
        log.warning("whether %s is withdrawn could not be asked: %s", record.arxiv_id, error)
        return False
